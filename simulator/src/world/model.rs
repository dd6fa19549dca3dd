//! What a workspace consists of. Plain data; [`World`](super::World) owns and changes it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::builds::Builds;
use super::git::Tag;
use super::tracker::Issue;

/// A moment of the simulated clock, with microseconds.
pub type Time = DateTime<Utc>;

/// A user's place in [`World::users`](super::World::users). Users are never removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserId(pub(crate) usize);

/// A commit hash. `{hash}` prints all 40 characters, `{hash:.12}` the short form used inside pull requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash(pub(crate) [u8; 20]);

impl Hash {
    /// The hash that these bytes are.
    #[must_use]
    pub fn of(bytes: [u8; 20]) -> Hash {
        Hash(bytes)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [0; 40];
        for (pair, byte) in text.chunks_exact_mut(2).zip(self.0) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        formatter.pad(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

/// The workspace that holds every repository.
#[derive(Clone, Debug)]
pub struct Workspace {
    /// Short name in addresses.
    pub slug: String,
    /// Stable identity, in braces.
    pub uuid: String,
    /// Name shown to people.
    pub name: String,
    /// When it was opened.
    pub created_on: Time,
}

/// A group of repositories.
#[derive(Clone, Debug)]
pub struct Project {
    /// Upper-case key, also the prefix of the issue keys that titles mention.
    pub key: String,
    /// Name shown to people.
    pub name: String,
    /// Stable identity, in braces.
    pub uuid: String,
}

/// A person with an Atlassian account.
#[derive(Clone, Debug)]
pub struct User {
    /// Place in the list of users.
    pub id: UserId,
    /// Stable identity, in braces.
    pub uuid: String,
    /// Atlassian account: `557058:<uuid>` for older ones, 24 hexadecimal digits for others. Empty
    /// for an account that was closed: payloads then give its UUID only.
    pub account_id: String,
    /// Name shown to people; may change.
    pub display_name: String,
    /// Name chosen for mentions.
    pub nickname: String,
    /// Address used in commits.
    pub email: String,
    /// Address of the picture; may change.
    pub avatar: String,
}

/// A repository that is referred to but not served: a fork, or what a repository was forked from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fork {
    /// `workspace/slug`.
    pub full_name: String,
    /// Stable identity, in braces.
    pub uuid: String,
}

/// A git repository with its pull requests.
#[derive(Clone, Debug)]
pub struct Repository {
    /// Stable identity, in braces.
    pub uuid: String,
    /// Short name in addresses.
    pub slug: String,
    /// Name shown to people.
    pub name: String,
    /// Free text.
    pub description: String,
    /// Main programming language, lower case; may be empty.
    pub language: String,
    /// Whether an anonymous reader is refused.
    pub is_private: bool,
    /// Index into the world's projects.
    pub project: usize,
    /// Who made it; `None` means the workspace owns it.
    pub owner: Option<UserId>,
    /// What it was forked from.
    pub parent: Option<Fork>,
    /// Name of the main branch; `None` while nothing has been pushed.
    pub mainbranch: Option<String>,
    /// Bytes on disk.
    pub size: u64,
    /// When it was made.
    pub created_on: Time,
    /// When it last changed.
    pub updated_on: Time,
    /// Pull requests by number.
    pub pull_requests: BTreeMap<u64, PullRequest>,
    /// Commits of the main branch, oldest first.
    pub main: Vec<Commit>,
    /// Tags by name.
    pub tags: BTreeMap<String, Tag>,
    pub(crate) branches: BTreeMap<String, (Hash, Time)>,
    /// Commits that forced pushes took off the main branch.
    pub(crate) dropped: Vec<Commit>,
    /// Issues by number.
    pub issues: BTreeMap<u64, Issue>,
    pub(crate) last_issue: u64,
    /// Its pipelines, where they do not follow from pull requests.
    pub(crate) builds: Option<Builds>,
    pub(crate) main_head: Hash,
    pub(crate) next_pull_request: u64,
    /// Internal identity, never used again after a deletion.
    pub(crate) serial: u64,
    pub(crate) revision: u64,
}

/// The state of a pull request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Under review.
    Open,
    /// Merged into its destination.
    Merged,
    /// Closed without merging.
    Declined,
    /// Replaced by another one.
    Superseded,
}

impl State {
    /// Every state, in the order of the documentation.
    pub const ALL: [State; 4] = [
        State::Open,
        State::Merged,
        State::Declined,
        State::Superseded,
    ];

    /// The word used in payloads.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            State::Open => "OPEN",
            State::Merged => "MERGED",
            State::Declined => "DECLINED",
            State::Superseded => "SUPERSEDED",
        }
    }
}

/// Where the commits of a pull request come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceRepository {
    /// The repository the pull request belongs to.
    Same,
    /// Someone's fork.
    Fork(Fork),
    /// A fork that has been deleted since.
    Gone,
}

/// A pull request with everything that hangs on it.
#[derive(Clone, Debug)]
pub struct PullRequest {
    /// Number within the repository.
    pub id: u64,
    /// One line.
    pub title: Arc<str>,
    /// Markdown.
    pub description: Arc<str>,
    /// Its state.
    pub state: State,
    /// Whether it asks not to be merged yet.
    pub draft: bool,
    /// Who opened it; `None` when the account was deleted.
    pub author: Option<UserId>,
    /// Who merged or declined it.
    pub closed_by: Option<UserId>,
    /// Why it was declined.
    pub reason: String,
    /// The commit that merged it.
    pub merge_commit: Option<Hash>,
    /// Whether merging deletes the branch.
    pub close_source_branch: bool,
    /// Tasks still to do.
    pub task_count: u64,
    /// When it was opened.
    pub created_on: Time,
    /// When anything about it last changed, its comments and approvals included.
    pub updated_on: Time,
    /// Where its commits come from.
    pub source: SourceRepository,
    /// The branch to merge.
    pub source_branch: String,
    /// Head of that branch.
    pub source_commit: Hash,
    /// The branch to merge into.
    pub destination_branch: String,
    /// Head of that branch when the pull request was last updated.
    pub destination_commit: Hash,
    /// Reviewers and everyone else who took part.
    pub participants: Vec<Participant>,
    /// Oldest first, ids ascending.
    pub comments: Vec<Comment>,
    /// Oldest first.
    pub commits: Vec<Commit>,
    /// Oldest first.
    pub activity: Vec<Activity>,
    pub(crate) revision: u64,
}

impl PullRequest {
    /// The comment of that id.
    #[must_use]
    pub fn comment(&self, id: u64) -> Option<&Comment> {
        let index = self
            .comments
            .binary_search_by_key(&id, |comment| comment.id)
            .ok()?;
        self.comments.get(index)
    }

    /// When it was merged or declined; none while it is open.
    #[must_use]
    pub fn closed_on(&self) -> Option<Time> {
        if self.state == State::Open {
            return None;
        }
        let closing = self.activity.iter().find(|entry| match &entry.event {
            Event::Update(update) => update.state == self.state,
            _ => false,
        });
        closing.map(|entry| entry.date)
    }

    /// How many comments are left, deleted ones not counted.
    #[must_use]
    pub fn comment_count(&self) -> u64 {
        self.comments
            .iter()
            .filter(|comment| !comment.deleted)
            .count() as u64
    }

    /// The user's part in it.
    #[must_use]
    pub fn participant(&self, user: UserId) -> Option<&Participant> {
        self.participants
            .iter()
            .find(|participant| participant.user == user)
    }
}

/// What a reviewer thinks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Fine to merge.
    Approved,
    /// Not like this.
    ChangesRequested,
}

/// One person's part in one pull request.
#[derive(Clone, Debug)]
pub struct Participant {
    /// The person.
    pub user: UserId,
    /// Whether they were asked to review.
    pub reviewer: bool,
    /// Their standing verdict.
    pub verdict: Option<Verdict>,
    /// When they last voted or commented.
    pub participated_on: Option<Time>,
}

/// The line of a file a comment is anchored to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inline {
    /// File.
    pub path: String,
    /// Line in the old version.
    pub from: Option<u64>,
    /// Line in the new version.
    pub to: Option<u64>,
}

/// One comment on a pull request.
#[derive(Clone, Debug)]
pub struct Comment {
    /// Unique in the workspace.
    pub id: u64,
    /// Markdown; empty once deleted.
    pub text: String,
    /// Who wrote it; `None` when the account was deleted.
    pub user: Option<UserId>,
    /// The comment it answers.
    pub parent: Option<u64>,
    /// The line it is about.
    pub inline: Option<Inline>,
    /// Deleted comments stay in the list.
    pub deleted: bool,
    /// When it was written.
    pub created_on: Time,
    /// When it was last edited or deleted.
    pub updated_on: Time,
}

/// One commit.
#[derive(Clone, Debug)]
pub struct Commit {
    /// Identity.
    pub hash: Hash,
    /// The commit before it.
    pub parent: Hash,
    /// The head of the branch that it merged; none for one that merges nothing.
    pub merged: Option<Hash>,
    /// Author's date.
    pub date: Time,
    /// Message.
    pub message: String,
    /// `Name <address>`.
    pub author: String,
    /// The account with that address, if any.
    pub user: Option<UserId>,
    /// What its files are made of.
    pub(crate) salt: Hash,
}

impl Commit {
    /// The commit with the hash that git would give it.
    pub(crate) fn hashed(mut self) -> Commit {
        let [_, _, object] = crate::git::of_commit(&self);
        self.hash = object.hash();
        self
    }
}

/// One entry of the activity log.
#[derive(Clone, Debug)]
pub struct Activity {
    /// When it happened.
    pub date: Time,
    /// What happened.
    pub event: Event,
}

/// What an entry of the activity log says.
#[derive(Clone, Debug)]
pub enum Event {
    /// The comment of this id was written.
    Comment(u64),
    /// The pull request itself changed.
    Update(Box<Update>),
    /// A reviewer voted.
    Verdict(UserId, Verdict),
}

/// The pull request as it was after one change.
#[derive(Clone, Debug)]
pub struct Update {
    /// State after the change.
    pub state: State,
    /// Draft flag after the change.
    pub draft: bool,
    /// Title after the change.
    pub title: Arc<str>,
    /// Description after the change.
    pub description: Arc<str>,
    /// Reviewers after the change.
    pub reviewers: Vec<UserId>,
    /// Who made the change.
    pub author: Option<UserId>,
    /// Why, for declined ones.
    pub reason: String,
    /// Head of the source branch after the change.
    pub source_commit: Hash,
    /// Head of the destination branch after the change.
    pub destination_commit: Hash,
    /// What differs from before; nothing for the creation and for pushes.
    pub changes: Vec<Difference>,
}

/// One attribute that a change altered.
#[derive(Clone, Debug)]
pub enum Difference {
    /// The state went from open to this.
    State(State),
    /// The title before the change.
    Title(Arc<str>),
    /// The description before the change.
    Description(Arc<str>),
}

//! The state of a simulated workspace, without any HTTP.
//!
//! A [`World`] is generated from a seed and then changed by its methods. Equal worlds that receive
//! equal changes stay equal: whatever a change leaves open (hashes, ids, how long it took) is drawn
//! from the world's own dice. Payloads are rendered elsewhere, from the state as it is.

mod actions;
mod builds;
mod change;
mod company;
mod dice;
mod draw;
mod generate;
mod git;
mod habits;
mod merged;
mod model;
pub(crate) mod prose;
mod repositories;
mod review;
mod step;
mod tracker;

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, Utc};

pub use builds::{Deployment, ENVIRONMENTS, Environment, Pipeline, PipelineStep, environment_uuid};
pub use change::Change;
pub use company::Company;
pub use generate::{Size, Spread};
pub(crate) use git::NOTHING;
pub use git::{GitChange, Tag};
pub use habits::Habits;
pub use merged::MergedAs;
pub use model::{
    Activity, Comment, Commit, Difference, Event, Fork, Hash, Inline, Participant, Project,
    PullRequest, Repository, SourceRepository, State, Time, Update, User, UserId, Verdict,
    Workspace,
};

pub use tracker::{Issue, IssueChange, IssueComment, TrackerChange};

use dice::Dice;

/// One workspace, its people and repositories, and the clock they live by.
#[derive(Clone, Debug)]
pub struct World {
    clock: Time,
    /// How many seconds pass with a change.
    pace: std::ops::Range<i64>,
    dice: Dice,
    habits: Habits,
    workspace: Workspace,
    projects: Vec<Project>,
    users: Vec<User>,
    repositories: Vec<Repository>,
    /// Former slugs, with the UUID of the repository that had them last.
    former_slugs: BTreeMap<String, String>,
    next_serial: u64,
    has_trackers: bool,
    revision: u64,
    shared_revision: u64,
}

/// What a change touched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touched {
    /// Slug of the repository.
    pub repository: Option<String>,
    /// Number of the pull request.
    pub pull_request: Option<u64>,
    /// Id of the comment.
    pub comment: Option<u64>,
    /// The user.
    pub user: Option<UserId>,
}

/// Why a change was not possible. A refused change leaves the world as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// No repository has that slug.
    NoRepository,
    /// The repository has no such pull request.
    NoPullRequest,
    /// The pull request has no such comment, or it is deleted.
    NoComment,
    /// The repository has no such branch, tag or commit.
    NoRef,
    /// The repository has no such issue.
    NoIssue,
    /// The world has no such user.
    NoUser,
    /// The pull request is already merged, declined or superseded.
    Closed,
    /// The user's verdict is already that, or there is none to take back.
    SameVerdict,
    /// The pull request does not come from a fork.
    NoFork,
    /// A repository of that slug exists.
    SlugTaken,
}

impl fmt::Display for Refused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Refused::NoRepository => "no such repository",
            Refused::NoPullRequest => "no such pull request",
            Refused::NoComment => "no such comment",
            Refused::NoRef => "no such branch, tag or commit",
            Refused::NoIssue => "no such issue",
            Refused::NoUser => "no such user",
            Refused::Closed => "the pull request is closed",
            Refused::SameVerdict => "the verdict would not change",
            Refused::NoFork => "the pull request does not come from a fork",
            Refused::SlugTaken => "the slug is taken",
        })
    }
}

impl std::error::Error for Refused {}

impl World {
    /// Builds a workspace of that size. The same arguments give the same world, byte for byte.
    #[must_use]
    pub fn generate(seed: u64, workspace: &str, size: &Size) -> World {
        generate::world(seed, workspace, size)
    }

    /// The simulated time, sent as `Date` with every response. Only changes move it.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.clock
    }

    /// Lets time pass without any change.
    pub fn advance(&mut self, duration: std::time::Duration) {
        // A duration that chrono cannot hold is centuries long: standing still is as good an answer.
        self.clock += chrono::TimeDelta::from_std(duration).unwrap_or_default();
    }

    /// The workspace.
    #[must_use]
    pub fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    /// The projects of the workspace.
    #[must_use]
    pub fn projects(&self) -> &[Project] {
        &self.projects
    }

    /// Everyone, in a fixed order.
    #[must_use]
    pub fn users(&self) -> &[User] {
        &self.users
    }

    /// One user; an id of another world may give none.
    #[must_use]
    pub fn user(&self, id: UserId) -> Option<&User> {
        self.users.get(id.0)
    }

    /// The repositories, oldest first.
    #[must_use]
    pub fn repositories(&self) -> &[Repository] {
        &self.repositories
    }

    /// The repository of that slug or `{uuid}`; where that is a habit, also of a former slug.
    #[must_use]
    pub fn repository(&self, name: &str) -> Option<&Repository> {
        let mut repositories = self.repositories.iter();
        let found = repositories.find(|it| it.slug == name || it.uuid == name);
        let former = self.former_slugs.get(name);
        let former = former.filter(|_| self.habits.former_names_answer);
        found.or_else(|| self.repositories.iter().find(|it| Some(&it.uuid) == former))
    }

    /// One pull request.
    #[must_use]
    pub fn pull_request(&self, repository: &str, id: u64) -> Option<&PullRequest> {
        self.repository(repository)?.pull_requests.get(&id)
    }

    /// `workspace/slug`, as payloads print it.
    #[must_use]
    pub fn full_name(&self, repository: &Repository) -> String {
        format!("{}/{}", self.workspace.slug, repository.slug)
    }

    /// Grows with every change; equal revisions mean equal state.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Grows with changes that show in payloads of many objects, such as a new display name.
    pub(crate) fn shared_revision(&self) -> u64 {
        self.shared_revision
    }

    /// Moves the clock by the time one change takes and returns the new time.
    fn tick(&mut self) -> Time {
        self.clock += self.dice.span(self.pace.clone());
        self.clock
    }

    fn next_revision(&mut self) -> u64 {
        self.revision += 1;
        self.revision
    }

    fn repository_index(&self, slug: &str) -> Result<usize, Refused> {
        let place = self
            .repositories
            .iter()
            .position(|repository| repository.slug == slug);
        place.ok_or(Refused::NoRepository)
    }
}

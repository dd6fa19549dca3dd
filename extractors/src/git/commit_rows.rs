//! Rows made of commits.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use headwater_domain::code::{commit, commit_file, commit_parent, repo_commit};
use headwater_domain::crossdomain::commit_mention;
use headwater_domain::id::{self, Ids};
use headwater_domain::{Origin, Rows, Scope, mentions};
use ring::digest::{SHA256, digest};

use super::history::Commit;
use super::{ApiAccounts, text};

/// What rows follow from, beside the commit.
pub(super) struct CommitRowsBuilder {
    pub(super) repo_id: String,
    pub(super) connection_id: i64,
    /// The scope whose tracker `#12` is of, and how its issues' ids are spelt; none where there is
    /// no tracker.
    pub(super) tracker: Option<(&'static Ids, Scope)>,
    pub(super) origin: Origin,
    /// Accounts by e-mail address; none where the address is the account.
    pub(super) accounts: Option<(ApiAccounts, Arc<BTreeMap<String, String>>)>,
    /// Commits whose parents are not there, with these parents.
    pub(super) boundary: HashMap<String, Vec<String>>,
}

/// Some commits as rows. The files of one commit may come in several parts; the commit is in the
/// last of them.
#[derive(Debug, Default)]
pub(super) struct CommitBatch {
    pub(super) commits: Vec<commit::Model>,
    /// Their parents, their files, and who has them.
    pub(super) rows: Rows,
    /// Commits whose first files are here.
    pub(super) begun: Vec<String>,
    /// Files.
    pub(super) files: usize,
    /// Bytes of messages and paths.
    bytes: usize,
    /// Dates that no database stores.
    pub(super) odd_dates: u64,
}

/// The lines that a commit changed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Lines {
    pub(super) additions: i64,
    pub(super) deletions: i64,
}

/// What a part holds at most, or one commit or file more: enough that neighbours in the tables are
/// written together, and no more than memory has room for. Little in tests, so that small
/// histories have many parts.
const COMMITS: usize = if cfg!(test) { 3 } else { 8192 };
const FILES: usize = if cfg!(test) { 4 } else { 8192 };
const BYTES: usize = 4 << 20;

impl CommitBatch {
    /// True when it is to be handed on.
    pub(super) fn is_full(&self) -> bool {
        self.begun.len() >= COMMITS || self.files >= FILES || self.bytes >= BYTES
    }

    /// True when there is nothing to be handed on.
    pub(super) fn is_empty(&self) -> bool {
        self.begun.is_empty() && self.commits.is_empty() && self.files == 0
    }

    /// Puts commits into the order of their key, so that neighbours in the table are written
    /// together. Other rows are put so where they are written.
    pub(super) fn sorted(mut self) -> Self {
        self.commits
            .sort_unstable_by(|one, other| one.sha.cmp(&other.sha));
        self
    }

    /// Adds a file of a commit.
    pub(super) fn file(&mut self, sha: &str, path: &[u8], lines: Lines) {
        let hash = text::hexadecimal(digest(&SHA256, path).as_ref());
        self.files += 1;
        self.bytes += path.len();
        self.rows.push(commit_file::Model {
            id: format!("{sha}:{hash}"),
            commit_sha: sha.to_owned(),
            file_path: text::text(path),
            additions: lines.additions,
            deletions: lines.deletions,
        });
    }
}

impl CommitRowsBuilder {
    pub(super) fn batch(&self) -> CommitBatch {
        let mut batch = CommitBatch::default();
        batch.rows.from_origin(self.origin.clone());
        batch
    }

    /// True for a commit whose lines are counted: as git does, merges are left out. So is what
    /// would be counted against a parent that is not there.
    pub(super) fn counts(&self, commit: &Commit) -> bool {
        commit.parents.len() < 2 && !self.boundary.contains_key(&commit.sha)
    }

    /// Adds a commit, whose files are added.
    pub(super) fn commit(&self, batch: &mut CommitBatch, commit: Commit, lines: Lines) {
        let dates = [commit.author.date, commit.committer.date];
        batch.bytes += commit.message.len();
        batch.odd_dates += dates.iter().filter(|date| date.is_none()).count() as u64;
        let parents = self.boundary.get(&commit.sha).unwrap_or(&commit.parents);
        for (place, parent) in parents.iter().enumerate() {
            if parents[..place].contains(parent) {
                // Its first place is its place.
                continue;
            }
            batch.rows.push(commit_parent::Model {
                commit_sha: commit.sha.clone(),
                parent_commit_sha: parent.clone(),
                parent_order: i64::try_from(place).unwrap_or(i64::MAX),
            });
        }
        batch.rows.push(repo_commit::Model {
            repo_id: self.repo_id.clone(),
            source_id: id::git_ref(&self.repo_id, &commit.sha),
            commit_sha: commit.sha.clone(),
        });
        for mention in mentions::of_text(&commit.message) {
            let tracker = self.tracker.as_ref();
            batch.rows.push(commit_mention::Model {
                source_id: id::git_ref(&self.repo_id, &commit.sha),
                issue_id: tracker
                    .map_or_else(String::new, |(ids, scope)| mention.own_issue(ids, scope)),
                mention: mention.to_string(),
                commit_sha: commit.sha.clone(),
            });
        }
        batch.commits.push(commit::Model {
            sha: commit.sha,
            additions: lines.additions,
            deletions: lines.deletions,
            dev_eq: 0,
            message: commit.message,
            author_id: self.account(&commit.author.email),
            author_name: commit.author.name,
            author_email: commit.author.email,
            authored_date: commit.author.date,
            committer_id: self.account(&commit.committer.email),
            committer_name: commit.committer.name,
            committer_email: commit.committer.email,
            committed_date: commit.committer.date,
        });
    }

    /// The account of an author: the connection's where it is known, else the address.
    fn account(&self, email: &str) -> String {
        let accounts = self.accounts.as_ref();
        let known = accounts.and_then(|(told, accounts)| Some((told, accounts.get(email)?)));
        known.map_or_else(
            || email.to_owned(),
            |(told, account)| told.ids.account(self.connection_id, account),
        )
    }
}

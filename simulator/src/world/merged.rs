//! Pull requests that were merged in a repository of a test's own, in whatever way.

use super::git::NOTHING;
use super::model::{Commit, Hash, Time, UserId};
use super::{Refused, Touched, World};

/// How a pull request was merged in a repository that a test made, and which git serves in place
/// of the world's.
#[derive(Clone, Debug)]
pub struct MergedAs {
    /// The commit that the API gives as the one that merged it.
    pub merge_commit: Option<Hash>,
    /// Commits of the source branch, oldest first.
    pub commits: Vec<Hash>,
    /// The branch that was merged.
    pub source_branch: String,
    /// The branch it was merged into.
    pub destination_branch: String,
    /// When it was opened.
    pub created_on: Time,
}

impl World {
    /// Merges an open pull request, and says of it that it was merged like this.
    pub fn merge_as(
        &mut self,
        slug: &str,
        id: u64,
        by: UserId,
        merged: MergedAs,
    ) -> Result<Touched, Refused> {
        let touched = self.merge(slug, id, by)?;
        let index = self.repository_index(slug)?;
        let found = self.repositories[index].pull_requests.get_mut(&id);
        let found = found.ok_or(Refused::NoPullRequest)?;
        let commit = |hash: &Hash| Commit {
            hash: *hash,
            parent: NOTHING,
            merged: None,
            date: merged.created_on,
            message: "As in git".to_owned(),
            author: "Ada Example <ada@example.com>".to_owned(),
            user: None,
            salt: *hash,
        };
        found.commits = merged.commits.iter().map(commit).collect();
        found.source_commit = merged.commits.last().copied().unwrap_or(NOTHING);
        found.merge_commit = merged.merge_commit;
        found.source_branch = merged.source_branch;
        found.destination_branch = merged.destination_branch;
        found.created_on = merged.created_on;
        Ok(touched)
    }
}

//! Merged pull requests, with what was said of them and what they became.

use super::{Milliseconds, next_moment, text};
use crate::Store;
use crate::error::{During, StoreError};

/// One merged row of `pull_requests`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredPullRequest {
    /// `id`.
    pub id: String,
    /// `base_repo_id`.
    pub base_repo_id: String,
    /// `pull_request_key`.
    pub number: i64,
    /// `title`.
    pub title: String,
    /// `head_ref`.
    pub head_ref: String,
    /// `author_id`.
    pub author_id: String,
    /// `created_date`.
    pub created: Option<Milliseconds>,
    /// `merged_date`.
    pub merged: Milliseconds,
    /// `merge_commit_sha`.
    pub merge_commit_sha: String,
}

/// One row of `pull_request_commits`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnCommit {
    /// `pull_request_id`.
    pub pull_request_id: String,
    /// `commit_sha`.
    pub commit_sha: String,
    /// `commit_authored_date`.
    pub authored: Option<Milliseconds>,
}

/// A comment, an approval or a change request: of `pull_request_comments` or `pull_request_events`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// `pull_request_id`.
    pub pull_request_id: String,
    /// `id`.
    pub id: String,
    /// `account_id`, or `actor_id`.
    pub actor: String,
    /// `created_date`, or `at`.
    pub at: Option<Milliseconds>,
}

/// One row of `pull_request_merges` with `is_tip`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BecameCommit {
    /// `pull_request_id`.
    pub pull_request_id: String,
    /// `commit_sha`.
    pub commit_sha: String,
    /// `method`.
    pub method: String,
    /// `repo_id`.
    pub repo_id: String,
}

impl Store {
    /// Ids of the pull requests with a merge date into these repositories, sorted.
    pub async fn merged_pull_requests_of(
        &self,
        repositories: &[String],
    ) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT id FROM pull_requests WHERE merged_date IS NOT NULL AND base_repo_id IN ";
        let rows = self.rows_in(sql, &[], repositories).await?;
        let ids = rows.iter().map(|row| text(row, 0));
        let mut ids: Vec<String> = ids.collect::<Result<_, _>>().during(sql)?;
        ids.sort_unstable();
        Ok(ids)
    }

    /// Pull requests with these ids, as far as they have a merge date.
    pub async fn pull_requests_to_measure(
        &self,
        ids: &[String],
    ) -> Result<Vec<StoredPullRequest>, StoreError> {
        let sql = "SELECT id, base_repo_id, pull_request_key, title, head_ref, author_id, \
                   created_date, merged_date, merge_commit_sha FROM pull_requests WHERE id IN ";
        let mut found = Vec::with_capacity(ids.len());
        for row in self.rows_in(sql, &[], ids).await? {
            let mut cells = row.into_cells();
            let mut read = || {
                let mut read = StoredPullRequest {
                    id: cells.text()?,
                    base_repo_id: cells.text()?,
                    number: cells.read::<Option<i64>>()?.unwrap_or_default(),
                    title: cells.text()?,
                    head_ref: cells.text()?,
                    author_id: cells.text()?,
                    created: next_moment(&mut cells)?,
                    ..StoredPullRequest::default()
                };
                let Some(merged) = next_moment(&mut cells)? else {
                    return Ok(None);
                };
                read.merged = merged;
                read.merge_commit_sha = cells.text()?;
                Ok(Some(read))
            };
            found.extend(read().during(sql)?);
        }
        Ok(found)
    }

    /// The own commits of pull requests that tell when they were authored.
    pub async fn own_commits_of(&self, ids: &[String]) -> Result<Vec<OwnCommit>, StoreError> {
        let sql = "SELECT pull_request_id, commit_sha, commit_authored_date \
                   FROM pull_request_commits WHERE pull_request_id IN ";
        let rows = self.rows_in(sql, &[], ids).await?;
        let read = rows.into_iter().map(|row| {
            let mut cells = row.into_cells();
            Ok(OwnCommit {
                pull_request_id: cells.text()?,
                commit_sha: cells.text()?,
                authored: next_moment(&mut cells)?,
            })
        });
        read.collect::<Result<_, _>>().during(sql)
    }

    /// Comments, approvals and change requests of pull requests.
    pub async fn said_of(&self, ids: &[String]) -> Result<Vec<Said>, StoreError> {
        let mut said = Vec::new();
        for sql in [
            "SELECT pull_request_id, id, account_id, created_date FROM pull_request_comments \
             WHERE pull_request_id IN ",
            "SELECT pull_request_id, id, actor_id, \"at\" FROM pull_request_events \
             WHERE kind IN ('commented', 'approved', 'changes requested') AND pull_request_id IN ",
        ] {
            for row in self.rows_in(sql, &[], ids).await? {
                let mut cells = row.into_cells();
                let mut read = || {
                    Ok(Said {
                        pull_request_id: cells.text()?,
                        id: cells.text()?,
                        actor: cells.text()?,
                        at: next_moment(&mut cells)?,
                    })
                };
                said.push(read().during(sql)?);
            }
        }
        Ok(said)
    }

    /// The commits that pull requests became.
    pub async fn became_of(&self, ids: &[String]) -> Result<Vec<BecameCommit>, StoreError> {
        let sql = "SELECT pull_request_id, commit_sha, method, repo_id FROM pull_request_merges \
                   WHERE is_tip AND pull_request_id IN ";
        let rows = self.rows_in(sql, &[], ids).await?;
        let read = rows.into_iter().map(|row| {
            let mut cells = row.into_cells();
            Ok(BecameCommit {
                pull_request_id: cells.text()?,
                commit_sha: cells.text()?,
                method: cells.text()?,
                repo_id: cells.text()?,
            })
        });
        read.collect::<Result<_, _>>().during(sql)
    }

    /// Ids of accounts that are no persons.
    pub async fn bots(&self) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT id FROM accounts WHERE is_bot";
        let rows = self.query_all(sql, Vec::new()).await?;
        let ids = rows.iter().map(|row| text(row, 0));
        ids.collect::<Result<_, _>>().during(sql)
    }
}

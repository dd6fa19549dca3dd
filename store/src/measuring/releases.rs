//! Deployments that tags are.

use chrono::{DateTime, Utc};
use headwater_domain::Row as _;
use headwater_domain::devops::{cicd_deployment, cicd_deployment_commit};

use super::{of_scopes, text};
use crate::error::{During, StoreError};
use crate::{Changes, Replacement, Store, Transaction};

/// A tag of a repository, with when it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatedTag {
    /// `refs.id`.
    pub id: String,
    /// `refs.name`.
    pub name: String,
    /// `refs.commit_sha`.
    pub commit_sha: String,
    /// When it was made; of a tag that does not say so, when its commit was committed, or else
    /// authored, where the repository has it (UTC).
    pub at: Option<DateTime<Utc>>,
}

impl Store {
    /// The tags of a repository (`repos.id`), by id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn dated_tags_of(&self, repo_id: &str) -> Result<Vec<DatedTag>, StoreError> {
        let sql = "SELECT tags.id, tags.name, tags.commit_sha, tags.created_date, \
                   own.committed_date, own.authored_date FROM refs AS tags \
                   LEFT JOIN repo_commits AS held \
                   ON held.repo_id = tags.repo_id AND held.commit_sha = tags.commit_sha \
                   LEFT JOIN commits AS own ON own.sha = held.commit_sha \
                   WHERE tags.repo_id = ? AND tags.ref_type = 'TAG'";
        let rows = self.query_all(sql, vec![repo_id.into()]).await?;
        let read = rows.iter().map(|row| {
            let dates: [Option<DateTime<Utc>>; 3] = [row.get(3)?, row.get(4)?, row.get(5)?];
            Ok(DatedTag {
                id: text(row, 0)?,
                name: text(row, 1)?,
                commit_sha: text(row, 2)?,
                at: dates.into_iter().flatten().next(),
            })
        });
        let mut tags: Vec<DatedTag> = read.collect::<Result<_, _>>().during(sql)?;
        tags.sort_unstable_by(|one, other| one.id.cmp(&other.id));
        Ok(tags)
    }

    /// The address of a repository (`repos.id`); empty where none is stored.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn address_of(&self, repo_id: &str) -> Result<String, StoreError> {
        let sql = "SELECT url FROM repos WHERE id = ?";
        let rows = self.query_all(sql, vec![repo_id.into()]).await?;
        let found = rows.first().map(|row| text(row, 0)).transpose();
        Ok(found.during(sql)?.unwrap_or_default())
    }
}

impl Transaction<'_> {
    /// Makes the deployments of these scopes (`cicd_scopes.id`) that say `subtask_name` be these.
    /// `origin` is what the rows say in `_raw_data_table`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn renew_releases(
        &mut self,
        scopes: &[String],
        (origin, subtask_name): (&str, &str),
        commits: Vec<cicd_deployment_commit::Model>,
    ) -> Result<Changes, StoreError> {
        if scopes.is_empty() {
            return Ok(Changes::default());
        }
        let mut rows = self.rows_of_step(origin);
        for row in commits {
            rows.push(deployment_of(&row));
            rows.push(row);
        }
        let tables = [
            cicd_deployment::Model::table(),
            cicd_deployment_commit::Model::table(),
        ];
        let mut changes = Changes::default();
        for table in tables {
            changes += self
                .replace(Replacement {
                    table,
                    owner: of_scopes(scopes, ("subtask_name", subtask_name)),
                    rows: rows.take(table),
                    first: false,
                })
                .await?;
        }
        Ok(changes)
    }
}

/// The deployment of which a row has the only commit.
fn deployment_of(row: &cicd_deployment_commit::Model) -> cicd_deployment::Model {
    let row = row.clone();
    cicd_deployment::Model {
        id: row.cicd_deployment_id,
        cicd_scope_id: row.cicd_scope_id,
        name: row.name,
        display_title: row.display_title,
        url: row.url,
        result: row.result,
        status: row.status,
        original_status: row.original_status,
        original_result: row.original_result,
        environment: row.environment,
        original_environment: row.original_environment,
        created_date: row.created_date,
        queued_date: row.queued_date,
        started_date: row.started_date,
        finished_date: row.finished_date,
        duration_sec: row.duration_sec,
        queued_duration_sec: row.queued_duration_sec,
        cicd_pipeline_id: row.cicd_pipeline_id,
        subtask_name: row.subtask_name,
    }
}

//! What is stored of one pull request, deployment or incident in each project: for explanations.

use chrono::{DateTime, Utc};
use sea_orm::DbErr;

use super::text;
use crate::Store;
use crate::database::Row;
use crate::error::{During, StoreError};

/// What a name or an address may be of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// `pull_requests`.
    PullRequest,
    /// `cicd_deployments`.
    Deployment,
    /// `issues`, and `incidents` that were imported.
    Incident,
}

/// A pull request in a project: a row of `project_pr_metrics`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChainOfPullRequest {
    /// Project.
    pub project: String,
    /// Each moment with the row that it is of: first commit, creation, first review, merge,
    /// deployment.
    pub moments: [(String, Option<DateTime<Utc>>); 5],
    /// Minutes of coding, pickup, review, deploy, and of the cycle.
    pub minutes: [Option<i64>; 5],
    /// How the deployment was found.
    pub method: String,
    /// Why there is none.
    pub reason: String,
}

/// A deployment in a project: a row of `project_deployments`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChainOfDeployment {
    /// Project.
    pub project: String,
    /// SUCCESS or FAILURE.
    pub result: String,
    /// When it ended (UTC).
    pub finished: Option<DateTime<Utc>>,
    /// Whether it counts as a failed change.
    pub failed: bool,
    /// What it repaired.
    pub repairs: String,
    /// Commits that it was the first to ship.
    pub commits: Option<i64>,
    /// Pull requests that it was the first to ship.
    pub pull_requests: Vec<String>,
    /// Incidents that it probably caused, with the method.
    pub incidents: Vec<(String, String)>,
}

/// An incident in a project.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChainOfIncident {
    /// Project.
    pub project: String,
    /// The deployment that probably caused it; empty for none.
    pub deployment: String,
    /// How it was found, or why there is none.
    pub because: String,
    /// How sure that is; none without a deployment.
    pub confidence: Option<f64>,
}

impl Store {
    /// Ids of what has this address, or else this number in a repository of this name, sorted.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn ids_of(
        &self,
        sort: Sort,
        url: Option<&str>,
        numbered: Option<(&str, i64)>,
    ) -> Result<Vec<String>, StoreError> {
        let by_url = match sort {
            Sort::PullRequest => "SELECT id FROM pull_requests WHERE url = ?",
            Sort::Deployment => "SELECT id FROM cicd_deployments WHERE url = ?",
            Sort::Incident => {
                "SELECT id FROM issues WHERE url = ? UNION SELECT id FROM incidents WHERE url = ?"
            }
        };
        let by_number = match sort {
            Sort::PullRequest => {
                "SELECT requests.id FROM pull_requests AS requests JOIN repos \
                 ON repos.id = requests.base_repo_id \
                 WHERE repos.name = ? AND requests.pull_request_key = ?"
            }
            Sort::Deployment => {
                "SELECT deployments.id FROM cicd_deployments AS deployments \
                 JOIN cicd_scopes AS scopes ON scopes.id = deployments.cicd_scope_id \
                 JOIN cicd_pipelines AS pipelines ON pipelines.id = deployments.cicd_pipeline_id \
                 OR pipelines.id = deployments.id \
                 WHERE scopes.name = ? AND pipelines.display_title = ?"
            }
            Sort::Incident => {
                "SELECT issues.id FROM issues JOIN board_issues ON board_issues.issue_id = issues.id \
                 JOIN boards ON boards.id = board_issues.board_id \
                 WHERE boards.name = ? AND issues.issue_key = ?"
            }
        };
        let (sql, values) = match (url, numbered) {
            (Some(url), _) => (by_url, vec![url.into(); by_url.matches('?').count()]),
            (None, Some((name, number))) => {
                let number = match sort {
                    Sort::PullRequest => number.into(),
                    _ => number.to_string().into(),
                };
                (by_number, vec![name.into(), number])
            }
            (None, None) => return Ok(Vec::new()),
        };
        let rows = self.query_all(sql, values).await?;
        let ids = rows.iter().map(|row| text(row, 0));
        let mut ids: Vec<String> = ids.collect::<Result<_, _>>().during(sql)?;
        ids.sort_unstable();
        ids.dedup();
        Ok(ids)
    }

    /// A pull request in each project.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn chains_of_pull_request(
        &self,
        id: &str,
    ) -> Result<Vec<ChainOfPullRequest>, StoreError> {
        let sql = "SELECT project_name, first_commit_sha, first_commit_authored_date, \
                   pr_created_date, first_review_id, first_comment_date, pr_merged_date, \
                   deployment_commit_id, pr_deployed_date, pr_coding_time, pr_pickup_time, \
                   pr_review_time, pr_deploy_time, pr_cycle_time, deployment_method, reason \
                   FROM project_pr_metrics WHERE id = ? ORDER BY project_name";
        let rows = self.query_all(sql, vec![id.into()]).await?;
        let read = |row: &Row| -> Result<ChainOfPullRequest, DbErr> {
            Ok(ChainOfPullRequest {
                project: text(row, 0)?,
                moments: [
                    (text(row, 1)?, row.get(2)?),
                    (id.to_owned(), row.get(3)?),
                    (text(row, 4)?, row.get(5)?),
                    (id.to_owned(), row.get(6)?),
                    (text(row, 7)?, row.get(8)?),
                ],
                minutes: [
                    row.get(9)?,
                    row.get(10)?,
                    row.get(11)?,
                    row.get(12)?,
                    row.get(13)?,
                ],
                method: text(row, 14)?,
                reason: text(row, 15)?,
            })
        };
        rows.iter().map(read).collect::<Result<_, _>>().during(sql)
    }

    /// A deployment in each project.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn chains_of_deployment(
        &self,
        id: &str,
    ) -> Result<Vec<ChainOfDeployment>, StoreError> {
        let sql = "SELECT project_name, result, finished_date, failed, repairs, commit_samples \
                   FROM project_deployments WHERE id = ? ORDER BY project_name";
        let rows = self.query_all(sql, vec![id.into()]).await?;
        let read = |row: &Row| -> Result<ChainOfDeployment, DbErr> {
            Ok(ChainOfDeployment {
                project: text(row, 0)?,
                result: text(row, 1)?,
                finished: row.get(2)?,
                failed: row.get(3)?,
                repairs: text(row, 4)?,
                commits: row.get(5)?,
                ..ChainOfDeployment::default()
            })
        };
        let chains: Result<Vec<ChainOfDeployment>, DbErr> = rows.iter().map(read).collect();
        let mut chains = chains.during(sql)?;
        for chain in &mut chains {
            let shipped = "SELECT DISTINCT times.id FROM project_pr_metrics AS times \
                           JOIN cicd_deployment_commits AS commits \
                           ON commits.id = times.deployment_commit_id \
                           WHERE times.project_name = ? AND commits.cicd_deployment_id = ? \
                           ORDER BY times.id";
            let values = || vec![chain.project.clone().into(), id.into()];
            let rows = self.query_all(shipped, values()).await?;
            let ids = rows.iter().map(|row| text(row, 0));
            let pull_requests: Vec<String> = ids.collect::<Result<_, _>>().during(shipped)?;
            let caused = "SELECT id, method FROM project_incident_deployment_relationships \
                          WHERE project_name = ? AND deployment_id = ? ORDER BY id";
            let rows = self.query_all(caused, values()).await?;
            let pairs = rows.iter().map(|row| Ok((text(row, 0)?, text(row, 1)?)));
            chain.incidents = pairs.collect::<Result<_, DbErr>>().during(caused)?;
            chain.pull_requests = pull_requests;
        }
        Ok(chains)
    }

    /// An incident in each project.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn chains_of_incident(&self, id: &str) -> Result<Vec<ChainOfIncident>, StoreError> {
        let sql = "SELECT project_name, deployment_id, method, confidence \
                   FROM project_incident_deployment_relationships WHERE id = ? \
                   UNION ALL SELECT project_name, '', reason, NULL FROM unlinked_incidents \
                   WHERE id = ?";
        let rows = self.query_all(sql, vec![id.into(), id.into()]).await?;
        let read = |row: &Row| -> Result<ChainOfIncident, DbErr> {
            Ok(ChainOfIncident {
                project: text(row, 0)?,
                deployment: text(row, 1)?,
                because: text(row, 2)?,
                confidence: row.get(3)?,
            })
        };
        let chains: Result<Vec<ChainOfIncident>, DbErr> = rows.iter().map(read).collect();
        let mut chains = chains.during(sql)?;
        chains.sort_by(|one, other| one.project.cmp(&other.project));
        Ok(chains)
    }
}

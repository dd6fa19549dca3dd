//! What the metrics of projects are computed of: domain rows of one project, reduced to the columns
//! that are looked at.
//!
//! Lists of ids are read first, then rows by groups of ids, so that memory is bounded by the group
//! and every row is found by an index. Times are milliseconds since 1970 in UTC; NULL text is empty.

mod chains;
mod concern;
mod history;
mod imported;
mod incidents;
mod people;
mod pipelines;
mod projects;
mod pull_requests;
mod releases;
mod results;

use chrono::{DateTime, Utc};
use sea_orm::DbErr;

use crate::database::sql::list_of;
use crate::database::{Cells, Row};
use crate::error::{During, StoreError};
use crate::{Owner, Store};

pub use chains::{ChainOfDeployment, ChainOfIncident, ChainOfPullRequest, Sort};
pub use history::{DatedCommit, LooseCommit, Says, StoredHistory};
pub use incidents::{INCIDENT_ORIGIN, StoredIncident};
pub use people::{Author, GivenPeople, PEOPLE_ORIGIN, StoredAccount};
pub use pipelines::{FinishedTask, PipelineCommit, StoredPipeline};
pub use projects::{CONFIGURATION_ORIGIN, ConfiguredProjects, SCOPE_TABLES, dated_columns};
pub use pull_requests::{BecameCommit, OwnCommit, Said, StoredPullRequest};
pub use releases::DatedTag;
pub use results::{METRICS_ORIGIN, StoredSign};

/// Milliseconds since 1970 in UTC.
pub type Milliseconds = i64;

/// What `project_mapping` says of a project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mapping {
    /// Pairs of table and id, sorted.
    pub rows: Vec<(String, String)>,
}

impl Mapping {
    /// The ids that are mapped in a table.
    #[must_use]
    pub fn of(&self, table: &str) -> Vec<String> {
        let rows = self.rows.iter().filter(|(name, _)| name == table);
        rows.map(|(_, id)| id.clone()).collect()
    }
}

/// Rows of deployments of these scopes (`cicd_scopes.id`) with a value in a column.
fn of_scopes(scopes: &[String], (column, value): (&str, &str)) -> Owner {
    let (list, mut values) = list_of(scopes);
    values.push(value.into());
    let condition = format!("cicd_scope_id IN {list} AND {column} = ?");
    Owner::Within { condition, values }
}

/// One row of `repos`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredRepository {
    /// `id`.
    pub id: String,
    /// `name`.
    pub name: String,
    /// `url`.
    pub url: String,
}

/// One row of `cicd_deployment_commits`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredDeployment {
    /// `id`.
    pub id: String,
    /// `commit_sha`.
    pub commit_sha: String,
    /// `cicd_scope_id`.
    pub scope_id: String,
    /// `cicd_deployment_id`.
    pub deployment_id: String,
    /// `cicd_pipeline_id`.
    pub pipeline_id: String,
    /// `subtask_name`.
    pub subtask_name: String,
    /// `result`.
    pub result: String,
    /// `environment`.
    pub environment: String,
    /// `original_environment`.
    pub original_environment: String,
    /// `finished_date`.
    pub finished: Option<Milliseconds>,
    /// `repo_id`.
    pub repo_id: String,
    /// `repo_url`.
    pub repo_url: String,
    /// `prev_success_deployment_commit_id`.
    pub previous: String,
}

/// The text in a column, where NULL is empty.
fn text(row: &Row, place: usize) -> Result<String, DbErr> {
    Ok(row.get::<Option<String>>(place)?.unwrap_or_default())
}

/// The time in a column.
fn moment(row: &Row, place: usize) -> Result<Option<Milliseconds>, DbErr> {
    let time: Option<DateTime<Utc>> = row.get(place)?;
    Ok(time.map(|time| time.timestamp_millis()))
}

/// The time in the next cell.
fn next_moment(cells: &mut Cells) -> Result<Option<Milliseconds>, DbErr> {
    let time: Option<DateTime<Utc>> = cells.read()?;
    Ok(time.map(|time| time.timestamp_millis()))
}

/// The columns of a deployment that are looked at.
const DEPLOYMENTS: &str = "SELECT id, commit_sha, cicd_scope_id, cicd_deployment_id, \
                           cicd_pipeline_id, subtask_name, result, environment, \
                           original_environment, finished_date, repo_id, repo_url, \
                           prev_success_deployment_commit_id FROM cicd_deployment_commits";

/// Deployments that are read to find one of many.
const SAMPLE: i64 = 16;

/// The deployment in a row of these columns.
fn deployment_in(row: Row) -> Result<StoredDeployment, DbErr> {
    let mut cells = row.into_cells();
    Ok(StoredDeployment {
        id: cells.text()?,
        commit_sha: cells.text()?,
        scope_id: cells.text()?,
        deployment_id: cells.text()?,
        pipeline_id: cells.text()?,
        subtask_name: cells.text()?,
        result: cells.text()?,
        environment: cells.text()?,
        original_environment: cells.text()?,
        finished: next_moment(&mut cells)?,
        repo_id: cells.text()?,
        repo_url: cells.text()?,
        previous: cells.text()?,
    })
}

impl Store {
    /// A few successful deployments of a repository to production, of a CI/CD scope: none that was
    /// made of a pipeline or a tag.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn some_deployments_of(
        &self,
        scope: &str,
        repo_id: &str,
    ) -> Result<Vec<StoredDeployment>, StoreError> {
        let sql = format!(
            "{DEPLOYMENTS} WHERE cicd_scope_id = ? AND repo_id = ? AND subtask_name = '' \
             AND result = 'SUCCESS' AND environment = 'PRODUCTION' AND repo_url <> '' \
             AND finished_date IS NOT NULL LIMIT ?"
        );
        let values = vec![scope.into(), repo_id.into(), SAMPLE.into()];
        let rows = self.query_all(&sql, values).await?;
        let read: Result<Vec<_>, _> = rows.into_iter().map(deployment_in).collect();
        read.during(&sql)
    }

    /// Names of all projects, in `projects` or only in `project_mapping`.
    pub async fn project_names(&self) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT name FROM projects UNION SELECT project_name FROM project_mapping";
        let rows = self.query_all(sql, Vec::new()).await?;
        let names = rows.iter().map(|row| text(row, 0));
        let mut names: Vec<String> = names.collect::<Result<_, _>>().during(sql)?;
        names.sort_unstable();
        Ok(names)
    }

    /// The same, and those of which results are stored that nothing maps any more.
    pub async fn projects_to_measure(&self) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT name FROM projects UNION SELECT project_name FROM project_mapping \
                   UNION SELECT project_name FROM project_pr_metrics \
                   UNION SELECT project_name FROM project_deployments \
                   UNION SELECT project_name FROM project_incident_deployment_relationships \
                   UNION SELECT project_name FROM unlinked_incidents";
        let rows = self.query_all(sql, Vec::new()).await?;
        let names = rows.iter().map(|row| text(row, 0));
        let mut names: Vec<String> = names.collect::<Result<_, _>>().during(sql)?;
        names.sort_unstable();
        Ok(names)
    }

    /// Names of the projects that a row of a table belongs to, sorted.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn projects_mapping(
        &self,
        table: &str,
        row_id: &str,
    ) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT project_name FROM project_mapping WHERE \"table\" = ? AND row_id = ?";
        let rows = self
            .query_all(sql, vec![table.into(), row_id.into()])
            .await?;
        let names = rows.iter().map(|row| text(row, 0));
        let mut names: Vec<String> = names.collect::<Result<_, _>>().during(sql)?;
        names.sort_unstable();
        Ok(names)
    }

    /// What belongs to a project.
    pub async fn mapping_of(&self, project: &str) -> Result<Mapping, StoreError> {
        let sql = "SELECT \"table\", row_id FROM project_mapping WHERE project_name = ?";
        let rows = self.query_all(sql, vec![project.into()]).await?;
        let read = rows.iter().map(|row| Ok((text(row, 0)?, text(row, 1)?)));
        let mut rows: Vec<(String, String)> = read.collect::<Result<_, _>>().during(sql)?;
        rows.sort_unstable();
        Ok(Mapping { rows })
    }

    /// All repositories: an address of a deployment may be that of any.
    pub async fn repositories_by_name(&self) -> Result<Vec<StoredRepository>, StoreError> {
        let sql = "SELECT id, name, url FROM repos ORDER BY id";
        let rows = self.query_all(sql, Vec::new()).await?;
        let read = rows.iter().map(|row| {
            Ok(StoredRepository {
                id: text(row, 0)?,
                name: text(row, 1)?,
                url: text(row, 2)?,
            })
        });
        read.collect::<Result<_, _>>().during(sql)
    }

    /// Deployed commits of these scopes (`cicd_scopes.id`), by id and commit.
    pub async fn deployments_of(
        &self,
        scopes: &[String],
    ) -> Result<Vec<StoredDeployment>, StoreError> {
        let sql = format!("{DEPLOYMENTS} WHERE cicd_scope_id IN ");
        let rows = self.rows_in(&sql, &[], scopes).await?;
        let read: Result<Vec<_>, _> = rows.into_iter().map(deployment_in).collect();
        let mut deployments = read.during(&sql)?;
        deployments.sort_unstable_by(|one, other| {
            (&one.id, &one.commit_sha).cmp(&(&other.id, &other.commit_sha))
        });
        Ok(deployments)
    }
}

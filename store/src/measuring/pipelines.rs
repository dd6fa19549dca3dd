//! Deployments made of pipelines of which no conversion of this database decides: imported ones.

use std::collections::BTreeSet;

use headwater_domain::devops::{cicd_deployment, cicd_deployment_commit, cicd_pipeline};
use headwater_domain::{Row as _, Table};

use super::{METRICS_ORIGIN, of_scopes, text};
use crate::database::sql::LENGTHS;
use crate::error::{During, StoreError};
use crate::rows::read::{model, select};
use crate::{Changes, Replacement, Store, Transaction};

/// Tables of deployments, with what rows made of pipelines say in `subtask_name`.
fn made_of_pipelines() -> [(&'static Table, &'static str); 2] {
    [
        (cicd_deployment::Model::table(), "dora.generateDeployments"),
        (
            cicd_deployment_commit::Model::table(),
            "dora.generateDeploymentCommits",
        ),
    ]
}

/// One task of a pipeline that ended with SUCCESS or FAILURE.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FinishedTask {
    /// `pipeline_id`.
    pub pipeline_id: String,
    /// `type`.
    pub kind: String,
    /// `environment`.
    pub environment: String,
}

/// One row of `cicd_pipeline_commits`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PipelineCommit {
    /// `pipeline_id`.
    pub pipeline_id: String,
    /// `commit_sha`.
    pub commit_sha: String,
    /// `branch`.
    pub branch: String,
    /// `repo_id`.
    pub repo_id: String,
    /// `repo_url`.
    pub repo_url: String,
    /// `display_title`.
    pub display_title: String,
    /// `url`.
    pub url: String,
}

/// A pipeline that ended, with its tasks and commits.
#[derive(Clone, Debug, Default)]
pub struct StoredPipeline {
    /// Its row.
    pub row: cicd_pipeline::Model,
    /// Its tasks that ended.
    pub tasks: Vec<FinishedTask>,
    /// Commits that it ran on.
    pub commits: Vec<PipelineCommit>,
}

impl Store {
    /// Whether pipelines or tags were ever imported: their rows belong to no scope.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_imported_releases(&self) -> Result<bool, StoreError> {
        for table in ["cicd_pipelines", "refs"] {
            let sql = format!("SELECT 1 FROM {table} WHERE _raw_data_params = ? LIMIT 1");
            if !self.query_all(&sql, vec!["".into()]).await?.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Those of these scopes (`cicd_scopes.id`) that any project maps.
    pub async fn mapped_scopes(&self, scopes: &[String]) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT DISTINCT row_id FROM project_mapping \
                   WHERE \"table\" = 'cicd_scopes' AND row_id IN ";
        let rows = self.rows_in(sql, &[], scopes).await?;
        let mapped = rows.iter().map(|row| text(row, 0));
        let mut mapped: Vec<String> = mapped.collect::<Result<_, _>>().during(sql)?;
        mapped.sort_unstable();
        Ok(mapped)
    }

    /// Those of these scopes (`cicd_scopes.id`) whose rows no registered repository has made.
    pub async fn imported_scopes(&self, scopes: &[String]) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT made.id FROM cicd_scopes AS made JOIN _headwater_scopes AS registered \
                   ON registered.params = made._raw_data_params WHERE made.id IN ";
        let rows = self.rows_in(sql, &[], scopes).await?;
        let made = rows.iter().map(|row| text(row, 0));
        let made: BTreeSet<String> = made.collect::<Result<_, _>>().during(sql)?;
        let imported = scopes.iter().filter(|scope| !made.contains(*scope));
        Ok(imported.cloned().collect())
    }

    /// Pipelines of these scopes that ended with SUCCESS or FAILURE, by id.
    pub async fn ended_pipelines_of(
        &self,
        scopes: &[String],
    ) -> Result<Vec<StoredPipeline>, StoreError> {
        let table = Table::of::<cicd_pipeline::Entity>();
        let sql = format!(
            "{} WHERE result IN ('SUCCESS', 'FAILURE') AND cicd_scope_id IN ",
            select(table)
        );
        let rows = self.rows_in(&sql, &[], scopes).await?;
        let read = rows
            .iter()
            .map(|row| model::<cicd_pipeline::Entity>(table, row));
        let read: Result<Vec<_>, _> = read.collect();
        let mut pipelines: Vec<StoredPipeline> = read
            .during(&sql)?
            .into_iter()
            .map(|row| StoredPipeline {
                row,
                ..StoredPipeline::default()
            })
            .collect();
        pipelines.sort_by(|one, other| one.row.id.cmp(&other.row.id));
        let ids: Vec<String> = pipelines.iter().map(|it| it.row.id.clone()).collect();
        let of = |pipelines: &[StoredPipeline], id: &str| {
            pipelines.binary_search_by(|it| it.row.id.as_str().cmp(id))
        };
        for task in self.finished_tasks_of(&ids).await? {
            if let Ok(place) = of(&pipelines, &task.pipeline_id) {
                pipelines[place].tasks.push(task);
            }
        }
        for commit in self.pipeline_commits_of(&ids).await? {
            if let Ok(place) = of(&pipelines, &commit.pipeline_id) {
                pipelines[place].commits.push(commit);
            }
        }
        Ok(pipelines)
    }

    async fn finished_tasks_of(&self, ids: &[String]) -> Result<Vec<FinishedTask>, StoreError> {
        let sql = "SELECT pipeline_id, type, environment FROM cicd_tasks \
                   WHERE result IN ('SUCCESS', 'FAILURE') AND pipeline_id IN ";
        let rows = self.rows_in(sql, &[], ids).await?;
        let read = rows.iter().map(|row| {
            Ok(FinishedTask {
                pipeline_id: text(row, 0)?,
                kind: text(row, 1)?,
                environment: text(row, 2)?,
            })
        });
        read.collect::<Result<_, _>>().during(sql)
    }

    async fn pipeline_commits_of(&self, ids: &[String]) -> Result<Vec<PipelineCommit>, StoreError> {
        let sql = "SELECT pipeline_id, commit_sha, branch, repo_id, repo_url, display_title, url \
                   FROM cicd_pipeline_commits WHERE pipeline_id IN ";
        let rows = self.rows_in(sql, &[], ids).await?;
        let read = rows.iter().map(|row| {
            Ok(PipelineCommit {
                pipeline_id: text(row, 0)?,
                commit_sha: text(row, 1)?,
                branch: text(row, 2)?,
                repo_id: text(row, 3)?,
                repo_url: text(row, 4)?,
                display_title: text(row, 5)?,
                url: text(row, 6)?,
            })
        });
        read.collect::<Result<_, _>>().during(sql)
    }
}

impl Transaction<'_> {
    /// Makes the deployments of imported scopes that were made of pipelines be these.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn renew_deployments_of_pipelines(
        &mut self,
        scopes: &[String],
        deployments: Vec<cicd_deployment::Model>,
        commits: Vec<cicd_deployment_commit::Model>,
    ) -> Result<Changes, StoreError> {
        if scopes.is_empty() {
            return Ok(Changes::default());
        }
        let mut rows = self.rows_of_step(METRICS_ORIGIN);
        for row in deployments {
            rows.push(row);
        }
        for row in commits {
            rows.push(row);
        }
        let mut changes = Changes::default();
        for (table, made_by) in made_of_pipelines() {
            changes += self
                .replace(Replacement {
                    table,
                    owner: of_scopes(scopes, ("subtask_name", made_by)),
                    rows: rows.take(table),
                    first: false,
                })
                .await?;
        }
        Ok(changes)
    }

    /// Removes the deployments of these scopes that were made of imported pipelines; what was
    /// imported as a deployment stays.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn withdraw_deployments_of_pipelines(
        &mut self,
        scopes: &[String],
    ) -> Result<Changes, StoreError> {
        let mut changes = Changes::default();
        for scopes in scopes.chunks(LENGTHS[0]) {
            for (table, _) in made_of_pipelines() {
                changes += self
                    .replace(Replacement {
                        table,
                        owner: of_scopes(scopes, ("_raw_data_table", METRICS_ORIGIN)),
                        rows: Vec::new(),
                        first: false,
                    })
                    .await?;
            }
        }
        Ok(changes)
    }
}

//! What was computed of a project, written as sets.

use headwater_domain::metrics::{
    project_deployment, project_incident_deployment_relationship, project_pr_metric,
    project_recovery, unlinked_incident,
};
use headwater_domain::{Row, Rows};
use sea_orm::Value;

use super::text;
use crate::database::sql::list_of;
use crate::error::{During, StoreError};
use crate::{Changes, Owner, Replacement, Store, Transaction};

/// What rows computed of a project say in `_raw_data_table`.
pub const METRICS_ORIGIN: &str = "metrics";

/// Rows compared and written in one go.
const PAGE: usize = 256;

impl Store {
    /// Ids of the pull requests that have a row in `project_pr_metrics` of a project, sorted.
    pub async fn measured_pull_requests(&self, project: &str) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT id FROM project_pr_metrics WHERE project_name = ?";
        let rows = self.query_all(sql, vec![project.into()]).await?;
        let ids = rows.iter().map(|row| text(row, 0));
        let mut ids: Vec<String> = ids.collect::<Result<_, _>>().during(sql)?;
        ids.sort_unstable();
        Ok(ids)
    }
}

/// A pull request whose branch or title says something of repairs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSign {
    /// The project that was measured.
    pub project: String,
    /// Id of the pull request.
    pub id: String,
    /// The pull request that it was found to revert; empty where there is none.
    pub reverted: String,
    /// Its title of now.
    pub title: String,
    /// True where it says that it reverts one.
    pub is_revert: bool,
}

impl Store {
    /// The pull requests of which the results of these projects say that they repair.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn signs_of(&self, projects: &[String]) -> Result<Vec<StoredSign>, StoreError> {
        let sql = "SELECT times.project_name, times.id, times.reverted_id, requests.title, \
                   times.repairs \
                   FROM project_pr_metrics AS times \
                   LEFT JOIN pull_requests AS requests ON requests.id = times.id \
                   WHERE times.repairs > '' AND times.project_name IN ";
        let rows = self.rows_in(sql, &[], projects).await?;
        let read = rows.into_iter().map(|row| {
            let mut cells = row.into_cells();
            Ok(StoredSign {
                project: cells.text()?,
                id: cells.text()?,
                reverted: cells.text()?,
                title: cells.text()?,
                is_revert: cells.text()?.contains("revert"),
            })
        });
        read.collect::<Result<_, _>>().during(sql)
    }
}

impl Transaction<'_> {
    fn computed<R: Row>(&self, rows: impl IntoIterator<Item = R>) -> Rows {
        let mut computed = self.rows_of_step(METRICS_ORIGIN);
        for row in rows {
            computed.push(row);
        }
        computed
    }

    /// Makes `project_pr_metrics` of a project hold these rows, which come sorted by id. `before`
    /// are the ids that have a row, sorted.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn renew_pull_request_metrics(
        &mut self,
        project: &str,
        rows: impl IntoIterator<Item = project_pr_metric::Model>,
        before: Vec<String>,
    ) -> Result<Changes, StoreError> {
        let is_new = before.is_empty();
        let mut gone: std::collections::BTreeSet<String> = before.into_iter().collect();
        let mut changes = Changes::default();
        let mut rows = rows.into_iter().peekable();
        while rows.peek().is_some() {
            let group: Vec<project_pr_metric::Model> = rows.by_ref().take(PAGE).collect();
            let ids: Vec<String> = group.iter().map(|row| row.id.clone()).collect();
            for id in &ids {
                gone.remove(id);
            }
            let made = self.computed(group);
            let replacement = of_ids(project, &ids, made, is_new);
            changes += self.replace(replacement).await?;
            self.flush().await?;
        }
        let gone: Vec<String> = gone.into_iter().collect();
        for ids in gone.chunks(PAGE) {
            let replacement = of_ids(project, ids, Rows::default(), false);
            changes += self.replace(replacement).await?;
        }
        Ok(changes)
    }

    /// Makes the rows of `project_pr_metrics` that a project has of these pull requests be these.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn renew_rows_of_pull_requests(
        &mut self,
        project: &str,
        ids: &[String],
        rows: Vec<project_pr_metric::Model>,
    ) -> Result<Changes, StoreError> {
        let computed = self.computed(rows);
        self.replace(of_ids(project, ids, computed, false)).await
    }

    /// Makes `project_deployments` and `project_recoveries` of a project hold these rows.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn renew_project_deployments(
        &mut self,
        project: &str,
        rows: Vec<project_deployment::Model>,
        recoveries: Vec<project_recovery::Model>,
    ) -> Result<Changes, StoreError> {
        let mut changes = self.renew(project, rows).await?;
        changes += self.renew(project, recoveries).await?;
        Ok(changes)
    }

    /// Makes the links of a project's incidents with deployments, and the incidents without one, be
    /// these.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn renew_incident_links(
        &mut self,
        project: &str,
        links: Vec<project_incident_deployment_relationship::Model>,
        unlinked: Vec<unlinked_incident::Model>,
    ) -> Result<Changes, StoreError> {
        let mut changes = self.renew(project, links).await?;
        changes += self.renew(project, unlinked).await?;
        Ok(changes)
    }

    async fn renew<R: Row>(&mut self, project: &str, rows: Vec<R>) -> Result<Changes, StoreError> {
        let rows = self.computed(rows).take(R::table());
        self.replace(Replacement {
            table: R::table(),
            owner: Owner::Column {
                name: "project_name",
                values: vec![project.to_owned()],
                connection_id: None,
            },
            rows,
            first: false,
        })
        .await
    }
}

fn of_ids(project: &str, ids: &[String], mut rows: Rows, first: bool) -> Replacement {
    let (list, ids) = list_of(ids);
    let mut values: Vec<Value> = vec![project.into()];
    values.extend(ids);
    let table = project_pr_metric::Model::table();
    Replacement {
        table,
        owner: Owner::Within {
            condition: format!("project_name = ? AND id IN {list}"),
            values,
        },
        rows: rows.take(table),
        first,
    }
}

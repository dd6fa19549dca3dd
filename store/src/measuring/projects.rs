//! Projects of the configuration, the bands of DORA, and the months that have data.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use headwater_domain::code::{commit, pull_request};
use headwater_domain::crossdomain::{project, project_mapping, project_metric_setting};
use headwater_domain::devops::{cicd_deployment, cicd_deployment_commit, cicd_pipeline};
use headwater_domain::metrics::{calendar_month, dora_benchmark};
use headwater_domain::ticket::{incident, issue};
use headwater_domain::{Row, Scope, Table};
use sea_orm::Value;

use super::text;
use crate::database::sql::list_of;
use crate::error::{During, StoreError};
use crate::{Changes, Owner, Replacement, Store, Transaction};

/// What rows of the configuration say in `_raw_data_table`.
pub const CONFIGURATION_ORIGIN: &str = "configuration";

/// Tables of scopes that repositories are.
pub const SCOPE_TABLES: [&str; 3] = ["repos", "cicd_scopes", "boards"];

/// Columns with times of what charts show.
#[must_use]
pub fn dated_columns() -> [(&'static Table, [&'static str; 2]); 7] {
    let (created, finished) = ("created_date", "finished_date");
    let (merged, resolved) = ("merged_date", "resolution_date");
    [
        (commit::Model::table(), ["authored_date", "committed_date"]),
        (pull_request::Model::table(), [created, merged]),
        (issue::Model::table(), [created, resolved]),
        (incident::Model::table(), [created, resolved]),
        (cicd_pipeline::Model::table(), [created, finished]),
        (cicd_deployment::Model::table(), [created, finished]),
        (cicd_deployment_commit::Model::table(), [created, finished]),
    ]
}

/// The projects of a configuration.
#[derive(Clone, Debug, Default)]
pub struct ConfiguredProjects {
    /// Their names.
    pub names: Vec<String>,
    /// Those whose mapping is what is listed here and nothing else. Of the others the scopes of
    /// repositories stay as they are stored.
    pub exact: Vec<String>,
    /// What belongs to them.
    pub mapping: Vec<project_mapping::Model>,
    /// Which metrics are computed of them.
    pub settings: Vec<project_metric_setting::Model>,
}

impl Store {
    /// Makes `projects`, `project_mapping` and `project_metric_settings` say what a configuration
    /// does. Rows of a project that is not in it any more go; those that were imported stay.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn keep_projects(
        &self,
        configured: ConfiguredProjects,
        now: DateTime<Utc>,
    ) -> Result<Changes, StoreError> {
        let names: BTreeSet<String> = configured.names.iter().cloned().collect();
        let mut gone = self.projects_of_configuration().await?;
        gone.retain(|name| !names.contains(name));
        if names.is_empty() && gone.is_empty() {
            return Ok(Changes::default());
        }
        let mut transaction = self.begin(&Scope::everywhere(), now).await?;
        let changes = transaction.keep_projects(configured, &gone).await?;
        transaction.commit().await?;
        Ok(changes)
    }

    /// Names of projects with a row that a configuration made.
    async fn projects_of_configuration(&self) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT name FROM projects WHERE _raw_data_table = ? \
                   UNION SELECT project_name FROM project_mapping WHERE _raw_data_table = ?";
        let origin = Value::from(CONFIGURATION_ORIGIN);
        let rows = self.query_all(sql, vec![origin.clone(), origin]).await?;
        let names = rows.iter().map(|row| text(row, 0));
        names.collect::<Result<_, _>>().during(sql)
    }

    /// Makes `dora_benchmarks` hold these rows, and no others.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn keep_benchmarks(
        &self,
        rows: Vec<dora_benchmark::Model>,
        now: DateTime<Utc>,
    ) -> Result<Changes, StoreError> {
        self.keep_all(rows, now).await
    }

    /// Makes `calendar_months` hold these rows, and no others.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn keep_months(
        &self,
        rows: Vec<calendar_month::Model>,
        now: DateTime<Utc>,
    ) -> Result<Changes, StoreError> {
        self.keep_all(rows, now).await
    }

    async fn keep_all<R: Row>(
        &self,
        rows: Vec<R>,
        now: DateTime<Utc>,
    ) -> Result<Changes, StoreError> {
        let mut transaction = self.begin(&Scope::everywhere(), now).await?;
        let all = ("1 = 1".to_owned(), Vec::new());
        let changes = transaction.keep(all, rows).await?;
        transaction.commit().await?;
        Ok(changes)
    }

    /// The first day of the first and of the last month in `calendar_months`; none where it is empty.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn known_months(&self) -> Result<Option<(DateTime<Utc>, DateTime<Utc>)>, StoreError> {
        let sql = "SELECT MIN(month_timestamp), MAX(month_timestamp) FROM calendar_months";
        let rows = self.query_all(sql, Vec::new()).await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        let ends: [Option<DateTime<Utc>>; 2] = [row.get(0).during(sql)?, row.get(1).during(sql)?];
        Ok(ends[0].zip(ends[1]))
    }

    /// The earliest and the latest time of any commit, pull request, issue, incident, pipeline or
    /// deployment; none where there is none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn span_of_data(&self) -> Result<Option<(DateTime<Utc>, DateTime<Utc>)>, StoreError> {
        let mut times: Vec<DateTime<Utc>> = Vec::new();
        for (table, columns) in dated_columns() {
            let ends = columns.iter().map(|it| format!("MIN({it}), MAX({it})"));
            let ends: Vec<String> = ends.collect();
            let sql = format!("SELECT {} FROM {}", ends.join(", "), table.name);
            for row in self.query_all(&sql, Vec::new()).await? {
                for place in 0..columns.len() * 2 {
                    let time: Option<DateTime<Utc>> = row.get(place).during(&sql)?;
                    times.extend(time);
                }
            }
        }
        let first = times.iter().min().copied();
        Ok(first.zip(times.iter().max().copied()))
    }
}

impl Transaction<'_> {
    async fn keep_projects(
        &mut self,
        configured: ConfiguredProjects,
        gone: &[String],
    ) -> Result<Changes, StoreError> {
        let mut changes = Changes::default();
        if !gone.is_empty() {
            let within = |column: &str| made_by_configuration(column, gone);
            changes += self
                .keep::<project::Model>(within("name"), Vec::new())
                .await?;
            let of_project = || within("project_name");
            changes += self
                .keep::<project_mapping::Model>(of_project(), Vec::new())
                .await?;
            changes += self
                .keep::<project_metric_setting::Model>(of_project(), Vec::new())
                .await?;
        }
        let ConfiguredProjects {
            names,
            exact,
            mapping,
            settings,
        } = configured;
        // What is known of a project, such as an imported description, stays.
        let known = self.known_projects("SELECT name FROM projects WHERE name IN ", &names);
        let known = known.await?;
        let projects = names.iter().filter(|name| !known.contains(*name));
        let projects: Vec<project::Model> = projects
            .map(|name| project::Model {
                name: name.clone(),
                ..project::Model::default()
            })
            .collect();
        let new = projects
            .iter()
            .map(|it| it.name.clone())
            .collect::<Vec<_>>();
        changes += self.keep(of_names("name", &new), projects).await?;
        let sql = "SELECT project_name FROM project_metric_settings WHERE project_name IN ";
        let known = self.known_projects(sql, &names).await?;
        let (settings, new): (Vec<_>, Vec<_>) = settings
            .into_iter()
            .filter(|setting| !known.contains(&setting.project_name))
            .map(|setting| {
                let name = setting.project_name.clone();
                (setting, name)
            })
            .unzip();
        changes += self.keep(of_names("project_name", &new), settings).await?;
        let (whole, part): (Vec<_>, Vec<_>) = mapping
            .into_iter()
            .partition(|row| exact.contains(&row.project_name));
        changes += self.keep(of_names("project_name", &exact), whole).await?;
        let others: Vec<String> = names
            .into_iter()
            .filter(|name| !exact.contains(name))
            .collect();
        let (mut condition, mut values) = made_by_configuration("project_name", &others);
        condition.push_str(" AND \"table\" NOT IN (?, ?, ?)");
        values.extend(SCOPE_TABLES.map(Value::from));
        changes += self.keep((condition, values), part).await?;
        Ok(changes)
    }

    async fn known_projects(
        &self,
        sql: &str,
        names: &[String],
    ) -> Result<BTreeSet<String>, StoreError> {
        if names.is_empty() {
            return Ok(BTreeSet::new());
        }
        let (list, values) = list_of(names);
        let sql = format!("{sql}{list}");
        let rows = self.query_all(&sql, values).await?;
        let names = rows.iter().map(|row| text(row, 0));
        names.collect::<Result<_, _>>().during(&sql)
    }

    /// Makes a table hold these rows, and no others that fulfil the condition.
    async fn keep<R: Row>(
        &mut self,
        (condition, values): (String, Vec<Value>),
        rows: Vec<R>,
    ) -> Result<Changes, StoreError> {
        let mut made = self.rows_of_step(CONFIGURATION_ORIGIN);
        for row in rows {
            made.push(row);
        }
        let rows = made.take(R::table());
        self.replace(Replacement {
            table: R::table(),
            owner: Owner::Within { condition, values },
            rows,
            first: false,
        })
        .await
    }
}

fn of_names(column: &str, names: &[String]) -> (String, Vec<Value>) {
    if names.is_empty() {
        return ("1 = 0".to_owned(), Vec::new());
    }
    let (list, values) = list_of(names);
    (format!("\"{column}\" IN {list}"), values)
}

fn made_by_configuration(column: &str, names: &[String]) -> (String, Vec<Value>) {
    let (condition, mut values) = of_names(column, names);
    values.push(CONFIGURATION_ORIGIN.into());
    (format!("{condition} AND _raw_data_table = ?"), values)
}

//! Projects: what is measured of scopes that belong together, whatever source they are of.

mod benchmarks;
mod calendar;

use chrono::{DateTime, Utc};
use headwater_domain::Table;
use headwater_domain::crossdomain::{
    project, project_mapping, project_metric_setting, team, team_user, user, user_account,
};
use headwater_domain::metrics::{
    calendar_month, dora_benchmark, project_deployment, project_incident_deployment_relationship,
    project_pr_metric, project_recovery, unlinked_incident,
};
use headwater_domain::ticket::{incident, incident_assignee};
use headwater_store::derivations::Derivation;
use headwater_store::measuring::{ConfiguredProjects, SCOPE_TABLES};
use headwater_store::{Changes, Store, StoreError};

use crate::config::{Config, Project};
use crate::resolve::{connection_name, repository_id};
use crate::sources::Sources;

/// Tables of projects, of people and teams, and of what is measured; no source writes them.
#[must_use]
pub fn tables() -> Vec<&'static Table> {
    vec![
        Table::of::<project::Entity>(),
        Table::of::<project_mapping::Entity>(),
        Table::of::<project_metric_setting::Entity>(),
        Table::of::<project_pr_metric::Entity>(),
        Table::of::<project_deployment::Entity>(),
        Table::of::<project_recovery::Entity>(),
        Table::of::<incident::Entity>(),
        Table::of::<incident_assignee::Entity>(),
        Table::of::<project_incident_deployment_relationship::Entity>(),
        Table::of::<unlinked_incident::Entity>(),
        Table::of::<dora_benchmark::Entity>(),
        Table::of::<calendar_month::Entity>(),
        Table::of::<user::Entity>(),
        Table::of::<user_account::Entity>(),
        Table::of::<team::Entity>(),
        Table::of::<team_user::Entity>(),
    ]
}

/// Makes the tables of projects say what the configuration does: `projects`, `project_mapping`,
/// `project_metric_settings`, and the bands in `dora_benchmarks`.
///
/// Scopes are the registered repositories whose names a project's `scopes` match. The mapping of a
/// project with `scopes = []`, or without an entry in the file, stays as it is stored, except that
/// what an earlier configuration wrote of a project goes with its entry.
///
/// # Errors
/// When the database fails.
pub async fn keep(
    store: &Store,
    (config, sources): (&Config, &Sources),
    now: DateTime<Utc>,
) -> Result<Changes, StoreError> {
    let configured = configured(store, config, sources).await?;
    let mut changes = store.keep_projects(configured, now).await?;
    changes += store.keep_benchmarks(benchmarks::all(), now).await?;
    Ok(changes)
}

/// Makes `calendar_months` hold every month from the first that has data to the last, and to the
/// current one. It looks at what has changed since the last time.
///
/// # Errors
/// When the database fails.
pub async fn keep_calendar(store: &Store, now: DateTime<Utc>) -> Result<Changes, StoreError> {
    calendar::follow(store, now).await
}

/// The same, looking at everything: rows may have come another way.
///
/// # Errors
/// When the database fails.
pub async fn renew_calendar(store: &Store, now: DateTime<Utc>) -> Result<Changes, StoreError> {
    calendar::renew(store, now).await
}

/// What is kept of changed rows besides what sources derive.
pub(crate) fn declared() -> Derivation {
    calendar::derivation()
}

async fn configured(
    store: &Store,
    config: &Config,
    sources: &Sources,
) -> Result<ConfiguredProjects, StoreError> {
    let mut configured = ConfiguredProjects::default();
    if config.projects.is_empty() {
        return Ok(configured);
    }
    let scopes = store.scopes().await?.into_iter().map(|known| known.scope);
    let mut registered = Vec::new();
    for scope in scopes.filter(|scope| !scope.is_workspace()) {
        let connection = connection_name(config, scope.connection_id);
        let source = sources.of_connection(config, &connection);
        let filled = source.tables().rows;
        let tables = SCOPE_TABLES.into_iter();
        let tables = tables.filter(|table| filled.iter().any(|known| known.name == *table));
        registered.push(Registered {
            id: repository_id(sources, config, &scope),
            tables: tables.collect(),
            full_name: scope.full_name,
            connection,
        });
    }
    for project in &config.projects {
        configured.names.push(project.name.clone());
        if !project.scopes.is_empty() {
            configured.exact.push(project.name.clone());
        }
        configured.mapping.extend(mapping(project, &registered));
        configured.settings.push(project_metric_setting::Model {
            project_name: project.name.clone(),
            plugin_name: "dora".to_owned(),
            plugin_option: "{}".to_owned(),
            enable: true,
        });
    }
    Ok(configured)
}

/// A repository that is registered.
struct Registered {
    connection: String,
    full_name: String,
    /// Its id, in each of the tables.
    id: String,
    /// Tables of scopes that its source fills.
    tables: Vec<&'static str>,
}

fn mapping(project: &Project, registered: &[Registered]) -> Vec<project_mapping::Model> {
    let row = |table: &str, id: &str| project_mapping::Model {
        project_name: project.name.clone(),
        table: table.to_owned(),
        row_id: id.to_owned(),
    };
    let wanted = registered
        .iter()
        .filter(|it| project.wanted(&it.connection, &it.full_name));
    let scopes = wanted.flat_map(|it| it.tables.iter().map(|table| row(table, &it.id)));
    let sources = project.incident_sources.iter();
    let sources = sources.map(|source| row(&source.table, &source.id));
    scopes.chain(sources).collect()
}

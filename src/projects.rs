//! Projects: what is measured of scopes that belong together, whatever source they are of.

use headwater_domain::Table;
use headwater_domain::crossdomain::{
    project, project_mapping, project_metric_setting, team, team_user, user, user_account,
};
use headwater_domain::metrics::{
    calendar_month, dora_benchmark, project_deployment, project_incident_deployment_relationship,
    project_pr_metric, unlinked_incident,
};
use headwater_domain::ticket::{incident, incident_assignee};

/// Tables of projects, of people and teams, and of what is measured; no source writes them.
#[must_use]
pub fn tables() -> Vec<&'static Table> {
    vec![
        Table::of::<project::Entity>(),
        Table::of::<project_mapping::Entity>(),
        Table::of::<project_metric_setting::Entity>(),
        Table::of::<project_pr_metric::Entity>(),
        Table::of::<project_deployment::Entity>(),
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

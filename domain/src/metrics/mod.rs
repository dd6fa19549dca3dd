//! Domain tables: what is measured of projects, and what that needs.

pub mod calendar_month;
pub mod dora_benchmark;
pub mod project_deployment;
pub mod project_incident_deployment_relationship;
pub mod project_pr_metric;
pub mod project_recovery;
pub mod unlinked_incident;

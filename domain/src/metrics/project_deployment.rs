//! `project_deployments`.

use chrono::{DateTime, Utc};
use headwater_macros::table;

/// One production deployment of a project, or one that failed.
#[table("project_deployments")]
pub struct Model {
    /// Deployment; joins `cicd_deployment_commits.cicd_deployment_id`.
    #[key]
    pub id: String,
    /// Project; joins `projects.name`.
    #[key]
    #[width(100)]
    pub project_name: String,
    /// When it ended (UTC).
    pub finished_date: Option<DateTime<Utc>>,
    /// SUCCESS or FAILURE.
    #[width(20)]
    pub result: String,
    /// True where it counts as a failed change.
    pub failed: bool,
    /// What it repaired: hotfix, incident, revert, rollback, sorted and joined by commas; empty for
    /// nothing.
    #[width(100)]
    pub repairs: String,
    /// Commits that it was the first to bring.
    pub commit_samples: Option<i64>,
    /// Mean seconds from authoring these commits to its end; null without any.
    pub commit_mean: Option<i64>,
    /// Lower median of these seconds; null without any.
    pub commit_median: Option<i64>,
    /// False where nothing can tell whether it failed: incidents are the project's only source of
    /// failures, and it never had one.
    pub failure_known: bool,
    /// True where it counts as rework: it repaired in a way that the project counts.
    pub rework: bool,
}

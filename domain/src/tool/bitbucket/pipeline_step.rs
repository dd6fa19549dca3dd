//! `_tool_bitbucket_pipeline_steps`.

use chrono::{DateTime, Utc};
use headwater_macros::table;

use crate::Stream;

/// One step of one run of a pipeline.
pub struct PipelineSteps;

impl Stream for PipelineSteps {
    const SOURCE: &'static str = super::SOURCE;
    const NAME: &'static str = "pipeline_steps";
    const DESCRIBES: &'static str = "One step of one run of a pipeline.";
}

/// One step of one run of a pipeline.
#[table("_tool_bitbucket_pipeline_steps")]
pub struct Model {
    /// Connection the repository is read through.
    #[key]
    pub connection_id: i64,
    /// Full name of the repository, `workspace/slug`.
    #[key]
    pub repo_id: String,
    /// UUID of the pipeline, in braces.
    #[key]
    pub pipeline_id: String,
    /// UUID of the step, in braces.
    #[key]
    pub bitbucket_id: String,
    /// Name of the step.
    pub name: String,
    /// What starts it: automatic or manual.
    pub trigger: String,
    /// State, such as COMPLETED or PENDING.
    pub state: String,
    /// Result; empty while there is none.
    pub result: String,
    /// Longest time it may run, in minutes.
    pub max_time: i64,
    /// When it started (UTC); none for a step that never ran.
    pub started_on: Option<DateTime<Utc>>,
    /// When it ended (UTC).
    pub completed_on: Option<DateTime<Utc>>,
    /// How long it ran, in seconds.
    pub duration_in_seconds: i64,
    /// Build time charged, in seconds.
    pub build_seconds_used: i64,
    /// How often it was run.
    pub run_number: i64,
    /// DEPLOYMENT where `deployment_pattern` matches, as in DevLake; `cicd_tasks` says what it is.
    pub r#type: String,
    /// PRODUCTION where `production_pattern` matches or there is none, as in DevLake; `cicd_tasks`
    /// says where it deployed.
    pub environment: String,
}

//! `_tool_bitbucket_pipelines`.

use chrono::{DateTime, Utc};
use headwater_macros::table;

use crate::Stream;

/// One run of a pipeline.
pub struct Pipelines;

impl Stream for Pipelines {
    const SOURCE: &'static str = super::SOURCE;
    const NAME: &'static str = "pipelines";
    const DESCRIBES: &'static str = "One run of a pipeline.";
}

/// One run of a pipeline.
#[table("_tool_bitbucket_pipelines")]
pub struct Model {
    /// Connection the repository is read through.
    #[key]
    pub connection_id: i64,
    /// Full name of the repository, `workspace/slug`.
    #[key]
    pub repo_id: String,
    /// UUID of the pipeline, in braces.
    #[key]
    pub bitbucket_id: String,
    /// State, such as COMPLETED or `IN_PROGRESS`.
    #[width(100)]
    pub status: String,
    /// Result, or the stage of one that has none yet.
    #[width(100)]
    pub result: String,
    /// Branch or tag it ran for.
    pub ref_name: String,
    /// Commit it ran on.
    pub commit_sha: String,
    /// Address of the pipeline in the API, which may be an internal one.
    pub web_url: String,
    /// DEPLOYMENT where `deployment_ref_pattern` matches, as in DevLake; `cicd_pipelines` says what
    /// it is.
    pub r#type: String,
    /// PRODUCTION where `production_ref_pattern` matches or there is none, as in DevLake;
    /// `cicd_pipelines` says where it deployed.
    pub environment: String,
    /// Number within the repository.
    pub build_number: i64,
    /// How long it ran, in seconds.
    pub duration_in_seconds: i64,
    /// When it was created (UTC).
    pub bitbucket_created_on: Option<DateTime<Utc>>,
    /// When it ended (UTC).
    pub bitbucket_complete_on: Option<DateTime<Utc>>,
}

//! `_tool_bitbucket_deployments`.

use chrono::{DateTime, Utc};
use headwater_macros::table;

use crate::Stream;

/// One deployment of a release to an environment.
pub struct Deployments;

impl Stream for Deployments {
    const SOURCE: &'static str = super::SOURCE;
    const NAME: &'static str = "deployments";
    const DESCRIBES: &'static str = "One deployment of a release to an environment.";
}

/// One deployment of a release to an environment.
#[table("_tool_bitbucket_deployments")]
pub struct Model {
    /// Connection the repository is read through.
    #[key]
    pub connection_id: i64,
    /// Full name of the repository, `workspace/slug`.
    #[key]
    pub repo_id: String,
    /// UUID of the pipeline, or of the deployment itself where no pipeline is named.
    #[key]
    pub belongs_to: String,
    /// UUID of the deployment, in braces.
    #[key]
    pub bitbucket_id: String,
    /// UUID of the pipeline, in braces.
    pub pipeline_id: String,
    /// UUID of the step that deployed, in braces.
    pub step_id: String,
    /// Kind of the item, `deployment`.
    pub r#type: String,
    /// Name of the release, such as `#186`.
    pub name: String,
    /// UUID of the environment, in braces.
    pub environment_id: String,
    /// Name of the environment; empty where the deployment gives its UUID only.
    pub environment: String,
    /// Type of the environment: Test, Staging or Production.
    pub environment_type: String,
    /// Key of the release.
    pub key: String,
    /// Page of the release.
    pub web_url: String,
    /// State, such as COMPLETED.
    #[width(100)]
    pub status: String,
    /// Outcome, such as SUCCESSFUL; empty where it is unknown.
    #[width(100)]
    pub result: String,
    /// Page of the state.
    pub state_url: String,
    /// Commit that was deployed.
    pub commit_sha: String,
    /// Page of the commit.
    pub commit_url: String,
    /// When the release was created (UTC).
    pub created_on: Option<DateTime<Utc>>,
    /// When the deployment started (UTC).
    pub started_on: Option<DateTime<Utc>>,
    /// When the deployment ended (UTC).
    pub completed_on: Option<DateTime<Utc>>,
    /// When it last changed (UTC).
    pub last_update_time: Option<DateTime<Utc>>,
}

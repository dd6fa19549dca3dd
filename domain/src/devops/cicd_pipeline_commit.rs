//! `cicd_pipeline_commits`.

use headwater_macros::table;

/// One commit that a pipeline ran on.
#[table("cicd_pipeline_commits")]
pub struct Model {
    /// Pipeline; joins `cicd_pipelines.id`.
    #[key]
    pub pipeline_id: String,
    /// Full hash of the commit.
    #[key]
    pub commit_sha: String,
    /// Message of the commit.
    #[text]
    pub commit_msg: String,
    /// Build number, as people see it.
    #[text]
    pub display_title: String,
    /// Page of the commit.
    #[text]
    pub url: String,
    /// Branch or tag the pipeline ran for.
    pub branch: String,
    /// Repository; joins `repos.id`.
    pub repo_id: String,
    /// Page of the repository.
    #[width(500)]
    pub repo_url: String,
}

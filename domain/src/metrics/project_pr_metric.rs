//! `project_pr_metrics`.

use chrono::{DateTime, Utc};
use headwater_macros::table;

/// How long one merged pull request took, in a project.
#[table("project_pr_metrics")]
pub struct Model {
    /// Pull request; joins `pull_requests.id`.
    #[key]
    pub id: String,
    /// Project; joins `projects.name`.
    #[key]
    #[width(100)]
    pub project_name: String,
    /// Its commit that was authored first; empty without one.
    pub first_commit_sha: String,
    /// Minutes from the first commit to the creation, rounded up; null if that is negative or
    /// unknown.
    pub pr_coding_time: Option<i64>,
    /// Comment or event of the first review; empty without one.
    pub first_review_id: String,
    /// Minutes from the creation to the first review, rounded up; null without one.
    pub pr_pickup_time: Option<i64>,
    /// Minutes from the first review to the merge, rounded up; null without a review.
    pub pr_review_time: Option<i64>,
    /// Deployment that first released it to production; joins `cicd_deployment_commits.id`; empty
    /// without one.
    pub deployment_commit_id: String,
    /// Minutes from the merge to the end of the deployment, rounded up; null if that is negative or
    /// unknown.
    pub pr_deploy_time: Option<i64>,
    /// Minutes of coding, of creation to merge, and of deploying together.
    pub pr_cycle_time: Option<i64>,
    /// When the first commit was authored (UTC).
    pub first_commit_authored_date: Option<DateTime<Utc>>,
    /// When the first review was (UTC).
    pub first_comment_date: Option<DateTime<Utc>>,
    /// When it was created (UTC).
    pub pr_created_date: Option<DateTime<Utc>>,
    /// When it was merged (UTC).
    pub pr_merged_date: Option<DateTime<Utc>>,
    /// When the deployment ended (UTC).
    pub pr_deployed_date: Option<DateTime<Utc>>,
    /// Seconds from the first commit to the creation.
    pub pr_coding_sec: Option<i64>,
    /// Seconds from the creation to the first review.
    pub pr_pickup_sec: Option<i64>,
    /// Seconds from the first review to the merge.
    pub pr_review_sec: Option<i64>,
    /// Seconds from the merge to the end of the deployment.
    pub pr_deploy_sec: Option<i64>,
    /// Seconds of coding, of creation to merge, and of deploying together.
    pub pr_cycle_sec: Option<i64>,
    /// How the deployment was found: `MERGE_COMMIT`, ANCESTRY, PATCH-ID or NUMBER; empty without
    /// one.
    #[width(20)]
    pub deployment_method: String,
    /// Why there is no deployment; empty with one.
    #[width(40)]
    pub reason: String,
    /// What its branch or title says of repairs, whether it was deployed or not: hotfix, revert,
    /// or both, joined by a comma; empty for others.
    #[width(20)]
    pub repairs: String,
    /// Pull request that it reverts; joins `pull_requests.id`; empty for others.
    pub reverted_id: String,
}

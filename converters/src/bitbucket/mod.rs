//! Conversion of Bitbucket Cloud: one file per entity.

mod account;
mod commit;
mod deployment;
pub mod explain;
mod git_ref;
mod issue;
mod issue_change;
mod issue_comment;
mod outcome;
mod pipeline;
mod pipeline_step;
mod pull_request;
mod pull_request_comment;
mod pull_request_commit;
mod pull_request_size;
mod repository;

pub use account::Accounts;
pub use commit::{Commits, RepoCommits};
pub use deployment::Deployments;
pub use git_ref::Refs;
pub use issue::Issues;
pub use issue_change::IssueChanges;
pub use issue_comment::IssueComments;
pub use pipeline::Pipelines;
pub use pipeline_step::PipelineSteps;
pub use pull_request::PullRequests;
pub use pull_request_comment::PullRequestComments;
pub use pull_request_commit::PullRequestCommits;
pub use pull_request_size::PullRequestSizes;
pub use repository::Repositories;

/// Whole seconds from one time to another; none unless both are known and in that order.
fn seconds_between(
    from: Option<chrono::DateTime<chrono::Utc>>,
    to: Option<chrono::DateTime<chrono::Utc>>,
) -> Option<i64> {
    let seconds = (to? - from?).num_seconds();
    (seconds >= 0).then_some(seconds)
}

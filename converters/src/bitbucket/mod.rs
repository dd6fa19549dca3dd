//! Conversion of Bitbucket Cloud: one file per entity.

mod account;
mod commit;
mod git_ref;
mod issue;
mod issue_change;
mod issue_comment;
mod pull_request;
mod pull_request_comment;
mod pull_request_commit;
mod repository;

pub use account::Accounts;
pub use commit::{Commits, RepoCommits};
pub use git_ref::Refs;
pub use issue::Issues;
pub use issue_change::IssueChanges;
pub use issue_comment::IssueComments;
pub use pull_request::PullRequests;
pub use pull_request_comment::PullRequestComments;
pub use pull_request_commit::PullRequestCommits;
pub use repository::Repositories;

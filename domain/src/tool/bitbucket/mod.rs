//! Tool tables of Bitbucket Cloud, and the names of its streams.

pub mod account;
pub mod branch;
pub mod commit;
pub mod commit_parent;
pub mod deployment;
pub mod environment;
pub mod issue;
pub mod issue_change;
pub mod issue_comment;
pub mod pipeline;
pub mod pipeline_step;
pub mod project;
pub mod pull_request;
pub mod pull_request_activity;
pub mod pull_request_comment;
pub mod pull_request_commit;
pub mod pull_request_diffstat;
pub mod pull_request_reviewer;
pub mod pull_request_size;
pub mod pull_request_status;
pub mod repo_commit;
pub mod repository;
pub mod tag;
pub mod workspace;
pub mod workspace_member;

/// The source's name, as raw and tool tables spell it.
pub const SOURCE: &str = "bitbucket";

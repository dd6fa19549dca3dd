//! Domain tables: code.

pub mod commit;
pub mod commit_file;
pub mod commit_file_component;
pub mod commit_line_change;
pub mod commit_parent;
pub mod commits_diff;
pub mod commits_diff_pair;
pub mod component;
pub mod git_ref;
pub mod pull_request;
pub mod pull_request_assignee;
pub mod pull_request_comment;
pub mod pull_request_commit;
pub mod pull_request_event;
pub mod pull_request_label;
pub mod pull_request_merge;
pub mod pull_request_reviewer;
pub mod ref_commit;
pub mod repo;
pub mod repo_commit;
pub mod repo_language;
pub mod repo_snapshot;
pub mod short_hash;
pub mod unlinked_pull_request;

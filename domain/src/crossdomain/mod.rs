//! Domain tables: crossdomain.

pub mod account;
pub mod board_repo;
pub mod commit_mention;
pub mod issue_commit;
pub mod issue_repo_commit;
pub mod project;
pub mod project_mapping;
pub mod project_metric_setting;
pub mod pull_request_issue;
pub mod pull_request_mention;
pub mod refs_issues_diff;
pub mod refs_pr_cherrypick;
pub mod team;
pub mod team_user;
pub mod user;
pub mod user_account;

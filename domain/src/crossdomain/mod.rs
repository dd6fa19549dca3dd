//! Domain tables: crossdomain.

pub mod account;
pub mod commit_mention;
pub mod issue_commit;
pub mod pull_request_issue;
pub mod pull_request_mention;
pub mod refs_issues_diff;

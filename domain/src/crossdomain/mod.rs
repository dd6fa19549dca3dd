//! Domain tables: crossdomain.

pub mod account;
pub mod issue_commit;
pub mod pull_request_issue;
pub mod refs_issues_diff;

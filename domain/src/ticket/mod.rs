//! Domain tables: ticket.

pub mod board;
pub mod board_issue;
pub mod board_sprint;
pub mod incident;
pub mod incident_assignee;
pub mod issue;
pub mod issue_assignee;
pub mod issue_changelog;
pub mod issue_comment;
pub mod issue_custom_array_field;
pub mod issue_label;
pub mod issue_relationship;
pub mod issue_worklog;
pub mod sprint;
pub mod sprint_issue;

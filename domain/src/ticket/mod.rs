//! Domain tables: ticket.

pub mod board;
pub mod board_issue;
pub mod incident;
pub mod incident_assignee;
pub mod issue;
pub mod issue_assignee;
pub mod issue_changelog;
pub mod issue_comment;
pub mod issue_label;

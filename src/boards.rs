//! Tables that boards made for DevLake read and that no source of this version fills.
//!
//! They are there so that no question fails for a missing table; `table import` fills them.

use headwater_domain::Table;
use headwater_domain::code::{
    commit_file_component, commit_line_change, component, pull_request_assignee,
    pull_request_label, repo_language, repo_snapshot,
};
use headwater_domain::crossdomain::{board_repo, issue_repo_commit, refs_pr_cherrypick};
use headwater_domain::devops::cicd_release;
use headwater_domain::ticket::{
    board_sprint, issue_custom_array_field, issue_relationship, issue_worklog, sprint, sprint_issue,
};

/// These tables.
#[must_use]
pub fn tables() -> Vec<&'static Table> {
    vec![
        Table::of::<board_repo::Entity>(),
        Table::of::<board_sprint::Entity>(),
        Table::of::<sprint::Entity>(),
        Table::of::<sprint_issue::Entity>(),
        Table::of::<issue_relationship::Entity>(),
        Table::of::<issue_worklog::Entity>(),
        Table::of::<issue_custom_array_field::Entity>(),
        Table::of::<issue_repo_commit::Entity>(),
        Table::of::<refs_pr_cherrypick::Entity>(),
        Table::of::<commit_file_component::Entity>(),
        Table::of::<commit_line_change::Entity>(),
        Table::of::<component::Entity>(),
        Table::of::<repo_language::Entity>(),
        Table::of::<repo_snapshot::Entity>(),
        Table::of::<pull_request_assignee::Entity>(),
        Table::of::<pull_request_label::Entity>(),
        Table::of::<cicd_release::Entity>(),
    ]
}

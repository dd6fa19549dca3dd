//! What each tag and each deployment brought: an engine of its own, because what it reads is a
//! whole graph and no row by itself.
//!
//! Which pairs stay as they are, and which are computed again: docs/decisions/0040.

mod engine;
mod wanted;

use headwater_domain::Table;
use headwater_domain::code::{commits_diff, commits_diff_pair, ref_commit};
use headwater_domain::crossdomain::refs_issues_diff;
use headwater_domain::tool::refdiff::finished_commits_diff;
use headwater_store::{Page, StoreError};

pub use engine::{VERSION, is_stale, run};
pub use headwater_store::diffs::{GRAPH, STEP};
pub use wanted::{Wanted, find_ref, short_name, wanted};

/// Tables whose rows make up the graph.
const OF_GRAPH: [&str; 2] = ["commit_parents", "repo_commits"];

/// Other tables that are read; `issue_links` tells itself when links change.
const READS: [&str; 4] = [
    "refs",
    "cicd_deployment_commits",
    "pull_requests",
    "pull_request_commits",
];

/// Notes, in the transaction that changes rows of these tables, that pairs have to be looked at.
///
/// # Errors
/// When the database fails.
pub fn follow(page: &Page<'_>, tables: &[&Table]) -> Result<(), StoreError> {
    let changed = |names: &[&str]| tables.iter().any(|table| names.contains(&table.name));
    let graph = changed(&OF_GRAPH);
    if graph || changed(&READS) {
        page.diffs_are_stale(graph)?;
    }
    Ok(())
}

/// Tables that are written.
#[must_use]
pub fn tables() -> Vec<&'static Table> {
    vec![
        Table::of::<commits_diff::Entity>(),
        Table::of::<commits_diff_pair::Entity>(),
        Table::of::<finished_commits_diff::Entity>(),
        Table::of::<ref_commit::Entity>(),
        Table::of::<refs_issues_diff::Entity>(),
    ]
}

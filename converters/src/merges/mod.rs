//! Merged pull requests and the commits they became: an engine of its own, because what it reads
//! is a whole graph and no row by itself.
//!
//! Which rule goes before which, and why: docs/decisions/0043-merges.md.

mod destinations;
mod engine;
mod named;
mod patches;
mod reasons;

use headwater_domain::Table;
use headwater_domain::code::{pull_request_merge, unlinked_pull_request};
use headwater_store::{Page, StoreError};

pub use engine::{LinkError, Outcome, VERSION, is_stale, run};
pub use headwater_store::merges::STEP;
pub use patches::{Change, Patches, Unnamed};

/// Tables that are read.
const READS: [&str; 6] = [
    "commits",
    "commit_parents",
    "repo_commits",
    "refs",
    "pull_requests",
    "pull_request_commits",
];

/// Notes, in the transaction that changes rows of these tables, that merges have to be looked at.
///
/// # Errors
/// When the database fails.
pub fn follow(page: &Page<'_>, tables: &[&Table]) -> Result<(), StoreError> {
    if tables.iter().any(|table| READS.contains(&table.name)) {
        page.merges_are_stale()?;
    }
    Ok(())
}

/// Tables that are written.
#[must_use]
pub fn tables() -> Vec<&'static Table> {
    vec![
        Table::of::<pull_request_merge::Entity>(),
        Table::of::<unlinked_pull_request::Entity>(),
    ]
}

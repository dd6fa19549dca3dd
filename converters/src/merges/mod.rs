//! Merged pull requests and the commits they became: an engine of its own, because what it reads
//! is a whole graph and no row by itself.
//!
//! Which rule goes before which, and why: docs/decisions/0043-merges.md.

mod ancestry;
mod changed;
mod destinations;
mod engine;
mod named;
mod patches;
mod reasons;
mod writing;

use headwater_domain::Table;
use headwater_domain::code::{pull_request_merge, unlinked_pull_request};

pub use engine::{LinkError, Outcome, VERSION, is_stale, run};
pub use headwater_store::merges::STEP;
pub use patches::{Change, Patches, Unnamed};

/// Tables that are written.
#[must_use]
pub fn tables() -> Vec<&'static Table> {
    vec![
        Table::of::<pull_request_merge::Entity>(),
        Table::of::<unlinked_pull_request::Entity>(),
    ]
}

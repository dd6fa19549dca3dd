//! Tool rows to domain rows: one engine, one pure function per conversion. And what derives rows
//! from domain rows.

pub mod bitbucket;
mod computation;
mod conversion;
mod derivation;
pub mod diffs;
pub mod engine;
pub mod hashes;
pub mod imported_deployments;
pub mod issue_links;
pub mod merges;
pub mod project_metrics;
#[cfg(test)]
mod shown_rows;

pub use computation::Compute;
pub use conversion::{Conversion, Convert, Read, Related, Write};
pub use derivation::{Derivation, Derive, Task};
pub use engine::{Error, Outcome};
pub use headwater_domain::rules;

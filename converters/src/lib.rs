//! Tool rows to domain rows: one engine, one pure function per conversion.

pub mod bitbucket;
mod conversion;
pub mod diffs;
pub mod engine;
pub mod hashes;
pub mod issue_links;
pub mod merges;
#[cfg(test)]
mod shown_rows;

pub use conversion::{Conversion, Convert, Read, Related, Write};
pub use engine::{Error, Outcome};
pub use headwater_domain::rules;

//! Rows that follow from stored rows: what has to be computed again, and the rows it reads.

pub mod derivations;
pub mod diffs;
pub mod hashes;
pub mod issue_links;
pub mod mentions;
pub mod merge_work;
pub mod merges;
pub mod patches;
pub mod range_contents;
pub mod sizes;

//! What is remembered between runs: scopes and their names, progress, leases, requests, failures.

mod contents;
pub mod dead_letters;
pub mod figures;
pub mod forecast;
mod forgetting;
pub mod leases;
pub mod ledger;
pub mod looks;
pub mod ownership;
pub mod progress;
pub mod proofs;
pub mod queue;
pub mod renames;
pub mod runs;
pub mod scopes;

pub use contents::Contents;

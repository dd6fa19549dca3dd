//! The store against a file of its own, migrated as users' databases are.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of a test fail as its own lines do"
)]

mod bounded_pages;
mod comparing;
mod derivations;
mod dialect;
mod leases;
mod mentions;
mod pages;
mod progress;
mod raw_rows;
mod replacing;
mod server_limits;
mod steady_ledger;
mod temp_store;
mod times;
mod young_statistics;

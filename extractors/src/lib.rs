//! Raw rows to tool rows: one engine, one pure function per stream.
//!
//! Nothing here can reach the network: Cargo shows that replaying raw data makes no requests.

pub mod accounts;
pub mod bitbucket;
pub mod engine;
mod extraction;
pub mod git;
#[cfg(test)]
mod hostile_payloads;
pub mod json;
#[cfg(test)]
mod shown_rows;

pub use engine::{Error, Extracted};
pub use extraction::{BadPayload, Extract, Extraction};

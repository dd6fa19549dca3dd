//! The simulator as a client meets it: real requests on loopback.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of a test fail as its own lines do"
)]

mod access;
mod client;
mod company;
mod faults;
mod git;
mod limits;
mod lists;
mod misbehaviour;
mod payloads;
mod plans;
mod pull_requests;
mod shifts;
mod worlds;

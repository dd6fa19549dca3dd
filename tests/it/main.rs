//! Integration tests of the whole program, in one binary.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by failing"
)]

mod command_line;
mod history;
mod hostile_payloads;
mod lake;
mod oracle;
mod registry;
mod secrets;
mod sync;

//! Integration tests of the whole program, in one binary.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by failing"
)]

mod broken_items;
mod cancel;
mod command_line;
mod history;
mod lake;
mod leases;
mod oracle;
mod registry;
mod secrets;
mod sync;
mod verify;

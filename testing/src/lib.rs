//! What the tests of several crates share. Only ever a development dependency: everything here
//! panics when it cannot do what a test asks for.
//!
//! The crate uses `headwater-store`. A unit test of the store itself is built with other types of
//! the same names, so it takes files from here ([`migrated_sqlite`]) and opens them on its own.

#![allow(
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    reason = "for tests, which say that they cannot go on by failing"
)]

mod database;
mod shown_rows;
pub mod small_server;
mod store;
mod template;

pub use database::{On, TestDatabase};
pub use shown_rows::{column, scope, show_row};
pub use store::TestStore;
pub use template::migrated_sqlite;

//! Domain tables: crossdomain.

pub mod account;

//! Rows of raw, tool and domain tables: reading, replacing and comparing them.

pub mod bounded;
pub mod catalogue;
pub mod compare;
pub mod git;
pub(crate) mod graph;
pub mod import;
pub mod raw;
pub mod read;
pub(crate) mod replace;
pub(crate) mod shape;

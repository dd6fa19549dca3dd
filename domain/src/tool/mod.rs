//! Tool tables: one folder per source.

pub mod bitbucket;
pub mod refdiff;

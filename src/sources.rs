//! One file per source: its table of contents.

pub mod bitbucket;

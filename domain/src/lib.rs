//! Vocabulary and tables of Headwater; pure, no I/O.
//!
//! Data passes three layers, and each stage meets the next only in tables:
//!
//! 1. **raw** (`_raw_bitbucket_api_*`): one item of an API page, as received;
//! 2. **tool** (`_tool_bitbucket_*`): the same facts in typed columns, in the source's own words;
//! 3. **domain** (`pull_requests`, `accounts`, ...): the same for every source.
//!
//! The words used everywhere: a *source* (such as Bitbucket Cloud) is read through a *connection* (endpoint
//! and credentials). A *scope* is one repository; a *stream* one kind of record of it. An item
//! arrives as *payload* (their JSON) and leaves as *rows* (ours). *Since* is a watermark, never a
//! setting; a row is *stale* when a complete walk no longer finds it.

// The entities are read as tables: their columns are documented, what the derive adds is not.
#![allow(missing_docs)]

pub mod code;
pub mod column_limits;
pub mod crossdomain;
pub mod devops;
pub mod graph;
pub mod headwater;
pub mod id;
pub mod item;
pub mod mentions;
pub mod merges;
pub mod metrics;
pub mod origin;
pub mod rows;
pub mod rules;
pub mod scope;
pub mod stream;
pub mod surrogates;
pub mod table;
pub mod tags;
pub mod ticket;
pub mod timestamp;
pub mod tool;

pub use item::Item;
pub use origin::{Origin, Sourced};
pub use rows::Rows;
pub use scope::Scope;
pub use stream::Stream;
pub use table::{Row, Table};

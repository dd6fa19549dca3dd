//! API pages to raw rows: one engine, one declaration per stream.
//!
//! Items are stored as received. What a stream needs to be collected is data (an [`Endpoint`]);
//! only the engine and the client do I/O.

mod address;
pub mod bitbucket;
mod bounds;
mod carried;
mod children;
mod chosen;
pub mod client;
mod dialect;
mod endpoint;
pub mod engine;
mod error;
pub mod git;
mod key;
mod list;
mod page;
mod refresh;
mod repositories;
mod size;
mod switch;
mod trail;
mod trimming;

pub use address::address_without_secrets;
pub use carried::Carried;
pub use children::chosen_lists;
pub use chosen::Chosen;
pub use client::{
    Auth, Budget, Cause, Client, Hold, Notes, Probed, RateLimiter, Refusal, Reply, Settings,
    Unanswered, together,
};
pub use dialect::{ApiError, Dialect, Filter, Pages, Parameter, Refused, Times};
pub use endpoint::{
    BulkList, Collect, Collection, Counted, Ended, Endpoint, Heads, NewestFirst, Paging, Parent,
    Since, Switch, Waiting,
};
pub use engine::{BulkListDefect, CarriedDefect, Collected, Progress, Range, Task};
pub use error::{
    CollectError, CollectErrorKind, RequestError, RequestErrorKind, ShownUrl, Verdict,
};
pub use key::{Alternative, Key, content_hash, field};
pub use list::together::{SharedLists, Together};
pub use page::RawItem;
pub use refresh::{Absence, Moment, Refresh, Sign, costs_nothing};
pub use repositories::{FoundRepository, Listing, Repositories, Traits};
pub use size::list_size;
pub use trimming::trimmed;

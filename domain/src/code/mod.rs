//! Domain tables: code.

pub mod pull_request;
pub mod pull_request_comment;
pub mod pull_request_commit;
pub mod pull_request_event;
pub mod pull_request_reviewer;
pub mod repo;

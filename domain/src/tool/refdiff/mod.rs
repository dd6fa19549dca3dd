//! What was compared already.

pub mod finished_commits_diff;

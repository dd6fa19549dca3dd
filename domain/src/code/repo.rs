//! `repos`.

use chrono::{DateTime, Utc};
use headwater_macros::table;

/// One repository.
#[table("repos")]
pub struct Model {
    /// Domain id, `bitbucket:BitbucketRepo:<connection>:<workspace/slug>`.
    #[key]
    pub id: String,
    /// Full name, `workspace/slug`.
    #[text]
    pub name: String,
    /// Page a person can open.
    #[text]
    pub url: String,
    /// Description as typed by its owner.
    #[text]
    pub description: String,
    /// Account of the owner; empty for Bitbucket.
    pub owner_id: String,
    /// Main language as set in the repository.
    pub language: String,
    /// Full name of the repository this one was forked from; empty for no fork.
    #[text]
    pub forked_from: String,
    /// When the repository was created (UTC).
    pub created_date: Option<DateTime<Utc>>,
    /// When the repository last changed (UTC).
    pub updated_date: Option<DateTime<Utc>>,
    /// True when the repository is gone.
    pub deleted: bool,
}

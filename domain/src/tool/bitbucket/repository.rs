//! `_tool_bitbucket_repos`.

use chrono::{DateTime, Utc};
use headwater_macros::table;

use crate::Stream;

/// One repository, read whole.
pub struct Repositories;

impl Stream for Repositories {
    const SOURCE: &'static str = super::SOURCE;
    const NAME: &'static str = "repositories";
    const DESCRIBES: &'static str = "One repository, read whole.";
}

/// One repository of one connection; it is also the scope everything else hangs on.
#[table("_tool_bitbucket_repos")]
pub struct Model {
    /// Connection the repository is read through.
    #[key]
    pub connection_id: i64,
    /// Full name, `workspace/slug`.
    #[key]
    pub bitbucket_id: String,
    /// Id of the scope config in DevLake; 0 here, where scope configs have names.
    pub scope_config_id: i64,
    /// Short name, without the workspace.
    pub name: String,
    /// Page a person can open.
    pub html_url: String,
    /// Description as typed by its owner; empty when there is none.
    #[text]
    pub description: String,
    /// Display name of the owner.
    #[text]
    pub owner: String,
    /// Main language as set in the repository; often empty.
    pub language: String,
    /// Address for `git clone` over https; empty when the API gives none.
    pub clone_url: String,
    /// When the repository was created (UTC).
    pub created_date: Option<DateTime<Utc>>,
    /// When the repository last changed (UTC).
    pub updated_date: Option<DateTime<Utc>>,
    /// Stable id, in braces; survives a rename.
    pub uuid: String,
    /// Name of the main branch; empty for an empty repository.
    pub main_branch: String,
    /// True when only members can read it.
    pub is_private: bool,
    /// Full name of the repository this one was forked from; empty for no fork.
    pub forked_from: String,
    /// Key of the project it belongs to.
    pub project_key: String,
    /// Name of the project it belongs to.
    pub project_name: String,
    /// True when nothing is meant to change in it any more.
    pub is_archived: bool,
}

//! `_tool_bitbucket_repos`.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::Stream;

/// One repository, read whole.
pub struct Repositories;

impl Stream for Repositories {
    const SOURCE: &'static str = super::SOURCE;
    const NAME: &'static str = "repositories";
    const DESCRIBES: &'static str = "One repository, read whole.";
}

/// One repository of one connection; it is also the scope everything else hangs on.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(
    table_name = "_tool_bitbucket_repos",
    comment = "One repository of one connection; it is also the scope everything else hangs on."
)]
pub struct Model {
    /// Connection the repository is read through.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        comment = "connection the repository is read through"
    )]
    pub connection_id: i64,
    /// Full name, `workspace/slug`.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(255))",
        comment = "full name, `workspace/slug`"
    )]
    pub bitbucket_id: String,
    /// Id of the scope config in DevLake; 0 here, where scope configs have names.
    #[sea_orm(
        comment = "id of the scope config in DevLake; 0 here, where scope configs have names"
    )]
    pub scope_config_id: i64,
    /// Short name, without the workspace.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "short name, without the workspace"
    )]
    pub name: String,
    /// Page a person can open.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "page a person can open"
    )]
    pub html_url: String,
    /// Description as typed by its owner; empty when there is none.
    #[sea_orm(
        column_type = "Text",
        comment = "description as typed by its owner; empty when there is none"
    )]
    pub description: String,
    /// Display name of the owner.
    #[sea_orm(column_type = "Text", comment = "display name of the owner")]
    pub owner: String,
    /// Main language as set in the repository; often empty.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "main language as set in the repository; often empty"
    )]
    pub language: String,
    /// Address for `git clone` over https; empty when the API gives none.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "address for `git clone` over https; empty when the API gives none"
    )]
    pub clone_url: String,
    /// When the repository was created (UTC).
    #[sea_orm(comment = "when the repository was created (UTC)")]
    pub created_date: Option<DateTime<Utc>>,
    /// When the repository last changed (UTC).
    #[sea_orm(comment = "when the repository last changed (UTC)")]
    pub updated_date: Option<DateTime<Utc>>,
    /// Stable id, in braces; survives a rename.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "stable id, in braces; survives a rename"
    )]
    pub uuid: String,
    /// Name of the main branch; empty for an empty repository.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "name of the main branch; empty for an empty repository"
    )]
    pub main_branch: String,
    /// True when only members can read it.
    #[sea_orm(comment = "true when only members can read it")]
    pub is_private: bool,
    /// Full name of the repository this one was forked from; empty for no fork.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "full name of the repository this one was forked from; empty for no fork"
    )]
    pub forked_from: String,
    /// Key of the project it belongs to.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "key of the project it belongs to"
    )]
    pub project_key: String,
    /// Name of the project it belongs to.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "name of the project it belongs to"
    )]
    pub project_name: String,
    /// True when nothing is meant to change in it any more.
    #[sea_orm(comment = "true when nothing is meant to change in it any more")]
    pub is_archived: bool,
}

/// No relations: the tables have no foreign keys, as in DevLake.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! `_tool_bitbucket_workspaces`.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::Stream;

/// One workspace that repositories are collected of.
pub struct Workspaces;

impl Stream for Workspaces {
    const SOURCE: &'static str = super::SOURCE;
    const NAME: &'static str = "workspaces";
    const DESCRIBES: &'static str = "One workspace that repositories are collected of.";
    const OF_WORKSPACE: bool = true;
}

/// One workspace that repositories are collected of.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(
    table_name = "_tool_bitbucket_workspaces",
    comment = "One workspace that repositories are collected of."
)]
pub struct Model {
    /// Connection the workspace is read through.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        comment = "connection the workspace is read through"
    )]
    pub connection_id: i64,
    /// Short name in addresses.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(255))",
        comment = "short name in addresses"
    )]
    pub slug: String,
    /// Stable id, in braces; survives a rename.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "stable id, in braces; survives a rename"
    )]
    pub uuid: String,
    /// Name shown to people.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "name shown to people"
    )]
    pub name: String,
    /// True when only members can see it.
    #[sea_orm(comment = "true when only members can see it")]
    pub is_private: bool,
    /// Page a person can open.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "page a person can open"
    )]
    pub html_url: String,
    /// When the workspace was opened (UTC).
    #[sea_orm(comment = "when the workspace was opened (UTC)")]
    pub bitbucket_created_at: Option<DateTime<Utc>>,
}

/// No relations: the tables have no foreign keys, as in DevLake.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

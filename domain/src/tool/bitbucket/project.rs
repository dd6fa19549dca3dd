//! `_tool_bitbucket_projects`.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::Stream;

/// One project, which is a group of repositories of a workspace.
pub struct Projects;

impl Stream for Projects {
    const SOURCE: &'static str = super::SOURCE;
    const NAME: &'static str = "projects";
    const DESCRIBES: &'static str = "One project, which is a group of repositories of a workspace.";
    const OF_WORKSPACE: bool = true;
}

/// One project, which is a group of repositories of a workspace.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(
    table_name = "_tool_bitbucket_projects",
    comment = "One project, which is a group of repositories of a workspace."
)]
pub struct Model {
    /// Connection the workspace is read through.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        comment = "connection the workspace is read through"
    )]
    pub connection_id: i64,
    /// Short name of the workspace.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(255))",
        comment = "short name of the workspace"
    )]
    pub workspace: String,
    /// Key of the project; joins `_tool_bitbucket_repos.project_key`.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(255))",
        comment = "key of the project; joins `_tool_bitbucket_repos.project_key`"
    )]
    pub project_key: String,
    /// Stable id, in braces.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "stable id, in braces"
    )]
    pub uuid: String,
    /// Name shown to people.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "name shown to people"
    )]
    pub name: String,
    /// Description as typed by its owner; empty when there is none.
    #[sea_orm(
        column_type = "Text",
        comment = "description as typed by its owner; empty when there is none"
    )]
    pub description: String,
    /// True when only members can see it.
    #[sea_orm(comment = "true when only members can see it")]
    pub is_private: bool,
    /// Page a person can open.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "page a person can open"
    )]
    pub html_url: String,
    /// When the project was made (UTC).
    #[sea_orm(comment = "when the project was made (UTC)")]
    pub bitbucket_created_at: Option<DateTime<Utc>>,
    /// When the project last changed (UTC).
    #[sea_orm(comment = "when the project last changed (UTC)")]
    pub bitbucket_updated_at: Option<DateTime<Utc>>,
}

/// No relations: the tables have no foreign keys, as in DevLake.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

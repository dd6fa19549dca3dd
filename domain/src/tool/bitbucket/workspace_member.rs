//! `_tool_bitbucket_workspace_members`.

use sea_orm::entity::prelude::*;

use crate::Stream;

/// One member of a workspace.
pub struct WorkspaceMembers;

impl Stream for WorkspaceMembers {
    const SOURCE: &'static str = super::SOURCE;
    const NAME: &'static str = "workspace_members";
    const DESCRIBES: &'static str = "One member of a workspace.";
    const OF_WORKSPACE: bool = true;
}

/// One member of a workspace.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(
    table_name = "_tool_bitbucket_workspace_members",
    comment = "One member of a workspace."
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
    /// Atlassian account id; joins `_tool_bitbucket_accounts`.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(128))",
        comment = "Atlassian account id; joins `_tool_bitbucket_accounts`"
    )]
    pub account_id: String,
    /// Bitbucket's own id, in braces.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(127))",
        comment = "Bitbucket's own id, in braces"
    )]
    pub uuid: String,
    /// Name shown to people.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "name shown to people"
    )]
    pub display_name: String,
}

/// No relations: the tables have no foreign keys, as in DevLake.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! `issue_assignees`.

use sea_orm::entity::prelude::*;

/// One person who works on one issue.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(
    table_name = "issue_assignees",
    comment = "One person who works on one issue."
)]
pub struct Model {
    /// Issue; joins `issues.id`.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(255))",
        comment = "issue; joins `issues.id`"
    )]
    pub issue_id: String,
    /// Who works on it; joins `accounts.id`.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(255))",
        comment = "who works on it; joins `accounts.id`"
    )]
    pub assignee_id: String,
    /// Display name of the assignee.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "display name of the assignee"
    )]
    pub assignee_name: String,
}

/// No relations: the tables have no foreign keys, as in DevLake.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

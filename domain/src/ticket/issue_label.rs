//! `issue_labels`.

use sea_orm::entity::prelude::*;

/// One label of one issue: its component, milestone or version.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(
    table_name = "issue_labels",
    comment = "One label of one issue: its component, milestone or version."
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
    /// Component, milestone or version of the issue.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(255))",
        comment = "component, milestone or version of the issue"
    )]
    pub label_name: String,
}

/// No relations: the tables have no foreign keys, as in DevLake.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

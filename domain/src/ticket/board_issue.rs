//! `board_issues`.

use sea_orm::entity::prelude::*;

/// One issue of one board.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "board_issues", comment = "One issue of one board.")]
pub struct Model {
    /// Board, the repository; joins `boards.id`.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(255))",
        comment = "board, the repository; joins `boards.id`"
    )]
    pub board_id: String,
    /// Issue; joins `issues.id`.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(255))",
        comment = "issue; joins `issues.id`"
    )]
    pub issue_id: String,
}

/// No relations: the tables have no foreign keys, as in DevLake.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! `commit_files`.

use sea_orm::entity::prelude::*;

/// One file that one commit changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(
    table_name = "commit_files",
    comment = "One file that one commit changed."
)]
pub struct Model {
    /// Domain id, `<sha>:<SHA-256 of the path's bytes, in hexadecimal>`.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(255))",
        comment = "domain id, `<sha>:<SHA-256 of the path's bytes, in hexadecimal>`"
    )]
    pub id: String,
    /// Commit; joins `commits.sha`.
    #[sea_orm(
        column_type = "String(StringLen::N(40))",
        comment = "commit; joins `commits.sha`"
    )]
    pub commit_sha: String,
    /// Path after the commit; of a removed file the one it had.
    #[sea_orm(
        column_type = "Text",
        comment = "path after the commit; of a removed file the one it had"
    )]
    pub file_path: String,
    /// Lines added; 0 for a binary file.
    #[sea_orm(comment = "lines added; 0 for a binary file")]
    pub additions: i64,
    /// Lines removed; 0 for a binary file.
    #[sea_orm(comment = "lines removed; 0 for a binary file")]
    pub deletions: i64,
}

/// No relations: the tables have no foreign keys, as in DevLake.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! `_tool_bitbucket_branches`.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::Stream;

/// One branch, with the commit it stands on.
pub struct Branches;

impl Stream for Branches {
    const SOURCE: &'static str = super::SOURCE;
    const NAME: &'static str = "branches";
    const DESCRIBES: &'static str = "One branch, with the commit it stands on.";
}

/// One branch of one repository.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(
    table_name = "_tool_bitbucket_branches",
    comment = "One branch of one repository."
)]
pub struct Model {
    /// Connection the repository is read through.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        comment = "connection the repository is read through"
    )]
    pub connection_id: i64,
    /// Full name of the repository, `workspace/slug`.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(255))",
        comment = "full name of the repository, `workspace/slug`"
    )]
    pub repo_id: String,
    /// Name of the branch.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(255))",
        comment = "name of the branch"
    )]
    pub name: String,
    /// Commit it stands on.
    #[sea_orm(
        column_type = "String(StringLen::N(40))",
        comment = "commit it stands on"
    )]
    pub commit_sha: String,
    /// Date of that commit (UTC).
    #[sea_orm(comment = "date of that commit (UTC)")]
    pub commit_date: Option<DateTime<Utc>>,
}

/// No relations: the tables have no foreign keys, as in DevLake.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

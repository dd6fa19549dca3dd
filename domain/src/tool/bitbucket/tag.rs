//! `_tool_bitbucket_tags`.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::Stream;

/// One tag, with the commit it stands on.
pub struct Tags;

impl Stream for Tags {
    const SOURCE: &'static str = super::SOURCE;
    const NAME: &'static str = "tags";
    const DESCRIBES: &'static str = "One tag, with the commit it stands on.";
}

/// One tag of one repository.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(
    table_name = "_tool_bitbucket_tags",
    comment = "One tag of one repository."
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
    /// Name of the tag.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(255))",
        comment = "name of the tag"
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
    /// Message of an annotated tag.
    #[sea_orm(column_type = "Text", comment = "message of an annotated tag")]
    pub message: String,
    /// Who made an annotated tag, as git has it.
    #[sea_orm(
        column_type = "Text",
        comment = "who made an annotated tag, as git has it"
    )]
    pub tagger: String,
    /// When an annotated tag was made (UTC); null for others.
    #[sea_orm(comment = "when an annotated tag was made (UTC); null for others")]
    pub tagged_at: Option<DateTime<Utc>>,
}

/// No relations: the tables have no foreign keys, as in DevLake.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

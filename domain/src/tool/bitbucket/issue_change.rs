//! `_tool_bitbucket_issue_changes`.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::Stream;

/// One change to an issue, of one attribute or several.
pub struct IssueChanges;

impl Stream for IssueChanges {
    const SOURCE: &'static str = super::SOURCE;
    const NAME: &'static str = "issue_changes";
    const DESCRIBES: &'static str = "One change to an issue, of one attribute or several.";
}

/// One attribute that one change to an issue altered.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(
    table_name = "_tool_bitbucket_issue_changes",
    comment = "One attribute that one change to an issue altered."
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
    /// Number of the issue.
    #[sea_orm(primary_key, auto_increment = false, comment = "number of the issue")]
    pub issue_id: i64,
    /// Id of the change.
    #[sea_orm(primary_key, auto_increment = false, comment = "id of the change")]
    pub bitbucket_id: i64,
    /// Attribute that changed: `state`, `kind`, `assignee` and so on; empty for none.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(100))",
        comment = "attribute that changed: `state`, `kind`, `assignee` and so on; empty for none"
    )]
    pub field: String,
    /// Value before.
    #[sea_orm(column_type = "Text", comment = "value before")]
    pub old_value: String,
    /// Value after.
    #[sea_orm(column_type = "Text", comment = "value after")]
    pub new_value: String,
    /// Account id of who changed it; empty for a deleted account.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "account id of who changed it; empty for a deleted account"
    )]
    pub author_id: String,
    /// Display name of who changed it.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "display name of who changed it"
    )]
    pub author_name: String,
    /// When it was changed (UTC).
    #[sea_orm(comment = "when it was changed (UTC)")]
    pub bitbucket_created_at: Option<DateTime<Utc>>,
}

/// No relations: the tables have no foreign keys, as in DevLake.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

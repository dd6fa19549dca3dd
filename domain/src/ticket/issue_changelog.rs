//! `issue_changelogs`.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

/// One attribute of one issue that changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(
    table_name = "issue_changelogs",
    comment = "One attribute of one issue that changed."
)]
pub struct Model {
    /// Domain id, `bitbucket:BitbucketIssueChange:<connection>:<repository>:<number>:<change id>:<field>`.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(255))",
        comment = "domain id, `bitbucket:BitbucketIssueChange:<connection>:<repository>:<number>:<change id>:<field>`"
    )]
    pub id: String,
    /// Issue; joins `issues.id`.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "issue; joins `issues.id`"
    )]
    pub issue_id: String,
    /// Who changed it; joins `accounts.id`.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "who changed it; joins `accounts.id`"
    )]
    pub author_id: String,
    /// Display name of who changed it.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "display name of who changed it"
    )]
    pub author_name: String,
    /// Attribute that changed, in Bitbucket's words.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "attribute that changed, in Bitbucket's words"
    )]
    pub field_id: String,
    /// `status` and `type` for `state` and `kind`, else as `field_id`.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "`status` and `type` for `state` and `kind`, else as `field_id`"
    )]
    pub field_name: String,
    /// Value before, in Bitbucket's words.
    #[sea_orm(column_type = "Text", comment = "value before, in Bitbucket's words")]
    pub original_from_value: String,
    /// Value after, in Bitbucket's words.
    #[sea_orm(column_type = "Text", comment = "value after, in Bitbucket's words")]
    pub original_to_value: String,
    /// Value before; of a status by the rules.
    #[sea_orm(
        column_type = "Text",
        comment = "value before; of a status by the rules"
    )]
    pub from_value: String,
    /// Value after; of a status by the rules.
    #[sea_orm(
        column_type = "Text",
        comment = "value after; of a status by the rules"
    )]
    pub to_value: String,
    /// When it was changed (UTC).
    #[sea_orm(comment = "when it was changed (UTC)")]
    pub created_date: Option<DateTime<Utc>>,
}

/// No relations: the tables have no foreign keys, as in DevLake.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

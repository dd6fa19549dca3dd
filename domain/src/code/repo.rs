//! `repos`.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

/// One repository.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "repos", comment = "One repository.")]
pub struct Model {
    /// Domain id, `bitbucket:BitbucketRepo:<connection>:<workspace/slug>`.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(255))",
        comment = "domain id, `bitbucket:BitbucketRepo:<connection>:<workspace/slug>`"
    )]
    pub id: String,
    /// Full name, `workspace/slug`.
    #[sea_orm(column_type = "Text", comment = "full name, `workspace/slug`")]
    pub name: String,
    /// Page a person can open.
    #[sea_orm(column_type = "Text", comment = "page a person can open")]
    pub url: String,
    /// Description as typed by its owner.
    #[sea_orm(column_type = "Text", comment = "description as typed by its owner")]
    pub description: String,
    /// Account of the owner; empty for Bitbucket.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "account of the owner; empty for Bitbucket"
    )]
    pub owner_id: String,
    /// Main language as set in the repository.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "main language as set in the repository"
    )]
    pub language: String,
    /// Full name of the repository this one was forked from; empty for no fork.
    #[sea_orm(
        column_type = "Text",
        comment = "full name of the repository this one was forked from; empty for no fork"
    )]
    pub forked_from: String,
    /// When the repository was created (UTC).
    #[sea_orm(comment = "when the repository was created (UTC)")]
    pub created_date: Option<DateTime<Utc>>,
    /// When the repository last changed (UTC).
    #[sea_orm(comment = "when the repository last changed (UTC)")]
    pub updated_date: Option<DateTime<Utc>>,
    /// True when the repository is gone.
    #[sea_orm(comment = "true when the repository is gone")]
    pub deleted: bool,
}

/// No relations: the tables have no foreign keys, as in DevLake.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

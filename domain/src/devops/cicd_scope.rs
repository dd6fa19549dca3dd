//! `cicd_scopes`.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

/// One place where pipelines and deployments run; for Bitbucket one repository.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(
    table_name = "cicd_scopes",
    comment = "One place where pipelines and deployments run; for Bitbucket one repository."
)]
pub struct Model {
    /// Domain id, the repository's.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(255))",
        comment = "domain id, the repository's"
    )]
    pub id: String,
    /// Full name, `workspace/slug`.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "full name, `workspace/slug`"
    )]
    pub name: String,
    /// Description of the repository.
    #[sea_orm(column_type = "Text", comment = "description of the repository")]
    pub description: String,
    /// Page of the repository's pipelines.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "page of the repository's pipelines"
    )]
    pub url: String,
    /// When the repository was created (UTC).
    #[sea_orm(comment = "when the repository was created (UTC)")]
    pub created_date: Option<DateTime<Utc>>,
    /// When the repository last changed (UTC).
    #[sea_orm(comment = "when the repository last changed (UTC)")]
    pub updated_date: Option<DateTime<Utc>>,
}

/// No relations: the tables have no foreign keys, as in DevLake.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

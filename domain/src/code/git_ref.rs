//! `refs`.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

/// One branch or tag.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "refs", comment = "One branch or tag.")]
pub struct Model {
    /// Domain id, the repository's and the name: `<repository id>:main`, `<repository id>:refs/tags/v1`.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(500))",
        comment = "domain id, the repository's and the name: `<repository id>:main`, `<repository id>:refs/tags/v1`"
    )]
    pub id: String,
    /// Repository; joins `repos.id`.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "repository; joins `repos.id`"
    )]
    pub repo_id: String,
    /// Name of a branch; of a tag `refs/tags/` and its name.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "name of a branch; of a tag `refs/tags/` and its name"
    )]
    pub name: String,
    /// Commit it stands on.
    #[sea_orm(
        column_type = "String(StringLen::N(40))",
        comment = "commit it stands on"
    )]
    pub commit_sha: String,
    /// Whether it is the main branch.
    #[sea_orm(comment = "whether it is the main branch")]
    pub is_default: bool,
    /// BRANCH or TAG.
    #[sea_orm(column_type = "String(StringLen::N(255))", comment = "BRANCH or TAG")]
    pub ref_type: String,
    /// When an annotated tag was made (UTC); null for others.
    #[sea_orm(comment = "when an annotated tag was made (UTC); null for others")]
    pub created_date: Option<DateTime<Utc>>,
}

/// No relations: the tables have no foreign keys, as in DevLake.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

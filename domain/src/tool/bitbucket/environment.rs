//! `_tool_bitbucket_environments`.

use sea_orm::entity::prelude::*;

use crate::Stream;

/// One environment that releases are deployed to.
pub struct Environments;

impl Stream for Environments {
    const SOURCE: &'static str = super::SOURCE;
    const NAME: &'static str = "environments";
    const DESCRIBES: &'static str = "One environment that releases are deployed to.";
}

/// One environment that releases are deployed to.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(
    table_name = "_tool_bitbucket_environments",
    comment = "One environment that releases are deployed to."
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
    /// UUID of the environment, in braces.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(255))",
        comment = "UUID of the environment, in braces"
    )]
    pub bitbucket_id: String,
    /// Name of the environment.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "name of the environment"
    )]
    pub name: String,
    /// Short name in addresses.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "short name in addresses"
    )]
    pub slug: String,
    /// Type of the environment: Test, Staging or Production.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "type of the environment: Test, Staging or Production"
    )]
    pub environment_type: String,
    /// Place in the order of environments.
    #[sea_orm(comment = "place in the order of environments")]
    pub rank: i64,
}

/// No relations: the tables have no foreign keys, as in DevLake.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

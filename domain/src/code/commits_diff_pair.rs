//! `commits_diff_pairs`.

use sea_orm::entity::prelude::*;

/// One pair of commits of one repository that are compared, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(
    table_name = "commits_diff_pairs",
    comment = "One pair of commits of one repository that are compared, and why."
)]
pub struct Model {
    /// Id, the repository's and what is compared.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(255))",
        comment = "id, the repository's and what is compared"
    )]
    pub id: String,
    /// Repository; joins `repos.id`.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "repository; joins `repos.id`"
    )]
    pub repo_id: String,
    /// TAG for neighbours in the order of tags, CONFIGURED, or DEPLOYMENT.
    #[sea_orm(
        column_type = "String(StringLen::N(20))",
        comment = "TAG for neighbours in the order of tags, CONFIGURED, or DEPLOYMENT"
    )]
    pub kind: String,
    /// Newer end; joins `refs.id` or `cicd_deployment_commits.id`.
    #[sea_orm(
        column_type = "String(StringLen::N(500))",
        comment = "newer end; joins `refs.id` or `cicd_deployment_commits.id`"
    )]
    pub new_id: String,
    /// Older end; joins `refs.id` or `cicd_deployment_commits.id`.
    #[sea_orm(
        column_type = "String(StringLen::N(500))",
        comment = "older end; joins `refs.id` or `cicd_deployment_commits.id`"
    )]
    pub old_id: String,
    /// Name of the newer end.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "name of the newer end"
    )]
    pub new_name: String,
    /// Name of the older end.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "name of the older end"
    )]
    pub old_name: String,
    /// Commit that the newer end stands on.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "commit that the newer end stands on"
    )]
    pub new_commit_sha: String,
    /// Commit that the older end stands on.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "commit that the older end stands on"
    )]
    pub old_commit_sha: String,
    /// COMPLETE; INCOMPLETE where the history is cut off; MISSING where the repository has not both commits; PENDING while it is computed.
    #[sea_orm(
        column_type = "String(StringLen::N(20))",
        comment = "COMPLETE; INCOMPLETE where the history is cut off; MISSING where the repository has not both commits; PENDING while it is computed"
    )]
    pub state: String,
    /// How many commits the newer end has and the older one has not.
    #[sea_orm(comment = "how many commits the newer end has and the older one has not")]
    pub commits: i64,
}

/// No relations: the tables have no foreign keys, as in DevLake.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

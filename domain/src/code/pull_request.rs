//! `pull_requests`.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

/// One pull request.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "pull_requests", comment = "One pull request.")]
pub struct Model {
    /// Domain id, `bitbucket:BitbucketPullRequest:<connection>:<workspace/slug>:<number>`.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(255))",
        comment = "domain id, `bitbucket:BitbucketPullRequest:<connection>:<workspace/slug>:<number>`"
    )]
    pub id: String,
    /// Repository it is merged into; joins `repos.id`.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "repository it is merged into; joins `repos.id`"
    )]
    pub base_repo_id: String,
    /// Repository it comes from; ends in `:` when the fork is gone.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "repository it comes from; ends in `:` when the fork is gone"
    )]
    pub head_repo_id: String,
    /// OPEN, CLOSED or MERGED.
    #[sea_orm(
        column_type = "String(StringLen::N(100))",
        comment = "OPEN, CLOSED or MERGED"
    )]
    pub status: String,
    /// State as the source says it.
    #[sea_orm(
        column_type = "String(StringLen::N(100))",
        comment = "state as the source says it"
    )]
    pub original_status: String,
    /// Title.
    #[sea_orm(column_type = "Text", comment = "title")]
    pub title: String,
    /// Description, Markdown as typed.
    #[sea_orm(column_type = "Text", comment = "description, Markdown as typed")]
    pub description: String,
    /// Page a person can open.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "page a person can open"
    )]
    pub url: String,
    /// Display name of the author.
    #[sea_orm(
        column_type = "String(StringLen::N(100))",
        comment = "display name of the author"
    )]
    pub author_name: String,
    /// Author; joins `accounts.id`.
    #[sea_orm(
        column_type = "String(StringLen::N(100))",
        comment = "author; joins `accounts.id`"
    )]
    pub author_id: String,
    /// Display name of who merged it; empty unless MERGED.
    #[sea_orm(
        column_type = "String(StringLen::N(100))",
        comment = "display name of who merged it; empty unless MERGED"
    )]
    pub merged_by_name: String,
    /// Who merged it; joins `accounts.id`; empty unless MERGED.
    #[sea_orm(
        column_type = "String(StringLen::N(100))",
        comment = "who merged it; joins `accounts.id`; empty unless MERGED"
    )]
    pub merged_by_id: String,
    /// Pull request this one was cherry-picked from; empty.
    #[sea_orm(
        column_type = "String(StringLen::N(100))",
        comment = "pull request this one was cherry-picked from; empty"
    )]
    pub parent_pr_id: String,
    /// Number of the pull request in its repository.
    #[sea_orm(comment = "number of the pull request in its repository")]
    pub pull_request_key: i64,
    /// When it was opened (UTC).
    #[sea_orm(comment = "when it was opened (UTC)")]
    pub created_date: Option<DateTime<Utc>>,
    /// When it was merged (UTC), from the activity log.
    #[sea_orm(comment = "when it was merged (UTC), from the activity log")]
    pub merged_date: Option<DateTime<Utc>>,
    /// When it was merged or declined (UTC), from the activity log.
    #[sea_orm(comment = "when it was merged or declined (UTC), from the activity log")]
    pub closed_date: Option<DateTime<Utc>>,
    /// The payload's type, `pullrequest`.
    #[sea_orm(
        column_type = "String(StringLen::N(100))",
        comment = "the payload's type, `pullrequest`"
    )]
    pub r#type: String,
    /// Empty for Bitbucket.
    #[sea_orm(
        column_type = "String(StringLen::N(100))",
        comment = "empty for Bitbucket"
    )]
    pub component: String,
    /// Merge commit; short until the full hash is known.
    #[sea_orm(
        column_type = "String(StringLen::N(40))",
        comment = "merge commit; short until the full hash is known"
    )]
    pub merge_commit_sha: String,
    /// Source branch.
    #[sea_orm(column_type = "String(StringLen::N(255))", comment = "source branch")]
    pub head_ref: String,
    /// Destination branch.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "destination branch"
    )]
    pub base_ref: String,
    /// Destination commit; short until the full hash is known.
    #[sea_orm(
        column_type = "String(StringLen::N(40))",
        comment = "destination commit; short until the full hash is known"
    )]
    pub base_commit_sha: String,
    /// Source commit; short until the full hash is known.
    #[sea_orm(
        column_type = "String(StringLen::N(40))",
        comment = "source commit; short until the full hash is known"
    )]
    pub head_commit_sha: String,
    /// Lines added; none until they are known, from git's line counts or the list of changed files.
    #[sea_orm(
        comment = "lines added; none until they are known, from git's line counts or the list of changed files"
    )]
    pub additions: Option<i64>,
    /// Lines removed; none until they are known.
    #[sea_orm(comment = "lines removed; none until they are known")]
    pub deletions: Option<i64>,
    /// Files changed; none until they are known.
    #[sea_orm(comment = "files changed; none until they are known")]
    pub changed_files: Option<i64>,
    /// True while it is marked as a draft.
    #[sea_orm(comment = "true while it is marked as a draft")]
    pub is_draft: bool,
}

/// No relations: the tables have no foreign keys, as in DevLake.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

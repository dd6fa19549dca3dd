//! `_tool_bitbucket_pull_requests`.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::Stream;

/// One pull request, in any of the four states, with its participants.
pub struct PullRequests;

impl Stream for PullRequests {
    const SOURCE: &'static str = super::SOURCE;
    const NAME: &'static str = "pull_requests";
    const DESCRIBES: &'static str =
        "One pull request, in any of the four states, with its participants.";
}

/// One pull request of one repository, as Bitbucket Cloud describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(
    table_name = "_tool_bitbucket_pull_requests",
    comment = "One pull request of one repository, as Bitbucket Cloud describes it."
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
    /// Number of the pull request in its repository.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        comment = "number of the pull request in its repository"
    )]
    pub bitbucket_id: i64,
    /// The same number, as DevLake repeats it.
    #[sea_orm(comment = "the same number, as DevLake repeats it")]
    pub number: i64,
    /// Full name of the repository it is merged into.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "full name of the repository it is merged into"
    )]
    pub base_repo_id: String,
    /// Full name of the repository it comes from; empty when the fork is gone.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "full name of the repository it comes from; empty when the fork is gone"
    )]
    pub head_repo_id: String,
    /// OPEN, MERGED, DECLINED or SUPERSEDED, as the API says.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "OPEN, MERGED, DECLINED or SUPERSEDED, as the API says"
    )]
    pub state: String,
    /// Title.
    #[sea_orm(column_type = "Text", comment = "title")]
    pub title: String,
    /// Description, Markdown as typed.
    #[sea_orm(column_type = "Text", comment = "description, Markdown as typed")]
    pub description: String,
    /// When it was opened (UTC).
    #[sea_orm(comment = "when it was opened (UTC)")]
    pub bitbucket_created_at: Option<DateTime<Utc>>,
    /// When it last changed (UTC).
    #[sea_orm(comment = "when it last changed (UTC)")]
    pub bitbucket_updated_at: Option<DateTime<Utc>>,
    /// Never told by the API; empty.
    #[sea_orm(comment = "never told by the API; empty")]
    pub closed_at: Option<DateTime<Utc>>,
    /// Comments that are not deleted.
    #[sea_orm(comment = "comments that are not deleted")]
    pub comment_count: i64,
    /// Never told by the API; 0.
    #[sea_orm(comment = "never told by the API; 0")]
    pub commits: i64,
    /// Date of the merge commit where the payload has it (UTC).
    #[sea_orm(comment = "date of the merge commit where the payload has it (UTC)")]
    pub merged_at: Option<DateTime<Utc>>,
    /// Never filled; the text is in `description`.
    #[sea_orm(
        column_type = "Text",
        comment = "never filled; the text is in `description`"
    )]
    pub body: String,
    /// The payload's type, `pullrequest`.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "the payload's type, `pullrequest`"
    )]
    pub r#type: String,
    /// Never told by the API; empty.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "never told by the API; empty"
    )]
    pub component: String,
    /// Merge commit, 12 characters as the API gives it.
    #[sea_orm(
        column_type = "String(StringLen::N(40))",
        comment = "merge commit, 12 characters as the API gives it"
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
    /// Destination commit, 12 characters.
    #[sea_orm(
        column_type = "String(StringLen::N(40))",
        comment = "destination commit, 12 characters"
    )]
    pub base_commit_sha: String,
    /// Source commit, 12 characters.
    #[sea_orm(
        column_type = "String(StringLen::N(40))",
        comment = "source commit, 12 characters"
    )]
    pub head_commit_sha: String,
    /// Page a person can open.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "page a person can open"
    )]
    pub url: String,
    /// Display name of the author; empty for a deleted account.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "display name of the author; empty for a deleted account"
    )]
    pub author_name: String,
    /// Account id of the author; empty for a deleted account.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "account id of the author; empty for a deleted account"
    )]
    pub author_id: String,
    /// Display name of who closed it, whatever the state.
    #[sea_orm(
        column_type = "String(StringLen::N(100))",
        comment = "display name of who closed it, whatever the state"
    )]
    pub merged_by_name: String,
    /// Account id of who closed it, whatever the state.
    #[sea_orm(
        column_type = "String(StringLen::N(100))",
        comment = "account id of who closed it, whatever the state"
    )]
    pub merged_by_id: String,
    /// True while it is marked as a draft.
    #[sea_orm(comment = "true while it is marked as a draft")]
    pub is_draft: bool,
    /// Tasks on the pull request.
    #[sea_orm(comment = "tasks on the pull request")]
    pub task_count: i64,
}

/// No relations: the tables have no foreign keys, as in DevLake.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

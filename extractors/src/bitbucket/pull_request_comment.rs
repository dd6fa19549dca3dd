//! Comments on pull requests.

use chrono::{DateTime, Utc};
use headwater_domain::tool::bitbucket::account_mention;
use headwater_domain::tool::bitbucket::pull_request_comment::{self, PullRequestComments};
use headwater_domain::{Item, Rows, Stream, Table};
use serde::Deserialize;

use super::{Content, User};
use crate::{Extract, json};

impl Extract for PullRequestComments {
    type Payload = Payload;

    fn tables() -> Vec<&'static Table> {
        vec![
            Table::of::<pull_request_comment::Entity>(),
            Table::of::<account_mention::Entity>(),
        ]
    }

    fn extract(item: &Item<'_>, payload: Payload, rows: &mut Rows) {
        // Null for an account that was deleted.
        let user = payload.user.unwrap_or_default();
        rows.mention(Self::NAME, item, user.profile());
        let inline = payload.inline.unwrap_or_default();
        let pull_request = payload.pullrequest.map(|pull_request| pull_request.id);
        rows.push(pull_request_comment::Model {
            connection_id: item.scope.connection_id,
            bitbucket_id: payload.id,
            repo_id: item.scope.full_name.clone(),
            pull_request_id: pull_request.unwrap_or_else(|| item.parent_number()),
            author_id: user.account_id,
            author_name: user.display_name,
            bitbucket_created_at: payload.created_on,
            bitbucket_updated_at: payload.updated_on,
            r#type: payload.kind,
            body: payload.content.unwrap_or_default().raw,
            parent_id: payload.parent.map(|parent| parent.id).unwrap_or_default(),
            inline_path: inline.path,
            inline_from: inline.from,
            inline_to: inline.to,
            deleted: payload.deleted,
        });
    }
}

#[derive(Debug, Deserialize)]
pub struct Payload {
    #[serde(deserialize_with = "json::number")]
    id: i64,
    #[serde(default, rename = "type", deserialize_with = "json::text")]
    kind: String,
    #[serde(default, deserialize_with = "json::time")]
    created_on: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "json::time")]
    updated_on: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "json::flag")]
    deleted: bool,
    content: Option<Content>,
    user: Option<User>,
    parent: Option<Numbered>,
    pullrequest: Option<Numbered>,
    inline: Option<Inline>,
}

#[derive(Debug, Deserialize)]
struct Numbered {
    #[serde(default, deserialize_with = "json::number")]
    id: i64,
}

#[derive(Debug, Default, Deserialize)]
struct Inline {
    #[serde(default, deserialize_with = "json::text")]
    path: String,
    #[serde(default, deserialize_with = "json::number_or_null")]
    from: Option<i64>,
    #[serde(default, deserialize_with = "json::number_or_null")]
    to: Option<i64>,
}

//! Pull requests with their participants.

use chrono::{DateTime, Utc};
use headwater_domain::tool::bitbucket::pull_request::{self, PullRequests};
use headwater_domain::tool::bitbucket::{account_mention, pull_request_reviewer};
use headwater_domain::{Item, Rows, Stream, Table};
use serde::Deserialize;

use super::{Links, User};
use crate::{Extract, json};

impl Extract for PullRequests {
    type Payload = Payload;

    fn tables() -> Vec<&'static Table> {
        vec![
            Table::of::<pull_request::Entity>(),
            Table::of::<pull_request_reviewer::Entity>(),
            Table::of::<account_mention::Entity>(),
        ]
    }

    fn extract(item: &Item<'_>, mut payload: Payload, rows: &mut Rows) {
        mention_people(item, &payload, rows);
        let participants = std::mem::take(&mut payload.participants);
        let asked = std::mem::take(&mut payload.reviewers);
        for reviewer in reviewers(item, payload.id, participants, asked) {
            rows.push(reviewer);
        }
        rows.push(row(item, payload));
    }
}

fn mention_people(item: &Item<'_>, payload: &Payload, rows: &mut Rows) {
    let participants = payload.participants.iter().filter_map(|p| p.user.as_ref());
    let mut named: Vec<&User> = participants.chain(&payload.reviewers).collect();
    named.extend(&payload.closed_by);
    // The author's payload is the fullest: of several mentions in one item the last one counts.
    named.extend(&payload.author);
    for user in named {
        rows.mention(PullRequests::NAME, item, user.profile());
    }
}

/// Participants, and whoever was asked to review but is not listed among them.
fn reviewers(
    item: &Item<'_>,
    number: i64,
    participants: Vec<Participant>,
    asked: Vec<User>,
) -> Vec<pull_request_reviewer::Model> {
    let row = |user: User, role: String| pull_request_reviewer::Model {
        connection_id: item.scope.connection_id,
        repo_id: item.scope.full_name.clone(),
        pull_request_id: number,
        account_id: user.account_id,
        display_name: user.display_name,
        role,
        ..pull_request_reviewer::Model::default()
    };
    let mut rows: Vec<pull_request_reviewer::Model> = Vec::new();
    for participant in participants {
        let user = participant.user.unwrap_or_default();
        if !user.account_id.is_empty() {
            rows.push(pull_request_reviewer::Model {
                state: participant.state,
                approved: participant.approved,
                participated_on: participant.participated_on,
                ..row(user, participant.role)
            });
        }
    }
    for user in asked {
        let listed = rows.iter().any(|row| row.account_id == user.account_id);
        if !listed && !user.account_id.is_empty() {
            rows.push(row(user, "REVIEWER".to_owned()));
        }
    }
    rows
}

fn row(item: &Item<'_>, payload: Payload) -> pull_request::Model {
    let author = payload.author.unwrap_or_default();
    let closed_by = payload.closed_by.unwrap_or_default();
    let merge_commit = payload.merge_commit.unwrap_or_default();
    let source = payload.source.unwrap_or_default();
    let destination = payload.destination.unwrap_or_default();
    pull_request::Model {
        connection_id: item.scope.connection_id,
        repo_id: item.scope.full_name.clone(),
        bitbucket_id: payload.id,
        number: payload.id,
        base_repo_id: destination.repository.unwrap_or_default().full_name,
        head_repo_id: source.repository.unwrap_or_default().full_name,
        state: payload.state,
        title: payload.title,
        description: payload.description,
        bitbucket_created_at: payload.created_on,
        bitbucket_updated_at: payload.updated_on,
        closed_at: None,
        comment_count: payload.comment_count,
        commits: 0,
        merged_at: merge_commit.date,
        body: String::new(),
        r#type: payload.kind,
        component: String::new(),
        merge_commit_sha: merge_commit.hash,
        head_ref: source.branch.unwrap_or_default().name,
        base_ref: destination.branch.unwrap_or_default().name,
        base_commit_sha: destination.commit.unwrap_or_default().hash,
        head_commit_sha: source.commit.unwrap_or_default().hash,
        url: Links::html(payload.links),
        author_name: author.display_name,
        author_id: author.account_id,
        merged_by_name: closed_by.display_name,
        merged_by_id: closed_by.account_id,
        is_draft: payload.draft,
        task_count: payload.task_count,
    }
}

#[derive(Debug, Deserialize)]
pub struct Payload {
    #[serde(deserialize_with = "json::number")]
    id: i64,
    #[serde(default, deserialize_with = "json::text")]
    state: String,
    #[serde(default, deserialize_with = "json::text")]
    title: String,
    #[serde(default, deserialize_with = "json::text")]
    description: String,
    #[serde(default, rename = "type", deserialize_with = "json::text")]
    kind: String,
    #[serde(default, deserialize_with = "json::number")]
    comment_count: i64,
    #[serde(default, deserialize_with = "json::number")]
    task_count: i64,
    #[serde(default, deserialize_with = "json::flag")]
    draft: bool,
    #[serde(default, deserialize_with = "json::time")]
    created_on: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "json::time")]
    updated_on: Option<DateTime<Utc>>,
    author: Option<User>,
    closed_by: Option<User>,
    merge_commit: Option<Commit>,
    source: Option<End>,
    destination: Option<End>,
    links: Option<Links>,
    #[serde(default, deserialize_with = "json::list")]
    participants: Vec<Participant>,
    #[serde(default, deserialize_with = "json::list")]
    reviewers: Vec<User>,
}

/// One end of a pull request: where it comes from, or where it goes.
#[derive(Debug, Default, Deserialize)]
struct End {
    branch: Option<Branch>,
    commit: Option<Commit>,
    /// Null when the fork is gone.
    repository: Option<Repository>,
}

#[derive(Debug, Default, Deserialize)]
struct Branch {
    #[serde(default, deserialize_with = "json::text")]
    name: String,
}

#[derive(Debug, Default, Deserialize)]
struct Commit {
    #[serde(default, deserialize_with = "json::text")]
    hash: String,
    #[serde(default, deserialize_with = "json::time")]
    date: Option<DateTime<Utc>>,
}

#[derive(Debug, Default, Deserialize)]
struct Repository {
    #[serde(default, deserialize_with = "json::text")]
    full_name: String,
}

#[derive(Debug, Deserialize)]
struct Participant {
    user: Option<User>,
    #[serde(default, deserialize_with = "json::text")]
    role: String,
    #[serde(default, deserialize_with = "json::text")]
    state: String,
    #[serde(default, deserialize_with = "json::flag")]
    approved: bool,
    #[serde(default, deserialize_with = "json::time")]
    participated_on: Option<DateTime<Utc>>,
}

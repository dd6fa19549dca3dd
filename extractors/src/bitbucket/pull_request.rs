//! Pull requests with their participants.

use chrono::{DateTime, Utc};
use headwater_domain::tool::bitbucket::pull_request::{self, PullRequests};
use headwater_domain::tool::bitbucket::pull_request_reviewer;
use headwater_domain::{Item, Rows, Table};
use serde::Deserialize;

use super::{Links, User};
use crate::{Extract, json};

impl Extract for PullRequests {
    type Payload = Payload;

    const VERSION: u32 = 3;

    fn tables() -> Vec<&'static Table> {
        vec![
            Table::of::<pull_request::Entity>(),
            Table::of::<pull_request_reviewer::Entity>(),
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
        rows.mention(item, payload.updated_on, user.profile());
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

/// Names of the repositories that a pull request goes into and comes from. It goes into the one
/// that it is in, and that may be called otherwise since the payload was received.
fn places(item: &Item<'_>, into: &Repository, from: &Repository) -> (String, String) {
    let present = |name: &str| {
        let is_scope = !name.is_empty() && name == into.full_name;
        let name = if is_scope {
            &item.scope.full_name
        } else {
            name
        };
        name.to_owned()
    };
    (present(&into.full_name), present(&from.full_name))
}

fn row(item: &Item<'_>, payload: Payload) -> pull_request::Model {
    let author = payload.author.unwrap_or_default();
    let closed_by = payload.closed_by.unwrap_or_default();
    let merge_commit = payload.merge_commit.unwrap_or_default();
    let source = payload.source.unwrap_or_default();
    let destination = payload.destination.unwrap_or_default();
    let (base_repo_id, head_repo_id) = places(
        item,
        &destination.repository.unwrap_or_default(),
        &source.repository.unwrap_or_default(),
    );
    pull_request::Model {
        connection_id: item.scope.connection_id,
        repo_id: item.scope.full_name.clone(),
        bitbucket_id: payload.id,
        number: payload.id,
        base_repo_id,
        head_repo_id,
        state: payload.state,
        title: payload.title,
        description: payload.description,
        bitbucket_created_at: payload.created_on,
        bitbucket_updated_at: payload.updated_on,
        closed_at: payload.closed_on,
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
    #[serde(deserialize_with = "json::id")]
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
    /// Only there once it is merged or declined.
    #[serde(default, deserialize_with = "json::time")]
    closed_on: Option<DateTime<Utc>>,
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

#[cfg(test)]
mod tests {
    use headwater_domain::tool::bitbucket::pull_request::PullRequests;
    use insta::assert_snapshot;

    use crate::shown_rows::extracted;

    fn pull_request(payload: &str) -> String {
        extracted::<PullRequests>("", "12", payload)
    }

    #[test]
    fn a_merged_pull_request_is_read_with_its_people() {
        assert_snapshot!(pull_request(
            r#"{
                "type": "pullrequest", "id": 12, "state": "MERGED", "draft": false,
                "title": "Größere Düse 🔥", "description": "- [x] done\r\n<b>&amp;</b>",
                "comment_count": 3, "task_count": 1,
                "created_on": "2026-03-01T10:00:00.123456+00:00",
                "updated_on": "2026-03-02T10:00:00.9999+00:00",
                "merge_commit": {"hash": "0123456789ab", "date": "2026-03-02T09:59:58+00:00"},
                "source": {
                    "branch": {"name": "feature/nozzle"}, "commit": {"hash": "aaaaaaaaaaaa"},
                    "repository": {"full_name": "ann/rocket"}
                },
                "destination": {
                    "branch": {"name": "main"}, "commit": {"hash": "bbbbbbbbbbbb"},
                    "repository": {"full_name": "acme/rocket"}
                },
                "links": {"html": {"href": "https://b/acme/rocket/pull-requests/12"}},
                "author": {
                    "display_name": "Ann", "account_id": "ann", "uuid": "{ann}", "nickname": "annie",
                    "account_status": "active",
                    "links": {"avatar": {"href": "https://avatar/ann"}, "html": {"href": "https://b/ann"}}
                },
                "closed_by": {"display_name": "Bob", "account_id": "bob"},
                "participants": [
                    {"user": {"display_name": "Bob", "account_id": "bob"}, "role": "REVIEWER",
                     "approved": true, "state": "approved", "participated_on": "2026-03-02T09:00:00+00:00"},
                    {"user": null, "role": "REVIEWER", "approved": true, "state": "approved"},
                    {"user": {"display_name": "Former user"}, "role": "PARTICIPANT", "approved": false},
                    {"user": {"display_name": "Cem", "account_id": "cem"}, "role": "PARTICIPANT",
                     "approved": false, "state": "changes_requested", "participated_on": null}
                ],
                "reviewers": [
                    {"display_name": "Bob", "account_id": "bob"},
                    {"display_name": "Dee", "account_id": "dee"},
                    {"display_name": "Nobody"}
                ]
            }"#
        ));
    }

    #[test]
    fn shapes_of_recorded_pull_requests_are_read() {
        let read = |rest: &str| pull_request(&format!(r#"{{"id": 12, {rest}}}"#));
        for (rest, expected) in [
            (
                r#""state": "DECLINED", "closed_on": "2024-03-02T10:00:00.5+00:00""#,
                "closed_at=2024-03-02T10:00:00.500+00:00",
            ),
            (r#""closed_on": null"#, "closed_at=null"),
            (
                r#""merge_commit": {"hash": "0123456789ab"}"#,
                "merge_commit_sha=\"0123456789ab\"",
            ),
            (
                r#""merge_commit": {"type": "commit", "hash": "0123456789abcdef0123456789abcdef01234567",
                    "date": "2024-03-02T09:59:58+00:00", "parents": [], "message": "m", "author": {}}"#,
                "merged_at=2024-03-02T09:59:58+00:00",
            ),
            (
                r#""source": {"branch": {"name": "f", "links": {}, "sync_strategies": []}}"#,
                "head_ref=\"f\"",
            ),
            (
                r#""participants": [{"type": "participant", "role": "REVIEWER", "approved": false,
                    "state": null, "participated_on": null,
                    "user": {"type": "team", "uuid": "{t}", "display_name": "Team"}}]"#,
                "account_id=\"{t}\"",
            ),
        ] {
            let rows = read(rest);
            assert!(rows.contains(expected), "{rest}\n{rows}");
        }
    }

    #[test]
    fn a_deleted_author_and_a_deleted_fork_leave_empty_text() {
        assert_snapshot!(pull_request(
            r#"{
                "type": "pullrequest", "id": 12, "state": "OPEN", "draft": true, "title": "Orphan",
                "author": null, "closed_by": null, "merge_commit": null,
                "source": {"branch": {"name": "gone"}, "commit": null, "repository": null},
                "destination": {
                    "branch": {"name": "main"}, "commit": {"hash": "bbbbbbbbbbbb"},
                    "repository": {"full_name": "acme/rocket"}
                },
                "participants": [], "reviewers": null
            }"#
        ));
    }

    #[test]
    fn nulls_read_like_missing_fields() {
        let missing = pull_request(r#"{"id": 12}"#);
        let nulls = pull_request(
            r#"{
                "type": null, "id": 12, "state": null, "title": null, "description": null,
                "comment_count": null, "task_count": null, "draft": null, "created_on": null,
                "updated_on": null, "author": null, "closed_by": null, "merge_commit": null,
                "source": null, "destination": null, "links": null, "participants": null,
                "reviewers": null
            }"#,
        );
        assert_eq!(nulls, missing);
        assert_snapshot!(missing);
    }

    #[test]
    fn numbers_in_quotes_are_numbers_and_numbers_are_text_where_text_belongs() {
        let quoted = pull_request(r#"{"id": "12", "comment_count": " 3 ", "title": 7}"#);
        let plain = pull_request(r#"{"id": 12, "comment_count": 3.0, "title": "7"}"#);
        assert_eq!(quoted, plain);
        assert!(plain.contains("comment_count=3"), "{plain}");
    }

    #[test]
    fn a_merge_commit_without_a_date_gives_no_merge_time() {
        let shown = pull_request(r#"{"id": 12, "merge_commit": {"hash": "0123456789ab"}}"#);
        assert!(shown.contains("merged_at=null"), "{shown}");
        assert!(
            shown.contains("merge_commit_sha=\"0123456789ab\""),
            "{shown}"
        );
    }

    #[test]
    fn a_zero_byte_becomes_a_replacement_character() {
        let shown = pull_request(r#"{"id": 12, "title": "a\u0000b"}"#);
        assert!(shown.contains("title=\"a\u{fffd}b\""), "{shown}");
    }

    #[test]
    fn what_is_no_pull_request_says_where_it_is_wrong() {
        assert_snapshot!(
            [
                r"{}",
                r#"{"id": "twelve"}"#,
                r#"{"id": 1.5}"#,
                r#"{"id": 99999999999999999999}"#,
                r#"{"id": 12, "title": ["a"]}"#,
                r#"{"id": 12, "participants": {"user": null}}"#,
                r#"{"id": 12, "participants": [{"approved": "yes"}]}"#,
                r#"{"id": 12, "source": {"commit": {"date": "soon"}}}"#,
                r#"{"id": 12, "id": 13}"#,
                r#"{"id": 12"#,
                "null",
                "[]",
            ]
            .map(pull_request)
            .concat()
        );
    }
}

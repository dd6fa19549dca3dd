//! Comments on pull requests.

use chrono::{DateTime, Utc};
use headwater_domain::tool::bitbucket::pull_request_comment::{self, PullRequestComments};
use headwater_domain::{Item, Rows, Table};
use serde::Deserialize;

use super::{Content, User};
use crate::{Extract, json};

impl Extract for PullRequestComments {
    type Payload = Payload;

    const VERSION: u32 = 2;

    fn tables() -> Vec<&'static Table> {
        vec![Table::of::<pull_request_comment::Entity>()]
    }

    fn extract(item: &Item<'_>, payload: Payload, rows: &mut Rows) {
        // Null for an account that was deleted.
        let user = payload.user.unwrap_or_default();
        let said_at = payload.updated_on.or(payload.created_on);
        rows.mention(item, said_at, user.profile());
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
    #[serde(deserialize_with = "json::id")]
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

#[cfg(test)]
mod tests {
    use headwater_domain::tool::bitbucket::pull_request_comment::PullRequestComments;
    use insta::assert_snapshot;

    use crate::shown_rows::extracted;

    fn comment(payload: &str) -> String {
        extracted::<PullRequestComments>("12", "301", payload)
    }

    #[test]
    fn an_inline_answer_keeps_its_file_line_and_parent() {
        assert_snapshot!(comment(
            r#"{
                "type": "pullrequest_comment", "id": 301, "deleted": false,
                "created_on": "2026-03-01T12:00:00.000001+00:00",
                "updated_on": "2026-03-01T12:05:00+00:00",
                "content": {"raw": "schön – 好 👍", "html": "<p>…</p>"},
                "user": {"display_name": "Bob", "account_id": "bob", "uuid": "{bob}"},
                "parent": {"id": 300}, "pullrequest": {"id": 12, "title": "Nozzle"},
                "inline": {"path": "src/düse.rs", "from": null, "to": "17"}
            }"#
        ));
    }

    #[test]
    fn a_deleted_comment_of_a_deleted_account_keeps_its_place() {
        assert_snapshot!(comment(
            r#"{
                "type": "pullrequest_comment", "id": "301", "deleted": true, "user": null,
                "content": {"raw": ""}, "pullrequest": {"id": 12}
            }"#
        ));
    }

    #[test]
    fn nulls_read_like_missing_fields_and_the_parent_names_the_pull_request() {
        let nulls = comment(
            r#"{
                "type": null, "id": 301, "deleted": null, "created_on": null, "updated_on": null,
                "content": null, "user": null, "parent": null, "pullrequest": null, "inline": null
            }"#,
        );
        assert_eq!(nulls, comment(r#"{"id": 301}"#));
        assert_snapshot!(nulls);
    }

    #[test]
    fn what_is_no_comment_says_where_it_is_wrong() {
        assert_snapshot!(
            [
                r#"{"user": {"account_id": "bob"}}"#,
                r#"{"id": 301, "inline": {"to": "last"}}"#,
                r#"{"id": 301, "inline": "src/lib.rs"}"#,
                r#"{"id": 301, "content": "text"}"#,
            ]
            .map(comment)
            .concat()
        );
    }

    #[test]
    fn a_comment_may_lack_its_text_and_its_update_or_be_pending() {
        for payload in [
            r#"{"id": 7, "content": {"raw": null}, "updated_on": null, "user": {"uuid": "{u}"}}"#,
            r#"{"id": 7, "pending": true, "content": {"raw": ""}, "user": {"uuid": "u"}}"#,
        ] {
            let rows = extracted::<PullRequestComments>("12", "7", payload);
            assert!(rows.contains("author_id=\"{u}\""), "{payload}\n{rows}");
            assert!(rows.contains("bitbucket_updated_at=null"), "{rows}");
        }
    }
}

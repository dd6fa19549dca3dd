//! Comments on issues.

use chrono::{DateTime, Utc};
use headwater_domain::tool::bitbucket::issue_comment::{self, IssueComments};
use headwater_domain::{Item, Rows, Table};
use serde::Deserialize;

use super::{Content, User};
use crate::{Extract, json};

impl Extract for IssueComments {
    type Payload = Payload;

    const VERSION: u32 = 2;

    fn tables() -> Vec<&'static Table> {
        vec![Table::of::<issue_comment::Entity>()]
    }

    fn extract(item: &Item<'_>, payload: Payload, rows: &mut Rows) {
        // Null for an account that was deleted.
        let user = payload.user.unwrap_or_default();
        let said_at = payload.updated_on.or(payload.created_on);
        rows.mention(item, said_at, user.profile());
        // The list it was found in knows best; imported rows may lack it.
        let listed = Some(item.parent_number()).filter(|number| *number > 0);
        let issue_id = listed.or(payload.issue.map(|issue| issue.id));
        rows.push(issue_comment::Model {
            connection_id: item.scope.connection_id,
            bitbucket_id: payload.id,
            repo_id: item.scope.full_name.clone(),
            issue_id: issue_id.unwrap_or_default(),
            author_id: user.account_id,
            author_name: user.display_name,
            bitbucket_created_at: payload.created_on,
            bitbucket_updated_at: payload.updated_on,
            r#type: payload.kind,
            body: payload.content.unwrap_or_default().raw,
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
    content: Option<Content>,
    user: Option<User>,
    issue: Option<Numbered>,
}

#[derive(Debug, Deserialize)]
struct Numbered {
    #[serde(default, deserialize_with = "json::number")]
    id: i64,
}

#[cfg(test)]
mod tests {
    use headwater_domain::tool::bitbucket::issue_comment::IssueComments;
    use insta::assert_snapshot;

    use crate::shown_rows::extracted;

    fn comment(payload: &str) -> String {
        extracted::<IssueComments>("7", "63860152", payload)
    }

    #[test]
    fn a_comment_names_its_issue_and_its_author() {
        assert_snapshot!(comment(
            r#"{
                "type": "issue_comment", "id": 63860152, "issue": {"type": "issue", "id": 7},
                "created_on": "2022-08-13T06:20:01.409838+00:00", "updated_on": null,
                "content": {"raw": "Seen it too"},
                "user": {"display_name": "Bob", "account_id": "bob", "uuid": "{bob}"}
            }"#
        ));
    }

    #[test]
    fn nulls_read_like_missing_fields_and_the_parent_names_the_issue() {
        let nulls = comment(
            r#"{
                "type": null, "id": 63860152, "issue": null, "created_on": null,
                "updated_on": null, "content": {"raw": null}, "user": null
            }"#,
        );
        assert_eq!(nulls, comment(r#"{"id": 63860152}"#));
        assert_snapshot!(nulls);
    }

    #[test]
    fn what_is_no_comment_says_where_it_is_wrong() {
        assert_snapshot!(
            [r#"{"user": null}"#, r#"{"id": 1, "content": "text"}"#]
                .map(comment)
                .concat()
        );
    }
}

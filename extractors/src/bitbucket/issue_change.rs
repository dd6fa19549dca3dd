//! Changes to issues: a row for each attribute that one altered.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use headwater_domain::tool::bitbucket::issue_change::{self, IssueChanges};
use headwater_domain::{Item, Rows, Table};
use serde::Deserialize;

use super::User;
use super::issue::named;
use crate::{Extract, json};

impl Extract for IssueChanges {
    type Payload = Payload;

    const VERSION: u32 = 2;

    fn tables() -> Vec<&'static Table> {
        vec![Table::of::<issue_change::Entity>()]
    }

    fn extract(item: &Item<'_>, payload: Payload, rows: &mut Rows) {
        // Null for an account that was deleted.
        let user = payload.user.unwrap_or_default();
        rows.mention(item, payload.created_on, user.profile());
        // The list it was found in knows best; imported rows may lack it.
        let listed = Some(item.parent_number()).filter(|number| *number > 0);
        let issue_id = listed.or(payload.issue.map(|issue| issue.id));
        let issue_id = issue_id.unwrap_or_default();
        let mut changes = payload.changes.unwrap_or_default();
        for assignee in name_assignees(&mut changes) {
            rows.mention(item, payload.created_on, assignee.profile());
        }
        if changes.is_empty() {
            // A remark without any change of an attribute.
            changes.insert(String::new(), None);
        }
        for (field, change) in changes {
            let change = change.unwrap_or_default();
            rows.push(issue_change::Model {
                connection_id: item.scope.connection_id,
                repo_id: item.scope.full_name.clone(),
                issue_id,
                bitbucket_id: payload.id,
                field,
                old_value: change.old,
                new_value: change.new,
                author_id: user.account_id.clone(),
                author_name: user.display_name.clone(),
                bitbucket_created_at: payload.created_on,
            });
        }
    }
}

/// One change of the assignee comes under two keys, the name and the account id: the one with the
/// id stays, and the name becomes what is known of the account.
fn name_assignees(changes: &mut Changes) -> Vec<User> {
    let id = changes.get(ASSIGNEE_ID).cloned().flatten();
    let Some(id) = id.filter(|id| !(id.old.is_empty() && id.new.is_empty())) else {
        // Older entries have the name only.
        changes.remove(ASSIGNEE_ID);
        return Vec::new();
    };
    let name = changes.remove(ASSIGNEE).flatten().unwrap_or_default();
    let people = [(id.old, name.old), (id.new, name.new)].into_iter();
    let people = people.filter(|(id, name)| !id.is_empty() && !name.is_empty());
    people.map(|(id, name)| User::named(id, name)).collect()
}

/// Key of a changed assignee's name.
const ASSIGNEE: &str = "assignee";

/// Key of a changed assignee's account id.
const ASSIGNEE_ID: &str = "assignee_account_id";

/// What changed, by attribute.
type Changes = BTreeMap<String, Option<Altered>>;

#[derive(Debug, Deserialize)]
pub struct Payload {
    #[serde(deserialize_with = "json::id")]
    id: i64,
    #[serde(default, deserialize_with = "json::time")]
    created_on: Option<DateTime<Utc>>,
    user: Option<User>,
    issue: Option<Numbered>,
    changes: Option<Changes>,
}

#[derive(Debug, Deserialize)]
struct Numbered {
    #[serde(default, deserialize_with = "json::number")]
    id: i64,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Altered {
    #[serde(default, deserialize_with = "named")]
    old: String,
    #[serde(default, deserialize_with = "named")]
    new: String,
}

#[cfg(test)]
mod tests {
    use headwater_domain::tool::bitbucket::issue_change::IssueChanges;
    use insta::assert_snapshot;

    use crate::shown_rows::extracted;

    fn change(payload: &str) -> String {
        extracted::<IssueChanges>("7", "91", payload)
    }

    #[test]
    fn a_change_of_two_attributes_is_two_rows() {
        assert_snapshot!(change(
            r#"{
                "type": "issue_change", "id": 91, "issue": {"id": 7},
                "created_on": "2022-08-14T06:20:01.409838+00:00",
                "user": {"display_name": "Bob", "account_id": "bob", "uuid": "{bob}"},
                "changes": {
                    "state": {"old": "new", "new": "resolved"},
                    "assignee": {"old": null, "new": {"display_name": "Ann"}}
                }
            }"#
        ));
    }

    #[test]
    fn a_change_of_the_assignee_is_one_row_with_the_account() {
        let rows = change(
            r#"{"id": 91, "created_on": "2022-08-14T06:20:01Z", "changes": {
                "assignee": {"old": "Ann", "new": "Bob"},
                "assignee_account_id": {"old": "557058:ann", "new": "557058:bob"}}}"#,
        );
        assert_snapshot!(rows);
    }

    #[test]
    fn a_change_of_the_assignee_keeps_the_name_where_there_is_no_id() {
        for ids in [r#"{"old": null, "new": null}"#, "null", "{}"] {
            let payload = format!(
                r#"{{"id": 91, "changes": {{"assignee": {{"old": null, "new": "Bob"}},
                    "assignee_account_id": {ids}}}}}"#
            );
            let rows = change(&payload);
            let fields = rows.lines().filter(|line| line.contains("field="));
            assert_eq!(
                fields.collect::<Vec<_>>(),
                ["  field=\"assignee\""],
                "{ids}"
            );
            assert!(rows.contains("new_value=\"Bob\""), "{rows}");
        }
    }

    #[test]
    fn a_change_of_nothing_has_an_empty_field() {
        let nothing = change(r#"{"id": 91, "changes": null}"#);
        assert_eq!(
            nothing,
            change(r#"{"id": 91, "changes": {}, "user": null}"#)
        );
        assert_snapshot!(nothing);
    }

    #[test]
    fn what_is_no_change_says_where_it_is_wrong() {
        assert_snapshot!(
            [
                r#"{"changes": {}}"#,
                r#"{"id": 91, "changes": "state"}"#,
                r#"{"id": 91, "changes": {"state": {"old": [1]}}}"#,
            ]
            .map(change)
            .concat()
        );
    }
}

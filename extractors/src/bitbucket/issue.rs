//! Issues of a repository's tracker.

use chrono::{DateTime, Utc};
use headwater_domain::rules::{Rules, untraced};
use headwater_domain::tool::bitbucket::issue::{self, Issues};
use headwater_domain::{Item, Rows, Table};
use serde::{Deserialize, Deserializer, de};

use super::{Content, Links, User};
use crate::{Extract, json};

impl Extract for Issues {
    type Payload = Payload;

    const VERSION: u32 = 2;

    fn tables() -> Vec<&'static Table> {
        vec![Table::of::<issue::Entity>()]
    }

    fn fingerprint(rules: &Rules) -> String {
        rules.issue_fingerprint()
    }

    fn extract(item: &Item<'_>, payload: Payload, rows: &mut Rows) {
        // Null for an account that was deleted, and for none.
        let reporter = payload.reporter.unwrap_or_default();
        let assignee = payload.assignee.unwrap_or_default();
        rows.mention(item, payload.updated_on, assignee.profile());
        rows.mention(item, payload.updated_on, reporter.profile());
        let milestone = payload.milestone.unwrap_or_default();
        let links = payload.links.unwrap_or_default();
        rows.push(issue::Model {
            connection_id: item.scope.connection_id,
            repo_id: item.scope.full_name.clone(),
            bitbucket_id: payload.id,
            number: payload.id,
            std_state: item
                .rules
                .issue_status_of(&payload.state, &mut untraced)
                .to_owned(),
            state: payload.state,
            title: payload.title,
            body: payload.content.unwrap_or_default().raw,
            priority: payload.priority,
            r#type: payload.record,
            kind: payload.kind,
            author_id: reporter.account_id,
            author_name: reporter.display_name,
            assignee_id: assignee.account_id,
            assignee_name: assignee.display_name,
            milestone_id: milestone.id,
            milestone: milestone.name,
            version: payload.version,
            component: payload.component,
            url: links.itself(),
            html_url: Links::html(Some(links)),
            bitbucket_created_at: payload.created_on,
            bitbucket_updated_at: payload.updated_on,
            ..issue::Model::default()
        });
    }
}

#[derive(Debug, Deserialize)]
pub struct Payload {
    #[serde(deserialize_with = "json::id")]
    id: i64,
    #[serde(default, rename = "type", deserialize_with = "json::text")]
    record: String,
    #[serde(default, deserialize_with = "json::text")]
    title: String,
    #[serde(default, deserialize_with = "json::text")]
    state: String,
    #[serde(default, deserialize_with = "json::text")]
    kind: String,
    #[serde(default, deserialize_with = "json::text")]
    priority: String,
    #[serde(default, deserialize_with = "named")]
    component: String,
    #[serde(default, deserialize_with = "named")]
    version: String,
    milestone: Option<Milestone>,
    content: Option<Content>,
    reporter: Option<User>,
    assignee: Option<User>,
    links: Option<Links>,
    #[serde(default, deserialize_with = "json::time")]
    created_on: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "json::time")]
    updated_on: Option<DateTime<Utc>>,
}

#[derive(Debug, Default, Deserialize)]
struct Milestone {
    #[serde(default, deserialize_with = "json::number")]
    id: i64,
    #[serde(default, deserialize_with = "json::text")]
    name: String,
}

/// Text, or an object with a name; `null` reads as empty. Recordings have the one, the API
/// document the other.
pub(super) fn named<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    struct Object {
        #[serde(default, deserialize_with = "json::text")]
        name: String,
        #[serde(default, deserialize_with = "json::text")]
        display_name: String,
    }
    let value = serde_json::Value::deserialize(deserializer)?;
    if value.is_object() {
        let object = Object::deserialize(value).map_err(de::Error::custom)?;
        let name = Some(object.name).filter(|name| !name.is_empty());
        return Ok(name.unwrap_or(object.display_name));
    }
    json::text(value).map_err(de::Error::custom)
}

#[cfg(test)]
mod tests {
    use headwater_domain::tool::bitbucket::issue::Issues;
    use insta::assert_snapshot;

    use crate::shown_rows::extracted;

    fn issue(payload: &str) -> String {
        extracted::<Issues>("", "7", payload)
    }

    #[test]
    fn an_issue_keeps_its_words_its_people_and_both_addresses() {
        assert_snapshot!(issue(
            r#"{
                "type": "issue", "id": 7, "title": "Leak", "content": {"raw": "It *drips*"},
                "state": "on hold", "kind": "bug", "priority": "blocker",
                "component": {"type": "component", "id": 3, "name": "Tank"},
                "version": {"name": "1.0"}, "milestone": {"id": 4, "name": "Launch"},
                "reporter": {"display_name": "Ann", "account_id": "ann", "uuid": "{ann}"},
                "assignee": {"display_name": "Bob", "account_id": "bob", "uuid": "{bob}"},
                "links": {"self": {"href": "https://a/7"}, "html": {"href": "https://b/7"}},
                "created_on": "2022-08-12T13:55:09.733903+00:00",
                "updated_on": "2022-08-13T06:20:01.409838+00:00"
            }"#
        ));
    }

    #[test]
    fn a_component_is_a_text_or_an_object() {
        let text = issue(r#"{"id": 7, "component": "Tank"}"#);
        assert_eq!(
            text,
            issue(r#"{"id": 7, "component": {"name": "Tank", "id": 3}}"#)
        );
        assert!(text.contains("Tank"), "{text}");
    }

    #[test]
    fn nulls_read_like_missing_fields() {
        let nulls = issue(
            r#"{
                "type": null, "id": 7, "title": null, "state": null, "kind": null,
                "priority": null, "component": null, "version": null, "milestone": null,
                "content": null, "reporter": null, "assignee": null, "links": null,
                "created_on": null, "updated_on": null
            }"#,
        );
        assert_eq!(nulls, issue(r#"{"id": 7}"#));
        assert_snapshot!(nulls);
    }

    #[test]
    fn what_is_no_issue_says_where_it_is_wrong() {
        assert_snapshot!(
            [
                r#"{"title": "Leak"}"#,
                r#"{"id": 0}"#,
                r#"{"id": 7, "component": [1]}"#,
                r#"{"id": 7, "reporter": "Ann"}"#,
            ]
            .map(issue)
            .concat()
        );
    }
}

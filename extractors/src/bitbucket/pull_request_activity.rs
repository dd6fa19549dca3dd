//! The activity log of a pull request.

use chrono::{DateTime, Utc};
use headwater_domain::tool::bitbucket::pull_request_activity::{self, PullRequestActivities};
use headwater_domain::{Item, Rows, Table};
use serde::Deserialize;
use serde_json::{Map, Value};
use xxhash_rust::xxh3::Xxh3;

use super::{Hashed, Named, User};
use crate::{Extract, json};

impl Extract for PullRequestActivities {
    type Payload = Payload;

    const VERSION: u32 = 2;

    fn tables() -> Vec<&'static Table> {
        vec![Table::of::<pull_request_activity::Entity>()]
    }

    fn extract(item: &Item<'_>, payload: Payload, rows: &mut Rows) {
        // Comments have a stream of their own, which also knows of edits and deletions.
        let (kind, entry) = if let Some(update) = payload.update {
            ("update", Entry::from(update))
        } else if let Some(approval) = payload.approval {
            ("approval", Entry::from(approval))
        } else if let Some(request) = payload.changes_requested {
            ("changes_requested", Entry::from(request))
        } else {
            return;
        };
        rows.mention(item, entry.date, entry.actor.profile());
        rows.push(pull_request_activity::Model {
            connection_id: item.scope.connection_id,
            repo_id: item.scope.full_name.clone(),
            pull_request_id: item.parent_number(),
            activity_key: item.key.to_owned(),
            kind: kind.to_owned(),
            state: entry.state,
            previous_state: entry.previous_state,
            changed_fields: entry.changed_fields,
            actor_id: entry.actor.account_id,
            actor_name: entry.actor.display_name,
            happened_at: entry.date,
            content_hash: entry.content_hash,
        });
    }
}

/// What the kinds of entries have in common.
struct Entry {
    date: Option<DateTime<Utc>>,
    actor: User,
    state: String,
    previous_state: String,
    changed_fields: String,
    content_hash: String,
}

impl From<Vote> for Entry {
    fn from(vote: Vote) -> Self {
        Self {
            date: vote.date,
            actor: vote.user.unwrap_or_default(),
            state: String::new(),
            previous_state: String::new(),
            changed_fields: String::new(),
            content_hash: String::new(),
        }
    }
}

impl From<Update> for Entry {
    fn from(update: Update) -> Self {
        let content_hash = update.content_hash();
        let changes = update.changes.unwrap_or_default();
        let old = |field: &str| changes.get(field)?.get("old")?.as_str();
        let previous = old("status").or_else(|| old("state")).unwrap_or_default();
        let fields: Vec<&str> = changes.keys().map(String::as_str).collect();
        Self {
            date: update.date,
            actor: update.author.unwrap_or_default(),
            state: update.state,
            previous_state: previous.to_uppercase(),
            changed_fields: fields.join(","),
            content_hash,
        }
    }
}

/// Exactly one of these is there; entries have no type.
#[derive(Debug, Deserialize)]
pub struct Payload {
    update: Option<Update>,
    approval: Option<Vote>,
    changes_requested: Option<Vote>,
}

#[derive(Debug, Deserialize)]
struct Update {
    #[serde(default, deserialize_with = "json::text")]
    state: String,
    #[serde(default, deserialize_with = "json::time")]
    date: Option<DateTime<Utc>>,
    author: Option<User>,
    /// `{"status": {"old": "open", "new": "fulfilled"}, "title": {...}}`; which fields is open.
    changes: Option<Map<String, Value>>,
    #[serde(default, deserialize_with = "json::text")]
    title: String,
    #[serde(default, deserialize_with = "json::text")]
    description: String,
    #[serde(default, deserialize_with = "json::flag")]
    draft: bool,
    #[serde(default, deserialize_with = "json::list")]
    reviewers: Vec<User>,
    source: Option<End>,
    destination: Option<End>,
}

impl Update {
    /// Hash of what the update says of the pull request, its date and actor left out.
    fn content_hash(&self) -> String {
        let mut hash = Xxh3::new();
        let mut add = |part: &str| {
            hash.update(part.as_bytes());
            // The separator keeps ("a", "") and ("", "a") apart.
            hash.update(b"\x1f");
        };
        let draft = if self.draft { "draft" } else { "" };
        for part in [&self.state, &self.title, &self.description, draft] {
            add(part);
        }
        for end in [&self.source, &self.destination] {
            let end = end.as_ref();
            let branch = end.and_then(|end| end.branch.as_ref());
            let commit = end.and_then(|end| end.commit.as_ref());
            add(branch.map_or("", |branch| &branch.name));
            add(commit.map_or("", |commit| &commit.hash));
        }
        for reviewer in &self.reviewers {
            add(&reviewer.account_id);
        }
        let changes = self.changes.as_ref().filter(|changes| !changes.is_empty());
        add(&changes
            .map(|it| Value::Object(it.clone()).to_string())
            .unwrap_or_default());
        format!("{:032x}", hash.digest128())
    }
}

/// One end of a pull request as an update gives it.
#[derive(Debug, Deserialize)]
struct End {
    branch: Option<Named>,
    commit: Option<Hashed>,
}

#[derive(Debug, Deserialize)]
struct Vote {
    #[serde(default, deserialize_with = "json::time")]
    date: Option<DateTime<Utc>>,
    user: Option<User>,
}

#[cfg(test)]
mod tests {
    use headwater_domain::tool::bitbucket::pull_request_activity::PullRequestActivities;
    use insta::assert_snapshot;

    use crate::shown_rows::extracted;

    fn entry(payload: &str) -> String {
        extracted::<PullRequestActivities>("12", "kind:time:actor", payload)
    }

    #[test]
    fn an_update_tells_what_changed_and_from_which_state() {
        assert_snapshot!(entry(
            r#"{
                "pull_request": {"id": 12, "title": "Nozzle"},
                "update": {
                    "state": "MERGED", "title": "Nozzle", "description": "", "draft": false,
                    "date": "2026-03-02T10:00:00.123456+00:00",
                    "author": {"display_name": "Ann", "account_id": "ann", "uuid": "{ann}"},
                    "changes": {
                        "title": {"old": "Düse", "new": "Nozzle"},
                        "status": {"old": "open", "new": "fulfilled"}
                    }
                }
            }"#
        ));
    }

    #[test]
    fn an_approval_tells_who_and_when() {
        assert_snapshot!(entry(
            r#"{
                "pull_request": {"id": 12},
                "approval": {
                    "date": "2026-03-02T09:00:00Z", "pullrequest": {"id": 12},
                    "user": {"display_name": "Bob", "account_id": "bob", "uuid": "{bob}"}
                }
            }"#
        ));
    }

    #[test]
    fn a_request_for_changes_by_a_deleted_account_is_kept() {
        assert_snapshot!(entry(
            r#"{"changes_requested": {"date": "2026-03-02T08:00:00Z", "user": null}}"#
        ));
    }

    #[test]
    fn shapes_of_recorded_entries_are_read() {
        let plain = r#"{"update": {"state": "OPEN", "date": "2024-03-02T10:00:00Z"}}"#;
        for recorded in [
            r#"{"pull_request": {"id": 12}, "comment": null, "approval": null,
                "changes_requested": null,
                "update": {"state": "OPEN", "date": "2024-03-02T10:00:00Z"}}"#,
            r#"{"update": {"state": "OPEN", "date": "2024-03-02T10:00:00Z", "changes": {}}}"#,
            r#"{"update": {"state": "OPEN", "date": "2024-03-02T10:00:00Z", "reviewers": [],
                "title": "", "description": null, "source": null, "destination": {}}}"#,
        ] {
            assert_eq!(entry(recorded), entry(plain), "{recorded}");
        }
        let nulls = r#"{"update": {"state": "DECLINED", "date": "2024-03-02T10:00:00Z",
            "changes": {"status": {"old": null, "new": null}}}}"#;
        let shown = entry(nulls);
        assert!(shown.contains("changed_fields=\"status\""), "{shown}");
        assert!(shown.contains("previous_state=\"\""), "{shown}");
    }

    #[test]
    fn updates_say_the_same_when_they_differ_in_date_and_actor_only() {
        let hash = |rest: &str| {
            let shown = entry(&format!(r#"{{"update": {{{rest}}}}}"#));
            let line = shown.lines().find(|line| line.contains("content_hash"));
            line.unwrap().to_owned()
        };
        let first = r#""state": "OPEN", "title": "t", "date": "2024-03-02T10:00:00Z",
            "source": {"branch": {"name": "f"}, "commit": {"hash": "aa"}}"#;
        let same = first.replace("00:00Z", "00:01Z");
        assert_eq!(hash(first), hash(&same));
        for (part, other) in [
            ("\"t\"", "\"u\""),
            ("OPEN", "MERGED"),
            ("\"aa\"", "\"ab\""),
            ("\"f\"", "\"g\""),
            ("\"title\"", "\"draft\": true, \"title\""),
            (
                "\"title\"",
                "\"reviewers\": [{\"uuid\": \"{r}\"}], \"title\"",
            ),
            ("\"title\"", "\"changes\": {\"title\": {}}, \"title\""),
        ] {
            assert_ne!(hash(first), hash(&first.replace(part, other)), "{part}");
        }
    }

    #[test]
    fn comments_and_unknown_entries_make_no_rows() {
        for payload in [
            r#"{"comment": {"id": 1, "user": {"account_id": "ann"}}, "pull_request": {"id": 12}}"#,
            r#"{"update": null, "approval": null, "changes_requested": null}"#,
            r#"{"applause": {"date": "2026-03-02T08:00:00Z"}}"#,
            "{}",
        ] {
            assert_eq!(entry(payload), "", "{payload}");
        }
    }

    #[test]
    fn nulls_inside_an_update_read_like_missing_fields() {
        let nulls = r#"{"update": {"state": null, "date": null, "author": null, "changes": null}}"#;
        let shown = entry(nulls);
        assert_eq!(shown, entry(r#"{"update": {}}"#));
        assert_snapshot!(shown);
    }

    #[test]
    fn changes_of_an_unknown_form_are_named_all_the_same() {
        let shown = entry(
            r#"{"update": {"changes": {"reviewers": {"added": []}, "status": "closed", "b": null}}}"#,
        );
        assert!(
            shown.contains("changed_fields=\"b,reviewers,status\""),
            "{shown}"
        );
        assert!(shown.contains("previous_state=\"\""), "{shown}");
    }

    #[test]
    fn what_is_no_entry_says_where_it_is_wrong() {
        assert_snapshot!(
            [
                r#"{"update": 1}"#,
                r#"{"update": {"changes": []}}"#,
                r#"{"approval": {"date": 1690000000}}"#,
                r#"{"changes_requested": {"user": {"account_id": {}}}}"#,
            ]
            .map(entry)
            .concat()
        );
    }
}

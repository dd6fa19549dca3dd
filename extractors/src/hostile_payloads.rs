//! No payload, however hostile, makes an extraction panic.

use chrono::Datelike as _;
use headwater_domain::table::Column;
use headwater_domain::tool::bitbucket::branch::Branches;
use headwater_domain::tool::bitbucket::commit::Commits;
use headwater_domain::tool::bitbucket::issue::Issues;
use headwater_domain::tool::bitbucket::issue_change::IssueChanges;
use headwater_domain::tool::bitbucket::issue_comment::IssueComments;
use headwater_domain::tool::bitbucket::project::Projects;
use headwater_domain::tool::bitbucket::pull_request::PullRequests;
use headwater_domain::tool::bitbucket::pull_request_activity::PullRequestActivities;
use headwater_domain::tool::bitbucket::pull_request_comment::PullRequestComments;
use headwater_domain::tool::bitbucket::pull_request_commit::PullRequestCommits;
use headwater_domain::tool::bitbucket::pull_request_diffstat::PullRequestDiffstats;
use headwater_domain::tool::bitbucket::pull_request_status::PullRequestStatuses;
use headwater_domain::tool::bitbucket::repository::Repositories;
use headwater_domain::tool::bitbucket::tag::Tags;
use headwater_domain::tool::bitbucket::workspace::Workspaces;
use headwater_domain::tool::bitbucket::workspace_member::WorkspaceMembers;
use headwater_domain::{Rows, timestamp};
use proptest::prelude::*;
use sea_orm::Value as Cell;
use serde_json::{Value, json};

use crate::extraction::Extraction;
use crate::shown_rows::{item, scope};

fn extractions() -> Vec<Extraction> {
    vec![
        Extraction::of::<Repositories>(),
        Extraction::of::<PullRequests>(),
        Extraction::of::<PullRequestActivities>(),
        Extraction::of::<PullRequestComments>(),
        Extraction::of::<PullRequestCommits>(),
        Extraction::of::<Branches>(),
        Extraction::of::<Tags>(),
        Extraction::of::<Commits>(),
        Extraction::of::<Issues>(),
        Extraction::of::<IssueComments>(),
        Extraction::of::<IssueChanges>(),
        Extraction::of::<PullRequestStatuses>(),
        Extraction::of::<PullRequestDiffstats>(),
        Extraction::of::<Workspaces>(),
        Extraction::of::<Projects>(),
        Extraction::of::<WorkspaceMembers>(),
    ]
}

/// An object that every stream can read.
fn good() -> Value {
    let user = json!({
        "account_id": "ann", "display_name": "Ann", "uuid": "{ann}", "nickname": "a",
        "links": {"avatar": {"href": "https://a"}, "html": {"href": "https://h"}}
    });
    let vote = json!({"date": "2026-03-02T09:00:00Z", "user": user});
    let words = json!({
        "id": 12, "hash": "00aa", "uuid": "{r}", "type": "any", "state": "OPEN", "title": "t",
        "name": "n", "description": "d", "language": "rust", "is_private": false, "draft": true,
        "created_on": "2026-03-01T10:00:00.1+00:00", "updated_on": "2026-03-01T10:00:00Z",
        "date": "2026-03-01 10:00", "comment_count": 1, "task_count": "2", "deleted": false,
        "content": {"raw": "text"}, "inline": {"path": "p", "from": 1, "to": null},
    });
    let people = json!({
        "author": {"account_id": "ann", "raw": "Ann <a@b>", "user": user, "links": null},
        "owner": user, "user": user, "closed_by": user, "reviewers": [user],
        "participants": [{"user": user, "role": "REVIEWER", "approved": true, "state": null}],
        "approval": vote, "changes_requested": vote,
        "update": {"state": "OPEN", "date": "2026-03-01T10:00:00Z", "author": user,
                   "changes": {"status": {"old": "open", "new": "merged"}}},
    });
    let places = json!({
        "mainbranch": {"name": "main"}, "parent": {"id": 7, "full_name": "a/b"},
        "project": {"key": "K"}, "key": "K", "archived": false,
        "commit": {"hash": "00aa"}, "pullrequest": {"id": 12},
        "merge_commit": {"hash": "11bb", "date": "2026-03-02T09:00:00Z"},
        "source": {"branch": {"name": "f"}, "commit": {"hash": "c"}, "repository": null},
        "destination": {"branch": null, "commit": {"hash": "d"}, "repository": {"full_name": "a/b"}},
        "links": {"html": {"href": "h"}, "clone": [{"name": "https", "href": "c"}]},
    });
    let issues = json!({
        "kind": "bug", "priority": "major", "component": {"name": "tank"}, "version": "1.0",
        "milestone": {"id": 4, "name": "launch"}, "reporter": user, "assignee": user,
        "issue": {"id": 12}, "message": "m", "parents": [{"hash": "22cc"}], "tagger": {"raw": "Ann <a@b>"},
        "target": {"hash": "00aa", "date": "2026-03-01T10:00:00Z"},
        "changes": {"state": {"old": "new", "new": "closed"}, "assignee": {"old": null, "new": user}},
    });
    let parts = [words, people, places, issues].into_iter();
    Value::Object(
        parts
            .flat_map(|part| part.as_object().cloned().unwrap())
            .collect(),
    )
}

/// Names that mean something to some stream, and any others.
fn name() -> impl Strategy<Value = String> {
    let known: Vec<String> = good().as_object().unwrap().keys().cloned().collect();
    prop_oneof![4 => prop::sample::select(known), 1 => any::<String>()]
}

fn text() -> impl Strategy<Value = String> {
    let times = [
        "2026-03-01T10:00:00+00:00",
        "9999-12-31T23:59:59-12:00",
        "0000-00-00 00:00:00",
        "0000-01-01T00:00:00+01:00",
        "+12345-01-01",
        "-0044-03-15",
        "2016-12-31T23:59:60Z",
        "2026-02-30",
        "\0",
        "<",
        " 007 ",
    ];
    prop_oneof![
        2 => prop::sample::select(times.to_vec()).prop_map(str::to_owned),
        1 => any::<String>(),
        1 => (any::<char>(), 30..300_usize).prop_map(|(one, times)| one.to_string().repeat(times)),
    ]
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 48, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name(), inner), 0..8)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

fn count(value: &Value) -> usize {
    let inner: usize = match value {
        Value::Array(list) => list.iter().map(count).sum(),
        Value::Object(map) => map.values().map(count).sum(),
        _ => 0,
    };
    1 + inner
}

/// Puts something else in the place of one value, counted from the outside in.
fn put(value: &mut Value, place: &mut usize, other: &Value) {
    if *place == 0 {
        *value = other.clone();
    }
    // Past zero nothing matches any more.
    *place = place.wrapping_sub(1);
    match value {
        Value::Array(list) => list.iter_mut().for_each(|inner| put(inner, place, other)),
        Value::Object(map) => map.values_mut().for_each(|inner| put(inner, place, other)),
        _ => {}
    }
}

/// Every extraction gives rows that fit every database, or one sentence and no rows.
fn check(data: &[u8]) {
    let scope = scope();
    for extraction in extractions() {
        let mut rows = Rows::default();
        let item = item(&scope, "12", "key");
        match (extraction.extract)(&item, data, &mut rows) {
            Ok(()) => {
                let shared = rows.take_shared();
                for table in rows.tables().chain(&shared) {
                    for row in &table.rows {
                        let cells = table.table.columns.iter().zip(&row.values);
                        cells.for_each(|(column, cell)| check_cell(column, cell));
                    }
                }
            }
            Err(bad) => {
                assert!(rows.is_empty(), "{}: {bad:?}", extraction.stream);
                assert!(!bad.message.is_empty(), "{}", extraction.stream);
                assert!(bad.message.chars().count() <= 300, "{}", extraction.stream);
            }
        }
    }
}

fn check_cell(column: &Column, cell: &Cell) {
    match cell {
        Cell::String(Some(text)) => {
            assert!(!text.contains('\0'), "{text:?}");
            let width = column.width().unwrap_or(usize::MAX);
            assert!(text.chars().count() <= width, "{}: {text:?}", column.name);
        }
        Cell::ChronoDateTimeUtc(Some(time)) => {
            let text = timestamp::to_text(*time);
            assert_eq!(text.len(), "2026-03-01T10:00:00.000+00:00".len(), "{text}");
            assert_eq!(timestamp::to_milliseconds(*time), *time);
            assert!((1000..=9999).contains(&time.year()), "{text}");
        }
        _ => {}
    }
}

#[test]
fn the_good_payload_is_read_by_every_stream() {
    let data = good().to_string();
    let scope = scope();
    for extraction in extractions() {
        let mut rows = Rows::default();
        let read = (extraction.extract)(&item(&scope, "12", "key"), data.as_bytes(), &mut rows);
        assert_eq!(read, Ok(()), "{}", extraction.stream);
        assert!(!rows.is_empty(), "{}", extraction.stream);
    }
}

#[test]
fn deep_nesting_is_refused_or_ignored() {
    for depth in [100, 1_000, 100_000] {
        for (open, close) in [("[", "]"), (r#"{"author":"#, "}")] {
            let data = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            check(data.as_bytes());
            check(format!(r#"{{"id": 1, "unknown": {data}}}"#).as_bytes());
            check(format!(r#"{{"id": 1, "update": {{"changes": {{"a": {data}}}}}}}"#).as_bytes());
        }
    }
}

/// Puts an escape into every text of a payload, the names of members included where it may.
fn with_escape(payload: &Value, escape: &str) -> Vec<u8> {
    let mut marked = payload.clone();
    mark(&mut marked);
    let unknown = format!(r#"{{"{escape}": {{"{escape}": ["{escape}"]}}, "#);
    let text = marked.to_string().replacen('{', &unknown, 1);
    text.replace("<here>", escape).into_bytes()
}

/// Marks texts that are neither keys, times nor numbers.
fn mark(value: &mut Value) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(mark),
        Value::Object(map) => {
            for (name, inner) in map {
                let is_free = ["title", "description", "message", "display_name", "raw"];
                match inner {
                    Value::String(text) if is_free.contains(&name.as_str()) => {
                        text.push_str("<here>");
                    }
                    other => mark(other),
                }
            }
        }
        _ => {}
    }
}

fn rows_of(extraction: &Extraction, data: &[u8]) -> Vec<String> {
    let scope = scope();
    let mut rows = Rows::default();
    let read = (extraction.extract)(&item(&scope, "12", "key"), data, &mut rows);
    assert_eq!(read, Ok(()), "{}", extraction.stream);
    let shared = rows.take_shared();
    let tables = rows.tables().chain(&shared);
    let shown = tables.flat_map(|table| table.rows.iter().map(|row| format!("{:?}", row.values)));
    shown.collect()
}

#[test]
fn half_a_character_is_u_fffd_wherever_it_is_and_loses_no_item() {
    for extraction in extractions() {
        for half in [r"\ud800", r"\udfff", r"\ud83d\n", r"\ude80\ud83d"] {
            let mended = half
                .replace(r"\ude80\ud83d", "\u{fffd}\u{fffd}")
                .replace(r"\ud83d", "\u{fffd}")
                .replace(r"\ud800", "\u{fffd}")
                .replace(r"\udfff", "\u{fffd}");
            let expected = rows_of(&extraction, &with_escape(&good(), &mended));
            let found = rows_of(&extraction, &with_escape(&good(), half));
            assert_eq!(found, expected, "{} {half}", extraction.stream);
        }
        let without = rows_of(&extraction, &with_escape(&good(), ""));
        let with_nul = rows_of(&extraction, &with_escape(&good(), r"\u0000"));
        assert_eq!(with_nul.len(), without.len(), "{}", extraction.stream);
    }
}

proptest! {
    #[test]
    fn any_json_gives_rows_or_a_reason(value in json_value()) {
        check(value.to_string().as_bytes());
    }

    #[test]
    fn any_value_in_any_place_of_a_good_payload_gives_rows_or_a_reason(
        place in any::<prop::sample::Index>(),
        other in json_value(),
    ) {
        let mut payload = good();
        let mut place = place.index(count(&payload));
        put(&mut payload, &mut place, &other);
        check(payload.to_string().as_bytes());
    }

    #[test]
    fn broken_bytes_give_rows_or_a_reason(
        place in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        cut in any::<bool>(),
    ) {
        let mut data = good().to_string().into_bytes();
        let place = place.index(data.len());
        data[place] = byte;
        if cut {
            data.truncate(place);
        }
        check(&data);
    }

    #[test]
    fn any_bytes_give_rows_or_a_reason(data in prop::collection::vec(any::<u8>(), 0..64)) {
        check(&data);
    }
}

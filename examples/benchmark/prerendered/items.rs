//! Items as the API writes them, of the sizes of `reference/performance-baselines.md`'s workload:
//! pull requests of 9 KB, comments of 1.6, commits of 2.9, pipelines of 2.2, steps of 0.8.

use std::fmt::Write as _;

use chrono::{DateTime, SecondsFormat, Utc};

const API: &str = "https://api.bitbucket.org/2.0";
const WEB: &str = "https://bitbucket.org";
/// People who take part.
const PEOPLE: u64 = 50;
const WORDS: [&str; 16] = [
    "review",
    "the",
    "retry",
    "of",
    "payment",
    "when",
    "gateway",
    "answers",
    "late",
    "and",
    "log",
    "cache",
    "before",
    "release",
    "index",
    "migration",
];

pub(super) fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, false)
}

/// Numbers that look random and are the same every time.
fn mixed(kind: u64, number: u64) -> u64 {
    let mut hash = kind.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ number;
    for _ in 0..2 {
        hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        hash ^= hash >> 31;
    }
    hash
}

pub(super) fn uuid(kind: u64, number: u64) -> String {
    let (high, low) = (mixed(kind, number), mixed(kind + 1000, number));
    format!(
        "{{{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}}}",
        high >> 32,
        high & 0xffff,
        (high >> 16) & 0xfff,
        low & 0xfff,
        low >> 16
    )
}

pub(super) fn hash(number: u64) -> String {
    let parts = [1, 2, 3].map(|kind| mixed(2000 + kind, number));
    format!("{:016x}{:016x}{:08x}", parts[0], parts[1], parts[2] >> 32)
}

/// How many comments a pull request has: four on the average, and some have none.
pub(super) fn comments_of(number: u64) -> u64 {
    mixed(7, number) % 9
}

fn prose(seed: u64, words: usize) -> String {
    let mut text = String::new();
    for place in 0..words as u64 {
        let word = WORDS[usize::try_from(mixed(seed, place) % 16).unwrap_or_default()];
        let end = if place % 12 == 11 { ".\\n" } else { " " };
        let _ = write!(text, "{word}{end}");
    }
    text
}

fn user(number: u64) -> String {
    let number = number % PEOPLE;
    let uuid = uuid(1, number);
    let bare = uuid.trim_matches(['{', '}']);
    format!(
        r#"{{"display_name": "Person {number}", "links": {{"self": {{"href": "{API}/users/%7B{bare}%7D"}}, "avatar": {{"href": "https://secure.gravatar.com/avatar/{:032x}?d=https%3A%2F%2Favatar-management--avatars.us-west-2.prod.public.atl-paas.net%2Finitials%2FP{number}-3.png"}}, "html": {{"href": "{WEB}/%7B{bare}%7D/"}}}}, "type": "user", "uuid": "{uuid}", "account_id": "557058:{bare}", "nickname": "person{number}"}}"#,
        mixed(3, number)
    )
}

fn rendered(raw: &str) -> String {
    format!(
        r#"{{"type": "rendered", "raw": "{raw}", "markup": "markdown", "html": "<p>{raw}</p>"}}"#
    )
}

fn stub(name: &str) -> String {
    let slug = name.rsplit('/').next().unwrap_or_default();
    format!(
        r#"{{"type": "repository", "full_name": "{name}", "links": {{"self": {{"href": "{API}/repositories/{name}"}}, "html": {{"href": "{WEB}/{name}"}}, "avatar": {{"href": "https://bytebucket.org/ravatar/%7B3deb8c29-778a-450c-8f69-3e50a18079df%7D?ts=default"}}}}, "name": "{slug}", "uuid": "{}"}}"#,
        uuid(4, 1)
    )
}

pub(super) fn repository(name: &str, at: DateTime<Utc>) -> String {
    let slug = name.rsplit('/').next().unwrap_or_default();
    format!(
        r#"{{"type": "repository", "full_name": "{name}", "name": "{slug}", "slug": "{slug}", "uuid": "{}", "is_private": true, "language": "rust", "description": "", "size": 1000, "created_on": "{}", "updated_on": "{}", "mainbranch": {{"type": "branch", "name": "main"}}, "links": {{"html": {{"href": "{WEB}/{name}"}}, "clone": []}}, "parent": null}}"#,
        uuid(4, 1),
        time(at),
        time(at)
    )
}

fn short_commit(name: &str, hash: &str) -> String {
    let hash = &hash[..12];
    format!(
        r#"{{"hash": "{hash}", "links": {{"self": {{"href": "{API}/repositories/{name}/commit/{hash}"}}, "html": {{"href": "{WEB}/{name}/commits/{hash}"}}}}, "type": "commit"}}"#
    )
}

/// One pull request with four participants, two of them reviewers.
pub(super) fn pull_request(
    name: &str,
    number: u64,
    (created, updated): (DateTime<Utc>, DateTime<Utc>),
    comments: u64,
) -> String {
    let merged = !number.is_multiple_of(4);
    let people = [1, 2, 3, 4].map(|place| user(mixed(50 + place, number)));
    let mut participants = String::new();
    for (place, person) in people.iter().enumerate() {
        let role = if place < 2 { "REVIEWER" } else { "PARTICIPANT" };
        let _ = write!(
            participants,
            r#"{}{{"type": "participant", "user": {person}, "role": "{role}", "approved": {}, "state": {}, "participated_on": "{}"}}"#,
            if place == 0 { "" } else { ", " },
            place == 0,
            if place == 0 { "\"approved\"" } else { "null" },
            time(updated)
        );
    }
    let mut links = String::new();
    let actions = [
        "decline",
        "commits",
        "comments",
        "merge",
        "activity",
        "diff",
        "diffstat",
        "approve",
        "request-changes",
        "statuses",
    ];
    for action in actions {
        let _ = write!(
            links,
            r#""{action}": {{"href": "{API}/repositories/{name}/pullrequests/{number}/{action}"}}, "#
        );
    }
    let title = format!("PAY-{number} {}", prose(5 + number, 6).trim_end());
    let description = prose(number, 60);
    let description = description.trim_end();
    format!(
        r#"{{"comment_count": {comments}, "task_count": {}, "type": "pullrequest", "id": {number}, "title": "{title}", "description": "{description}", "rendered": {{"title": {}, "description": {}}}, "state": "{}", "draft": false, "merge_commit": {}, "close_source_branch": true, "closed_by": {}, "author": {}, "reason": "", "created_on": "{}", "updated_on": "{}", "destination": {{"branch": {{"name": "main"}}, "commit": {}, "repository": {}}}, "source": {{"branch": {{"name": "feature/pay-{number}", "links": {{}}}}, "commit": {}, "repository": {}}}, "reviewers": [{}, {}], "participants": [{participants}], "links": {{{links}"self": {{"href": "{API}/repositories/{name}/pullrequests/{number}"}}, "html": {{"href": "{WEB}/{name}/pull-requests/{number}"}}}}, "summary": {}}}"#,
        number % 3,
        rendered(&title),
        rendered(description),
        if merged { "MERGED" } else { "OPEN" },
        if merged {
            short_commit(name, &hash(number))
        } else {
            "null".to_owned()
        },
        if merged {
            user(mixed(60, number))
        } else {
            "null".to_owned()
        },
        user(mixed(61, number)),
        time(created),
        time(updated),
        short_commit(name, &hash(number + 1)),
        stub(name),
        short_commit(name, &hash(number + 1_000_000)),
        stub(name),
        people[0],
        people[1],
        rendered(description),
    )
}

pub(super) fn comment(name: &str, pull_request: u64, place: u64, at: DateTime<Utc>) -> String {
    let id = pull_request * 100 + place;
    let inline = if id.is_multiple_of(3) {
        r#", "inline": {"from": null, "to": 17, "path": "src/payments/gateway.rs"}"#
    } else {
        ""
    };
    format!(
        r#"{{"id": {id}, "created_on": "{}", "updated_on": "{}", "content": {}, "user": {}, "deleted": false, "pending": false{inline}, "type": "pullrequest_comment", "links": {{"self": {{"href": "{API}/repositories/{name}/pullrequests/{pull_request}/comments/{id}"}}, "html": {{"href": "{WEB}/{name}/pull-requests/{pull_request}/_/diff#comment-{id}"}}}}, "pullrequest": {{"type": "pullrequest", "id": {pull_request}, "title": "PAY-{pull_request}", "draft": false, "links": {{"self": {{"href": "{API}/repositories/{name}/pullrequests/{pull_request}"}}, "html": {{"href": "{WEB}/{name}/pull-requests/{pull_request}"}}}}}}}}"#,
        time(at),
        time(at),
        rendered(prose(id, 20).trim_end()),
        user(mixed(70, id)),
    )
}

/// The commit of that number, whose parent is the one before.
pub(super) fn commit(name: &str, number: u64, at: DateTime<Utc>) -> String {
    let (own, person) = (hash(number), mixed(80, number) % PEOPLE);
    let mut links = String::new();
    for kind in ["approve", "comments", "statuses"] {
        let _ = write!(
            links,
            r#""{kind}": {{"href": "{API}/repositories/{name}/commit/{own}/{kind}"}}, "#
        );
    }
    let mut parents = String::new();
    if number > 0 {
        let parent = hash(number - 1);
        parents = format!(
            r#"{{"hash": "{parent}", "links": {{"self": {{"href": "{API}/repositories/{name}/commit/{parent}"}}, "html": {{"href": "{WEB}/{name}/commits/{parent}"}}}}, "type": "commit"}}"#
        );
    }
    let message = prose(number, 12);
    format!(
        r#"{{"type": "commit", "hash": "{own}", "date": "{}+00:00", "author": {{"type": "author", "raw": "Person {person} <person{person}@example.com>", "user": {}}}, "message": "{message}", "summary": {}, "links": {{{links}"self": {{"href": "{API}/repositories/{name}/commit/{own}"}}, "html": {{"href": "{WEB}/{name}/commits/{own}"}}, "diff": {{"href": "{API}/repositories/{name}/diff/{own}"}}, "patch": {{"href": "{API}/repositories/{name}/patch/{own}"}}}}, "parents": [{parents}], "rendered": {{"message": {}}}, "properties": {{}}}}"#,
        at.format("%Y-%m-%dT%H:%M:%S"),
        user(person),
        rendered(&message),
        rendered(&message),
    )
}

pub(super) fn pipeline(name: &str, number: u64, at: DateTime<Utc>) -> String {
    let (own, hash) = (uuid(5, number), hash(number * 5));
    format!(
        r#"{{"type": "pipeline", "uuid": "{own}", "repository": {}, "state": {{"name": "COMPLETED", "type": "pipeline_state_completed", "result": {{"name": "SUCCESSFUL", "type": "pipeline_state_completed_successful"}}}}, "build_number": {number}, "creator": {}, "created_on": "{}", "completed_on": "{}", "target": {{"type": "pipeline_ref_target", "ref_type": "branch", "ref_name": "main", "selector": {{"type": "default"}}, "commit": {{"type": "commit", "hash": "{hash}", "links": {{"self": {{"href": "{API}/repositories/{name}/commit/{hash}"}}, "html": {{"href": "{WEB}/{name}/commits/{hash}"}}}}}}}}, "trigger": {{"name": "PUSH", "type": "pipeline_trigger_push"}}, "run_number": 1, "duration_in_seconds": 180, "build_seconds_used": 240, "first_successful": false, "expired": false, "links": {{"self": {{"href": "{API}/repositories/{name}/pipelines/{own}"}}, "steps": {{"href": "{API}/repositories/{name}/pipelines/{own}/steps/"}}}}, "has_variables": false}}"#,
        stub(name),
        user(mixed(90, number)),
        time(at),
        time(at + chrono::TimeDelta::seconds(180)),
    )
}

pub(super) fn step(pipeline: u64, place: u64, at: DateTime<Utc>) -> String {
    let (parent, own) = (uuid(5, pipeline), uuid(6 + place, pipeline));
    let step = ["Build", "Test", "Deploy to production"][usize::try_from(place % 3).unwrap_or(0)];
    format!(
        r#"{{"pipeline": {{"type": "pipeline", "uuid": "{parent}"}}, "setup_commands": [], "script_commands": [{{"commandType": "SCRIPT", "name": "cargo build --release", "command": "cargo build --release"}}, {{"commandType": "SCRIPT", "name": "cargo test --workspace", "command": "cargo test --workspace"}}], "image": {{"name": "atlassian/default-image:4"}}, "maxTime": 120, "build_seconds_used": 60, "duration_in_seconds": 60, "uuid": "{own}", "name": "{step}", "trigger": {{"type": "pipeline_step_trigger_automatic"}}, "state": {{"name": "COMPLETED", "type": "pipeline_step_state_completed", "result": {{"name": "SUCCESSFUL", "type": "pipeline_step_state_completed_successful"}}}}, "started_on": "{}", "completed_on": "{}", "run_number": 1, "type": "pipeline_step"}}"#,
        time(at + chrono::TimeDelta::seconds(60 * i64::try_from(place).unwrap_or(0))),
        time(at + chrono::TimeDelta::seconds(60 * i64::try_from(place + 1).unwrap_or(0))),
    )
}

//! Pull requests with their reviewers and events, from the row, its participants, its activity
//! log and its commits.

use headwater_domain::code::{pull_request as domain, pull_request_event, pull_request_reviewer};
use headwater_domain::tool::bitbucket::{
    pull_request, pull_request_activity, pull_request_commit, pull_request_reviewer as participant,
};
use headwater_domain::{Rows, Scope, Sourced, id};

use crate::conversion::RelatedRow;
use crate::{Convert, Read, Related, Write};

mod history;

use history::{Ending, Event, History};

/// `_tool_bitbucket_pull_requests` to `pull_requests`, `pull_request_reviewers` and
/// `pull_request_events`.
pub struct PullRequests;

impl Convert for PullRequests {
    type Driver = pull_request::Entity;
    const NAME: &'static str = "pull_requests";
    const KEY: &'static str = "bitbucket_id";

    fn reads() -> Vec<Read> {
        vec![
            Read::trigger::<pull_request::Entity>(Self::KEY),
            Read::related::<Participants>("pull_request_id"),
            Read::related::<Activities>("pull_request_id"),
            Read::related::<Commits>("pull_request_id"),
        ]
    }

    fn writes() -> Vec<Write> {
        vec![
            Write::to::<domain::Entity>("id"),
            Write::to::<pull_request_reviewer::Entity>("pull_request_id"),
            Write::to::<pull_request_event::Entity>("source_id"),
        ]
    }

    fn owner(scope: &Scope, key: &str) -> String {
        id::pull_request(scope, key.parse().unwrap_or_default())
    }

    fn convert(
        scope: &Scope,
        driver: Sourced<pull_request::Model>,
        related: &Related,
        rows: &mut Rows,
    ) {
        let key = driver.row.bitbucket_id.to_string();
        let history = History::of(
            &driver.row,
            related.of::<pull_request_activity::Entity>(&key),
        );
        let commits = related.of::<pull_request_commit::Entity>(&key);
        for participant in related.of::<participant::Entity>(&key) {
            rows.from_origin(participant.origin.clone());
            if let Some(reviewer) = reviewer(scope, &driver.row, &participant.row) {
                rows.push(reviewer);
            }
        }
        for event in history.events() {
            rows.from_origin(event.origin.unwrap_or(&driver.origin).clone());
            rows.push(event_row(scope, &driver.row, &event));
        }
        let ending = history.ending();
        rows.from_origin(driver.origin);
        rows.push(row(scope, driver.row, ending, commits));
    }
}

struct Participants;
impl RelatedRow for Participants {
    type Entity = participant::Entity;
    fn driver_key(row: &participant::Model) -> String {
        row.pull_request_id.to_string()
    }
}

struct Activities;
impl RelatedRow for Activities {
    type Entity = pull_request_activity::Entity;
    fn driver_key(row: &pull_request_activity::Model) -> String {
        row.pull_request_id.to_string()
    }
}

struct Commits;
impl RelatedRow for Commits {
    type Entity = pull_request_commit::Entity;
    fn driver_key(row: &pull_request_commit::Model) -> String {
        row.pull_request_id.to_string()
    }
}

fn row(
    scope: &Scope,
    source: pull_request::Model,
    ending: Ending,
    commits: &[Sourced<pull_request_commit::Model>],
) -> domain::Model {
    let account = |account_id: &str| id::account(scope.connection_id, account_id);
    let repository = |full_name: &str| id::repository(scope.connection_id, full_name);
    let merged_by_id = match ending.merged_by_id.as_str() {
        "" => String::new(),
        known => account(known),
    };
    domain::Model {
        id: id::pull_request(scope, source.bitbucket_id),
        base_repo_id: repository(&source.base_repo_id),
        head_repo_id: repository(&source.head_repo_id),
        status: status(&source.state).to_owned(),
        merged_by_name: ending.merged_by_name,
        merged_by_id,
        parent_pr_id: String::new(),
        pull_request_key: source.number,
        created_date: source.bitbucket_created_at,
        merged_date: ending.merged_at,
        closed_date: ending.closed_at,
        author_id: account(&source.author_id),
        head_commit_sha: full_sha(&source.head_commit_sha, commits),
        original_status: source.state,
        title: source.title,
        description: source.description,
        url: source.url,
        author_name: source.author_name,
        r#type: source.r#type,
        component: source.component,
        merge_commit_sha: source.merge_commit_sha,
        head_ref: source.head_ref,
        base_ref: source.base_ref,
        base_commit_sha: source.base_commit_sha,
        additions: 0,
        deletions: 0,
        is_draft: source.is_draft,
    }
}

/// The four states of Bitbucket as three of the domain (decision 17).
fn status(state: &str) -> &str {
    match state {
        "DECLINED" | "SUPERSEDED" => "CLOSED",
        other => other,
    }
}

/// The full hash that a short one stands for, when the pull request's own commits tell it.
fn full_sha(short: &str, commits: &[Sourced<pull_request_commit::Model>]) -> String {
    let full = commits.iter().map(|commit| commit.row.commit_sha.as_str());
    let mut matching = full.filter(|sha| short.len() >= 7 && sha.starts_with(short));
    match (matching.next(), matching.next()) {
        (Some(only), None) => only.to_owned(),
        _ => short.to_owned(),
    }
}

/// Whoever was asked to review, or approved, or asked for changes; never the author
/// (decision 12).
fn reviewer(
    scope: &Scope,
    pull_request: &pull_request::Model,
    participant: &participant::Model,
) -> Option<pull_request_reviewer::Model> {
    let voted = participant.approved
        || matches!(participant.state.as_str(), "approved" | "changes_requested");
    let is_author = participant.account_id == pull_request.author_id;
    if is_author || !(voted || participant.role == "REVIEWER") {
        return None;
    }
    Some(pull_request_reviewer::Model {
        pull_request_id: id::pull_request(scope, pull_request.bitbucket_id),
        reviewer_id: id::account(scope.connection_id, &participant.account_id),
        name: participant.display_name.clone(),
        user_name: participant.display_name.clone(),
    })
}

fn event_row(
    scope: &Scope,
    pull_request: &pull_request::Model,
    event: &Event<'_>,
) -> pull_request_event::Model {
    let pull_request_id = id::pull_request(scope, pull_request.bitbucket_id);
    let id = match event.activity_key {
        Some(key) => id::pull_request_activity(scope, pull_request.bitbucket_id, key),
        None => format!("{pull_request_id}:created"),
    };
    pull_request_event::Model {
        id,
        kind: event.kind.to_owned(),
        actor_id: id::account(scope.connection_id, event.actor_id),
        at: event.at,
        source_id: pull_request_id.clone(),
        pull_request_id,
    }
}

//! Pull requests with their reviewers and events, from the row, its participants, its activity
//! log and its commits.

use headwater_domain::code::{pull_request as domain, pull_request_event, pull_request_reviewer};
use headwater_domain::crossdomain::pull_request_mention;
use headwater_domain::id::bitbucket as id;
use headwater_domain::tool::bitbucket::{
    pull_request, pull_request_activity, pull_request_commit, pull_request_diffstat,
    pull_request_reviewer as participant, pull_request_size,
};
use headwater_domain::{Rows, Scope, Sourced};

use crate::conversion::RelatedRow;
use crate::{Convert, Read, Related, Write};

mod history;
mod naming;
mod size;

use history::{Ending, Event, History};
use size::Size;

/// `_tool_bitbucket_pull_requests` to `pull_requests`, `pull_request_reviewers`,
/// `pull_request_events` and `pull_request_mentions`.
pub struct PullRequests;

impl Convert for PullRequests {
    type Driver = pull_request::Entity;
    const NAME: &'static str = "pull_requests";
    const VERSION: u32 = 5;
    const KEY: &'static str = "bitbucket_id";

    fn reads() -> Vec<Read> {
        vec![
            Read::trigger::<pull_request::Entity>(Self::KEY),
            Read::related::<Participants>("pull_request_id"),
            Read::related::<Activities>("pull_request_id"),
            Read::related::<Commits>("pull_request_id"),
            Read::related::<ChangedFiles>("pull_request_id"),
            Read::related::<SizesFromGit>("pull_request_id"),
        ]
    }

    fn writes() -> Vec<Write> {
        vec![
            Write::to::<domain::Entity>("id").resolving(&[
                "merge_commit_sha",
                "head_commit_sha",
                "base_commit_sha",
            ]),
            Write::to::<pull_request_reviewer::Entity>("pull_request_id"),
            Write::to::<pull_request_event::Entity>("source_id"),
            Write::to::<pull_request_mention::Entity>("pull_request_id"),
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
        for mention in naming::mentions(scope, &driver.row, commits) {
            rows.push(mention);
        }
        let size = Size::of(
            related.of::<pull_request_diffstat::Entity>(&key),
            related.of::<pull_request_size::Entity>(&key).first(),
        );
        rows.push(row(scope, driver.row, (ending, size), commits));
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

struct ChangedFiles;
impl RelatedRow for ChangedFiles {
    type Entity = pull_request_diffstat::Entity;
    fn driver_key(row: &pull_request_diffstat::Model) -> String {
        row.pull_request_id.to_string()
    }
}

struct SizesFromGit;
impl RelatedRow for SizesFromGit {
    type Entity = pull_request_size::Entity;
    fn driver_key(row: &pull_request_size::Model) -> String {
        row.pull_request_id.to_string()
    }
}

fn row(
    scope: &Scope,
    source: pull_request::Model,
    (ending, size): (Ending, Size),
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
        additions: size.additions,
        deletions: size.deletions,
        changed_files: size.changed_files,
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

/// The full hash that a short one means, when the pull request's own commits give it: before
/// it is merged, and in a fork, the repository has none of them.
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

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use insta::assert_snapshot;

    use super::*;
    use crate::shown_rows::{column, convert, converted, scope, sourced};

    fn at(minute: i64) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp(1_790_000_000 + 60 * minute, 0)
    }

    fn pull_request(state: &str) -> pull_request::Model {
        pull_request::Model {
            connection_id: 1,
            repo_id: "acme/rocket".to_owned(),
            bitbucket_id: 12,
            number: 12,
            base_repo_id: "acme/rocket".to_owned(),
            head_repo_id: "ann/rocket".to_owned(),
            state: state.to_owned(),
            title: "Größere Düse".to_owned(),
            bitbucket_created_at: at(0),
            bitbucket_updated_at: at(9),
            merged_at: at(7),
            r#type: "pullrequest".to_owned(),
            merge_commit_sha: "0123456789ab".to_owned(),
            head_ref: "feature/nozzle".to_owned(),
            base_ref: "main".to_owned(),
            base_commit_sha: "bbbbbbbbbbbb".to_owned(),
            head_commit_sha: "aaaaaaaaaaaa".to_owned(),
            url: "https://b/acme/rocket/pull-requests/12".to_owned(),
            author_name: "Ann".to_owned(),
            author_id: "ann".to_owned(),
            merged_by_name: "Closer".to_owned(),
            merged_by_id: "closer".to_owned(),
            is_draft: true,
            ..pull_request::Model::default()
        }
    }

    fn participant(
        account_id: &str,
        role: &str,
        state: &str,
        approved: bool,
    ) -> participant::Model {
        participant::Model {
            pull_request_id: 12,
            account_id: account_id.to_owned(),
            display_name: account_id.to_uppercase(),
            role: role.to_owned(),
            state: state.to_owned(),
            approved,
            ..participant::Model::default()
        }
    }

    fn entry(minute: i64, kind: &str, state: &str, actor: &str) -> pull_request_activity::Model {
        pull_request_activity::Model {
            pull_request_id: 12,
            activity_key: format!("{kind}:{minute}"),
            kind: kind.to_owned(),
            state: state.to_owned(),
            actor_id: actor.to_owned(),
            actor_name: actor.to_uppercase(),
            happened_at: at(minute),
            ..pull_request_activity::Model::default()
        }
    }

    fn commit(sha: &str) -> pull_request_commit::Model {
        pull_request_commit::Model {
            pull_request_id: 12,
            commit_sha: sha.to_owned(),
            ..pull_request_commit::Model::default()
        }
    }

    fn log(entries: Vec<pull_request_activity::Model>) -> Related {
        let entries = (100..).zip(entries).map(|(id, row)| sourced(id, row));
        Related::default().with::<Activities>(entries.collect())
    }

    /// One column of the one row in `pull_requests`.
    fn told(state: &str, related: &Related, name: &str) -> String {
        let rows = convert::<PullRequests>(pull_request(state), related);
        column(&rows, "pull_requests", name).concat()
    }

    fn shown(time: Option<DateTime<Utc>>) -> String {
        time.map_or("null".to_owned(), |time| time.to_rfc3339())
    }

    #[test]
    fn a_merged_pull_request_is_told_with_reviewers_and_events_each_from_its_raw_row() {
        let related = log(vec![
            entry(1, "update", "OPEN", "ann"),
            entry(3, "approval", "", "bob"),
            entry(5, "update", "MERGED", "cem"),
        ])
        .with::<Participants>(vec![
            sourced(200, participant("bob", "REVIEWER", "approved", true)),
            sourced(200, participant("ann", "PARTICIPANT", "", false)),
        ])
        .with::<Commits>(vec![
            sourced(300, commit("aaaaaaaaaaaa0000000000000000000000000001")),
            sourced(301, commit("cccccccccccc0000000000000000000000000002")),
        ]);
        assert_snapshot!(converted::<PullRequests>(pull_request("MERGED"), &related));
    }

    #[test]
    fn a_row_without_people_or_commits_gets_ids_that_end_empty() {
        let empty = pull_request::Model {
            bitbucket_id: 12,
            ..pull_request::Model::default()
        };
        assert_snapshot!(converted::<PullRequests>(empty, &Related::default()));
    }

    #[test]
    fn four_states_become_three_and_the_original_stays() {
        for (state, expected) in [
            ("OPEN", "OPEN"),
            ("MERGED", "MERGED"),
            ("DECLINED", "CLOSED"),
            ("SUPERSEDED", "CLOSED"),
            ("QUEUED", "QUEUED"),
            ("", ""),
        ] {
            let related = Related::default();
            assert_eq!(told(state, &related, "status"), expected);
            assert_eq!(told(state, &related, "original_status"), state);
        }
    }

    #[test]
    fn reviewers_were_asked_or_voted_and_are_never_the_author() {
        let cases = [
            (participant("bob", "REVIEWER", "", false), true),
            (participant("bob", "REVIEWER", "approved", true), true),
            (participant("bob", "PARTICIPANT", "approved", true), true),
            (participant("bob", "PARTICIPANT", "", true), true),
            (participant("bob", "PARTICIPANT", "approved", false), true),
            (
                participant("bob", "PARTICIPANT", "changes_requested", false),
                true,
            ),
            (participant("bob", "PARTICIPANT", "", false), false),
            (participant("bob", "", "", false), false),
            (participant("ann", "REVIEWER", "approved", true), false),
            (participant("ann", "PARTICIPANT", "", false), false),
        ];
        for (row, is_reviewer) in cases {
            let related = Related::default().with::<Participants>(vec![sourced(2, row.clone())]);
            let rows = convert::<PullRequests>(pull_request("OPEN"), &related);
            let names = column(&rows, "pull_request_reviewers", "name");
            assert_eq!(names.len(), usize::from(is_reviewer), "{row:?}");
        }
    }

    #[test]
    fn merge_time_and_merger_come_from_the_log_before_the_merge_commit() {
        let related = log(vec![
            entry(1, "update", "OPEN", "ann"),
            entry(5, "update", "MERGED", "bob"),
            entry(8, "update", "MERGED", "cem"),
        ]);
        assert_eq!(told("MERGED", &related, "merged_date"), shown(at(5)));
        assert_eq!(told("MERGED", &related, "closed_date"), shown(at(5)));
        assert_eq!(
            told("MERGED", &related, "merged_by_id"),
            "bitbucket:BitbucketAccount:1:bob"
        );
        assert_eq!(told("MERGED", &related, "merged_by_name"), "BOB");
    }

    #[test]
    fn without_a_log_the_merge_commit_tells_the_time_and_the_closer_the_merger() {
        let related = Related::default();
        assert_eq!(told("MERGED", &related, "merged_date"), shown(at(7)));
        assert_eq!(told("MERGED", &related, "closed_date"), shown(at(7)));
        assert_eq!(
            told("MERGED", &related, "merged_by_id"),
            "bitbucket:BitbucketAccount:1:closer"
        );
    }

    #[test]
    fn a_merge_by_a_deleted_account_falls_back_to_who_closed_it() {
        let related = log(vec![entry(5, "update", "MERGED", "")]);
        assert_eq!(told("MERGED", &related, "merged_date"), shown(at(5)));
        assert_eq!(told("MERGED", &related, "merged_by_name"), "Closer");
    }

    #[test]
    fn a_declined_or_superseded_one_is_closed_by_the_log_and_merged_by_nobody() {
        for state in ["DECLINED", "SUPERSEDED"] {
            let related = log(vec![
                entry(1, "update", "OPEN", "ann"),
                entry(6, "update", state, "bob"),
            ]);
            assert_eq!(told(state, &related, "closed_date"), shown(at(6)));
            assert_eq!(told(state, &related, "merged_date"), "null");
            assert_eq!(told(state, &related, "merged_by_id"), "");
            assert_eq!(told(state, &related, "merged_by_name"), "");
            assert_eq!(told(state, &Related::default(), "closed_date"), "null");
        }
    }

    #[test]
    fn a_reopened_one_is_open_and_has_no_end() {
        let related = log(vec![
            entry(1, "update", "OPEN", "ann"),
            entry(2, "update", "DECLINED", "bob"),
            entry(3, "update", "OPEN", "ann"),
        ]);
        let rows = convert::<PullRequests>(pull_request("OPEN"), &related);
        let kinds = column(&rows, "pull_request_events", "kind");
        assert_eq!(kinds, ["created", "declined", "reopened"]);
        assert_eq!(column(&rows, "pull_requests", "closed_date"), ["null"]);
        assert_eq!(column(&rows, "pull_requests", "merged_by_name"), [""]);
    }

    #[test]
    fn every_event_belongs_to_the_pull_request_and_has_an_id_of_its_own() {
        let entries = vec![
            entry(1, "update", "OPEN", "ann"),
            entry(2, "approval", "", "bob"),
            entry(2, "changes_requested", "", "cem"),
            entry(4, "update", "MERGED", ""),
        ];
        let rows = convert::<PullRequests>(pull_request("MERGED"), &log(entries));
        let owner = PullRequests::owner(&scope(), "12");
        let mut ids = column(&rows, "pull_request_events", "id");
        let count = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!((count, ids.len()), (4, 4), "{ids:?}");
        for name in ["source_id", "pull_request_id"] {
            for id in column(&rows, "pull_request_events", name) {
                assert_eq!(id, owner);
            }
        }
        let actors = column(&rows, "pull_request_events", "actor_id");
        assert_eq!(actors[3], "bitbucket:BitbucketAccount:1:");
    }

    #[test]
    fn rows_of_another_pull_request_play_no_part() {
        let other = participant::Model {
            pull_request_id: 13,
            ..participant("bob", "REVIEWER", "approved", true)
        };
        let related = Related::default().with::<Participants>(vec![sourced(2, other)]);
        let rows = convert::<PullRequests>(pull_request("OPEN"), &related);
        assert!(column(&rows, "pull_request_reviewers", "name").is_empty());
    }

    #[test]
    fn the_head_is_resolved_only_by_exactly_one_commit_of_the_pull_request() {
        let full = |commits: &[&str], short: &str| {
            let commits: Vec<_> = commits.iter().map(|sha| sourced(3, commit(sha))).collect();
            full_sha(short, &commits)
        };
        let one = "aaaaaaaaaaaa1111111111111111111111111111";
        let two = "aaaaaaaaaaaa2222222222222222222222222222";
        assert_eq!(full(&[one], "aaaaaaaaaaaa"), one);
        assert_eq!(full(&[one, two], "aaaaaaaaaaaa"), "aaaaaaaaaaaa");
        assert_eq!(full(&[one, two], "aaaaaaaaaaaa1"), one);
        assert_eq!(full(&[one], one), one);
        assert_eq!(full(&[one], "bbbbbbbbbbbb"), "bbbbbbbbbbbb");
        assert_eq!(full(&[one], "aaaaaa"), "aaaaaa", "too short to tell");
        assert_eq!(full(&[one], ""), "");
        assert_eq!(full(&[], "aaaaaaaaaaaa"), "aaaaaaaaaaaa");
    }
}

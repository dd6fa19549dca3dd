//! Issues, with their place on the board, their assignees and labels.

pub(super) mod resolution;

use std::collections::BTreeSet;

use headwater_domain::id::bitbucket as id;
use headwater_domain::ticket::{board_issue, issue as domain, issue_assignee, issue_label};
use headwater_domain::tool::bitbucket::{issue, issue_change};
use headwater_domain::{Rows, Scope, Sourced};

use crate::conversion::RelatedRow;
use crate::rules::{Rules, untraced};
use crate::{Convert, Read, Related, Write};

/// Characters of a label.
const LONGEST_LABEL: usize = 255;

/// `_tool_bitbucket_issues` to `issues`, `board_issues`, `issue_assignees` and `issue_labels`.
pub struct Issues;

/// Changes to an issue, beside it.
struct Changes;

impl RelatedRow for Changes {
    type Entity = issue_change::Entity;

    fn driver_key(row: &issue_change::Model) -> String {
        row.issue_id.to_string()
    }
}

impl Convert for Issues {
    type Driver = issue::Entity;
    const NAME: &'static str = "issues";
    const KEY: &'static str = "bitbucket_id";

    fn reads() -> Vec<Read> {
        vec![
            Read::trigger::<issue::Entity>(Self::KEY),
            Read::related::<Changes>("issue_id"),
        ]
    }

    fn writes() -> Vec<Write> {
        vec![
            Write::to::<domain::Entity>("id"),
            Write::to::<board_issue::Entity>("issue_id"),
            Write::to::<issue_assignee::Entity>("issue_id"),
            Write::to::<issue_label::Entity>("issue_id"),
        ]
    }

    fn owner(scope: &Scope, key: &str) -> String {
        id::issue(scope, key.parse().unwrap_or_default())
    }

    fn fingerprint(rules: &Rules) -> String {
        rules.issue_fingerprint()
    }

    fn convert(scope: &Scope, driver: Sourced<issue::Model>, related: &Related, rows: &mut Rows) {
        let issue = driver.row;
        let issue_id = id::issue(scope, issue.bitbucket_id);
        rows.push(board_issue::Model {
            board_id: id::repository(scope.connection_id, &scope.full_name),
            issue_id: issue_id.clone(),
        });
        let assignee_id = person(scope, &issue.assignee_id);
        if !assignee_id.is_empty() {
            rows.push(issue_assignee::Model {
                issue_id: issue_id.clone(),
                assignee_id: assignee_id.clone(),
                assignee_name: issue.assignee_name.clone(),
            });
        }
        for label_name in labels(&issue) {
            rows.push(issue_label::Model {
                issue_id: issue_id.clone(),
                label_name,
            });
        }
        let changes = related.of::<issue_change::Entity>(&issue.bitbucket_id.to_string());
        let resolution_date = resolution::date(&issue, changes, related.rules());
        let people = (assignee_id, person(scope, &issue.author_id));
        let mut row = row(issue_id, people, issue, related.rules());
        row.resolution_date = resolution_date;
        row.lead_time_minutes = resolution::lead_time(row.created_date, resolution_date);
        rows.push(row);
    }
}

fn row(
    id: String,
    (assignee_id, creator_id): (String, String),
    issue: issue::Model,
    rules: &Rules,
) -> domain::Model {
    let known = |id: &str, name: String| if id.is_empty() { String::new() } else { name };
    domain::Model {
        id,
        url: issue.html_url,
        issue_key: issue.number.to_string(),
        title: issue.title,
        description: issue.body,
        r#type: rules.issue_type_of(&issue.kind, &mut untraced).to_owned(),
        original_type: issue.kind,
        status: rules
            .issue_status_of(&issue.state, &mut untraced)
            .to_owned(),
        original_status: issue.state,
        created_date: issue.bitbucket_created_at,
        updated_date: issue.bitbucket_updated_at,
        creator_name: known(&creator_id, issue.author_name),
        creator_id,
        assignee_name: known(&assignee_id, issue.assignee_name),
        assignee_id,
        priority: issue.priority,
        component: issue.component,
        ..domain::Model::default()
    }
}

/// Domain id of an account; empty for none.
fn person(scope: &Scope, account_id: &str) -> String {
    if account_id.is_empty() {
        return String::new();
    }
    id::account(scope.connection_id, account_id)
}

/// Component, milestone and version, each name once. Longer ones fit no label.
fn labels(issue: &issue::Model) -> BTreeSet<String> {
    let names = [&issue.component, &issue.milestone, &issue.version].into_iter();
    let fits = |name: &&String| !name.is_empty() && name.chars().count() <= LONGEST_LABEL;
    names.filter(fits).cloned().collect()
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use insta::assert_snapshot;

    use super::*;
    use crate::shown_rows::{column, convert, converted, sourced};

    fn leak() -> issue::Model {
        issue::Model {
            connection_id: 1,
            repo_id: "acme/rocket".to_owned(),
            bitbucket_id: 7,
            number: 7,
            state: "resolved".to_owned(),
            title: "Leak".to_owned(),
            body: "It *drips*".to_owned(),
            priority: "blocker".to_owned(),
            r#type: "issue".to_owned(),
            kind: "bug".to_owned(),
            author_id: "ann".to_owned(),
            author_name: "Ann".to_owned(),
            assignee_id: "bob".to_owned(),
            assignee_name: "Bob".to_owned(),
            component: "Tank".to_owned(),
            milestone: "Launch".to_owned(),
            version: "Launch".to_owned(),
            url: "https://a/7".to_owned(),
            html_url: "https://b/7".to_owned(),
            bitbucket_created_at: DateTime::from_timestamp(1_700_000_000, 0),
            bitbucket_updated_at: DateTime::from_timestamp(1_700_009_000, 0),
            ..issue::Model::default()
        }
    }

    #[test]
    fn a_resolved_issue_was_resolved_when_its_log_says_so() {
        let change = issue_change::Model {
            issue_id: 7,
            field: "state".to_owned(),
            old_value: "open".to_owned(),
            new_value: "resolved".to_owned(),
            bitbucket_created_at: DateTime::from_timestamp(1_700_000_659, 0),
            ..issue_change::Model::default()
        };
        let related = Related::default().with::<Changes>(vec![sourced(2, change)]);
        assert_snapshot!(converted::<Issues>(leak(), &related));
    }

    #[test]
    fn an_issue_of_nobody_has_no_people_and_no_labels() {
        let nobodys = issue::Model {
            bitbucket_id: 8,
            number: 8,
            state: "new".to_owned(),
            kind: "task".to_owned(),
            html_url: "https://b/8".to_owned(),
            ..issue::Model::default()
        };
        assert_snapshot!(converted::<Issues>(nobodys, &Related::default()));
    }

    #[test]
    fn configured_lists_say_what_an_issue_is_and_when_it_was_done() {
        let rules = Rules {
            issue_status: vec![
                ("DONE", vec!["shipped".to_owned()]),
                ("OTHER", vec!["resolved".to_owned()]),
            ],
            issue_type: vec![("bug".to_owned(), "INCIDENT".to_owned())],
            ..Rules::default()
        };
        for (state, status, resolved) in [
            ("resolved", "OTHER", "null"),
            ("shipped", "DONE", "2023-11-15T00:43:20+00:00"),
        ] {
            let issue = issue::Model {
                state: state.to_owned(),
                ..leak()
            };
            let rows = convert::<Issues>(issue, &Related::default().under(rules.clone()));
            assert_eq!(column(&rows, "issues", "status"), [status], "{state}");
            assert_eq!(column(&rows, "issues", "type"), ["INCIDENT"], "{state}");
            let date = column(&rows, "issues", "resolution_date");
            assert_eq!(date, [resolved], "{state}");
        }
    }
}

//! The change log of issues.

use headwater_domain::id::bitbucket as id;
use headwater_domain::ticket::issue_changelog as domain;
use headwater_domain::tool::bitbucket::issue_change;
use headwater_domain::{Rows, Scope, Sourced};

use crate::rules::{Rules, untraced};
use crate::{Convert, Read, Related, Write};

/// `_tool_bitbucket_issue_changes` to `issue_changelogs`, all changes of an issue at once.
pub struct IssueChanges;

impl Convert for IssueChanges {
    type Driver = issue_change::Entity;
    const NAME: &'static str = "issue_changes";
    const VERSION: u32 = 2;
    const KEY: &'static str = "issue_id";

    fn reads() -> Vec<Read> {
        vec![Read::trigger::<issue_change::Entity>(Self::KEY)]
    }

    fn writes() -> Vec<Write> {
        vec![Write::to::<domain::Entity>("issue_id")]
    }

    fn owner(scope: &Scope, key: &str) -> String {
        id::issue(scope, key.parse().unwrap_or_default())
    }

    fn fingerprint(rules: &Rules) -> String {
        rules.issue_fingerprint()
    }

    fn convert(
        scope: &Scope,
        driver: Sourced<issue_change::Model>,
        related: &Related,
        rows: &mut Rows,
    ) {
        let change = driver.row;
        let rules = related.rules();
        if change.field.is_empty() {
            return;
        }
        let (field_name, from_value, to_value) = match change.field.as_str() {
            "state" => (
                "status",
                status(rules, &change.old_value),
                status(rules, &change.new_value),
            ),
            "kind" => (
                "type",
                kind(rules, &change.old_value),
                kind(rules, &change.new_value),
            ),
            "assignee_account_id" => (
                "assignee",
                account(scope, &change.old_value),
                account(scope, &change.new_value),
            ),
            field => (field, change.old_value.clone(), change.new_value.clone()),
        };
        rows.push(domain::Model {
            id: id::issue_change(scope, change.issue_id, change.bitbucket_id, &change.field),
            issue_id: id::issue(scope, change.issue_id),
            author_id: id::account(scope.connection_id, &change.author_id),
            author_name: change.author_name,
            field_name: field_name.to_owned(),
            field_id: change.field,
            original_from_value: change.old_value,
            original_to_value: change.new_value,
            from_value,
            to_value,
            created_date: change.bitbucket_created_at,
        });
    }
}

/// The account with this id; empty for none.
fn account(scope: &Scope, account_id: &str) -> String {
    if account_id.is_empty() {
        return String::new();
    }
    id::account(scope.connection_id, account_id)
}

/// The status of a state; no state has none.
fn status(rules: &Rules, state: &str) -> String {
    if state.is_empty() {
        return String::new();
    }
    rules.issue_status_of(state, &mut untraced).to_owned()
}

fn kind(rules: &Rules, name: &str) -> String {
    rules.issue_type_of(name, &mut untraced).to_owned()
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use insta::assert_snapshot;

    use super::*;
    use crate::shown_rows::converted;

    fn change(field: &str, old: &str, new: &str) -> String {
        let change = issue_change::Model {
            connection_id: 1,
            repo_id: "acme/rocket".to_owned(),
            issue_id: 7,
            bitbucket_id: 91,
            field: field.to_owned(),
            old_value: old.to_owned(),
            new_value: new.to_owned(),
            author_id: "bob".to_owned(),
            author_name: "Bob".to_owned(),
            bitbucket_created_at: DateTime::from_timestamp(1_700_000_000, 0),
        };
        converted::<IssueChanges>(change, &Related::default())
    }

    #[test]
    fn a_change_of_state_or_kind_is_told_in_both_vocabularies() {
        assert_snapshot!(
            [
                change("state", "", "resolved"),
                change("kind", "bug", "task"),
                change("assignee", "", "Ann"),
                change("assignee_account_id", "", "557058:ann"),
            ]
            .concat()
        );
    }
}

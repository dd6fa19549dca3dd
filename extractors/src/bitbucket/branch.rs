//! Branches.

use chrono::{DateTime, Utc};
use headwater_domain::tool::bitbucket::branch::{self, Branches};
use headwater_domain::{Item, Rows, Table};
use serde::Deserialize;

use crate::{Extract, json};

impl Extract for Branches {
    type Payload = Payload;

    fn tables() -> Vec<&'static Table> {
        vec![Table::of::<branch::Entity>()]
    }

    fn extract(item: &Item<'_>, payload: Payload, rows: &mut Rows) {
        let target = payload.target.unwrap_or_default();
        rows.push(branch::Model {
            connection_id: item.scope.connection_id,
            repo_id: item.scope.full_name.clone(),
            name: payload.name,
            commit_sha: target.hash,
            commit_date: target.date,
        });
    }
}

#[derive(Debug, Deserialize)]
pub struct Payload {
    #[serde(deserialize_with = "json::name::<255, _>")]
    name: String,
    target: Option<Target>,
}

/// The commit that a branch or tag points to.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Target {
    #[serde(default, deserialize_with = "json::text")]
    pub(super) hash: String,
    #[serde(default, deserialize_with = "json::time")]
    pub(super) date: Option<DateTime<Utc>>,
}

#[cfg(test)]
mod tests {
    use headwater_domain::tool::bitbucket::branch::Branches;
    use insta::assert_snapshot;

    use crate::shown_rows::extracted;

    fn branch(payload: &str) -> String {
        extracted::<Branches>("", "main", payload)
    }

    #[test]
    fn a_branch_stands_on_a_commit() {
        assert_snapshot!(branch(
            r#"{
                "type": "branch", "name": "feature/düse",
                "target": {"type": "commit", "hash": "00aa", "date": "2026-03-01T10:00:00+01:00"}
            }"#
        ));
    }

    #[test]
    fn what_is_no_branch_says_where_it_is_wrong() {
        let bare = branch(r#"{"name": "main", "target": null}"#);
        assert_eq!(bare, branch(r#"{"name": "main"}"#));
        assert_snapshot!(
            [r#"{"name": ""}"#, r#"{"name": "main", "target": "00aa"}"#]
                .map(branch)
                .concat()
        );
    }

    #[test]
    fn a_branch_of_mercurial_has_heads_beside_its_target() {
        let named = r#"{"name": "default", "type": "named_branch",
            "heads": [{"hash": "00aa", "type": "commit"}, {"hash": "00bb", "type": "commit"}],
            "target": {"hash": "00bb"}}"#;
        let rows = extracted::<Branches>("", "default", named);
        assert!(rows.contains("commit_sha=\"00bb\""), "{rows}");
    }
}

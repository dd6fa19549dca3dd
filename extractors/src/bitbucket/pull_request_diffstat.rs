//! Files that pull requests change.

use headwater_domain::tool::bitbucket::pull_request_diffstat::{self, PullRequestDiffstats};
use headwater_domain::{Item, Rows, Table};
use serde::Deserialize;

use crate::{Extract, json};

impl Extract for PullRequestDiffstats {
    type Payload = Payload;

    fn tables() -> Vec<&'static Table> {
        vec![Table::of::<pull_request_diffstat::Entity>()]
    }

    fn extract(item: &Item<'_>, payload: Payload, rows: &mut Rows) {
        rows.push(pull_request_diffstat::Model {
            connection_id: item.scope.connection_id,
            repo_id: item.scope.full_name.clone(),
            pull_request_id: item.parent_number(),
            file_key: item.key.to_owned(),
            status: payload.status,
            old_path: payload.old.unwrap_or_default().path,
            new_path: payload.new.unwrap_or_default().path,
            lines_added: payload.lines_added,
            lines_removed: payload.lines_removed,
        });
    }
}

#[derive(Debug, Deserialize)]
pub struct Payload {
    #[serde(default, deserialize_with = "json::text")]
    status: String,
    /// Null for a file that is new.
    old: Option<File>,
    /// Null for a file that is removed.
    new: Option<File>,
    #[serde(default, deserialize_with = "json::number")]
    lines_added: i64,
    #[serde(default, deserialize_with = "json::number")]
    lines_removed: i64,
}

#[derive(Debug, Default, Deserialize)]
struct File {
    #[serde(default, deserialize_with = "json::text")]
    path: String,
}

#[cfg(test)]
mod tests {
    use headwater_domain::tool::bitbucket::pull_request_diffstat::PullRequestDiffstats;
    use insta::assert_snapshot;

    use crate::shown_rows::extracted;

    #[test]
    fn a_changed_a_new_a_removed_and_a_renamed_file_are_a_row_each() {
        let rows = [
            r#"{"type": "diffstat", "status": "modified", "lines_removed": 1, "lines_added": 2,
                "old": {"path": "a.rs", "type": "commit_file"},
                "new": {"path": "a.rs", "type": "commit_file"}}"#,
            r#"{"status": "added", "lines_removed": 0, "lines_added": 9, "old": null,
                "new": {"path": "b.rs", "escaped_path": "b.rs"}}"#,
            r#"{"status": "removed", "lines_removed": 7, "lines_added": 0,
                "old": {"path": "c.rs"}, "new": null}"#,
            r#"{"status": "renamed", "lines_removed": 0, "lines_added": 0,
                "old": {"path": "d.rs"}, "new": {"path": "e/d.rs"}}"#,
        ];
        let shown = rows.map(|row| extracted::<PullRequestDiffstats>("12", "hash", row));
        assert_snapshot!(shown.concat());
    }
}

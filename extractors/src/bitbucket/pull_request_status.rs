//! Statuses of commits of pull requests.

use chrono::{DateTime, Utc};
use headwater_domain::tool::bitbucket::pull_request_status::{self, PullRequestStatuses};
use headwater_domain::{Item, Rows, Table};
use serde::Deserialize;

use crate::{Extract, json};

impl Extract for PullRequestStatuses {
    type Payload = Payload;

    const VERSION: u32 = 2;

    fn tables() -> Vec<&'static Table> {
        vec![Table::of::<pull_request_status::Entity>()]
    }

    fn extract(item: &Item<'_>, payload: Payload, rows: &mut Rows) {
        rows.push(pull_request_status::Model {
            connection_id: item.scope.connection_id,
            repo_id: item.scope.full_name.clone(),
            pull_request_id: item.parent_number(),
            commit_sha: payload.commit.unwrap_or_default().hash,
            status_key: payload.key,
            state: payload.state,
            name: payload.name,
            description: payload.description,
            url: payload.url,
            ref_name: payload.refname,
            bitbucket_created_at: payload.created_on,
            bitbucket_updated_at: payload.updated_on,
        });
    }
}

#[derive(Debug, Deserialize)]
pub struct Payload {
    #[serde(deserialize_with = "json::name::<200, _>")]
    key: String,
    /// Older statuses have none.
    commit: Option<Commit>,
    #[serde(default, deserialize_with = "json::text")]
    state: String,
    #[serde(default, deserialize_with = "json::text")]
    name: String,
    #[serde(default, deserialize_with = "json::text")]
    description: String,
    #[serde(default, deserialize_with = "json::text")]
    url: String,
    #[serde(default, deserialize_with = "json::text")]
    refname: String,
    #[serde(default, deserialize_with = "json::time")]
    created_on: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "json::time")]
    updated_on: Option<DateTime<Utc>>,
}

#[derive(Debug, Default, Deserialize)]
struct Commit {
    #[serde(default, deserialize_with = "json::short_text::<40, _>")]
    hash: String,
}

#[cfg(test)]
mod tests {
    use headwater_domain::tool::bitbucket::pull_request_status::PullRequestStatuses;
    use insta::assert_snapshot;

    use crate::shown_rows::extracted;

    #[test]
    fn a_status_becomes_one_row_and_needs_its_key() {
        let status = r#"{"type": "build", "key": "unit-tests", "state": "FAILED",
            "name": "Unit tests", "description": "2 of 90 failed", "url": "https://ci/7",
            "refname": "feature/nozzle", "created_on": "2026-02-03T10:00:00+00:00",
            "updated_on": "2026-02-03T10:05:00+00:00",
            "commit": {"type": "commit", "hash": "00112233445566778899aabbccddeeff00112233"}}"#;
        let nulls = r#"{"key": "k", "state": null, "name": null, "url": null, "refname": null,
            "commit": {"hash": "00aa"}}"#;
        let broken = [r#"{"key": "k"}"#, r#"{"commit": {"hash": "00aa"}}"#];
        assert_snapshot!(
            [status, nulls, broken[0], broken[1]]
                .map(|payload| extracted::<PullRequestStatuses>("12", "k", payload))
                .concat()
        );
    }
}

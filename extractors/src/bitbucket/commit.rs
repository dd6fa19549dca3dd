//! Commits of the main branch.

use chrono::{DateTime, Utc};
use headwater_domain::tool::bitbucket::commit::{self, Commits};
use headwater_domain::tool::bitbucket::{commit_parent, repo_commit};
use headwater_domain::{Item, Rows, Table, mentions};
use serde::Deserialize;

use super::Links;
use super::pull_request_commit::{Author, split_author};
use crate::{Extract, json};

impl Extract for Commits {
    type Payload = Payload;
    const VERSION: u32 = 4;

    fn tables() -> Vec<&'static Table> {
        vec![
            Table::of::<commit::Entity>(),
            Table::of::<commit_parent::Entity>(),
            Table::of::<repo_commit::Entity>(),
        ]
    }

    fn extract(item: &Item<'_>, payload: Payload, rows: &mut Rows) {
        let (connection_id, repo_id) = (item.scope.connection_id, &item.scope.full_name);
        let author = payload.author.unwrap_or_default();
        let (name, email) = split_author(&author.raw);
        for (parent_order, parent) in (0..).zip(payload.parents) {
            rows.push(commit_parent::Model {
                connection_id,
                repo_id: repo_id.clone(),
                commit_sha: payload.hash.clone(),
                parent_sha: parent.hash,
                parent_order,
            });
        }
        rows.push(repo_commit::Model {
            connection_id,
            repo_id: repo_id.clone(),
            commit_sha: payload.hash.clone(),
            mentions: mentions::line(&mentions::of_text(&payload.message)),
        });
        let (author_name, author_email) = (name.to_owned(), email.to_owned());
        let user = author.user.unwrap_or_default();
        rows.mention(item, payload.date, user.profile());
        rows.push(commit::Model {
            connection_id,
            repo_id: repo_id.clone(),
            sha: payload.hash,
            author_id: user.account_id,
            author_name,
            author_email,
            authored_date: payload.date,
            committed_date: payload.date,
            message: payload.message,
            url: payload.links.unwrap_or_default().itself(),
            additions: 0,
            deletions: 0,
        });
    }
}

#[derive(Debug, Deserialize)]
pub struct Payload {
    #[serde(deserialize_with = "json::name::<40, _>")]
    hash: String,
    #[serde(default, deserialize_with = "json::time")]
    date: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "json::text")]
    message: String,
    author: Option<Author>,
    links: Option<Links>,
    #[serde(default, deserialize_with = "json::list")]
    parents: Vec<Parent>,
}

#[derive(Debug, Deserialize)]
struct Parent {
    #[serde(deserialize_with = "json::name::<40, _>")]
    hash: String,
}

#[cfg(test)]
mod tests {
    use headwater_domain::tool::bitbucket::commit::Commits;
    use insta::assert_snapshot;

    use crate::shown_rows::extracted;

    fn commit(payload: &str) -> String {
        extracted::<Commits>("", "00aa", payload)
    }

    #[test]
    fn a_merge_has_two_parents() {
        assert_snapshot!(commit(
            r#"{
                "type": "commit", "hash": "00aa", "date": "2026-03-01T10:00:00+01:00",
                "message": "Merge\n", "parents": [{"hash": "11bb"}, {"hash": "22cc"}],
                "author": {
                    "raw": "Ann <ann@acme.example>",
                    "user": {"display_name": "Ann B.", "account_id": "ann", "uuid": "{ann}"}
                },
                "links": {"self": {"href": "https://a/commit/00aa"}}
            }"#
        ));
    }

    #[test]
    fn what_is_no_commit_says_where_it_is_wrong() {
        let nulls = commit(
            r#"{"hash": "00aa", "date": null, "message": null, "author": null, "links": null,
                "parents": null}"#,
        );
        assert_eq!(nulls, commit(r#"{"hash": "00aa"}"#));
        assert_snapshot!(
            [r#"{"hash": ""}"#, r#"{"hash": "00aa", "parents": [{}]}"#]
                .map(commit)
                .concat()
        );
    }

    #[test]
    fn a_commit_may_have_an_empty_committer() {
        let rows = extracted::<Commits>("", "00aa", r#"{"hash": "00aa", "committer": {}}"#);
        assert!(rows.contains("sha=\"00aa\""), "{rows}");
    }
}

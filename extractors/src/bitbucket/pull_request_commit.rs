//! Commits of pull requests.

use chrono::{DateTime, Utc};
use headwater_domain::tool::bitbucket::pull_request_commit::{self, PullRequestCommits};
use headwater_domain::{Item, Rows, Table, mentions};
use serde::Deserialize;

use super::User;
use crate::{Extract, json};

impl Extract for PullRequestCommits {
    type Payload = Payload;
    const VERSION: u32 = 4;

    fn tables() -> Vec<&'static Table> {
        vec![Table::of::<pull_request_commit::Entity>()]
    }

    fn extract(item: &Item<'_>, payload: Payload, rows: &mut Rows) {
        let author = payload.author.unwrap_or_default();
        if let Some(user) = &author.user {
            rows.mention(item, payload.date, user.profile());
        }
        let (name, email) = split_author(&author.raw);
        rows.push(pull_request_commit::Model {
            connection_id: item.scope.connection_id,
            repo_id: item.scope.full_name.clone(),
            pull_request_id: item.parent_number(),
            commit_sha: payload.hash,
            commit_author_name: name.to_owned(),
            commit_author_email: email.to_owned(),
            commit_author_id: author.user.map(|user| user.account_id).unwrap_or_default(),
            commit_authored_date: payload.date,
            mentions: mentions::line(&mentions::of_text(&payload.message)),
        });
    }
}

/// `Name <mail>` as `DevLake` takes it apart: the name ends at the first `<`, the address at any
/// second one.
pub(super) fn split_author(raw: &str) -> (&str, &str) {
    let Some((name, rest)) = raw.split_once('<') else {
        return (raw.trim_end(), "");
    };
    let email = rest.split('<').next().unwrap_or_default();
    (name.trim_end_matches(' '), email.trim_matches('>'))
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
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Author {
    #[serde(default, deserialize_with = "json::text")]
    pub(super) raw: String,
    pub(super) user: Option<User>,
}

#[cfg(test)]
mod tests {
    use headwater_domain::tool::bitbucket::pull_request_commit::PullRequestCommits;
    use insta::assert_snapshot;

    use super::split_author;
    use crate::shown_rows::extracted;

    const SHA: &str = "00112233445566778899aabbccddeeff00112233";

    fn commit(payload: &str) -> String {
        extracted::<PullRequestCommits>("12", SHA, payload)
    }

    #[test]
    fn a_commit_of_a_known_account_mentions_it() {
        assert_snapshot!(commit(
            r#"{
                "type": "commit", "hash": "00112233445566778899aabbccddeeff00112233",
                "date": "2026-02-28T22:00:00-01:00", "message": "Größer\n",
                "author": {
                    "type": "author", "raw": "Änn Böll  <ann@acme.example>",
                    "user": {"display_name": "Ann", "account_id": "ann", "uuid": "{ann}"}
                },
                "parents": [{"hash": "ff"}]
            }"#
        ));
    }

    #[test]
    fn an_author_without_an_address_is_a_name() {
        assert_snapshot!(commit(
            r#"{"hash": "00112233445566778899aabbccddeeff00112233", "author": {"raw": "build bot "}}"#
        ));
    }

    #[test]
    fn nulls_read_like_missing_fields() {
        let nulls = commit(r#"{"hash": "00", "date": null, "author": null}"#);
        assert_eq!(nulls, commit(r#"{"hash": "00"}"#));
        assert_eq!(
            nulls,
            commit(r#"{"hash": "00", "author": {"raw": null, "user": null}}"#)
        );
        assert_snapshot!(nulls);
    }

    #[test]
    fn what_is_no_commit_says_where_it_is_wrong() {
        assert_snapshot!(
            [
                r#"{"author": {"raw": "Ann <ann@acme.example>"}}"#,
                r#"{"hash": ["00"]}"#,
                r#"{"hash": "00", "author": "Ann"}"#,
                r#""Not Found""#,
            ]
            .map(commit)
            .concat()
        );
    }

    #[test]
    fn an_author_is_taken_apart_as_the_peer_does() {
        let cases = [
            ("孙婉译 <swy@likyh.com>", ("孙婉译", "swy@likyh.com")),
            ("Ann <ann@x> <old@x>", ("Ann", "ann@x> ")),
            ("nobody", ("nobody", "")),
            ("<only@mail>", ("", "only@mail")),
            ("", ("", "")),
        ];
        for (raw, expected) in cases {
            assert_eq!(split_author(raw), expected, "{raw}");
        }
    }
}

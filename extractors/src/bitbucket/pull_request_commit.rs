//! Commits of pull requests.

use chrono::{DateTime, Utc};
use headwater_domain::tool::bitbucket::account_mention;
use headwater_domain::tool::bitbucket::pull_request_commit::{self, PullRequestCommits};
use headwater_domain::{Item, Rows, Stream, Table};
use serde::Deserialize;

use super::User;
use crate::{Extract, json};

impl Extract for PullRequestCommits {
    type Payload = Payload;

    fn tables() -> Vec<&'static Table> {
        vec![
            Table::of::<pull_request_commit::Entity>(),
            Table::of::<account_mention::Entity>(),
        ]
    }

    fn extract(item: &Item<'_>, payload: Payload, rows: &mut Rows) {
        let author = payload.author.unwrap_or_default();
        if let Some(user) = &author.user {
            rows.mention(Self::NAME, item, user.profile());
        }
        let (name, email) = split_author(&author.raw);
        rows.push(pull_request_commit::Model {
            connection_id: item.scope.connection_id,
            repo_id: item.scope.full_name.clone(),
            pull_request_id: item.parent_number(),
            commit_sha: payload.hash,
            commit_author_name: name.to_owned(),
            commit_author_email: email.to_owned(),
            commit_authored_date: payload.date,
        });
    }
}

/// `Name <mail>` as `DevLake` takes it apart: the name ends at the first `<`, the address at any
/// second one.
fn split_author(raw: &str) -> (&str, &str) {
    let Some((name, rest)) = raw.split_once('<') else {
        return (raw.trim_end(), "");
    };
    let email = rest.split('<').next().unwrap_or_default();
    (name.trim_end_matches(' '), email.trim_matches('>'))
}

#[derive(Debug, Deserialize)]
pub struct Payload {
    #[serde(deserialize_with = "json::text")]
    hash: String,
    #[serde(default, deserialize_with = "json::time")]
    date: Option<DateTime<Utc>>,
    author: Option<Author>,
}

#[derive(Debug, Default, Deserialize)]
struct Author {
    #[serde(default, deserialize_with = "json::text")]
    raw: String,
    user: Option<User>,
}

#[cfg(test)]
mod tests {
    use super::split_author;

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

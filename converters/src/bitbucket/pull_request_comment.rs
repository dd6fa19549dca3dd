//! Comments on pull requests, and the event each of them is.

use headwater_domain::code::{pull_request_comment as domain, pull_request_event};
use headwater_domain::id::bitbucket as id;
use headwater_domain::tool::bitbucket::pull_request_comment;
use headwater_domain::{Rows, Scope, Sourced};

use crate::{Convert, Read, Related, Write};

/// `_tool_bitbucket_pull_request_comments` to `pull_request_comments` and `pull_request_events`.
pub struct PullRequestComments;

impl Convert for PullRequestComments {
    type Driver = pull_request_comment::Entity;
    const NAME: &'static str = "pull_request_comments";
    const KEY: &'static str = "bitbucket_id";

    fn reads() -> Vec<Read> {
        vec![Read::trigger::<pull_request_comment::Entity>(Self::KEY)]
    }

    fn writes() -> Vec<Write> {
        vec![
            Write::to::<domain::Entity>("id"),
            Write::to::<pull_request_event::Entity>("source_id"),
        ]
    }

    fn owner(scope: &Scope, key: &str) -> String {
        id::pull_request_comment(scope.connection_id, key.parse().unwrap_or_default())
    }

    fn convert(
        scope: &Scope,
        driver: Sourced<pull_request_comment::Model>,
        _: &Related,
        rows: &mut Rows,
    ) {
        let comment = driver.row;
        if comment.deleted {
            return;
        }
        let id = id::pull_request_comment(scope.connection_id, comment.bitbucket_id);
        let pull_request_id = id::pull_request(scope, comment.pull_request_id);
        let account_id = id::account(scope.connection_id, &comment.author_id);
        rows.push(pull_request_event::Model {
            id: id.clone(),
            pull_request_id: pull_request_id.clone(),
            kind: "commented".to_owned(),
            actor_id: account_id.clone(),
            at: comment.bitbucket_created_at,
            source_id: id.clone(),
        });
        rows.push(domain::Model {
            id,
            pull_request_id,
            account_id,
            r#type: kind(&comment).to_owned(),
            body: comment.body,
            created_date: comment.bitbucket_created_at,
            ..domain::Model::default()
        });
    }
}

/// A comment on a line of code is DIFF, any other NORMAL (decision 14).
fn kind(comment: &pull_request_comment::Model) -> &'static str {
    let inline = !comment.inline_path.is_empty()
        || comment.inline_from.is_some()
        || comment.inline_to.is_some();
    if inline { "DIFF" } else { "NORMAL" }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use insta::assert_snapshot;

    use super::*;
    use crate::shown_rows::{column, convert, converted};

    fn comment() -> pull_request_comment::Model {
        pull_request_comment::Model {
            connection_id: 1,
            bitbucket_id: 301,
            repo_id: "acme/rocket".to_owned(),
            pull_request_id: 12,
            author_id: "bob".to_owned(),
            author_name: "Bob".to_owned(),
            bitbucket_created_at: DateTime::from_timestamp(1_790_000_000, 0),
            r#type: "pullrequest_comment".to_owned(),
            body: "schön".to_owned(),
            ..pull_request_comment::Model::default()
        }
    }

    #[test]
    fn a_comment_is_a_comment_and_an_event() {
        assert_snapshot!(converted::<PullRequestComments>(
            comment(),
            &Related::default()
        ));
    }

    #[test]
    fn a_comment_on_a_file_or_a_line_is_diff_and_any_other_normal() {
        let cases = [
            (("", None, None), "NORMAL"),
            (("src/lib.rs", None, None), "DIFF"),
            (("", Some(3), None), "DIFF"),
            (("", None, Some(3)), "DIFF"),
            (("src/lib.rs", Some(3), Some(4)), "DIFF"),
        ];
        for ((path, from, to), expected) in cases {
            let row = pull_request_comment::Model {
                inline_path: path.to_owned(),
                inline_from: from,
                inline_to: to,
                ..comment()
            };
            let rows = convert::<PullRequestComments>(row, &Related::default());
            assert_eq!(column(&rows, "pull_request_comments", "type"), [expected]);
        }
    }

    #[test]
    fn a_deleted_comment_is_neither_comment_nor_event() {
        let row = pull_request_comment::Model {
            deleted: true,
            ..comment()
        };
        assert_eq!(
            converted::<PullRequestComments>(row, &Related::default()),
            ""
        );
    }

    #[test]
    fn a_comment_of_a_deleted_account_has_an_id_that_ends_empty() {
        let row = pull_request_comment::Model {
            author_id: String::new(),
            ..comment()
        };
        let rows = convert::<PullRequestComments>(row, &Related::default());
        let nobody = ["bitbucket:BitbucketAccount:1:"];
        assert_eq!(column(&rows, "pull_request_comments", "account_id"), nobody);
        assert_eq!(column(&rows, "pull_request_events", "actor_id"), nobody);
    }
}

//! Comments on pull requests, and the event each of them is.

use headwater_domain::code::{pull_request_comment as domain, pull_request_event};
use headwater_domain::tool::bitbucket::pull_request_comment;
use headwater_domain::{Rows, Scope, Sourced, id};

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

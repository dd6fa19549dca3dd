//! Comments on issues.

use headwater_domain::id::bitbucket as id;
use headwater_domain::ticket::issue_comment as domain;
use headwater_domain::tool::bitbucket::issue_comment;
use headwater_domain::{Rows, Scope, Sourced};

use crate::{Convert, Read, Related, Write};

/// `_tool_bitbucket_issue_comments` to `issue_comments`.
pub struct IssueComments;

impl Convert for IssueComments {
    type Driver = issue_comment::Entity;
    const NAME: &'static str = "issue_comments";
    const KEY: &'static str = "bitbucket_id";

    fn reads() -> Vec<Read> {
        vec![Read::trigger::<issue_comment::Entity>(Self::KEY)]
    }

    fn writes() -> Vec<Write> {
        vec![Write::to::<domain::Entity>("id")]
    }

    fn owner(scope: &Scope, key: &str) -> String {
        id::issue_comment(scope.connection_id, key.parse().unwrap_or_default())
    }

    fn convert(scope: &Scope, driver: Sourced<issue_comment::Model>, _: &Related, rows: &mut Rows) {
        let comment = driver.row;
        rows.push(domain::Model {
            id: id::issue_comment(scope.connection_id, comment.bitbucket_id),
            // By scope and number: other repositories have an issue of this number too
            // (decision 26).
            issue_id: id::issue(scope, comment.issue_id),
            body: comment.body,
            account_id: id::account(scope.connection_id, &comment.author_id),
            created_date: comment.bitbucket_created_at,
            updated_date: comment.bitbucket_updated_at,
        });
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use insta::assert_snapshot;

    use super::*;
    use crate::shown_rows::converted;

    #[test]
    fn a_comment_joins_the_issue_of_its_own_repository() {
        let comment = issue_comment::Model {
            connection_id: 1,
            bitbucket_id: 63_860_152,
            repo_id: "acme/rocket".to_owned(),
            issue_id: 7,
            author_id: "bob".to_owned(),
            body: "Seen it too".to_owned(),
            bitbucket_created_at: DateTime::from_timestamp(1_700_000_000, 0),
            ..issue_comment::Model::default()
        };
        assert_snapshot!(converted::<IssueComments>(comment, &Related::default()));
    }
}

//! Commits of pull requests.

use headwater_domain::code::pull_request_commit as domain;
use headwater_domain::id::bitbucket as id;
use headwater_domain::tool::bitbucket::pull_request_commit;
use headwater_domain::{Rows, Scope, Sourced};

use crate::{Convert, Read, Related, Write};

/// `_tool_bitbucket_pull_request_commits` to `pull_request_commits`.
///
/// All commits of a pull request are converted together: a commit alone has no key of one column.
pub struct PullRequestCommits;

impl Convert for PullRequestCommits {
    type Driver = pull_request_commit::Entity;
    const NAME: &'static str = "pull_request_commits";
    const KEY: &'static str = "pull_request_id";

    fn reads() -> Vec<Read> {
        vec![Read::trigger::<pull_request_commit::Entity>(Self::KEY)]
    }

    fn writes() -> Vec<Write> {
        vec![Write::to::<domain::Entity>("pull_request_id")]
    }

    fn owner(scope: &Scope, key: &str) -> String {
        id::pull_request(scope, key.parse().unwrap_or_default())
    }

    fn convert(
        scope: &Scope,
        driver: Sourced<pull_request_commit::Model>,
        _: &Related,
        rows: &mut Rows,
    ) {
        let commit = driver.row;
        rows.push(domain::Model {
            pull_request_id: id::pull_request(scope, commit.pull_request_id),
            commit_sha: commit.commit_sha,
            commit_author_name: commit.commit_author_name,
            commit_author_email: commit.commit_author_email,
            commit_authored_date: commit.commit_authored_date,
        });
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::shown_rows::converted;

    #[test]
    fn a_commit_names_its_pull_request_and_its_author() {
        let row = pull_request_commit::Model {
            connection_id: 1,
            repo_id: "acme/rocket".to_owned(),
            pull_request_id: 12,
            commit_sha: "00112233445566778899aabbccddeeff00112233".to_owned(),
            commit_author_name: "Ann".to_owned(),
            commit_author_email: "ann@acme.example".to_owned(),
            commit_author_id: "ann".to_owned(),
            commit_authored_date: None,
            mentions: String::new(),
        };
        assert_snapshot!(converted::<PullRequestCommits>(row, &Related::default()));
    }
}

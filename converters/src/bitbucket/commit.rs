//! Commits of the main branch and their parents; and which repository has which commit.

use headwater_domain::code::{
    commit as domain, commit_parent as domain_parent, repo_commit as held,
};
use headwater_domain::crossdomain::commit_mention;
use headwater_domain::id::bitbucket as id;
use headwater_domain::tool::bitbucket::{commit, commit_parent, repo_commit};
use headwater_domain::{Rows, Scope, Sourced, mentions};

use crate::conversion::RelatedRow;
use crate::{Convert, Read, Related, Write};

/// `_tool_bitbucket_commits` to `commits` and `commit_parents`. A commit is the same in every
/// repository that has it.
pub struct Commits;

struct Parents;

impl RelatedRow for Parents {
    type Entity = commit_parent::Entity;

    fn driver_key(row: &commit_parent::Model) -> String {
        row.commit_sha.clone()
    }
}

impl Convert for Commits {
    type Driver = commit::Entity;
    const NAME: &'static str = "commits";
    const KEY: &'static str = "sha";
    const IN_COMMON: bool = true;
    const VERSION: u32 = 2;

    fn reads() -> Vec<Read> {
        vec![
            Read::trigger::<commit::Entity>(Self::KEY),
            Read::related::<Parents>("commit_sha"),
        ]
    }

    fn writes() -> Vec<Write> {
        vec![
            Write::to::<domain::Entity>("sha"),
            Write::to::<domain_parent::Entity>("commit_sha"),
        ]
    }

    fn owner(_: &Scope, key: &str) -> String {
        key.to_owned()
    }

    fn convert(scope: &Scope, driver: Sourced<commit::Model>, related: &Related, rows: &mut Rows) {
        let commit = driver.row;
        for parent in related.of::<commit_parent::Entity>(&commit.sha) {
            rows.push(domain_parent::Model {
                commit_sha: commit.sha.clone(),
                parent_commit_sha: parent.row.parent_sha.clone(),
                parent_order: parent.row.parent_order,
            });
        }
        let author_id = if commit.author_id.is_empty() {
            commit.author_email.clone()
        } else {
            id::account(scope.connection_id, &commit.author_id)
        };
        rows.push(domain::Model {
            sha: commit.sha,
            message: commit.message,
            committer_name: commit.author_name.clone(),
            author_name: commit.author_name,
            committer_email: commit.author_email.clone(),
            author_email: commit.author_email,
            committer_id: author_id.clone(),
            author_id,
            authored_date: commit.authored_date,
            committed_date: commit.committed_date,
            ..domain::Model::default()
        });
    }
}

/// `_tool_bitbucket_repo_commits` to `repo_commits` and `commit_mentions`.
pub struct RepoCommits;

impl Convert for RepoCommits {
    type Driver = repo_commit::Entity;
    const NAME: &'static str = "repo_commits";
    const KEY: &'static str = "commit_sha";
    const VERSION: u32 = 2;

    fn reads() -> Vec<Read> {
        vec![Read::trigger::<repo_commit::Entity>(Self::KEY)]
    }

    fn writes() -> Vec<Write> {
        vec![
            Write::to::<held::Entity>("source_id"),
            Write::to::<commit_mention::Entity>("source_id"),
        ]
    }

    fn owner(scope: &Scope, key: &str) -> String {
        id::git_ref(&id::repository(scope.connection_id, &scope.full_name), key)
    }

    fn convert(scope: &Scope, driver: Sourced<repo_commit::Model>, _: &Related, rows: &mut Rows) {
        let commit_sha = driver.row.commit_sha;
        for mention in mentions::of_text(&driver.row.mentions) {
            rows.push(commit_mention::Model {
                source_id: Self::owner(scope, &commit_sha),
                issue_id: mention.own_issue(&id::IDS, scope),
                mention: mention.to_string(),
                commit_sha: commit_sha.clone(),
            });
        }
        rows.push(held::Model {
            repo_id: id::repository(scope.connection_id, &scope.full_name),
            source_id: Self::owner(scope, &commit_sha),
            commit_sha,
        });
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::shown_rows::{converted, sourced};

    #[test]
    fn an_author_is_an_account_or_else_an_address() {
        let commit = |author_id: &str| commit::Model {
            repo_id: "acme/rocket".to_owned(),
            sha: "00aa".to_owned(),
            author_id: author_id.to_owned(),
            author_name: "Ann".to_owned(),
            author_email: "ann@acme.example".to_owned(),
            message: "Merge".to_owned(),
            ..commit::Model::default()
        };
        let parent = commit_parent::Model {
            repo_id: "acme/rocket".to_owned(),
            commit_sha: "00aa".to_owned(),
            parent_sha: "11bb".to_owned(),
            ..commit_parent::Model::default()
        };
        let related = Related::default().with::<Parents>(vec![sourced(1, parent)]);
        assert_snapshot!(
            ["ann", ""]
                .map(|author| converted::<Commits>(commit(author), &related))
                .concat()
        );
    }

    #[test]
    fn a_repository_holds_a_commit() {
        let row = repo_commit::Model {
            repo_id: "acme/rocket".to_owned(),
            commit_sha: "00aa".to_owned(),
            ..repo_commit::Model::default()
        };
        assert_snapshot!(converted::<RepoCommits>(row, &Related::default()));
    }
}

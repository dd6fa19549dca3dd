//! What the stages before would have written of such a repository.

use chrono::{DateTime, Utc};
use headwater_domain::code::{
    commit, commit_parent, git_ref, pull_request, pull_request_commit, repo_commit,
};
use headwater_domain::id::bitbucket as id;
use headwater_domain::tool::bitbucket::{pull_request as tool, pull_request_commit as tool_commit};
use headwater_domain::{Origin, Row, Rows, Scope, Stream as _};
use headwater_store::{Owner, Replacement, Store, Transaction};

use super::world::{World, sha};

pub(super) fn time(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000 + second, 0).unwrap()
}

pub(super) fn scope() -> Scope {
    Scope::new(1, "acme/rocket")
}

pub(super) fn repo_id() -> String {
    id::repository(1, "acme/rocket")
}

/// Makes a table hold these rows, and what it held before and is not among them no more.
pub(super) async fn replace<R: Row>(
    page: &mut Transaction<'_>,
    (column, owners): (&'static str, Vec<String>),
    made: Vec<R>,
) {
    let mut rows = Rows::default();
    rows.from_origin(Origin {
        params: scope().params(),
        table: "test".to_owned(),
        id: 0,
    });
    for row in made {
        rows.push(row);
    }
    let replacement = Replacement {
        table: R::table(),
        owner: Owner::Column {
            name: column,
            values: owners,
            connection_id: None,
        },
        rows: rows.take(R::table()),
        first: false,
    };
    page.replace(replacement).await.unwrap();
}

/// Writes what the stages before would have written.
pub(super) async fn write(store: &Store, world: &World) {
    let (scope, repo) = (scope(), repo_id());
    let own = || vec![repo.clone()];
    let held = world.held();
    let mut page = store.begin(&scope, time(0)).await.unwrap();
    let refs = world.branches.iter().map(|(name, commit)| git_ref::Model {
        id: id::git_ref(&repo, &format!("b{name}")),
        repo_id: repo.clone(),
        name: format!("b{name}"),
        commit_sha: sha(*commit),
        is_default: *name == 0,
        ref_type: "BRANCH".to_owned(),
        ..git_ref::Model::default()
    });
    replace(&mut page, ("repo_id", own()), refs.collect()).await;
    let all = || (0..world.commits.len()).map(sha).collect();
    let made = held.iter().map(|number| {
        let commit = &world.commits[*number];
        commit::Model {
            sha: sha(*number),
            message: format!("Topic (#{})\n\nmore", commit.number),
            author_email: format!("{}@example.org", commit.author),
            authored_date: Some(time(i64::from(commit.author) / 2)),
            committed_date: Some(time(i64::try_from(*number).unwrap())),
            ..commit::Model::default()
        }
    });
    replace(&mut page, ("sha", all()), made.collect()).await;
    let parents = held.iter().flat_map(|commit| {
        let parents = (0..).zip(&world.commits[*commit].parents);
        parents.map(|(order, parent)| commit_parent::Model {
            commit_sha: sha(*commit),
            parent_commit_sha: sha(*parent),
            parent_order: order,
        })
    });
    replace(&mut page, ("commit_sha", all()), parents.collect()).await;
    // As conversions and git's reading do: who has the commits comes after their parents.
    let commits = held.iter().map(|commit| repo_commit::Model {
        repo_id: repo.clone(),
        commit_sha: sha(*commit),
        ..repo_commit::Model::default()
    });
    replace(&mut page, ("repo_id", own()), commits.collect()).await;
    write_pull_requests(&mut page, world).await;
    page.commit().await.unwrap();
}

pub(super) async fn write_pull_requests(page: &mut Transaction<'_>, world: &World) {
    let (scope, repo) = (scope(), repo_id());
    let found = world.pull_requests.iter();
    let rows = found.map(|(number, found)| {
        let digits = if found.short { 12 } else { 40 };
        let merge = found.merge.map(|merge| sha(merge)[..digits].to_owned());
        pull_request::Model {
            id: id::pull_request(&scope, *number),
            base_repo_id: if found.is_ours {
                repo.clone()
            } else {
                String::new()
            },
            status: if found.is_merged { "MERGED" } else { "OPEN" }.to_owned(),
            pull_request_key: *number,
            base_ref: format!("b{}", found.base),
            merge_commit_sha: merge.unwrap_or_default(),
            head_commit_sha: sha(found.head)[..digits].to_owned(),
            created_date: Some(time(*number)),
            ..pull_request::Model::default()
        }
    });
    let numbers = || {
        (0..10)
            .map(|number| id::pull_request(&scope, number))
            .collect()
    };
    replace(page, ("id", numbers()), rows.collect()).await;
    let own = world.pull_requests.iter().flat_map(|(number, found)| {
        let id = id::pull_request(&scope, *number);
        found
            .own
            .iter()
            .map(move |commit| pull_request_commit::Model {
                pull_request_id: id.clone(),
                commit_sha: sha(*commit),
                ..pull_request_commit::Model::default()
            })
    });
    replace(page, ("pull_request_id", numbers()), own.collect()).await;
    write_tool_rows(page, world).await;
}

/// The tool rows that those of the domain would have been made of; sizes follow from them.
pub(super) async fn write_tool_rows(page: &mut Transaction<'_>, world: &World) {
    let scope = scope();
    let key = |number: &i64| (scope.connection_id, scope.full_name.clone(), *number);
    let (mut requests, mut commits) = (Rows::default(), Rows::default());
    for (number, found) in &world.pull_requests {
        let origin = |table| Origin {
            params: scope.params(),
            table,
            id: *number,
        };
        let digits = if found.short { 12 } else { 40 };
        let merge = found.merge.map(|merge| sha(merge)[..digits].to_owned());
        let (connection_id, repo_id, bitbucket_id) = key(number);
        requests.from_origin(origin(tool::PullRequests::raw_table()));
        requests.push(tool::Model {
            connection_id,
            repo_id,
            bitbucket_id,
            state: if found.is_merged { "MERGED" } else { "OPEN" }.to_owned(),
            head_commit_sha: sha(found.head)[..digits].to_owned(),
            merge_commit_sha: merge.unwrap_or_default(),
            ..tool::Model::default()
        });
        commits.from_origin(origin(tool_commit::PullRequestCommits::raw_table()));
        for commit in &found.own {
            let (connection_id, repo_id, pull_request_id) = key(number);
            commits.push(tool_commit::Model {
                connection_id,
                repo_id,
                pull_request_id,
                commit_sha: sha(*commit),
                ..tool_commit::Model::default()
            });
        }
    }
    for (table, raw_table, mut rows) in [
        (
            tool::Model::table(),
            tool::PullRequests::raw_table(),
            requests,
        ),
        (
            tool_commit::Model::table(),
            tool_commit::PullRequestCommits::raw_table(),
            commits,
        ),
    ] {
        let replacement = Replacement {
            table,
            owner: Owner::RawRows {
                table: raw_table,
                ids: (0..10).collect(),
            },
            rows: rows.take(table),
            first: false,
        };
        page.replace(replacement).await.unwrap();
    }
}

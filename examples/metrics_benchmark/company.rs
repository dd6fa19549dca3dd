//! One large project in domain tables.

use std::ops::Range;

use chrono::{DateTime, TimeDelta, Utc};
use headwater_domain::code::{
    commit, commit_parent, pull_request, pull_request_comment, pull_request_commit,
    pull_request_event, repo, repo_commit,
};
use headwater_domain::crossdomain::project_mapping;
use headwater_domain::devops::cicd_deployment_commit;
use headwater_domain::{Row, Rows, Scope};
use headwater_store::{Owner, Replacement, Store};

use super::Failure;

const REPOSITORY: &str = "bitbucket:BitbucketRepo:1:acme/large";
const PROJECT: &str = "large";

/// Rows written in one transaction.
const PAGE: usize = 5000;

pub(super) fn sha(number: usize) -> String {
    let mixed = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    format!("{mixed:016x}{mixed:016x}{number:08x}")
}

pub(super) fn at(minutes: usize) -> Option<DateTime<Utc>> {
    let minutes = i64::try_from(minutes).ok()?;
    DateTime::from_timestamp(1_600_000_000, 0)?.checked_add_signed(TimeDelta::minutes(minutes))
}

pub(super) async fn fill<R: Row>(
    store: &Store,
    made: impl Iterator<Item = R>,
) -> Result<(), Failure> {
    let mut made = made.peekable();
    while made.peek().is_some() {
        let mut rows = Rows::default();
        for row in made.by_ref().take(PAGE) {
            rows.push(row);
        }
        let mut page = store.begin(&Scope::everywhere(), Utc::now()).await?;
        let replacement = Replacement {
            table: R::table(),
            owner: Owner::Column {
                name: "",
                values: Vec::new(),
                connection_id: None,
            },
            rows: rows.take(R::table()),
            first: true,
        };
        page.replace(replacement).await?;
        page.commit().await?;
    }
    Ok(())
}

pub(super) fn pull_request_id(number: usize) -> String {
    format!("bitbucket:BitbucketPullRequest:1:acme/large:{number}")
}

/// One row of `pull_requests`, merged as every second commit.
pub(super) fn pull_request_row(number: usize) -> pull_request::Model {
    pull_request::Model {
        id: pull_request_id(number),
        base_repo_id: REPOSITORY.to_owned(),
        pull_request_key: i64::try_from(number).unwrap_or_default(),
        title: format!("Change number {number} of many, with a title as titles are"),
        description: "What it does and why, in a few words.".to_owned(),
        head_ref: format!("feature/change-{number}"),
        author_id: "ann".to_owned(),
        status: "MERGED".to_owned(),
        created_date: at(number * 10),
        merged_date: at(number * 10 + 600),
        merge_commit_sha: sha(2 * number + 1),
        ..pull_request::Model::default()
    }
}

pub(super) async fn prepare(store: &Store, pull_requests: usize) -> Result<(), Failure> {
    let mapped = ["repos", "cicd_scopes", "boards"].into_iter();
    let mapped = mapped.map(|table| project_mapping::Model {
        project_name: PROJECT.to_owned(),
        table: table.to_owned(),
        row_id: REPOSITORY.to_owned(),
    });
    fill(store, mapped).await?;
    let repository = repo::Model {
        id: REPOSITORY.to_owned(),
        name: "acme/large".to_owned(),
        url: "https://bitbucket.org/acme/large".to_owned(),
        ..repo::Model::default()
    };
    fill(store, std::iter::once(repository)).await?;
    fill(store, (0..pull_requests).map(pull_request_row)).await?;
    let own = (0..2 * pull_requests).map(|number| pull_request_commit::Model {
        pull_request_id: pull_request_id(number / 2),
        commit_sha: sha(1_000_000 + number),
        commit_authored_date: at(number * 5),
        ..pull_request_commit::Model::default()
    });
    fill(store, own).await?;
    let comments = (0..pull_requests).map(|number| pull_request_comment::Model {
        id: format!("comment {number}"),
        pull_request_id: pull_request_id(number),
        account_id: "bob".to_owned(),
        created_date: at(number * 10 + 60),
        ..pull_request_comment::Model::default()
    });
    fill(store, comments).await?;
    let events = (0..pull_requests).map(|number| pull_request_event::Model {
        id: format!("event {number}"),
        pull_request_id: pull_request_id(number),
        kind: "approved".to_owned(),
        actor_id: "cem".to_owned(),
        at: at(number * 10 + 90),
        ..pull_request_event::Model::default()
    });
    fill(store, events).await?;
    add_history(store, 0..2 * pull_requests).await?;
    let every = 20;
    let deployments = (0..2 * pull_requests / every).map(|number| cicd_deployment_commit::Model {
        id: format!("bitbucket:BitbucketDeployment:1:{number}"),
        cicd_scope_id: REPOSITORY.to_owned(),
        cicd_deployment_id: format!("bitbucket:BitbucketDeployment:1:{number}"),
        result: "SUCCESS".to_owned(),
        environment: "PRODUCTION".to_owned(),
        finished_date: at(number * every * 5 + 1000),
        commit_sha: sha(number * every + every - 1),
        repo_id: REPOSITORY.to_owned(),
        repo_url: "https://bitbucket.org/acme/large".to_owned(),
        ..cicd_deployment_commit::Model::default()
    });
    fill(store, deployments).await
}

/// Commits in a row, each on top of the one before it.
pub(super) async fn add_history(store: &Store, commits: Range<usize>) -> Result<(), Failure> {
    let held = commits.clone().map(|number| repo_commit::Model {
        repo_id: REPOSITORY.to_owned(),
        commit_sha: sha(number),
        ..repo_commit::Model::default()
    });
    fill(store, held).await?;
    let own = commits.clone().map(|number| commit::Model {
        sha: sha(number),
        message: format!("Commit number {number}"),
        authored_date: at(number * 5),
        ..commit::Model::default()
    });
    fill(store, own).await?;
    let parents = commits.filter(|number| *number > 0);
    let parents = parents.map(|number| commit_parent::Model {
        commit_sha: sha(number),
        parent_commit_sha: sha(number - 1),
        ..commit_parent::Model::default()
    });
    fill(store, parents).await
}

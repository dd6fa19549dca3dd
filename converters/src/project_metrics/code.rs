//! What projects read of code and of pull requests, and how far a change of it reaches.
//!
//! Most changes of a day concern little: an open pull request nothing, a review its pull request,
//! a commit that is not deployed the pull requests that became it. These have work lists of their
//! own; whatever concerns more lists its project.

use headwater_domain::code::{
    commit, commit_parent, commits_diff, pull_request, pull_request_comment, pull_request_commit,
    pull_request_event, pull_request_merge, repo_commit,
};
use headwater_domain::crossdomain::project_mapping;
use headwater_domain::devops::cicd_deployment_commit;
use headwater_store::derivations::{Input, RowChange, Stale};

use super::mapped;

/// The work list of pull requests whose own times are to be computed again, while what they became
/// and what deployed that stays as it is.
pub(super) const PULL_REQUESTS: &str = "convert:project_metrics:pull_requests";

/// The work list of pull requests whose branch or title changed: where one is that of a hotfix or of
/// a revert, its project is computed as a whole.
pub(super) const NAMES: &str = "convert:project_metrics:names";

/// The work list of pull requests that were merged, or became other commits: where none of these
/// is deployed, only their own rows are computed.
pub(super) const MERGED: &str = "convert:project_metrics:merged";

/// The work list of commits that are new: where none is deployed, they concern no more than the
/// pull requests that became them.
pub(super) const COMMITS: &str = "convert:project_metrics:commits";

/// Columns of a pull request that concern other rows than its own times.
const SHARED_COLUMNS: &[&str] = &[
    "base_repo_id",
    "pull_request_key",
    "merged_date",
    "merge_commit_sha",
];

/// Those of them by which others find it.
const PLACE: &[&str] = &["base_repo_id", "pull_request_key"];

/// What changes only the times of the pull request itself.
fn own_times(change: &RowChange<'_>) -> Stale {
    of_known_pull_request(change, PULL_REQUESTS)
}

/// What its branch or its title says.
fn names(change: &RowChange<'_>) -> Stale {
    of_known_pull_request(change, NAMES)
}

fn of_known_pull_request(change: &RowChange<'_>, step: &'static str) -> Stale {
    if change.is_new() || change.is_gone() || change.differs(SHARED_COLUMNS) {
        // It is looked at as one that was merged, or with its project.
        return Stale::Nothing;
    }
    change.work(step, "id")
}

/// What only changes when a pull request was begun or reviewed.
fn times_of_pull_request(change: &RowChange<'_>) -> Stale {
    change.work(PULL_REQUESTS, "pull_request_id")
}

/// A pull request that is at another place now.
fn has_moved(change: &RowChange<'_>) -> bool {
    !(change.is_new() || change.is_gone()) && change.differs(PLACE)
}

/// One that is merged, or was.
fn merged(change: &RowChange<'_>) -> Stale {
    if change.is_empty("merged_date") {
        return Stale::Nothing;
    }
    change.work(MERGED, "id")
}

fn became_others(change: &RowChange<'_>) -> Stale {
    change.work(MERGED, "pull_request_id")
}

fn is_new(change: &RowChange<'_>) -> bool {
    change.is_new()
}

fn was_there(change: &RowChange<'_>) -> bool {
    !change.is_new()
}

fn new_commit(change: &RowChange<'_>) -> Stale {
    new_of(change, "commit_sha")
}

fn new_sha(change: &RowChange<'_>) -> Stale {
    new_of(change, "sha")
}

fn new_of(change: &RowChange<'_>, column: &str) -> Stale {
    if change.is_new() {
        return change.work(COMMITS, column);
    }
    Stale::Nothing
}

/// A table whose column holds a commit of some repository.
fn of_commit<E: sea_orm::EntityTrait>(column: &'static str) -> Input {
    let way = Input::through::<E, repo_commit::Entity>(column, "commit_sha", "repo_id");
    way.and_through::<project_mapping::Entity>("row_id", "project_name")
}

/// Rows of commits: a few new ones by themselves, many of them and all others by their projects.
fn of_commits<E: sea_orm::EntityTrait>(
    way: fn(&'static str) -> Input,
    (column, of_new): (&'static str, fn(&RowChange<'_>) -> Stale),
    columns: &'static [&'static str],
) -> [Input; 3] {
    let new = Input::following::<E>(of_new).of_columns(columns);
    let many = way(column).of_columns(columns).only(is_new);
    let others = way(column).of_columns(columns).only(was_there);
    [new, many.instead_of_many(COMMITS), others]
}

/// What decides of which commits there are pull requests, and how long they took.
pub(super) fn of_code() -> Vec<Input> {
    let stored = Input::through::<commits_diff::Entity, cicd_deployment_commit::Entity>(
        "new_commit_sha",
        "commit_sha",
        "cicd_scope_id",
    );
    let mut reads = vec![
        mapped::<pull_request::Entity>("base_repo_id")
            .of_columns(PLACE)
            .only(has_moved),
        Input::following::<pull_request::Entity>(merged).of_columns(SHARED_COLUMNS),
        Input::following::<pull_request::Entity>(own_times)
            .of_columns(&["author_id", "created_date"]),
        Input::following::<pull_request::Entity>(names).of_columns(&["title", "head_ref"]),
        Input::following::<pull_request_commit::Entity>(times_of_pull_request).of_columns(&[
            "pull_request_id",
            "commit_sha",
            "commit_authored_date",
        ]),
        Input::following::<pull_request_comment::Entity>(times_of_pull_request).of_columns(&[
            "id",
            "pull_request_id",
            "account_id",
            "created_date",
        ]),
        Input::following::<pull_request_event::Entity>(times_of_pull_request),
        Input::following::<pull_request_merge::Entity>(became_others),
        stored.and_through::<project_mapping::Entity>("row_id", "project_name"),
    ];
    let held = ("repo_id", new_commit as fn(&RowChange<'_>) -> Stale);
    reads.extend(of_commits::<repo_commit::Entity>(
        mapped::<repo_commit::Entity>,
        held,
        &["repo_id", "commit_sha"],
    ));
    reads.extend(of_commits::<commit_parent::Entity>(
        of_commit::<commit_parent::Entity>,
        ("commit_sha", new_commit),
        &[],
    ));
    reads.extend(of_commits::<commit::Entity>(
        of_commit::<commit::Entity>,
        ("sha", new_sha),
        &["sha", "authored_date", "message"],
    ));
    reads
}

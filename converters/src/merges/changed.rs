//! Which merged pull requests may have other links now, after something changed.
//!
//! Commits that came on top of a history leave most links as they are. What may change is found
//! here; where that is unknown, all are looked at. Why so: docs/decisions/0043-merges.md.

use std::collections::BTreeSet;

use headwater_domain::Scope;
use headwater_domain::id::Ids;
use headwater_domain::merges::merged_number;
use headwater_store::merge_work::MergeWork;
use headwater_store::merges::BRANCHES;
use headwater_store::{Store, StoreError};

use super::destinations::Branches;
use super::named::subject_of;

/// What is to be done about a change.
pub(super) struct ChangedMerges {
    /// Domain ids of pull requests that have to be looked at; some are not merged, or gone.
    pub(super) pull_requests: BTreeSet<String>,
    /// Commits that came to be named as a parent and are not there.
    pub(super) missing: BTreeSet<String>,
    /// Names of the branches that pull requests went into before.
    pub(super) bases: BTreeSet<String>,
}

/// The pull requests that have to be looked at; nothing when it has to be all. With `compares`,
/// contents of commits are compared with each other.
pub(super) async fn wanted(
    (store, scope, repo_id): (&Store, &Scope, &str),
    ids: &Ids,
    work: MergeWork,
    compares: bool,
) -> Result<Option<ChangedMerges>, StoreError> {
    // A commit may be a copy of any other.
    if work.more || (compares && !work.commits.is_empty()) {
        return Ok(None);
    }
    let mut wanted = ChangedMerges {
        pull_requests: work.pull_requests,
        missing: BTreeSet::new(),
        bases: store.bases(scope).await?,
    };
    if work.commits.is_empty() && !work.branches {
        return Ok(Some(wanted));
    }
    let before = store.checkpoint(scope, BRANCHES).await?.rules;
    if described(store, repo_id, &wanted.bases).await? != before {
        return Ok(None);
    }
    let waiting = store.waiting_for_branches(scope).await?;
    wanted.pull_requests.extend(waiting);
    if work.commits.is_empty() {
        return Ok(Some(wanted));
    }
    let Some(missing) = store.missing_parents(scope).await? else {
        return Ok(None);
    };
    if !missing.is_disjoint(&work.commits) {
        // The history goes on below what was its end.
        return Ok(None);
    }
    wanted.missing = store.parents_missing_of(repo_id, &work.commits).await?;
    let with = store.pull_requests_with(repo_id, &work.commits).await?;
    wanted.pull_requests.extend(with);
    let messages = store.messages_of(&work.commits).await?;
    let numbers = messages.iter().map(|it| merged_number(subject_of(it)));
    let named = numbers.flatten().map(|it| ids.pull_request(scope, it));
    wanted.pull_requests.extend(named);
    Ok(Some(wanted))
}

/// What there is to be said today of the branches that pull requests went into before.
async fn described(
    store: &Store,
    repo_id: &str,
    bases: &BTreeSet<String>,
) -> Result<String, StoreError> {
    let refs = store.refs_of(repo_id).await?;
    let serving = refs
        .iter()
        .filter(|it| it.is_default || bases.contains(&it.name));
    let tips: Vec<&str> = serving.map(|it| it.commit_sha.as_str()).collect();
    let held = store.commits_held(repo_id, &tips).await?;
    let branches = Branches::of(&refs, |sha| held.contains(sha).then_some(()));
    let has_commits = store.has_commits(repo_id).await?;
    Ok(branches.described(bases, has_commits))
}

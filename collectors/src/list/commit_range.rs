//! The walk down from the head of a branch: commits.
//!
//! What a head reaches never changes, so only the head is watched. A head that moved adds the
//! commits that the old one does not reach; one of them has the old head as a parent. When none does,
//! history was rewritten, and everything is read again.

use std::collections::HashMap;

use serde_json::value::RawValue;
use url::Url;

use super::{Plan, Walk, list_url};
use crate::endpoint::{Collection, CommitRange};
use crate::engine::{Collected, Page, Task, fetch, fetch_single};
use crate::error::{CollectErrorKind, RequestErrorKind};
use crate::key::field;
use crate::page::RawItem;
use crate::refresh::stored;

/// What is asked for: all that a head reaches, less what another one does.
#[derive(Clone, Debug)]
pub(super) struct Span {
    commit_range: CommitRange,
    pub(super) head: String,
    pub(super) exclude: Option<String>,
}

impl Span {
    pub(super) fn question(&self) -> String {
        let exclude = self.exclude.as_deref().unwrap_or_default();
        format!("head={} exclude={exclude}", self.head)
    }

    pub(super) fn first_url(&self, list_url: &Url) -> Url {
        including(
            list_url,
            self.commit_range,
            &self.head,
            self.exclude.as_deref(),
        )
    }

    /// True when the item has the old head as a parent.
    pub(super) fn is_joined_by(&self, item: &RawItem) -> bool {
        let Some(old) = &self.exclude else {
            return false;
        };
        let (parents, hash) = self.commit_range.parents;
        let read = || {
            let item: HashMap<String, &RawValue> = serde_json::from_slice(&item.0).ok()?;
            let parents = item.get(parents)?.get();
            serde_json::from_str::<Vec<HashMap<String, &RawValue>>>(parents).ok()
        };
        let is_old = |parent: &HashMap<String, &RawValue>| {
            let hash = parent.get(hash).map(|hash| hash.get());
            hash.and_then(|hash| serde_json::from_str::<String>(hash).ok())
                .is_some_and(|hash| hash == *old)
        };
        read().is_some_and(|parents| parents.iter().any(is_old))
    }
}

fn including(
    list_url: &Url,
    commit_range: CommitRange,
    include: &str,
    exclude: Option<&str>,
) -> Url {
    let mut url = list_url.clone();
    url.query_pairs_mut()
        .append_pair(commit_range.include, include);
    if let Some(exclude) = exclude {
        url.query_pairs_mut()
            .append_pair(commit_range.exclude, exclude);
    }
    url
}

/// Adds what it did to the outcome, also when it fails halfway.
pub(super) async fn collect(
    task: &Task<'_>,
    collection: &Collection,
    commit_range: CommitRange,
    outcome: &mut Collected,
) -> Result<(), CollectErrorKind> {
    let Some(branch) = branch(task, collection, commit_range).await? else {
        return Ok(());
    };
    let step = collection.heads_step();
    let known = task.store.checkpoint(task.scope, &step).await?.rules;
    let old = Some(known).filter(|known| !known.is_empty() && !task.range.full);
    let shown = shown_head(task, commit_range, &branch).await?;
    if let (Some(old), Some(head)) = (&old, &shown)
        && follow(task, collection, (commit_range, old, head), outcome).await?
    {
        return Ok(());
    }
    let first = including(&list_url(task, collection)?, commit_range, &branch, None);
    let page = fetch(&task.client, &task.cancel, collection, &first).await?;
    let Some(newest) = page.items.items.first() else {
        return Ok(());
    };
    let head = collection.endpoint.key.of(&newest.0).unwrap_or_default();
    if let Some(old) = old.filter(|_| shown.as_ref() != Some(&head))
        && follow(task, collection, (commit_range, &old, &head), outcome).await?
    {
        return Ok(());
    }
    let all = Span {
        commit_range,
        head,
        exclude: None,
    };
    walk(task, collection, (all, Some((first, page))), outcome).await?;
    Ok(())
}

/// Reads what a head adds to an old one. Returns false when it does not continue that one.
async fn follow(
    task: &Task<'_>,
    collection: &Collection,
    (commit_range, old, head): (CommitRange, &str, &str),
    outcome: &mut Collected,
) -> Result<bool, CollectErrorKind> {
    if old == head {
        return Ok(true);
    }
    let news = Span {
        commit_range,
        head: head.to_owned(),
        exclude: Some(old.to_owned()),
    };
    walk(task, collection, (news, None), outcome).await
}

/// The head of a branch as the list of branches shows it, where this run has read that.
async fn shown_head(
    task: &Task<'_>,
    commit_range: CommitRange,
    branch: &str,
) -> Result<Option<String>, CollectErrorKind> {
    let Some(heads) = commit_range.heads else {
        return Ok(None);
    };
    let branches = (heads.branches)();
    if !task.read.contains(&branches.stream) {
        return Ok(None);
    }
    let key = [branch.to_owned()];
    let found = stored(task.store, task.scope, &branches, &key).await?;
    Ok(found.first().and_then(|item| field(&item.0, heads.head)))
}

/// The branch whose commits are wanted; none while nothing has been pushed.
async fn branch(
    task: &Task<'_>,
    collection: &Collection,
    commit_range: CommitRange,
) -> Result<Option<String>, CollectErrorKind> {
    if let Some(table) = &collection.head_table {
        let rows = task
            .store
            .changed_items(task.scope, table, (0, 0), 8)
            .await?;
        if let Some(newest) = rows.last() {
            return Ok(field(&newest.data, commit_range.branch));
        }
    }
    // Without the stream that collects it, the item is asked for alone.
    let item = fetch_single(task, collection, commit_range.path).await?;
    Ok(item.and_then(|item| field(&item.0, commit_range.branch)))
}

/// Reads a span. Returns false when it does not continue what is stored.
async fn walk(
    task: &Task<'_>,
    collection: &Collection,
    (span, first): (Span, Option<(Url, Page)>),
    outcome: &mut Collected,
) -> Result<bool, CollectErrorKind> {
    let is_news = span.exclude.is_some();
    let plan = Plan {
        lower: None,
        complete: !is_news,
        data_after: task.range.data_after,
        span: Some(span),
        missing: None,
    };
    let mut walk = Walk::new(task, collection, &plan).await?;
    let done = walk.run_span(&plan, first).await;
    let done = walk.or_given_up(done).await;
    outcome.add(walk.outcome);
    match done {
        // The old head is nowhere any more.
        Err(CollectErrorKind::Request(error))
            if is_news && matches!(error.kind, RequestErrorKind::NotFound { .. }) =>
        {
            Ok(false)
        }
        done => done,
    }
}

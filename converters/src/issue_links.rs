//! Which issues pull requests and commits name: an engine of its own, because issues come and go
//! without those that name them.
//!
//! What names an issue is written where pull requests and commits are: in
//! `pull_request_mentions` and `commit_mentions`. Why so: docs/decisions/0042.

use futures::FutureExt as _;
use futures::future::BoxFuture;
use headwater_domain::Scope;
use headwater_domain::crossdomain::{
    commit_mention, issue_commit, pull_request_issue, pull_request_mention,
};
use headwater_domain::id::Ids;
use headwater_domain::ticket::issue;
use headwater_store::derivations::{Input, Written};
use headwater_store::issue_links::{Naming, Span};
use headwater_store::progress::Checkpoint;
use headwater_store::{Changes, StepContext, Store, StoreError};

pub use headwater_store::issue_links::STEP;

use crate::derivation::{Derive, Task};
use crate::engine::{Error, Outcome};

/// Raise it when other links are to be made: everything is linked again.
pub const VERSION: u32 = 1;

/// Pull requests and commits, and the issues that they name.
pub struct IssueLinks;

impl Derive for IssueLinks {
    const NAME: &'static str = "issue_links";
    const SHARED: bool = true;
    const NEEDS: &'static [&'static [&'static str]] =
        &[&["pull_request_mentions", "commit_mentions"]];

    fn reads() -> Vec<Input> {
        vec![
            Input::whole::<pull_request_mention::Entity>(),
            Input::whole::<commit_mention::Entity>(),
            Input::whole::<issue::Entity>(),
        ]
    }

    fn writes() -> Vec<Written> {
        vec![
            Written::to::<pull_request_issue::Entity>()
                .from_all(&["pull_request_mentions", "issues"]),
            Written::to::<issue_commit::Entity>().from_all(&["commit_mentions", "issues"]),
        ]
    }

    fn is_stale<'a>(task: &'a Task<'a>) -> BoxFuture<'a, Result<bool, Error>> {
        is_stale(task.store, task.scope).boxed()
    }

    fn derive<'a>(task: &'a Task<'a>) -> BoxFuture<'a, Result<Outcome, Error>> {
        run(
            task.store,
            task.scope,
            (task.ids, task.repo_id),
            task.context,
        )
        .boxed()
    }
}

async fn rules(store: &Store) -> Result<String, StoreError> {
    let keyed = store.keyed_issues().await?;
    Ok(Checkpoint::rules_of(&format!("v{VERSION}"), &keyed))
}

/// Whether anything changed that the links of a scope follow from.
///
/// # Errors
/// When the database fails.
pub async fn is_stale(store: &Store, scope: &Scope) -> Result<bool, Error> {
    let failed = |source| failed(scope, source);
    let checkpoint = store.checkpoint(scope, STEP).await.map_err(failed)?;
    Ok(checkpoint.rules != rules(store).await.map_err(failed)?)
}

fn failed(scope: &Scope, source: StoreError) -> Error {
    Error::Store {
        conversion: "issue_links",
        scope: scope.full_name.clone(),
        source,
    }
}

/// Makes the links of a scope those that its mentions and the issues there are give. `repo_id` is
/// the repository's domain id, and `ids` how its source spells others.
///
/// # Errors
/// When cancelled, or the database fails.
pub async fn run(
    store: &Store,
    scope: &Scope,
    (ids, repo_id): (&Ids, &str),
    context: &StepContext<'_>,
) -> Result<Outcome, Error> {
    let failed = |source| failed(scope, source);
    // What changes while this runs is found by the next run.
    let rules = rules(store).await.map_err(failed)?;
    let mut linked = Outcome::default();
    for naming in Naming::ALL {
        let whole = Span::whole(naming, scope, (ids, repo_id));
        linked.changes += remove(store, scope, (naming, repo_id), context).await?;
        linked.changes += add(store, scope, whole.clone(), context).await?;
        let counted = store.count_mentions(scope, &whole).await;
        let (all, unknown) = counted.map_err(failed)?;
        linked.items += all;
        linked.unknown += unknown;
        (context.progress)(all);
    }
    let done = Checkpoint {
        seq: 0,
        row_id: 0,
        rules,
    };
    let page = store.begin(scope, context.now).await.map_err(failed)?;
    page.set_checkpoint(STEP, &done).await.map_err(failed)?;
    page.commit().await.map_err(failed)?;
    Ok(linked)
}

/// Takes away links without a reason.
async fn remove(
    store: &Store,
    scope: &Scope,
    (naming, repo_id): (Naming, &str),
    context: &StepContext<'_>,
) -> Result<Changes, Error> {
    let failed = |source| failed(scope, source);
    let mut all = Changes::default();
    loop {
        check_cancelled(context)?;
        let mut page = store.begin(scope, context.now).await.map_err(failed)?;
        let removed = page.remove_issue_links(naming, repo_id).await;
        let (changes, more) = removed.map_err(failed)?;
        page.commit().await.map_err(failed)?;
        all += changes;
        if !more {
            return Ok(all);
        }
    }
}

/// Adds links that are missing, some mentions at a time.
async fn add(
    store: &Store,
    scope: &Scope,
    whole: Span,
    context: &StepContext<'_>,
) -> Result<Changes, Error> {
    let failed = |source| failed(scope, source);
    let mut all = Changes::default();
    let mut left = Some(whole);
    while let Some(span) = left {
        check_cancelled(context)?;
        let split = store.first_mentions(scope, span).await;
        let (span, rest) = split.map_err(failed)?;
        let mut page = store.begin(scope, context.now).await.map_err(failed)?;
        let changes = page.add_issue_links(&span).await.map_err(failed)?;
        page.commit().await.map_err(failed)?;
        all += changes;
        left = rest;
    }
    Ok(all)
}

fn check_cancelled(context: &StepContext<'_>) -> Result<(), Error> {
    if context.cancel.is_cancelled() {
        return Err(Error::Cancelled);
    }
    Ok(())
}

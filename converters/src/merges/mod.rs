//! Merged pull requests and the commits they became: an engine of its own, because what it reads
//! is a whole graph and no row by itself.
//!
//! Which rule goes before which, and why: docs/decisions/0043-merges.md.

mod ancestry;
mod changed;
mod destinations;
mod engine;
mod named;
mod patches;
mod reasons;
mod writing;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use headwater_domain::Table;
use headwater_domain::code::{
    commit, commit_parent, git_ref, pull_request, pull_request_commit, pull_request_merge,
    repo_commit, unlinked_pull_request,
};
use headwater_store::derivations::{Input, Written};
use headwater_store::merge_work::meaning;

pub use crate::engine::Outcome;
pub use engine::{VERSION, is_stale, run};
pub use headwater_store::merges::STEP;
pub(crate) use patches::Stop;
pub use patches::{Change, Patches, Unnamed};

use crate::derivation::{Derive, Task};
use crate::engine::Error;

/// Merged pull requests and the commits they became.
pub struct Merges;

impl Derive for Merges {
    const NAME: &'static str = "merges";
    const READS_CONTENTS: bool = true;
    const NEEDS: &'static [&'static [&'static str]] = &[&["repo_commits"], &["pull_requests"]];

    fn reads() -> Vec<Input> {
        vec![
            Input::following::<commit::Entity>(meaning),
            Input::following::<commit_parent::Entity>(meaning),
            Input::following::<repo_commit::Entity>(meaning),
            Input::following::<git_ref::Entity>(meaning),
            Input::following::<pull_request::Entity>(meaning),
            Input::following::<pull_request_commit::Entity>(meaning),
        ]
    }

    fn writes() -> Vec<Written> {
        vec![
            Written::to::<pull_request_merge::Entity>(),
            Written::to::<unlinked_pull_request::Entity>(),
        ]
    }

    fn is_stale<'a>(task: &'a Task<'a>) -> BoxFuture<'a, Result<bool, Error>> {
        is_stale(task.store, task.scope, task.patches).boxed()
    }

    fn derive<'a>(task: &'a Task<'a>) -> BoxFuture<'a, Result<Outcome, Error>> {
        run(
            task.store,
            task.scope,
            (task.ids, task.repo_id),
            task.patches,
            task.context,
        )
        .boxed()
    }
}

/// Tables that are written.
#[must_use]
pub fn tables() -> Vec<&'static Table> {
    let written = Merges::writes().into_iter();
    written.map(|written| written.table).collect()
}

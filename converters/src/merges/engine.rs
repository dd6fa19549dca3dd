//! The engine: every merged pull request of a repository is linked over one graph, and only what
//! differs is written.

use std::collections::HashMap;

use headwater_domain::Scope;
use headwater_domain::graph::{Commit, Graph, PrefixMatch};
use headwater_domain::id::Ids;
use headwater_domain::merges::{Link, Source};
use headwater_store::merge_work::{MergeWork, Settled};
use headwater_store::merges::{Merged, NAMES, STEP};
use headwater_store::progress::Checkpoint;
use headwater_store::{StepContext, Store, StoreError};

use super::changed::{ChangedMerges, wanted};
use super::destinations::Destinations;
use super::patches::{Comparing, Patches, Stop};
use crate::engine::{Error, Outcome};

/// Raise it when other commits are to be found: all pull requests are linked again.
pub const VERSION: u32 = 2;

/// Pull requests looked at, or written, in one go.
pub(super) const PAGE: usize = 512;

/// What links are made of beside the rows. With the contents of commits there may be more.
pub(super) fn rules(patches: Option<&dyn Patches>) -> String {
    let namer = patches.map(Patches::namer).unwrap_or_default();
    Checkpoint::rules_of(&format!("v{VERSION}"), &namer)
}

/// Whether anything changed that the links of a scope follow from.
///
/// # Errors
/// When the database fails.
pub async fn is_stale(
    store: &Store,
    scope: &Scope,
    patches: Option<&dyn Patches>,
) -> Result<bool, Error> {
    let state = State::of(store, scope, patches).await;
    Ok(state
        .map_err(|source| Stop::Store(source).into_error(NAME, scope))?
        .is_stale())
}

/// How far linking has come.
struct State {
    /// Nothing was linked before.
    first: bool,
    /// Links were made otherwise than they would be now, or all may have changed.
    everything: bool,
    work: MergeWork,
}

impl State {
    async fn of(
        store: &Store,
        scope: &Scope,
        patches: Option<&dyn Patches>,
    ) -> Result<Self, StoreError> {
        let checkpoint = store.checkpoint(scope, STEP).await?;
        Ok(Self {
            first: checkpoint.is_start(),
            everything: checkpoint.rules != rules(patches),
            work: store.merge_work(scope).await?,
        })
    }

    fn is_stale(&self) -> bool {
        self.everything || !self.work.is_empty()
    }
}

/// Its name in errors.
const NAME: &str = "merges";

/// Links the merged pull requests of a repository with commits, if anything changed. `repo_id` is
/// the repository's domain id, `ids` is how its source spells others; `patches` knows the contents
/// of its commits, if anybody does.
///
/// # Errors
/// When cancelled, the database fails, or contents cannot be read.
pub async fn run(
    store: &Store,
    scope: &Scope,
    (ids, repo_id): (&Ids, &str),
    patches: Option<&dyn Patches>,
    context: &StepContext<'_>,
) -> Result<Outcome, Error> {
    let state = State::of(store, scope, patches).await;
    let state = state.map_err(|source| Stop::Store(source).into_error(NAME, scope))?;
    if !state.is_stale() {
        return Ok(Outcome::default());
    }
    let linking = Linking {
        store,
        scope,
        ids,
        repo_id,
        patches,
        context,
        first: state.first,
        outcome: Outcome::default(),
        settled: Settled::default(),
    };
    let done = linking.run(state).await;
    done.map_err(|stop| stop.into_error(NAME, scope))
}

/// A pull request on its way to its commits.
pub(super) struct Linked {
    pub(super) row: Merged,
    /// The commit that its merge commit means.
    pub(super) merge: PrefixMatch,
    pub(super) head: Option<Commit>,
    /// Those of its own commits that the repository has.
    pub(super) own: Vec<Commit>,
    /// A commit of the repository says its number, which was asked where nothing else was found.
    pub(super) is_named: bool,
    pub(super) links: Vec<Link>,
}

impl Linked {
    /// Whether other links may be found when branches move: of a merge commit all is known, and
    /// of what the repository has nothing of, nothing is found.
    fn waits(&self) -> bool {
        let there = self.is_named || self.head.is_some() || !self.own.is_empty();
        self.merge.commit().is_none() && there
    }

    pub(super) fn source(&self) -> Source<'_> {
        Source {
            head: self.head,
            own: &self.own,
        }
    }
}

/// The pull requests of one repository, being linked.
pub(super) struct Linking<'a> {
    pub(super) store: &'a Store,
    pub(super) scope: &'a Scope,
    pub(super) ids: &'a Ids,
    pub(super) repo_id: &'a str,
    pub(super) patches: Option<&'a dyn Patches>,
    pub(super) context: &'a StepContext<'a>,
    /// Nothing can be there yet.
    pub(super) first: bool,
    pub(super) outcome: Outcome,
    pub(super) settled: Settled,
}

impl Linking<'_> {
    async fn run(mut self, state: State) -> Result<Outcome, Stop> {
        let wanted = if state.everything {
            None
        } else {
            let of = (self.store, self.scope, self.repo_id);
            wanted(of, self.ids, state.work, self.patches.is_some()).await?
        };
        match wanted {
            None => {
                let merged = self.store.merged_to_link(self.repo_id).await?;
                self.forget_others(&merged, None).await?;
                self.link(merged).await?;
            }
            Some(ChangedMerges {
                pull_requests,
                missing,
                bases,
            }) => {
                let merged = self
                    .store
                    .merged_among(self.repo_id, &pull_requests)
                    .await?;
                self.forget_others(&merged, Some(&pull_requests)).await?;
                self.settled.bases = bases;
                // Missing are those too that were before.
                self.settled.missing = Some(missing);
                self.settled.looked_at = Some(pull_requests);
                self.link(merged).await?;
            }
        }
        self.finish().await?;
        Ok(self.outcome)
    }

    /// Links these pull requests. If there are any, it notes which branches they and those before
    /// went into, and which commits are missing, where that is not known yet.
    async fn link(&mut self, mut merged: Vec<Merged>) -> Result<(), Stop> {
        if merged.is_empty() {
            return Ok(());
        }
        // Those with one destination come together.
        merged.sort_by(|one, other| (&one.base_ref, &one.id).cmp(&(&other.base_ref, &other.id)));
        let graph = self.store.commit_graph(self.repo_id).await?;
        let refs = self.store.refs_of(self.repo_id).await?;
        let mut destinations = Destinations::of(&graph, &refs);
        let bases = merged.iter().map(|it| it.base_ref.clone());
        self.settled.bases.extend(bases);
        let (branches, bases) = (&destinations.branches, &self.settled.bases);
        self.settled.branches = Some(branches.described(bases, !graph.is_empty()));
        let missing = || graph.missing().map(|hash| hash.to_string()).collect();
        self.settled.missing.get_or_insert_with(missing);
        let mut linked = self.by_ancestry(merged, &graph, &mut destinations).await?;
        self.by_patch(&mut linked, &graph, &mut destinations)
            .await?;
        self.by_number(&mut linked, &graph, &mut destinations)
            .await?;
        let waiting = linked.iter().filter(|it| it.waits());
        self.settled.waiting = waiting.map(|it| it.row.id.clone()).collect();
        self.write(&linked, &graph, &destinations).await?;
        Ok(())
    }

    pub(super) fn check_cancelled(&self) -> Result<(), Stop> {
        if self.context.cancel.is_cancelled() {
            return Err(Stop::Cancelled);
        }
        Ok(())
    }

    /// Finds commits that change the same, where the contents of commits are there.
    async fn by_patch(
        &self,
        linked: &mut [Linked],
        graph: &Graph,
        destinations: &mut Destinations<'_>,
    ) -> Result<(), Stop> {
        let Some(patches) = self.patches.filter(|_| !graph.is_empty()) else {
            return Ok(());
        };
        self.check_cancelled()?;
        self.forget_other_names(&patches.namer()).await?;
        let mut comparing = Comparing {
            store: self.store,
            repo_id: self.repo_id,
            graph,
            patches,
            names: HashMap::new(),
            new: Vec::new(),
        };
        comparing.link(linked, destinations).await?;
        let Comparing { mut names, new, .. } = comparing;
        if new.is_empty() {
            return Ok(());
        }
        let named = new.into_iter().map(|change| {
            let name = names.remove(&change).unwrap_or_default();
            (change, name)
        });
        let page = self.store.begin(self.scope, self.context.now).await?;
        page.keep_patches(named).await?;
        page.forget_patches()?;
        page.commit().await?;
        Ok(())
    }

    /// Forgets names that another namer gave: one may name the same change otherwise.
    async fn forget_other_names(&self, namer: &str) -> Result<(), Stop> {
        let known = self.store.checkpoint(self.scope, NAMES).await?;
        if known.rules == namer {
            return Ok(());
        }
        let page = self.store.begin(self.scope, self.context.now).await?;
        page.forget_patches_of(self.repo_id)?;
        page.set_checkpoint(NAMES, &done_as(namer.to_owned()))
            .await?;
        page.commit().await?;
        Ok(())
    }
}

pub(super) fn done_as(rules: String) -> Checkpoint {
    Checkpoint {
        seq: 0,
        row_id: 0,
        rules,
    }
}

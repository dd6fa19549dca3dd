//! The engine: every merged pull request of a repository is linked over one graph, and only what
//! differs is written.

use std::collections::{BTreeSet, HashMap, HashSet};

use headwater_domain::Scope;
use headwater_domain::code::{pull_request_merge, unlinked_pull_request};
use headwater_domain::graph::{Beginnings, Commit, Found, Graph, Walk};
use headwater_domain::merges::{Link, Method, Source, brought_by, moved_to};
use headwater_store::merge_work::{MergeWork, Settled};
use headwater_store::merges::{Merged, NAMES, STEP};
use headwater_store::progress::Checkpoint;
use headwater_store::{Changes, Page, Store, StoreError, Watch};

use super::changed::{Wanted, wanted};
use super::destinations::Destinations;
use super::named::commits_by_number;
use super::patches::{Comparing, Patches, Unnamed};
use super::reasons::reason;

/// Raise it when other commits are to be found: all pull requests are linked again.
pub const VERSION: u32 = 1;

/// Pull requests looked at, or written, in one go.
const PAGE: usize = 512;

/// What linking did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Merged pull requests looked at.
    pub items: u64,
    /// Of these, those of which no commit was found.
    pub unlinked: u64,
    /// What happened to the tables.
    pub changes: Changes,
}

/// Why linking stopped.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// It was cancelled; what is committed stays.
    #[error("cancelled")]
    Cancelled,
    /// The database failed.
    #[error("linking the merged pull requests of {scope}")]
    Store {
        /// Full name of the repository.
        scope: String,
        /// What the database said.
        #[source]
        source: StoreError,
    },
    /// The changes of commits cannot be read.
    #[error("comparing what commits of {scope} change")]
    Patches {
        /// Full name of the repository.
        scope: String,
        /// What git said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// What links are made of beside the rows. With the contents of commits there may be more.
fn rules(patches: Option<&dyn Patches>) -> String {
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
) -> Result<bool, LinkError> {
    let state = State::of(store, scope, patches).await;
    Ok(state.map_err(|source| failed(scope, source))?.is_stale())
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

fn failed(scope: &Scope, source: StoreError) -> LinkError {
    LinkError::Store {
        scope: scope.full_name.clone(),
        source,
    }
}

/// Links the merged pull requests of a repository with commits, if anything changed. `repo_id` is
/// the repository's domain id; `patches` knows the contents of its commits, if anybody does.
///
/// # Errors
/// When cancelled, the database fails, or contents cannot be read.
pub async fn run(
    store: &Store,
    scope: &Scope,
    repo_id: &str,
    patches: Option<&dyn Patches>,
    watch: &Watch<'_>,
) -> Result<Outcome, LinkError> {
    let state = State::of(store, scope, patches).await;
    let state = state.map_err(|source| failed(scope, source))?;
    if !state.is_stale() {
        return Ok(Outcome::default());
    }
    let linking = Linking {
        store,
        scope,
        repo_id,
        patches,
        watch,
        first: state.first,
        outcome: Outcome::default(),
        settled: Settled::default(),
    };
    linking.run(state).await.map_err(|stop| match stop {
        Stop::Cancelled => LinkError::Cancelled,
        Stop::Store(source) => failed(scope, source),
        Stop::Patches(source) => LinkError::Patches {
            scope: scope.full_name.clone(),
            source,
        },
    })
}

pub(super) enum Stop {
    Cancelled,
    Store(StoreError),
    Patches(Box<dyn std::error::Error + Send + Sync>),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Unnamed> for Stop {
    fn from(error: Unnamed) -> Self {
        match error {
            Unnamed::Cancelled => Self::Cancelled,
            Unnamed::Failed(source) => Self::Patches(source),
        }
    }
}

/// A pull request on its way to its commits.
pub(super) struct Linked {
    pub(super) row: Merged,
    /// What its merge commit stands for.
    pub(super) merge: Found,
    pub(super) head: Option<Commit>,
    /// Those of its own commits that the repository has.
    pub(super) own: Vec<Commit>,
    /// A commit of the repository says its number, which was asked where nothing else was found.
    is_named: bool,
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
struct Linking<'a> {
    store: &'a Store,
    scope: &'a Scope,
    repo_id: &'a str,
    patches: Option<&'a dyn Patches>,
    watch: &'a Watch<'a>,
    /// Nothing can be there yet.
    first: bool,
    outcome: Outcome,
    settled: Settled,
}

impl Linking<'_> {
    async fn run(mut self, state: State) -> Result<Outcome, Stop> {
        let wanted = if state.everything {
            None
        } else {
            let of = (self.store, self.scope, self.repo_id);
            wanted(of, state.work, self.patches.is_some()).await?
        };
        match wanted {
            None => {
                let merged = self.store.merged_to_link(self.repo_id).await?;
                self.forget_others(&merged, None).await?;
                self.link(merged).await?;
            }
            Some(Wanted {
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
                self.link(merged).await?;
                // Missing are those too that were before.
                self.settled.missing = Some(missing);
                self.settled.looked_at = Some(pull_requests);
            }
        }
        self.finish().await?;
        Ok(self.outcome)
    }

    /// Links these pull requests. If there are any, it notes which commits are missing, and which
    /// branches they and those before went into.
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
        let missing = graph.missing().map(|hash| hash.to_string());
        self.settled.missing = Some(missing.collect());
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

    fn check_cancelled(&self) -> Result<(), Stop> {
        if self.watch.cancel.is_cancelled() {
            return Err(Stop::Cancelled);
        }
        Ok(())
    }

    /// Removes the rows of pull requests that are merged no more, or gone: of some, or of all.
    async fn forget_others(
        &mut self,
        merged: &[Merged],
        some: Option<&BTreeSet<String>>,
    ) -> Result<(), Stop> {
        if self.first {
            return Ok(());
        }
        let merged: HashSet<&str> = merged.iter().map(|it| it.id.as_str()).collect();
        let known = match some {
            Some(some) => some.clone(),
            None => self.store.linked_pull_requests(self.repo_id).await?,
        };
        let others = known.into_iter().filter(|id| !merged.contains(id.as_str()));
        let others: Vec<String> = others.collect();
        for group in others.chunks(PAGE) {
            let mut page = self.store.begin(self.scope, self.watch.now).await?;
            let changes = page.settle_merges(group, Vec::new(), Vec::new(), false);
            let changes = changes.await?;
            if changes.removed > 0 {
                page.diffs_are_stale(false)?;
            }
            self.outcome.changes += changes;
            page.commit().await?;
        }
        Ok(())
    }

    /// Finds what each merge commit brought, and what was moved to its destination as it was.
    async fn by_ancestry(
        &self,
        merged: Vec<Merged>,
        graph: &Graph,
        destinations: &mut Destinations<'_>,
    ) -> Result<Vec<Linked>, Stop> {
        let mut beginnings = Beginnings::of(graph);
        let mut walk = Walk::over(graph);
        let mut linked = Vec::with_capacity(merged.len());
        let mut merged = merged.into_iter().peekable();
        while merged.peek().is_some() {
            self.check_cancelled()?;
            let group = merged.by_ref().take(PAGE).map(|row| Linked {
                merge: beginnings.find(&row.merge_commit),
                head: beginnings.find(&row.head_commit).commit(),
                own: Vec::new(),
                is_named: false,
                links: Vec::new(),
                row,
            });
            let mut group: Vec<Linked> = group.collect();
            self.read_own(&mut group, graph).await?;
            for pull_request in &mut group {
                let source = pull_request.source();
                pull_request.links = match pull_request.merge {
                    Found::One(merge) => {
                        brought_by(&mut walk, graph, merge, source, Method::Ancestry)
                    }
                    Found::None | Found::Several => {
                        let reach = destinations.reach(&pull_request.row.base_ref);
                        reach.map_or_else(Vec::new, |reach| moved_to(source, reach))
                    }
                };
            }
            linked.append(&mut group);
        }
        Ok(linked)
    }

    /// Reads the own commits of those pull requests for which they say something: a merge commit
    /// says all, unless the repository still has the head of the source branch.
    async fn read_own(&self, group: &mut [Linked], graph: &Graph) -> Result<(), Stop> {
        if graph.is_empty() {
            return Ok(());
        }
        let wanted = group
            .iter()
            .filter(|it| it.merge.commit().is_none() || it.head.is_some());
        let wanted: Vec<String> = wanted.map(|it| it.row.id.clone()).collect();
        let mut own = self.store.own_commits(&wanted).await?;
        for pull_request in group {
            let shas = own.remove(&pull_request.row.id).unwrap_or_default();
            let known = shas.iter().filter_map(|sha| graph.find(sha.parse().ok()?));
            pull_request.own = known.collect();
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
        let page = self.store.begin(self.scope, self.watch.now).await?;
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
        let page = self.store.begin(self.scope, self.watch.now).await?;
        page.forget_patches_of(self.repo_id)?;
        page.set_checkpoint(NAMES, &done_as(namer.to_owned()))
            .await?;
        page.commit().await?;
        Ok(())
    }

    /// Finds commits of the destination that say the number of a pull request which nothing else
    /// was found of.
    async fn by_number(
        &self,
        linked: &mut [Linked],
        graph: &Graph,
        destinations: &mut Destinations<'_>,
    ) -> Result<(), Stop> {
        let mut left: Vec<&mut Linked> =
            linked.iter_mut().filter(|it| it.links.is_empty()).collect();
        let numbers: HashSet<i64> = left.iter().map(|it| it.row.number).collect();
        if numbers.is_empty() || graph.is_empty() {
            return Ok(());
        }
        let wanted = |number| numbers.contains(&number);
        let named = commits_by_number(self.store, self.repo_id, graph, wanted).await?;
        let mut walk = Walk::over(graph);
        for pull_request in &mut left {
            let named = named.get(&pull_request.row.number);
            pull_request.is_named = named.is_some();
            let reach = destinations.reach(&pull_request.row.base_ref);
            let (Some(named), Some(reach)) = (named, reach) else {
                continue;
            };
            let created = pull_request.row.created;
            // A number that was said before there was such a pull request is of something else.
            let fits = |committed: Option<_>| committed.zip(created).is_none_or(|(c, p)| c >= p);
            let mut named = named.iter();
            let found = named.find(|(commit, at)| reach.has(*commit) && fits(*at));
            if let Some((commit, _)) = found {
                let source = pull_request.source();
                let links = brought_by(&mut walk, graph, *commit, source, Method::Number);
                pull_request.links = links;
            }
        }
        Ok(())
    }

    /// Writes what differs.
    async fn write(
        &mut self,
        linked: &[Linked],
        graph: &Graph,
        destinations: &Destinations<'_>,
    ) -> Result<(), Stop> {
        let mut open: Option<Page<'_>> = None;
        for group in linked.chunks(PAGE) {
            self.check_cancelled()?;
            let mut page = match open.take() {
                Some(page) => page,
                None => self.store.begin(self.scope, self.watch.now).await?,
            };
            if self.first {
                // Should it end before its end, the next one finds something.
                page.set_checkpoint(STEP, &done_as("begun".to_owned()))
                    .await?;
            }
            let ids: Vec<String> = group.iter().map(|it| it.row.id.clone()).collect();
            let mut rows = Vec::new();
            let mut unlinked = Vec::new();
            for pull_request in group {
                rows.extend(self.rows(pull_request, graph));
                if pull_request.links.is_empty() {
                    unlinked.push(unlinked_pull_request::Model {
                        pull_request_id: pull_request.row.id.clone(),
                        reason: reason(pull_request, graph, destinations, self.patches.is_some()),
                        repo_id: self.repo_id.to_owned(),
                    });
                }
            }
            self.outcome.unlinked += unlinked.len() as u64;
            let changes = page.settle_merges(&ids, rows, unlinked, self.first).await?;
            if changes.written + changes.removed > 0 {
                page.diffs_are_stale(false)?;
            }
            open = page.go_on().await?;
            self.outcome.changes += changes;
            self.outcome.items += group.len() as u64;
            (self.watch.progress)(group.len() as u64);
        }
        if let Some(page) = open {
            page.commit().await?;
        }
        Ok(())
    }

    fn rows<'r>(
        &'r self,
        pull_request: &'r Linked,
        graph: &'r Graph,
    ) -> impl Iterator<Item = pull_request_merge::Model> + 'r {
        let links = pull_request.links.iter();
        links.map(|link| pull_request_merge::Model {
            pull_request_id: pull_request.row.id.clone(),
            commit_sha: graph.hash(link.commit).to_string(),
            method: link.method.as_str().to_owned(),
            is_tip: link.is_tip,
            repo_id: self.repo_id.to_owned(),
        })
    }

    async fn finish(&mut self) -> Result<(), Stop> {
        self.check_cancelled()?;
        let page = self.store.begin(self.scope, self.watch.now).await?;
        page.finish_merges(std::mem::take(&mut self.settled))
            .await?;
        page.set_checkpoint(STEP, &done_as(rules(self.patches)))
            .await?;
        page.commit().await?;
        Ok(())
    }
}

fn done_as(rules: String) -> Checkpoint {
    Checkpoint {
        seq: 0,
        row_id: 0,
        rules,
    }
}

//! The engine: what has to be compared is, and nothing else.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use headwater_domain::code::commits_diff_pair::Model as Pair;
use headwater_domain::code::{commits_diff, ref_commit};
use headwater_domain::graph::{Commit, Graph, RangeWalk};
use headwater_domain::tool::refdiff::finished_commits_diff;
use headwater_domain::{Scope, id};
use headwater_metrics::Rules as ProjectRules;
use headwater_metrics::stored::{Projects, Releases};
use headwater_store::diffs::{DIFF_ORIGIN, Ends, Finished, GRAPH, OtherWant, PARENTS, STEP, state};
use headwater_store::progress::Checkpoint;
use headwater_store::{StepContext, Store, StoreError, Transaction};

use super::Diffs;
use super::wanted::{WantedPairs, wanted};
use crate::derivation::Derive as _;
use crate::engine::{Error, Outcome};
use crate::rules::Rules;

/// Raise it when other pairs, or other rows for them, are to be made: everything is compared again.
///
/// 2: series of tags, and what was found for parents that were corrected.
pub const VERSION: u32 = 2;

/// Commits written in one go.
const PAGE: usize = 4096;

fn version() -> String {
    format!("v{VERSION}")
}

/// What decides which pairs of a repository are compared.
struct Wants<'a> {
    rules: &'a Rules,
    projects: &'a Projects,
    /// For each project that chooses what production is, and for all of them where one says which
    /// tags are releases: what is production there.
    production: BTreeMap<String, ProjectRules>,
}

impl<'a> Wants<'a> {
    async fn of(
        store: &Store,
        repo_id: &str,
        (rules, projects): (&'a Rules, &'a Projects),
    ) -> Result<Self, StoreError> {
        let names = store.projects_mapping("cicd_scopes", repo_id).await?;
        let rules_of_projects: Vec<ProjectRules> =
            names.iter().map(|name| projects.rules_of(name)).collect();
        let releases = rules_of_projects.iter().any(|it| it.release_tags.is_some());
        let chooses = |it: &ProjectRules| releases || !it.production_environments.is_empty();
        let chosen = rules_of_projects.into_iter().filter(chooses);
        let shown = |it: &ProjectRules| {
            let tags = it.release_tags.as_ref().map(regex::Regex::as_str);
            format!("{:?} {tags:?}", it.production_environments)
        };
        Ok(Self {
            rules,
            projects,
            production: chosen.map(|it| (shown(&it), it)).collect(),
        })
    }

    /// What is remembered of it: under other rules all pairs are looked at again.
    fn fingerprint(&self) -> String {
        let mut fingerprint = self.rules.tags_fingerprint();
        if !self.production.is_empty() {
            let shown = format!("{:?}", self.production.keys());
            let hash = xxhash_rust::xxh3::xxh3_64(shown.as_bytes());
            fingerprint = format!("{fingerprint} production {hash:016x}");
        }
        Checkpoint::rules_of(&version(), &fingerprint)
    }
}

/// Whether anything changed that the pairs of a repository follow from. `repo_id` is its domain id.
///
/// # Errors
/// When the database fails.
pub async fn is_stale(
    store: &Store,
    (scope, repo_id): (&Scope, &str),
    rules: (&Rules, &Projects),
) -> Result<bool, Error> {
    let stale = async {
        let wants = Wants::of(store, repo_id, rules).await?;
        let checkpoint = store.checkpoint(scope, STEP).await?;
        Ok(checkpoint.rules != wants.fingerprint())
    };
    stale.await.map_err(|source| failed(scope, source))
}

fn failed(scope: &Scope, source: StoreError) -> Error {
    Error::Store {
        conversion: "diffs",
        scope: scope.full_name.clone(),
        source,
    }
}

/// Compares the pairs of a repository that have to be. `repo_id` is the repository's domain id.
///
/// # Errors
/// When cancelled, or the database fails.
pub async fn run(
    store: &Store,
    (scope, repo_id): (&Scope, &str),
    rules: (&Rules, &Projects),
    context: &StepContext<'_>,
) -> Result<Outcome, Error> {
    if !is_stale(store, (scope, repo_id), rules).await? {
        return Ok(Outcome::default());
    }
    let wants = Wants::of(store, repo_id, rules).await;
    let wants = wants.map_err(|source| failed(scope, source))?;
    let comparison = Comparison {
        store,
        scope,
        repo_id,
        context,
        outcome: Outcome::default(),
    };
    comparison.run(&wants).await.map_err(|stop| match stop {
        Stop::Cancelled => Error::Cancelled,
        Stop::Store(source) => failed(scope, source),
    })
}

enum Stop {
    Cancelled,
    Store(StoreError),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// The pairs of one repository, being compared.
struct Comparison<'a> {
    store: &'a Store,
    scope: &'a Scope,
    repo_id: &'a str,
    context: &'a StepContext<'a>,
    outcome: Outcome,
}

/// State of a pair, and how many commits it has.
type PairState = (&'static str, i64);

/// What is known before anything is computed.
struct KnownPairs {
    /// Commits at ends of pairs that the repository has.
    held: HashSet<String>,
    /// What was found, here or in another repository.
    finished: HashMap<Ends, Finished>,
    /// Who else wants the same.
    others: HashMap<Ends, Vec<OtherWant>>,
    /// States of this repository's pairs before.
    before: HashMap<Ends, (String, i64)>,
    /// Whether commits or parents changed since they were last looked at.
    graph_changed: bool,
    /// Whether parents were corrected since then, so that nothing that was found is certain.
    is_uncertain: bool,
}

impl Comparison<'_> {
    async fn run(mut self, wants: &Wants<'_>) -> Result<Outcome, Stop> {
        self.release_tags(wants).await?;
        let refs = self.store.refs_of(self.repo_id).await?;
        let deployments = self.store.deployments_in_chains(self.repo_id).await?;
        let mut wanted = wanted(self.repo_id, &wants.rules.tags, &refs, &deployments);
        for rules in wants.production.values() {
            wanted.add_production(self.repo_id, &deployments, rules);
        }
        let stored = self.store.diff_pairs_of(self.repo_id).await?;
        self.release(&stored, &wanted).await?;
        self.want(&stored, &wanted).await?;
        let known = self.known(&stored).await?;
        let ends: BTreeSet<Ends> = wanted.pairs.values().map(ends_of).collect();
        let mut found: BTreeMap<Ends, PairState> = BTreeMap::new();
        let mut to_walk = Vec::new();
        for ends in ends {
            match known.verdict(&ends) {
                Some(state) => {
                    found.insert(ends, state);
                }
                None => to_walk.push(ends),
            }
        }
        self.withdraw(&found, &known).await?;
        if !to_walk.is_empty() {
            self.walk(to_walk, &known, &mut found).await?;
        }
        self.settle(wanted, &found, wants).await?;
        Ok(self.outcome)
    }

    /// Makes the tags that projects count as releases deployments, before deployments are compared.
    async fn release_tags(&mut self, wants: &Wants<'_>) -> Result<(), Stop> {
        let scopes = vec![self.repo_id.to_owned()];
        let releases = Releases::of(self.store, scopes, wants.projects).await?;
        let page = self.store.begin(self.scope, self.context.now).await?;
        let mut page = page.deriving(Diffs::NAME);
        self.outcome.changes += releases.write(&mut page, DIFF_ORIGIN).await?;
        page.commit().await?;
        Ok(())
    }

    fn check_cancelled(&self) -> Result<(), Stop> {
        if self.context.cancel.is_cancelled() {
            return Err(Stop::Cancelled);
        }
        Ok(())
    }

    /// Whether what was found for a pair may be this repository's answer. An incomplete one is of
    /// the repository that it names; unfinished rows belong to no other.
    fn answers(&self, finished: Option<&Finished>) -> bool {
        finished.is_none_or(|done| done.is_complete || done.repo_id == self.repo_id)
    }

    /// Takes away what was found for pairs that no repository wants any more.
    async fn release(&mut self, stored: &[Pair], wanted: &WantedPairs) -> Result<(), Stop> {
        let still: HashSet<Ends> = wanted.pairs.values().map(ends_of).collect();
        let released: BTreeSet<Ends> = stored.iter().map(ends_of).collect();
        let released: Vec<Ends> = released
            .into_iter()
            .filter(|ends| !still.contains(ends))
            .collect();
        if released.is_empty() {
            return Ok(());
        }
        let finished = self.store.finished_pairs_of(self.repo_id).await?;
        let others = self.store.other_wants(self.repo_id).await?;
        let page = self.store.begin(self.scope, self.context.now).await?;
        for ends in &released {
            if self.answers(finished.get(ends)) {
                leave(&page, ends, others.get(ends)).await?;
            }
        }
        page.commit().await?;
        self.outcome.changes.removed += released.len() as u64;
        Ok(())
    }

    /// Says what is wanted before anything is written for it: so that, whatever happens
    /// meanwhile, nothing is left that no repository wants.
    async fn want(&mut self, stored: &[Pair], wanted: &WantedPairs) -> Result<(), Stop> {
        let stored: HashMap<&str, Ends> = stored
            .iter()
            .map(|pair| (pair.id.as_str(), ends_of(pair)))
            .collect();
        let is_new = |pair: &&Pair| stored.get(pair.id.as_str()) != Some(&ends_of(pair));
        let new: Vec<Pair> = wanted.pairs.values().filter(is_new).cloned().collect();
        if new.is_empty() {
            return Ok(());
        }
        let mut page = self.store.begin(self.scope, self.context.now).await?;
        page.want_pairs(new).await?;
        page.commit().await?;
        Ok(())
    }

    async fn known(&self, stored: &[Pair]) -> Result<KnownPairs, Stop> {
        let graph = self.store.checkpoint(self.scope, GRAPH).await?;
        let parents = self.store.checkpoint(self.scope, PARENTS).await?;
        let before = stored
            .iter()
            .map(|pair| (ends_of(pair), (pair.state.clone(), pair.commits)));
        Ok(KnownPairs {
            held: self.store.held_ends(self.repo_id).await?,
            finished: self.store.finished_pairs_of(self.repo_id).await?,
            others: self.store.other_wants(self.repo_id).await?,
            before: before.collect(),
            graph_changed: graph.rules != version(),
            is_uncertain: parents.rules != version(),
        })
    }

    /// Takes away what was found for pairs of which the repository has lost an end.
    async fn withdraw(
        &mut self,
        found: &BTreeMap<Ends, PairState>,
        known: &KnownPairs,
    ) -> Result<(), Stop> {
        let missing = found
            .iter()
            .filter(|(_, (state, _))| *state == state::MISSING);
        let gone: Vec<&Ends> = missing
            .map(|(ends, _)| ends)
            .filter(|ends| known.finished.contains_key(*ends))
            .filter(|ends| self.answers(known.finished.get(*ends)))
            .collect();
        if gone.is_empty() {
            return Ok(());
        }
        let page = self.store.begin(self.scope, self.context.now).await?;
        for ends in gone {
            leave(&page, ends, known.others.get(ends)).await?;
        }
        page.commit().await?;
        Ok(())
    }

    /// Loads the graph once and walks it for every pair that needs it.
    async fn walk(
        &mut self,
        to_walk: Vec<Ends>,
        known: &KnownPairs,
        found: &mut BTreeMap<Ends, PairState>,
    ) -> Result<(), Stop> {
        let graph = self.store.commit_graph(self.repo_id).await?;
        let mut walk = RangeWalk::over(&graph);
        let mut open: Option<Transaction<'_>> = None;
        for ends in to_walk {
            self.check_cancelled()?;
            let (Some(new), Some(old)) = (commit(&graph, &ends.0), commit(&graph, &ends.1)) else {
                found.insert(ends, (state::MISSING, 0));
                continue;
            };
            let difference = walk.difference(new, old);
            let count = i64::try_from(difference.commits.len()).unwrap_or(i64::MAX);
            let state = if difference.is_complete {
                state::COMPLETE
            } else {
                state::INCOMPLETE
            };
            if known.is_ours_to_write(&ends, self.repo_id, difference.is_complete) {
                let page = match open.take() {
                    Some(page) => page,
                    None => self.store.begin(self.scope, self.context.now).await?,
                };
                let listed = (&graph, difference.commits);
                open = self
                    .write(page, &ends, listed, difference.is_complete)
                    .await?;
            }
            found.insert(ends, (state, count));
            self.outcome.items += 1;
            (self.context.progress)(1);
        }
        if let Some(page) = open {
            page.commit().await?;
        }
        Ok(())
    }

    /// Writes what was found for a pair; the note that it is finished comes last.
    async fn write<'s>(
        &mut self,
        page: Transaction<'s>,
        (new, old): &Ends,
        (graph, commits): (&Graph, &[Commit]),
        is_complete: bool,
    ) -> Result<Option<Transaction<'s>>, Stop>
    where
        Self: 's,
    {
        let mut page = page;
        page.forget_pair(&(new.clone(), old.clone())).await?;
        let row = |(index, commit): (i64, &Commit)| commits_diff::Model {
            new_commit_sha: new.clone(),
            old_commit_sha: old.clone(),
            commit_sha: graph.hash(*commit).to_string(),
            sorting_index: index,
        };
        let mut index = 1;
        for group in commits.chunks(PAGE) {
            let rows = (index..).zip(group).map(row).collect();
            self.outcome.changes.written += page.add_to_pair(rows).await?;
            page.flush().await?;
            index += i64::try_from(group.len()).unwrap_or_default();
        }
        let repo_id = if is_complete { "" } else { self.repo_id };
        let done = finished_commits_diff::Model {
            new_commit_sha: new.clone(),
            old_commit_sha: old.clone(),
            repo_id: repo_id.to_owned(),
            commits: index - 1,
            is_complete,
        };
        page.finish_pair(done).await?;
        Ok(page.go_on().await?)
    }

    /// Writes the pairs with their states, what hangs on them, and how far the step has come.
    async fn settle(
        &mut self,
        wanted: WantedPairs,
        found: &BTreeMap<Ends, PairState>,
        wants: &Wants<'_>,
    ) -> Result<(), Stop> {
        self.check_cancelled()?;
        let mut pairs: Vec<Pair> = wanted.pairs.into_values().collect();
        for pair in &mut pairs {
            if let Some((state, commits)) = found.get(&ends_of(pair)) {
                (*state).clone_into(&mut pair.state);
                pair.commits = *commits;
            }
        }
        let refs = pairs.iter().filter(|pair| pair.kind != "DEPLOYMENT");
        let refs = refs.map(|pair| ref_commit::Model {
            new_ref_id: id::compared_ref(&pair.new_id),
            old_ref_id: id::compared_ref(&pair.old_id),
            new_commit_sha: pair.new_commit_sha.clone(),
            old_commit_sha: pair.old_commit_sha.clone(),
            repo_id: self.repo_id.to_owned(),
        });
        let refs = refs.collect();
        let page = self.store.begin(self.scope, self.context.now).await?;
        let mut page = page.deriving(Diffs::NAME);
        self.outcome.changes += page.settle_pairs(self.repo_id, pairs, refs).await?;
        for (id, commit, predecessor) in &wanted.predecessors {
            page.set_predecessor((id, commit), predecessor).await?;
        }
        self.outcome.changes.written += wanted.predecessors.len() as u64;
        let steps = [
            (STEP, wants.fingerprint()),
            (GRAPH, version()),
            (PARENTS, version()),
        ];
        for (step, rules) in steps {
            let done = Checkpoint {
                seq: 0,
                row_id: 0,
                rules,
            };
            page.set_checkpoint(step, &done).await?;
        }
        page.commit().await?;
        Ok(())
    }
}

impl KnownPairs {
    /// The state of a pair where that needs no walk. A commit's hash fixes all that is below it,
    /// so what was found with all history known stays true while the repository has both ends, and
    /// while no source corrects what it said of parents.
    fn verdict(&self, ends: &Ends) -> Option<PairState> {
        if !self.held.contains(&ends.0) || !self.held.contains(&ends.1) {
            return Some((state::MISSING, 0));
        }
        if self.is_uncertain {
            return None;
        }
        let finished = self.finished.get(ends)?;
        let (state, commits) = self.before.get(ends)?;
        if state == state::COMPLETE && finished.is_complete {
            return Some((state::COMPLETE, *commits));
        }
        if state == state::INCOMPLETE && !self.graph_changed {
            return Some((state::INCOMPLETE, *commits));
        }
        None
    }

    /// Whether what was found here is what all repositories are to see: a complete answer is the same for
    /// all; of incomplete ones that of the first repository counts, while no repository has a complete one.
    fn is_ours_to_write(&self, ends: &Ends, repo_id: &str, is_complete: bool) -> bool {
        if is_complete {
            let finished = self.finished.get(ends);
            return self.is_uncertain || finished.is_none_or(|done| !done.is_complete);
        }
        let others = self.others.get(ends);
        others.into_iter().flatten().all(|other| {
            let is_first = repo_id < other.repo_id.as_str();
            other.state != state::COMPLETE && (other.state != state::INCOMPLETE || is_first)
        })
    }
}

/// Takes a repository's hand off a pair: its rows stay where another repository gives the same
/// answer, and go otherwise; others that have an answer of their own give it in their next run.
async fn leave(
    page: &Transaction<'_>,
    ends: &Ends,
    others: Option<&Vec<OtherWant>>,
) -> Result<(), StoreError> {
    let others = others.map(Vec::as_slice).unwrap_or_default();
    if others.iter().any(|other| other.state == state::COMPLETE) {
        return Ok(());
    }
    page.forget_pair(ends).await?;
    for other in others {
        page.diffs_of_are_stale(&other.params)?;
    }
    Ok(())
}

fn ends_of(pair: &Pair) -> Ends {
    (pair.new_commit_sha.clone(), pair.old_commit_sha.clone())
}

fn commit(graph: &Graph, hash: &str) -> Option<Commit> {
    graph.find(hash.parse().ok()?)
}

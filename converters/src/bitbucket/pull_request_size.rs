//! Sizes of pull requests, counted in the repository's history where the configuration asks for
//! line counts.
//!
//! Between which commits is counted, and why: docs/decisions/0064-sizes-from-git.md.

use std::collections::{BTreeMap, HashMap};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use headwater_domain::code::{commit_parent, repo_commit};
use headwater_domain::graph::{Commit, Graph, PrefixIndex};
use headwater_domain::merges::{Extent, MergedAs, SizeOfChange, Source, extent, merged_number};
use headwater_domain::tool::bitbucket::pull_request_size::{self, Model};
use headwater_domain::tool::bitbucket::{pull_request, pull_request_commit};
use headwater_domain::{Origin, Sourced};
use headwater_store::derivations::{Input, Written};
use headwater_store::progress::Checkpoint;
use headwater_store::sizes::{Ends, STEP};

use crate::derivation::{Derive, Task};
use crate::engine::{Error, Outcome};
use crate::merges::{Change, Patches, Stop};

/// Raise it when sizes are to be found otherwise: all are found again.
const VERSION: u32 = 1;

/// Pull requests looked at, or written, in one go.
const PAGE: usize = 512;

/// Sizes of pull requests as git tells them.
pub struct PullRequestSizes;

impl Derive for PullRequestSizes {
    const NAME: &'static str = "pull_request_sizes";
    const READS_CONTENTS: bool = true;
    const NEEDS: &'static [&'static [&'static str]] = &[&["repo_commits"], &["pull_requests"]];

    fn reads() -> Vec<Input> {
        vec![
            Input::whole::<commit_parent::Entity>(),
            Input::whole::<repo_commit::Entity>(),
            Input::whole::<pull_request::Entity>().of_columns(&[
                "bitbucket_id",
                "state",
                "head_commit_sha",
                "merge_commit_sha",
            ]),
            Input::whole::<pull_request_commit::Entity>()
                .of_columns(&["pull_request_id", "commit_sha"]),
        ]
    }

    fn writes() -> Vec<Written> {
        vec![Written::to::<pull_request_size::Entity>()]
    }

    fn is_stale<'a>(task: &'a Task<'a>) -> BoxFuture<'a, Result<bool, Error>> {
        let asked = async move {
            let checkpoint = task.store.checkpoint(task.scope, STEP).await;
            let checkpoint = checkpoint.map_err(|source| {
                Stop::Store(source).into_error(PullRequestSizes::NAME, task.scope)
            })?;
            // Without contents nothing is found; what was found before goes.
            let begins = checkpoint.is_start() && task.patches.is_none();
            Ok(!begins && checkpoint.rules != rules(task.patches))
        };
        asked.boxed()
    }

    fn derive<'a>(task: &'a Task<'a>) -> BoxFuture<'a, Result<Outcome, Error>> {
        let found = async move {
            let done = Sizing::of(task).run().await;
            done.map_err(|stop| stop.into_error(PullRequestSizes::NAME, task.scope))
        };
        found.boxed()
    }
}

fn rules(patches: Option<&dyn Patches>) -> String {
    let counted = if patches.is_some() { "counted" } else { "" };
    Checkpoint::rules_of(&format!("v{VERSION}"), counted)
}

/// What is to become of one pull request's size.
#[derive(Default)]
struct Settled {
    /// Raw rows that it had a size of, or has one of now.
    raw_ids: Vec<i64>,
    /// What it is between, and of which raw row; none where that is not known.
    wanted: Option<(Change, Origin)>,
}

/// The pull requests of one repository, being sized.
struct Sizing<'a> {
    task: &'a Task<'a>,
    outcome: Outcome,
}

impl<'a> Sizing<'a> {
    fn of(task: &'a Task<'a>) -> Self {
        Self {
            task,
            outcome: Outcome::default(),
        }
    }

    async fn run(mut self) -> Result<Outcome, Stop> {
        let (store, scope) = (self.task.store, self.task.scope);
        let mut known: HashMap<i64, Sourced<Model>> = HashMap::new();
        for size in store.pull_request_sizes(scope).await? {
            known.insert(size.row.pull_request_id, size);
        }
        let mut left = BTreeMap::new();
        if self.task.patches.is_some() {
            for (number, wanted) in self.wanted().await? {
                let before = known.remove(&number);
                let is_same = before.as_ref().is_some_and(|size| {
                    let (change, origin) = &wanted;
                    let base = Some(size.row.base_sha.as_str());
                    size.origin == *origin
                        && (size.row.head_sha.as_str(), base)
                            == (change.0.as_str(), change.1.as_deref())
                });
                if !is_same {
                    let raw_ids = before.map(|size| size.origin.id).into_iter();
                    let settled = Settled {
                        raw_ids: raw_ids.chain([wanted.1.id]).collect(),
                        wanted: Some(wanted),
                    };
                    left.insert(number, settled);
                }
            }
        }
        for (number, size) in known {
            let settled: &mut Settled = left.entry(number).or_default();
            settled.raw_ids.push(size.origin.id);
        }
        self.settle(left.into_iter().collect()).await?;
        Ok(self.outcome)
    }

    /// The commits that each pull request lies between, where the history tells.
    async fn wanted(&mut self) -> Result<BTreeMap<i64, (Change, Origin)>, Stop> {
        let task = self.task;
        let mut wanted = BTreeMap::new();
        let all = task.store.pull_request_ends(task.scope).await?;
        if all.is_empty() {
            return Ok(wanted);
        }
        let graph = task.store.commit_graph(task.repo_id).await?;
        let mut beginnings = PrefixIndex::of(&graph);
        for group in all.chunks(PAGE) {
            self.check_cancelled()?;
            let numbers: Vec<i64> = group.iter().map(|ends| ends.number).collect();
            let own = task.store.commits_by_pull_request(task.scope, &numbers);
            let own = own.await?;
            let merges = merges(group, &mut beginnings);
            let messages = self.messages(&graph, merges.values().copied()).await?;
            for ends in group {
                let own = own.get(&ends.number).map(Vec::as_slice).unwrap_or_default();
                let merged_as = merges.get(&ends.number).map(|commit| MergedAs {
                    commit: *commit,
                    own: own.len(),
                    says_number: says(messages.get(commit), ends.number),
                });
                let found: Vec<Commit> = own
                    .iter()
                    .filter_map(|sha| graph.find(sha.parse().ok()?))
                    .collect();
                let source = Source {
                    head: beginnings.find(&ends.head_commit).commit(),
                    own: &found,
                };
                if let Some(extent) = extent(&graph, source, merged_as) {
                    let change = change(&graph, extent);
                    wanted.insert(ends.number, (change, ends.origin.clone()));
                }
            }
            self.outcome.items += group.len() as u64;
            (task.context.progress)(group.len() as u64);
        }
        Ok(wanted)
    }

    async fn messages(
        &self,
        graph: &Graph,
        commits: impl Iterator<Item = Commit>,
    ) -> Result<HashMap<Commit, String>, Stop> {
        let hashes: Vec<String> = commits.map(|it| graph.hash(it).to_string()).collect();
        let messages = self.task.store.beginnings_of_messages(&hashes).await?;
        let of_commit = messages.into_iter().filter_map(|(sha, message)| {
            let commit = graph.find(sha.parse().ok()?)?;
            Some((commit, message))
        });
        Ok(of_commit.collect())
    }

    /// Counts and writes, and notes that all is done.
    async fn settle(&mut self, all: Vec<(i64, Settled)>) -> Result<(), Stop> {
        let (task, scope) = (self.task, self.task.scope);
        for group in all.chunks(PAGE) {
            self.check_cancelled()?;
            let changes = group.iter().filter_map(|(_, it)| it.wanted.as_ref());
            let changes: Vec<Change> = changes.map(|(change, _)| change.clone()).collect();
            let counted = match task.patches {
                Some(patches) if !changes.is_empty() => patches.sizes(&changes).await?,
                _ => HashMap::new(),
            };
            let (mut raw_ids, mut rows) = (Vec::new(), Vec::new());
            for (number, settled) in group {
                raw_ids.extend(&settled.raw_ids);
                let Some((change, origin)) = &settled.wanted else {
                    continue;
                };
                let Some(size) = counted.get(change) else {
                    let why = format!("git says nothing of the commit {}", change.0);
                    return Err(Stop::Contents(why.into()));
                };
                rows.push(Sourced {
                    row: self.row(*number, change, *size),
                    origin: origin.clone(),
                });
            }
            let page = task.store.begin(scope, task.context.now).await?;
            let mut page = page.deriving(PullRequestSizes::NAME);
            self.outcome.changes += page.settle_sizes(raw_ids, rows).await?;
            page.commit().await?;
        }
        let page = task.store.begin(scope, task.context.now).await?;
        let done = Checkpoint {
            rules: rules(task.patches),
            ..Checkpoint::default()
        };
        page.set_checkpoint(STEP, &done).await?;
        page.commit().await?;
        Ok(())
    }

    fn row(&self, number: i64, change: &Change, size: SizeOfChange) -> Model {
        Model {
            connection_id: self.task.scope.connection_id,
            repo_id: self.task.scope.full_name.clone(),
            pull_request_id: number,
            head_sha: change.0.clone(),
            base_sha: change.1.clone().unwrap_or_default(),
            additions: size.additions,
            deletions: size.deletions,
            changed_files: size.files,
        }
    }

    fn check_cancelled(&self) -> Result<(), Stop> {
        if self.task.context.cancel.is_cancelled() {
            return Err(Stop::Cancelled);
        }
        Ok(())
    }
}

/// The merge commits that the repository has, by pull request.
fn merges(group: &[Ends], beginnings: &mut PrefixIndex<'_>) -> HashMap<i64, Commit> {
    let merged = group.iter().filter(|ends| ends.is_merged);
    let found = merged.filter_map(|ends| {
        let commit = beginnings.find(&ends.merge_commit).commit()?;
        Some((ends.number, commit))
    });
    found.collect()
}

/// Whether a message's subject says the number of a pull request.
fn says(message: Option<&String>, number: i64) -> bool {
    let subject = message.map(|text| text.trim_start().lines().next().unwrap_or_default());
    subject.and_then(merged_number) == Some(number)
}

fn change(graph: &Graph, extent: Extent) -> Change {
    let hash = |commit| graph.hash(commit).to_string();
    (hash(extent.head), Some(hash(extent.base)))
}

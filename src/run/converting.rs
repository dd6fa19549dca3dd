//! The steps that convert: tool rows to domain rows, and stored rows to what follows from them.
//!
//! One loop runs them all. Which comes after which follows from what they read and write.

use futures::FutureExt as _;
use headwater_converters::{self as converters, Derivation, Error, Task};
use headwater_store::leases::Lease;
use tokio::sync::{MutexGuard, watch};
use tracing::Instrument as _;

use super::Tally;
use super::contents::is_corrupt;
use super::progress::{Progress, cancelled, failed};
use super::steps::{ScopeRun, Step, Stop, stop_of};
use crate::entities;
use crate::exit::chain;
use crate::order::Node;
use crate::report::{Event, StepSummary, counted};

/// The right to compute what the scopes of a connection share: of repositories of this process,
/// and of processes, one has it.
pub(super) struct Turn<'t> {
    _own: MutexGuard<'t, ()>,
    lease: Lease,
}

/// What became of a step that others wait for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ended {
    NotYet,
    Well,
    /// It failed, or did not begin because another one failed.
    Badly,
}

/// A step, with the places of the steps whose tables it reads.
struct Waiting<'n> {
    node: Node<'n>,
    after: Vec<usize>,
}

impl<'a> ScopeRun<'a> {
    /// Converts what the streams of this run feed, and derives what follows.
    pub(super) async fn convert_all(&mut self, tally: &mut Tally) -> Step<()> {
        let nodes = self.nodes();
        let reads_contents = |node: &Node<'_>| matches!(node, Node::Derivation(derivation) if derivation.reads_contents);
        if nodes.iter().any(reads_contents) {
            self.open_for_contents().await;
        }
        let done = self.run_nodes(nodes, tally).await;
        // It is not read any more.
        self.mirror = None;
        done
    }

    /// The steps of this scope, in their order.
    fn nodes(&self) -> Vec<Node<'a>> {
        let (source, scope) = (&self.job.source, &self.job.scope);
        let streams = &self.job.streams;
        let filled = entities::filled_by(source, streams);
        let everywhere = scope.is_everywhere();
        let runs = |node: &Node<'_>| match node {
            // Git's rows are domain rows already.
            Node::Conversion(conversion) => {
                let mut of_scope = source.conversions_of(scope);
                !everywhere
                    && !self.is_plain_git()
                    && of_scope.any(|it| it.name == conversion.name)
                    && entities::converts(source, streams, conversion)
            }
            Node::Derivation(derivation) => {
                node.spans_scopes() == everywhere
                    && !scope.is_workspace()
                    && entities::derives(&filled, derivation)
            }
        };
        self.order.iter().copied().filter(runs).collect()
    }

    /// Runs steps, each when those have ended well that write what it reads.
    async fn run_nodes(&self, nodes: Vec<Node<'_>>, tally: &mut Tally) -> Step<()> {
        let (ended, seen) = watch::channel(vec![Ended::NotYet; nodes.len()]);
        let ended = &ended;
        let waiting = (0..nodes.len()).map(|place| Waiting {
            node: nodes[place],
            after: (0..place)
                .filter(|other| nodes[place].follows(nodes[*other]))
                .collect(),
        });
        let steps = waiting.enumerate().map(|(place, step)| {
            let mut seen = seen.clone();
            let run = async move {
                let mut own = Tally::default();
                let is_over = |all: &Vec<Ended>| {
                    let over = |other: &usize| all[*other] != Ended::NotYet;
                    step.after.iter().all(over)
                };
                // The other end outlives this step.
                let may_begin = seen.wait_for(is_over).await.is_ok_and(|all| {
                    let well = |other: &usize| all[*other] == Ended::Well;
                    step.after.iter().all(well)
                });
                let done = match step.node {
                    _ if !may_begin => Err(Stop::Scope),
                    Node::Conversion(conversion) => self.convert(conversion, &mut own).await,
                    Node::Derivation(derivation) => self.derive(derivation, &mut own).await,
                };
                ended.send_modify(|all| {
                    all[place] = if done.is_ok() {
                        Ended::Well
                    } else {
                        Ended::Badly
                    };
                });
                (own, done)
            };
            run.boxed()
        });
        self.beside_each_other(steps.collect(), tally).await
    }

    /// Waits for the right to compute what the scopes of the connection share.
    pub(super) async fn take_turn(&self) -> Step<Turn<'_>> {
        let own = self.shared.lock().await;
        match self.lease_shared().await? {
            Some(lease) => Ok(Turn { _own: own, lease }),
            None => Err(Stop::Scope),
        }
    }

    async fn turn_if(&self, shared: bool) -> Step<Option<Turn<'_>>> {
        if shared {
            return self.take_turn().await.map(Some);
        }
        Ok(None)
    }

    /// Gives that right back.
    pub(super) async fn end_turn(&self, turn: Turn<'_>) -> Step<()> {
        let released = turn.lease.release().await;
        released.map_err(|error| self.broken(&error))
    }

    async fn convert(&self, conversion: &converters::Conversion, tally: &mut Tally) -> Step<()> {
        let turn = self.turn_if(conversion.is_shared()).await?;
        let progress = Progress::begin(self, "convert", conversion.name);
        let tell = |items| progress.tell_items(items);
        let context = self.context(&tell);
        let (store, scope) = (&self.runner.store, &self.job.scope);
        let converting =
            converters::engine::run(store, scope, conversion, &self.job.rules, &context);
        let done = converting.instrument(progress.span.clone()).await;
        self.end_converting(progress, turn, done, tally).await
    }

    /// Derives what follows from stored rows, when something changed that it follows from.
    async fn derive(&self, derivation: &Derivation, tally: &mut Tally) -> Step<()> {
        if derivation.reads_contents && self.compares_contents() && self.mirror.is_none() {
            // A run that has a mirror again does what is to be done.
            return Ok(());
        }
        let repo_id = self.repository_id();
        let contents = self.contents(&repo_id);
        let patches = contents.as_ref().filter(|_| derivation.reads_contents);
        let task = |context| Task {
            store: &self.runner.store,
            scope: &self.job.scope,
            ids: self.job.source.ids,
            repo_id: &repo_id,
            rules: &self.job.rules,
            projects: &self.runner.projects,
            patches: patches.map(|it| it as _),
            context,
        };
        let silent = |_: u64| ();
        let silent = self.context(&silent);
        let stale = derivation.is_stale(&task(&silent)).await;
        if matches!(stale, Ok(false)) {
            return Ok(());
        }
        let turn = self.turn_if(derivation.shared).await?;
        let progress = Progress::begin(self, "convert", derivation.name());
        let tell = |items| progress.tell_items(items);
        let context = self.context(&tell);
        let done = match stale {
            Ok(_) => {
                let task = task(&context);
                let deriving = derivation.run(&task);
                deriving.instrument(progress.span.clone()).await
            }
            // Told as the step that could not begin.
            Err(error) => Err(error),
        };
        self.end_converting(progress, turn, done, tally).await
    }

    async fn end_converting(
        &self,
        progress: Progress<'_>,
        turn: Option<Turn<'_>>,
        done: Result<converters::Outcome, Error>,
        tally: &mut Tally,
    ) -> Step<()> {
        let released = match turn {
            Some(turn) => self.end_turn(turn).await,
            None => Ok(()),
        };
        let (summary, step) = match done {
            Ok(outcome) => {
                self.tell_unlinked(&outcome);
                let summary = StepSummary {
                    items: outcome.items,
                    written: outcome.changes.written,
                    removed: outcome.changes.removed,
                    unknown: outcome.unknown,
                    unknown_hashes: outcome.hashes.unknown,
                    ambiguous_hashes: outcome.hashes.ambiguous,
                    ..StepSummary::default()
                };
                (summary, Ok(()))
            }
            Err(Error::Cancelled) => (cancelled(), Err(Stop::Scope)),
            Err(error @ Error::Store { .. }) => (failed(&error), Err(stop_of(&error))),
            Err(error @ Error::Patches { .. }) => {
                if let Some(mirror) = self.mirror.as_ref().filter(|_| is_corrupt(&error)) {
                    mirror.distrust(&chain(&error));
                }
                (failed(&error), Err(Stop::Scope))
            }
        };
        self.end(progress, summary, tally).await?;
        step.and(released)
    }

    /// Says how many merged pull requests were not linked, when something was written about it.
    fn tell_unlinked(&self, outcome: &converters::Outcome) {
        let changed = outcome.changes.written + outcome.changes.removed > 0;
        if outcome.unlinked == 0 || !changed {
            return;
        }
        let message = format!(
            "{}:{}: no commit was found of {}; the table unlinked_pull_requests says why",
            self.job.connection,
            self.job.scope.full_name,
            counted(
                outcome.unlinked,
                "merged pull request",
                "merged pull requests"
            )
        );
        self.runner.reporter.event(&Event::Notice { message });
    }

    /// The domain id of the scope's repository.
    pub(super) fn repository_id(&self) -> String {
        let scope = &self.job.scope;
        match &self.job.git {
            Some(git) => git.repo_id.clone(),
            None => self.job.source.ids.repository(scope),
        }
    }
}

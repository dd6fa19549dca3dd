//! The rounds of a run: all scopes back to the nearest window, then to the next one, then as far as
//! is wanted.
//!
//! Each round ends with tables that follow from what has arrived, so that numbers of the last
//! weeks need not wait for those of the last years.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use futures::{StreamExt, stream};
use tracing::Instrument as _;

use super::steps::ScopeRun;
use super::{Job, Part, Runner, Tally, claim, lacks};
use crate::exit::Failure;
use crate::plan::Plan;
use crate::report::{Event, counted};

/// Scopes worked on at the same time. The database has one writer, so more would only wait.
const SCOPES_AT_ONCE: usize = 4;

/// How long a run of several rounds may go on before what changed meanwhile is asked for.
const NEWS_AFTER: TimeDelta = TimeDelta::days(1);

/// A scope that a run works on.
struct Place<'p> {
    part: &'p Part<'p>,
    job: Job,
    /// When what changed was last asked for (UTC).
    looked_at: DateTime<Utc>,
}

impl Runner {
    /// Runs a plan over scopes, in as many rounds as their windows make.
    pub(super) async fn rounds<'p>(
        &self,
        (run, plan): (i64, &Plan),
        jobs: Vec<Job>,
        mut tally: Tally,
        parts: &'p [Part<'p>],
    ) -> Result<Tally, Failure> {
        // Accounts are shared by all scopes of a connection: computed by one scope at a time.
        let shared = tokio::sync::Mutex::new(());
        let claim = claim(plan.command);
        let spanning = parts
            .iter()
            .filter(|part| part.order.iter().any(|node| node.spans_scopes()));
        let spanning: Vec<(&'p Part<'p>, Job)> = spanning
            .map(|part| (part, Job::everywhere(part.source, &jobs, &self.cancel)))
            .collect();
        let span = tracing::info_span!("run", run, command = plan.command);
        let scope_run = |part: &'p Part<'p>, job| ScopeRun {
            runner: &part.runner,
            plan,
            run,
            shared: &shared,
            claim: &claim,
            order: &part.order,
            job,
            window: None,
            older_only: false,
            mirror: None,
            is_unknown: false,
        };
        let mut waiting = self.places(jobs, parts);
        for round in 0.. {
            let begun = self.of_round(plan, &mut waiting, round).await?;
            if round > 0 && begun.is_empty() {
                if waiting.is_empty() {
                    break;
                }
                continue;
            }
            let scope_runs = stream::iter(begun).map(|mut place| {
                let older_only = self.is_fresh(&mut place, round);
                let steps = ScopeRun {
                    window: place.job.windows.get(round).copied(),
                    older_only,
                    ..scope_run(place.part, place.job.clone())
                };
                let steps = steps.run().instrument(span.clone());
                async move { (place, steps.await) }
            });
            let mut finished = scope_runs.buffer_unordered(SCOPES_AT_ONCE);
            while let Some((place, scope_tally)) = finished.next().await {
                if scope_tally.went_on() && round < place.job.windows.len() {
                    waiting.push(place);
                }
                tally.add(&scope_tally.of_round(round));
            }
            // Keys that span scopes are computed once, when all scopes are done.
            if plan.stages.convert {
                for (part, everywhere) in &spanning {
                    let steps = scope_run(part, everywhere.clone()).run_everywhere();
                    tally.add(&steps.instrument(span.clone()).await);
                }
            }
            if waiting.is_empty() || self.cancel.is_cancelled() {
                break;
            }
        }
        Ok(tally)
    }

    fn places<'p>(&self, jobs: Vec<Job>, parts: &'p [Part<'p>]) -> Vec<Place<'p>> {
        let looked_at = self.clock.now();
        let jobs = jobs.into_iter().filter_map(|job| {
            let mut own = parts.iter();
            let part = own.find(|part| Arc::ptr_eq(part.source, &job.source))?;
            Some(Place {
                part,
                job,
                looked_at,
            })
        });
        jobs.collect()
    }

    /// Takes the scopes that have something to be read in a round: all of them in the first one.
    async fn of_round<'p>(
        &self,
        plan: &Plan,
        waiting: &mut Vec<Place<'p>>,
        round: usize,
    ) -> Result<Vec<Place<'p>>, Failure> {
        if round == 0 {
            return Ok(std::mem::take(waiting));
        }
        let (mut begun, mut reach) = (Vec::new(), None);
        for place in std::mem::take(waiting) {
            let window = place.job.windows.get(round).copied();
            if lacks(&self.store, plan, &place.job, window).await? {
                reach = reach.max(window.or(place.job.data_after));
                begun.push(place);
            } else if round < place.job.windows.len() {
                waiting.push(place);
            }
        }
        if !begun.is_empty() {
            let back = reach.map_or_else(
                || "as far back as there is anything".to_owned(),
                |reach| format!("back to {}", reach.format("%Y-%m-%d")),
            );
            let repositories = counted(begun.len() as u64, "repository", "repositories");
            let message = format!("goes on {back}: {repositories}");
            self.reporter.event(&Event::Notice { message });
        }
        Ok(begun)
    }

    /// Whether what changed at a scope is known well enough to read only what is older.
    fn is_fresh(&self, place: &mut Place<'_>, round: usize) -> bool {
        let now = self.clock.now();
        if round == 0 {
            place.looked_at = now;
            return false;
        }
        if now - place.looked_at < NEWS_AFTER {
            return true;
        }
        place.looked_at = now;
        // What the list of repositories said is old as well.
        place.job.prefetched = None;
        false
    }
}

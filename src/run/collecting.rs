//! The steps that collect: lists of an API to raw rows.

use headwater_collectors::{
    self as collectors, Client, CollectError, CollectErrorKind, Collected, Range, RequestErrorKind,
    SharedLists, Verdict,
};

use super::Tally;
use tracing::Instrument as _;

use super::progress::Progress;
use super::steps::{ScopeRun, Step, Stop};
use crate::exit::chain;
use crate::plan::Depth;
use crate::report::StepSummary;
use crate::source::{REPOSITORIES, StreamEntry};

impl ScopeRun<'_> {
    pub(super) async fn collect_all(
        &mut self,
        streams: &[&StreamEntry],
        tally: &mut Tally,
    ) -> Step<()> {
        // Streams whose list the server does not have: nothing can hang on its items.
        let mut absent = Vec::new();
        let mut known = Known::default();
        for entry in streams {
            let parent = entry.collection.parent.as_ref();
            if parent.is_some_and(|(parent, _)| absent.contains(&parent.stream)) {
                continue;
            }
            if self.older_only && !self.is_by_time(&entry.collection) {
                continue;
            }
            if self.collect(entry, &known, tally).await? == List::Absent {
                absent.push(entry.collection.stream);
            }
            known.read.push(entry.collection.stream);
        }
        Ok(())
    }

    /// The stream that one hangs on; none for a list of the scope itself.
    fn parent_of(&self, collection: &collectors::Collection) -> Option<&collectors::Collection> {
        let (parent, _) = collection.parent.as_ref()?;
        let entry = self.job.source.find(parent.stream)?;
        Some(&entry.collection)
    }

    /// Whether a stream, or the one that it hangs on, is read by time.
    fn is_by_time(&self, collection: &collectors::Collection) -> bool {
        let list = self.parent_of(collection).unwrap_or(collection);
        list.endpoint.is_by_time()
    }

    async fn collect(
        &mut self,
        entry: &StreamEntry,
        known: &Known,
        tally: &mut Tally,
    ) -> Step<List> {
        let Some(client) = self.job.client.clone() else {
            return Ok(List::There);
        };
        let collection = &entry.collection;
        let needed = match collection.parent {
            Some(_) => Depth::Everything,
            None => Depth::Lists,
        };
        let progress = Progress::begin(self, "collect", collection.stream);
        let client = client.counted();
        let told = client.clone();
        let tell = |more: collectors::Progress| progress.tell(more, told.waiting() as u64);
        let children = self.job.source.children_of(collection.stream);
        let task = collectors::Task {
            store: &self.runner.store,
            scope: &self.job.scope,
            client: client.clone(),
            range: Range {
                data_after: self.job.data_after,
                full: self.plan.depth >= needed,
                window: self.window,
                older_only: self.older_only,
            },
            rules: &self.job.rules,
            children: &children,
            read: &known.read,
            shared: &known.shared,
            parent: self.parent_of(collection),
            prefetched: self.job.prefetched.clone(),
            now: self.runner.clock.now(),
            cancel: self.job.cancel.clone(),
            progress: &tell,
        };
        let collecting = collectors::engine::run(&task, collection);
        let done = collecting.instrument(progress.span.clone()).await;
        let outcome = match &done {
            Ok(outcome) => *outcome,
            Err(error) => error.outcome,
        };
        let mut summary = StepSummary {
            items: outcome.items,
            written: outcome.written,
            removed: outcome.removed,
            rejected: outcome.rejected,
            requests: client.requests(),
            message: remarks(&outcome),
            ..StepSummary::default()
        };
        if matches!(&done, Err(error) if is_not_there(error)) {
            self.is_unknown = true;
        }
        let step = match done {
            Ok(_) => self
                .note_there(collection.stream)
                .await
                .map(|()| List::There),
            Err(error) if is_absent(&error, collection, client.is_anonymous()) => {
                let why = if client.is_anonymous() {
                    "; more may be shown to those with credentials"
                } else {
                    ""
                };
                summary.message = format!("{}{why}; what was collected before stays", error.kind);
                Ok(List::Absent)
            }
            Err(CollectError {
                kind: CollectErrorKind::StillAbsent,
                ..
            }) => Ok(List::Absent),
            Err(CollectError {
                kind: CollectErrorKind::SwitchedOff { error, is_new },
                ..
            }) => {
                if is_new {
                    summary.message = format!(
                        "{error}; the list is switched off there, or was never switched on; what \
                         was collected before stays"
                    );
                }
                Ok(List::Absent)
            }
            Err(error) => Err(self.collect_stop(&error, &mut summary, tally).await),
        };
        self.end(progress, summary, tally).await?;
        step
    }

    /// A repository that answers is not gone, whatever was noted before.
    async fn note_there(&self, stream: &str) -> Step<()> {
        if stream != REPOSITORIES {
            return Ok(());
        }
        let there = self
            .runner
            .store
            .set_source_gone(&self.job.scope, None)
            .await;
        there.map_err(|error| self.broken(&error))
    }

    /// What a failed collection means for the scope, the connection and the run.
    async fn collect_stop(
        &self,
        error: &CollectError,
        summary: &mut StepSummary,
        tally: &mut Tally,
    ) -> Stop {
        summary.state = "failed";
        summary.message = chain(error);
        let kind = match &error.kind {
            CollectErrorKind::Cancelled => {
                summary.state = "cancelled";
                return Stop::Scope;
            }
            CollectErrorKind::Store(error) => return Stop::from(error),
            CollectErrorKind::Restless(_)
            | CollectErrorKind::SwitchedOff { .. }
            | CollectErrorKind::StillAbsent => return Stop::Scope,
            CollectErrorKind::Request(request) | CollectErrorKind::GaveUp { last: request, .. } => {
                &request.kind
            }
        };
        match kind {
            RequestErrorKind::NotFound { .. } | RequestErrorKind::Forbidden { .. }
                if error.stream == REPOSITORIES =>
            {
                // Rows stay: a repository may be hidden from these credentials for a while.
                let gone = self
                    .runner
                    .store
                    .set_source_gone(&self.job.scope, Some(self.runner.clock.now()))
                    .await;
                if let Err(error) = gone {
                    return self.broken(&error);
                }
                tally.refused();
            }
            RequestErrorKind::Unauthorized { .. }
            | RequestErrorKind::ConsumerRefused { .. }
            | RequestErrorKind::Forbidden { .. } => {
                tally.refused();
            }
            RequestErrorKind::LedgerInUse(_) => return Stop::Leased,
            _ => {}
        }
        let is_anonymous = self.job.client.as_ref().is_some_and(Client::is_anonymous);
        match error.kind.verdict() {
            // Without credentials one repository may be refused and the next one be public.
            Verdict::Stop if !is_anonymous => Stop::Connection,
            _ => Stop::Scope,
        }
    }
}

/// What a run has found out of a scope's lists.
#[derive(Default)]
struct Known {
    /// Streams whose lists were read, or found not to be due or not to be there.
    read: Vec<&'static str>,
    /// Lists that hold the items of several streams.
    shared: SharedLists,
}

/// Whether the server has a list at all.
#[derive(Clone, Copy, PartialEq, Eq)]
enum List {
    There,
    Absent,
}

/// A list that need not be there is not. What a workspace has of its own takes a permission that
/// are optional; and without credentials some of what a public repository has is not public.
fn is_absent(
    error: &CollectError,
    collection: &collectors::Collection,
    is_anonymous: bool,
) -> bool {
    let CollectErrorKind::Request(error) = &error.kind else {
        return false;
    };
    let may_be_refused = is_anonymous && collection.stream != REPOSITORIES;
    match error.kind {
        RequestErrorKind::NotFound { .. } | RequestErrorKind::Gone { .. } => {
            collection.endpoint.optional
        }
        RequestErrorKind::Forbidden { .. } => collection.of_workspace || may_be_refused,
        RequestErrorKind::Unauthorized { .. } => may_be_refused,
        _ => false,
    }
}

/// Whether the server says that there is no such thing.
fn is_not_there(error: &CollectError) -> bool {
    let collectors::CollectErrorKind::Request(error) = &error.kind else {
        return false;
    };
    matches!(
        error.kind,
        RequestErrorKind::NotFound { .. } | RequestErrorKind::Gone { .. }
    )
}

/// What the outcome of a step should not pass over.
fn remarks(outcome: &Collected) -> String {
    let doubt = outcome.bulk_list_defect.map(|doubt| {
        format!("the list of the whole repository did not serve ({doubt}): read one by one")
    });
    let carried = outcome.carried_defect.map(|doubt| {
        format!("what the activity has of them did not serve ({doubt}): read one by one")
    });
    let lost = Some(lost(outcome.lost)).filter(|lost| !lost.is_empty());
    let remarks: Vec<String> = doubt.into_iter().chain(carried).chain(lost).collect();
    remarks.join("; ")
}

fn lost(parents: u64) -> String {
    match parents {
        0 => String::new(),
        _ => format!(
            "{} no longer known to the server; what was collected of them stays",
            crate::report::counted(parents, "list is", "lists are")
        ),
    }
}

//! What a person or a machine sees of a run while it goes on.
//!
//! Engines tell what happens as [`Event`]s; a [`Reporter`] decides how that looks. The names of
//! events and their fields are documented in `docs/events.md` and do not change silently.

mod bars;
mod digest;
mod json;
mod lines;
pub mod times;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::clock::Clock;
use crate::estimate::Estimate;
use crate::output;

pub use bars::Bars;
pub use json::Json;
pub(crate) use lines::with_commas;
pub use lines::{Lines, counted};

/// Where something happens.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct Place {
    /// Name of the connection and full name of the repository: `acme-cloud:acme/widgets`.
    pub scope: String,
    /// `collect`, `extract` or `convert`.
    pub stage: &'static str,
    /// The stream, or the conversion.
    pub stream: &'static str,
}

/// What a step did.
#[derive(Clone, Debug, Default, Serialize, PartialEq)]
pub struct StepSummary {
    /// `success`, `partial`, `failed` or `cancelled`.
    pub state: &'static str,
    /// Items or rows read.
    pub items: u64,
    /// Rows inserted or updated.
    pub written: u64,
    /// Rows removed.
    pub removed: u64,
    /// Items that could not be processed; they are tried again by the next run.
    pub rejected: u64,
    /// Names of what is not there, such as unknown issues; they stay as they are.
    pub unknown: u64,
    /// Requests sent.
    pub requests: u64,
    /// Short commit hashes in these rows that no commit of the repository begins with.
    pub unknown_hashes: u64,
    /// Short commit hashes in these rows that several commits of the repository begin with.
    pub ambiguous_hashes: u64,
    /// How long it took.
    pub seconds: f64,
    /// Why it is not a success, or what else a person should know; empty for most.
    pub message: String,
    /// The run before had the same message of this step, and it went well then, too: no news.
    pub said_before: bool,
}

/// What a run did with one repository.
#[derive(Clone, Debug, Default, Serialize, PartialEq)]
pub struct ScopeSummary {
    /// `success`, `partial`, `failed` or `cancelled`.
    pub state: &'static str,
    /// Items that were new or different, by stream; streams without any are left out.
    pub changed: BTreeMap<&'static str, u64>,
    /// Rows inserted or updated, over all tables.
    pub written: u64,
    /// Rows removed, over all tables.
    pub removed: u64,
    /// Items that could not be processed.
    pub rejected: u64,
    /// Requests sent.
    pub requests: u64,
    /// How long it took.
    pub seconds: f64,
}

/// What a run did.
#[derive(Clone, Debug, Default, Serialize, PartialEq)]
pub struct RunSummary {
    /// `success`, `partial`, `failed` or `cancelled`.
    pub state: &'static str,
    /// The program's exit code.
    pub exit_code: u8,
    /// Scopes worked on.
    pub scopes: u64,
    /// Scopes that did not succeed.
    pub scopes_failed: u64,
    /// Of these, workspaces, and connections whose repositories could not be listed.
    pub others_failed: u64,
    /// Rows inserted or updated, over all tables.
    pub written: u64,
    /// Rows removed, over all tables.
    pub removed: u64,
    /// Items that could not be processed.
    pub rejected: u64,
    /// Requests sent.
    pub requests: u64,
    /// How long it took.
    pub seconds: f64,
}

/// Something that happened in a run.
#[derive(Clone, Debug, Serialize, PartialEq)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A run began.
    RunStarted {
        /// The command.
        command: &'static str,
        /// Scopes it will work on.
        scopes: u64,
    },
    /// Something a person should know; the run goes on.
    Notice {
        /// The sentence.
        message: String,
    },
    /// What collecting over a connection is going to cost, as far as that is known before.
    Estimate {
        /// Name of the connection.
        connection: String,
        /// What it costs.
        #[serde(flatten)]
        estimate: Estimate,
    },
    /// No request goes out for a minute or more.
    RateLimited {
        /// Name of the connection.
        connection: String,
        /// When requests go on (UTC).
        until: DateTime<Utc>,
        /// `budget`: as many were sent as an hour may have; `server`: the server asked for a pause.
        cause: &'static str,
    },
    /// Another minute of such a wait passed.
    RateWaiting {
        /// Name of the connection.
        connection: String,
        /// When requests go on (UTC).
        until: DateTime<Utc>,
        /// Seconds until then.
        seconds: u64,
    },
    /// For another minute requests went out evenly, as the budget of the hour allows it.
    RatePaced {
        /// Name of the connection.
        connection: String,
        /// When the last request is sent, as it was estimated (UTC).
        finishes_at: DateTime<Utc>,
        /// Seconds until then.
        seconds: u64,
    },
    /// Requests of a connection go out again after such a wait.
    RateResumed {
        /// Name of the connection.
        connection: String,
    },
    /// A step began.
    StepStarted {
        /// Where.
        #[serde(flatten)]
        place: Place,
    },
    /// A step goes on.
    StepProgress {
        /// Where.
        #[serde(flatten)]
        place: Place,
        /// Items done so far.
        items: u64,
        /// Units done so far, when the total is known: parents of a child stream, else items.
        done: u64,
        /// Units in all; none while unknown.
        expected: Option<u64>,
        /// Requests that wait for the rate limit now.
        waiting: u64,
    },
    /// A step ended.
    StepFinished {
        /// Where.
        #[serde(flatten)]
        place: Place,
        /// What it did.
        #[serde(flatten)]
        summary: StepSummary,
    },
    /// All steps of a repository ended.
    ScopeFinished {
        /// Name of the connection and full name of the repository: `acme-cloud:acme/widgets`.
        scope: String,
        /// What the run did with it.
        #[serde(flatten)]
        summary: ScopeSummary,
    },
    /// A run ended.
    RunFinished {
        /// What it did.
        #[serde(flatten)]
        summary: RunSummary,
    },
}

/// An event, with when it happened and in which run.
#[derive(Clone, Debug, Serialize, PartialEq)]
pub struct Report {
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
    /// Number of the run in the database; none before one has begun.
    pub run: Option<i64>,
    /// When (UTC).
    pub at: DateTime<Utc>,
}

/// Shows events.
pub trait Reporter: Send + Sync {
    /// Shows one event.
    fn event(&self, report: &Report);

    /// Shows where the data is and what to do next, when a command ends. It is no event.
    fn closing(&self, _: &str) {}
}

/// Everything that follows a run. Each reporter is given every event, with the run and the time.
/// Clones share the reporters: one that is added is given the events of all clones from then on.
#[derive(Clone)]
pub struct Reporters {
    all: Arc<RwLock<Vec<Arc<dyn Reporter>>>>,
    clock: Clock,
    run: Option<i64>,
}

impl Reporters {
    /// One reporter, to begin with.
    #[must_use]
    pub fn of(reporter: Arc<dyn Reporter>, clock: &Clock) -> Self {
        Self {
            all: Arc::new(RwLock::new(vec![reporter])),
            clock: clock.clone(),
            run: None,
        }
    }

    /// The same reporters, for the events of a run.
    #[must_use]
    pub fn of_run(&self, run: i64) -> Self {
        Self {
            run: Some(run),
            ..self.clone()
        }
    }

    /// Adds a reporter, also while a run is under way.
    pub fn add(&self, reporter: Arc<dyn Reporter>) {
        let mut all = self.all.write().unwrap_or_else(PoisonError::into_inner);
        all.push(reporter);
    }

    /// Gives all reporters what a command ends with.
    pub fn closing(&self, line: &str) {
        let all = self.all.read().unwrap_or_else(PoisonError::into_inner);
        for reporter in all.iter() {
            reporter.closing(line);
        }
    }

    /// Gives an event to all reporters.
    pub fn event(&self, event: &Event) {
        let report = Report {
            event: event.clone(),
            run: self.run,
            at: self.clock.now(),
        };
        let all = self.all.read().unwrap_or_else(PoisonError::into_inner);
        for reporter in all.iter() {
            reporter.event(&report);
        }
    }
}

/// Shows nothing.
pub struct Silent;

impl Reporter for Silent {
    fn event(&self, _: &Report) {}
}

/// Shows notices and what went wrong, where it happens.
pub struct Troubles;

impl Reporter for Troubles {
    fn event(&self, report: &Report) {
        match &report.event {
            Event::Notice { message } => output::note(message),
            Event::StepFinished { place, summary } if !summary.message.is_empty() => {
                output::note(lines::step_line(place, summary));
            }
            _ => {}
        }
    }
}

/// Shows only what went wrong, and nothing when all went well.
#[derive(Default)]
pub struct Quiet {
    /// What explains a run that did not go well, until it is known how this one went.
    held: Mutex<Vec<String>>,
}

impl Quiet {
    fn hold(&self, line: String) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.push(line);
    }

    fn take(&self) -> Vec<String> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut held)
    }

    fn show(&self) {
        for line in self.take() {
            output::note(line);
        }
    }
}

impl Reporter for Quiet {
    fn event(&self, report: &Report) {
        match &report.event {
            Event::Notice { message } => self.hold(message.clone()),
            Event::StepFinished { place, summary } if summary.state != "success" => {
                self.hold(lines::step_line(place, summary));
                self.show();
            }
            Event::RunFinished { summary } if summary.state != "success" => {
                self.hold(lines::run_line(summary));
                self.show();
            }
            Event::RunFinished { .. } => drop(self.take()),
            _ => {}
        }
    }
}

/// What no run decided about is shown: a command without one, or one that ended before its run.
impl Drop for Quiet {
    fn drop(&mut self) {
        self.show();
    }
}

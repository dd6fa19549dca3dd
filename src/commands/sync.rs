//! `sync` and its parts.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::closing::Closing;
use super::plan;
use crate::cli::{CollectArgs, Format, ScopeArgs, Shared, StreamArgs};
use crate::clock::Clock;
use crate::config::DataAfter;
use crate::connect::Connector;
use crate::context::{Context, NeedsFile, Stopping, reporter, say_next};
use crate::entities::require_wanted;
use crate::exit::{Exit, Failure};
use crate::output;
use crate::plan::{Depth, Plan, Stages, choose_streams};
use crate::resolve::Selection;
use crate::session::{Session, SyncRequest};

/// The last line of an interrupted run.
const GOES_ON: &str = "interrupted: everything that arrived is kept. `headwater sync` goes on where \
                       this run stopped; `headwater transform` makes tables of what is there, \
                       without a request";

/// The same where the tables were made.
const GOES_ON_FROM_TABLES: &str = "interrupted: everything that arrived is kept, and the tables \
                                   have it. `headwater sync` goes on where this run stopped";

/// How long an interrupted run may make tables of what arrived: with what it takes to stop before
/// and after, it ends within ten seconds, after which `docker stop` would kill it.
const MAKES_TABLES_FOR: Duration = Duration::from_secs(6);

/// The last line of an interrupted run that makes no requests.
const TRANSFORM_GOES_ON: &str = "interrupted: everything that was written is kept. \
                                 `headwater transform` goes on where this run stopped";

pub(super) async fn sync(shared: &Shared, arguments: CollectArgs) -> Result<Exit, Failure> {
    collect_with(shared, ("sync", Stages::ALL), arguments).await
}

pub(super) async fn collect(shared: &Shared, arguments: CollectArgs) -> Result<Exit, Failure> {
    collect_with(shared, ("collect", Stages::COLLECT), arguments).await
}

async fn collect_with(
    shared: &Shared,
    (command, stages): (&'static str, Stages),
    arguments: CollectArgs,
) -> Result<Exit, Failure> {
    let online = Online {
        command,
        stages,
        scopes: arguments.scopes,
        streams: arguments.streams,
        depth: if arguments.full {
            Depth::Everything
        } else {
            Depth::Changes
        },
        since: arguments.since,
        only_plans: arguments.plan,
    };
    online.run(shared).await
}

/// The arguments of a command that collects.
pub(super) struct Online {
    pub(super) command: &'static str,
    pub(super) stages: Stages,
    pub(super) scopes: ScopeArgs,
    pub(super) streams: StreamArgs,
    pub(super) depth: Depth,
    /// How far back, as it was written.
    pub(super) since: Option<String>,
    /// Only shows what would be done.
    pub(super) only_plans: bool,
}

impl Online {
    /// Collects, and runs what follows.
    pub(super) async fn run(self, shared: &Shared) -> Result<Exit, Failure> {
        let stopping = Stopping::by_signals(GOES_ON);
        let cancel = stopping.token.clone();
        let context = Context::load(shared, NeedsFile::Yes)?;
        let connections = context.config.require_connections();
        connections.map_err(|error| Failure::new(Exit::Configuration, error.to_string()))?;
        let sources = &context.sources;
        let since = self.since.as_deref();
        let request = SyncRequest {
            plan: Plan {
                command: self.command,
                stages: self.stages,
                streams: choose_streams(sources, &self.streams.only, &self.streams.skip)?,
                depth: self.depth,
            },
            selection: Selection::parse(&self.scopes.scopes)?,
            since: since
                .map(|text| read_since(text, &context.clock))
                .transpose()?,
            run: None,
        };
        require_wanted(&context.config, sources, &self.streams.only)?;
        if self.only_plans {
            return plan::show(&context, (&request, None), (shared, Format::Table)).await;
        }
        let (store, _lock) = context.open_unless_cancelled(self.command, &cancel).await?;
        let connector = context.connector(&store).await?;
        let session = context.session(&store, connector, reporter(shared), cancel);
        let began = context.clock.now();
        let done = Box::pin(session.sync(&request)).await;
        let (exit, summary) = done.map_err(|failure| failure.naming(&context.database))?;
        let goes_on = if exit == Exit::Cancelled && self.stages.convert {
            transform_what_arrived(&session, &request, &stopping).await
        } else {
            GOES_ON
        };
        store.close().await?;
        let closing = Closing {
            config: &context.config,
            database: &context.database.to_string(),
            command: self.command,
            converts: self.stages.convert,
            began,
            ended: context.clock.now(),
        };
        for line in closing.lines(exit, &summary) {
            session.reporter.closing(&line);
        }
        if exit == Exit::Cancelled {
            say_next(goes_on);
        }
        Ok(exit)
    }
}

/// Makes tables of what an interrupted run collected, as far as that is done soon. Returns the last
/// line, which says how to go on.
async fn transform_what_arrived(
    session: &Session,
    request: &SyncRequest,
    stopping: &Stopping,
) -> &'static str {
    let session = Session {
        cancel: stopping.allow(MAKES_TABLES_FOR),
        ..session.clone()
    };
    let plan = Plan {
        command: "transform",
        stages: Stages::OFFLINE,
        ..request.plan.clone()
    };
    match Box::pin(session.transform(&plan, &request.selection)).await {
        Ok((Exit::Ok | Exit::Partial, _)) => GOES_ON_FROM_TABLES,
        Ok(_) => GOES_ON,
        // Of a repository that is not known yet nothing has arrived.
        Err(failure) if failure.exit == Exit::Usage => GOES_ON,
        Err(failure) => {
            output::note(format_args!("headwater: {}", failure.chain()));
            GOES_ON
        }
    }
}

fn read_since(text: &str, clock: &Clock) -> Result<DateTime<Utc>, Failure> {
    let after: DataAfter = text.parse().map_err(|error| {
        Failure::usage(format!("--since {text}: {error}; write --since 2026-01-31"))
    })?;
    Ok(after.resolve(clock.now()))
}

pub(super) async fn extract(
    shared: &Shared,
    scopes: ScopeArgs,
    streams: StreamArgs,
) -> Result<Exit, Failure> {
    offline(shared, scopes, streams, ("extract", Stages::EXTRACT)).await
}

pub(super) async fn convert(shared: &Shared, scopes: ScopeArgs) -> Result<Exit, Failure> {
    let all = StreamArgs {
        only: Vec::new(),
        skip: Vec::new(),
    };
    offline(shared, scopes, all, ("convert", Stages::CONVERT)).await
}

pub(super) async fn transform(
    shared: &Shared,
    scopes: ScopeArgs,
    streams: StreamArgs,
) -> Result<Exit, Failure> {
    offline(shared, scopes, streams, ("transform", Stages::OFFLINE)).await
}

async fn offline(
    shared: &Shared,
    scopes: ScopeArgs,
    streams: StreamArgs,
    (command, stages): (&'static str, Stages),
) -> Result<Exit, Failure> {
    let cancel = Stopping::by_signals(TRANSFORM_GOES_ON).token;
    let context = Context::load(shared, NeedsFile::No)?;
    context.require_database()?;
    let plan = Plan {
        command,
        stages,
        streams: choose_streams(&context.sources, &streams.only, &streams.skip)?,
        depth: Depth::Changes,
    };
    let selection = Selection::parse(&scopes.scopes)?;
    let (store, _lock) = context.open_unless_cancelled(command, &cancel).await?;
    let connector = Connector::new(context.place(), &context.sources);
    let session = context.session(&store, connector, reporter(shared), cancel);
    let done = session.transform(&plan, &selection).await;
    let (exit, _) = done.map_err(|failure| failure.naming(&context.database))?;
    store.close().await?;
    if exit == Exit::Cancelled {
        say_next(TRANSFORM_GOES_ON);
    }
    Ok(exit)
}

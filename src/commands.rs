//! The commands: what each does, in the order of the command line's help.

mod catalogue;
mod closing;
mod configuration;
mod connection;
mod dead_letters;
mod demo;
mod diff;
mod doctor;
mod explain;
mod forget;
mod import;
pub(crate) mod metrics;
mod migrate;
mod people;
mod plan;
mod raw;
mod reconcile;
mod runs;
mod schedule;
mod scopes;
mod serve;
mod shell;
mod status;
mod sync;
mod table;
mod tags;
mod verify;

use std::io;
use std::time::Duration;

use futures::future::LocalBoxFuture;
use headwater_store::query::{self, QueryError};

use crate::cli::{
    Cli, Command, Format, MetricsCommand, QueryLimits, RawCommand, ScopesCommand, Shared,
};
use crate::clock::Clock;
use crate::context::{Context, NeedsFile, cancelled_by_signals};
use crate::database;
use crate::exit::{Exit, Failure};
use crate::output::{self, Printer, written};

/// Runs a command.
///
/// # Errors
/// With the exit code and what to do next.
#[must_use]
pub fn run(cli: Cli) -> LocalBoxFuture<'static, Result<Exit, Failure>> {
    // As a value behind a pointer it is compiled here, once, and not again in each program.
    Box::pin(dispatch(cli))
}

async fn dispatch(mut cli: Cli) -> Result<Exit, Failure> {
    let shared = cli.shared;
    if shared.json {
        cli.command.print_json();
    }
    // Boxed: each is a large future, and together they are deeper than the compiler looks.
    match cli.command {
        Command::Sync(arguments) => Box::pin(sync::sync(&shared, arguments)).await,
        Command::Collect(arguments) => Box::pin(sync::collect(&shared, arguments)).await,
        Command::Extract { scopes, streams } => {
            Box::pin(sync::extract(&shared, scopes, streams)).await
        }
        Command::Convert { scopes } => Box::pin(sync::convert(&shared, scopes)).await,
        Command::Transform { scopes, streams } => {
            Box::pin(sync::transform(&shared, scopes, streams)).await
        }
        Command::Reconcile(arguments) => Box::pin(reconcile::reconcile(&shared, arguments)).await,
        Command::Verify {
            whole,
            skip,
            limit,
            format,
        } => Box::pin(verify::verify(&shared, (whole, skip), limit, format)).await,
        Command::DeadLetters { scopes, format } => {
            Box::pin(dead_letters::dead_letters(&shared, scopes, format)).await
        }
        Command::Status(arguments) => Box::pin(status::status(&shared, arguments)).await,
        Command::Explain(arguments) => Box::pin(explain::run(&shared, arguments)).await,
        Command::Doctor { project, format } => {
            Box::pin(doctor::doctor(&shared, project.as_deref(), format)).await
        }
        Command::Tags { scope, format } => Box::pin(tags::tags(&shared, &scope, format)).await,
        Command::Diff {
            scope,
            range,
            format,
        } => Box::pin(diff::diff(&shared, &scope, &range, format)).await,
        Command::Metrics(MetricsCommand::Refresh { project, step }) => {
            let step = step.map(crate::cli::MetricsStep::step);
            Box::pin(metrics::refresh(&shared, project.as_deref(), step)).await
        }
        Command::Metrics(MetricsCommand::Dora(arguments)) => {
            Box::pin(metrics::dora(&shared, arguments)).await
        }
        Command::Query {
            sql,
            limits,
            format,
        } => Box::pin(run_query(&shared, sql, &limits, format)).await,
        Command::Tables { name, format } => catalogue::tables(name.as_deref(), format),
        Command::Streams { markdown, format } => catalogue::streams(markdown, format),
        Command::Raw(RawCommand::Import {
            table,
            file,
            format,
        }) => Box::pin(raw::import(&shared, &table, &file, format)).await,
        Command::Raw(RawCommand::Export {
            table,
            file,
            scope,
            format,
        }) => Box::pin(raw::export(&shared, &table, file.as_deref(), scope, format)).await,
        Command::Import(command) => Box::pin(import::import(&shared, command)).await,
        Command::People(command) => Box::pin(people::people(&shared, command)).await,
        Command::Plan { project, format } => {
            Box::pin(plan::plan(&shared, project.as_deref(), format)).await
        }
        Command::Table(command) => Box::pin(table::table(&shared, command)).await,
        Command::Serve(arguments) => Box::pin(serve::serve(&shared, arguments)).await,
        Command::Schedule(arguments) => Box::pin(schedule::schedule(&shared, arguments)).await,
        Command::Runs(arguments) => Box::pin(runs::runs(&shared, arguments)).await,
        Command::Migrate { status, dry_run } => {
            Box::pin(migrate::migrate(&shared, status, dry_run)).await
        }
        Command::Init(arguments) => configuration::init(&shared, arguments),
        Command::Config(command) => configuration::config(&shared, &command),
        Command::Connection(command) => Box::pin(connection::connection(&shared, command)).await,
        Command::Scopes {
            command: Some(ScopesCommand::Forget { scope }),
            ..
        } => Box::pin(forget::forget(&shared, &scope)).await,
        Command::Scopes {
            command: None,
            name,
            search,
            format,
        } => {
            let name = name.unwrap_or_default();
            Box::pin(scopes::scopes(&shared, &name, search.as_deref(), format)).await
        }
        Command::Completions { shell } => shell::completions(shell),
        Command::Man { output } => shell::man(&shared, output.as_deref()),
        Command::Demo(arguments) => {
            let cancel = cancelled_by_signals();
            Box::pin(demo::run(&shared, arguments, Clock::system(), cancel)).await
        }
    }
}

pub use catalogue::streams_markdown;

/// Starts logging to standard error: our own warnings, with `--verbose` requests, twice
/// everything, also of libraries. In colours where [`output::wants_colours`] says so.
///
/// `RUST_LOG` overrides what is logged.
pub fn start_logging(verbose: u8) {
    use tracing_subscriber::EnvFilter;
    // What libraries log is for those who develop them; their errors come back in ours.
    let default = match verbose {
        0 => "off,headwater=warn",
        1 => "off,headwater=debug",
        _ => "debug",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let coloured = output::wants_colours(&io::stderr());
    let started = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(coloured)
        .with_writer(output::Log { coloured })
        .log_internal_errors(false)
        .try_init();
    // Only a second start can fail; the first one then goes on logging.
    drop(started);
}

async fn run_query(
    shared: &Shared,
    sql: String,
    limits: &QueryLimits,
    format: Format,
) -> Result<Exit, Failure> {
    let context = Context::load(shared, NeedsFile::No)?;
    context.require_database()?;
    let sql = if sql == "-" {
        io::read_to_string(io::stdin())
            .map_err(|error| Failure::because(Exit::Failed, "reading standard input", error))?
    } else {
        sql
    };
    let mut printer = Printer::new(format, io::BufWriter::new(output::data()));
    let limits = query::Limits {
        time: Duration::from_secs(limits.max_seconds.max(1)),
        rows: limits.max_rows,
        bytes: limits.max_memory.clamp(1, 1 << 20) << 20,
        cancel: cancelled_by_signals(),
    };
    let answered = database::query_within(&context.database, &sql, &mut printer, &limits).await;
    let why = match &answered {
        Ok(()) => String::new(),
        Err(error) => error.to_string(),
    };
    let (exit, next) = match answered {
        Ok(()) => return written(printer.finish()),
        Err(QueryError::Output(error)) => return written(Err(error)),
        Err(QueryError::Refused(why)) => {
            // Where there are no tables, that is why.
            if let Ok(None) = context.open_if_made().await {
                return Err(context.no_tables());
            }
            let message = format!("{why}; `headwater tables` lists tables and columns");
            return Err(Failure::usage(message));
        }
        Err(error @ QueryError::Open(..)) => {
            return Err(database::not_opened(&context.database, error));
        }
        Err(QueryError::Cancelled) => (Exit::Cancelled, ""),
        Err(QueryError::TooLong(_)) => (Exit::Failed, "; --max-seconds allows more"),
        Err(QueryError::TooMany(_)) => (Exit::Failed, "; --max-rows allows more"),
        Err(QueryError::TooLarge(_)) => (Exit::Failed, "; --max-memory allows more"),
    };
    // The rows that came are whole, and stay readable.
    written(printer.finish())?;
    Err(Failure::new(exit, format!("{why}{next}")))
}

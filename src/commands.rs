//! The commands: what each does, in the order of the command line's help.

mod catalogue;
mod configuration;
mod connection;
mod dead_letters;
mod demo;
mod diff;
mod explain;
mod raw;
mod reconcile;
mod scopes;
mod status;
mod sync;
mod tags;
mod verify;

use std::io;

use futures::future::LocalBoxFuture;
use headwater_store::query;

use crate::cli::{Cli, Command, ConfigCommand, ConnectionCommand, Format, RawCommand, Shared};
use crate::context::{Context, NeedsFile, cancelled_by_signals, reporter};
use crate::database;
use crate::exit::{Exit, Failure};
use crate::output::{Printer, written};

/// Runs a command.
///
/// # Errors
/// With the exit code and what to do next.
pub fn run(cli: Cli) -> LocalBoxFuture<'static, Result<Exit, Failure>> {
    // As a value behind a pointer it is compiled here, once, and not again in each program.
    Box::pin(dispatch(cli))
}

async fn dispatch(cli: Cli) -> Result<Exit, Failure> {
    let shared = cli.shared;
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
            limit,
            format,
        } => Box::pin(verify::verify(&shared, whole, limit, format)).await,
        Command::DeadLetters { scopes, format } => {
            Box::pin(dead_letters::dead_letters(&shared, scopes, format)).await
        }
        Command::Status { scopes, format } => {
            Box::pin(status::status(&shared, scopes, format)).await
        }
        Command::Explain { kind, id, format } => {
            Box::pin(explain::explain(&shared, kind, &id, format)).await
        }
        Command::Tags { scope, format } => Box::pin(tags::tags(&shared, &scope, format)).await,
        Command::Diff {
            scope,
            range,
            format,
        } => Box::pin(diff::diff(&shared, &scope, &range, format)).await,
        Command::Query { sql, format } => Box::pin(run_query(&shared, sql, format)).await,
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
        Command::Migrate { status, dry_run } => Box::pin(migrate(&shared, status, dry_run)).await,
        Command::Init { force } => configuration::init(&shared, force),
        Command::Config(ConfigCommand::Check) => configuration::check(&shared),
        Command::Config(ConfigCommand::Schema) => configuration::schema(),
        Command::Connection(ConnectionCommand::Test { name }) => {
            Box::pin(connection::test(&shared, name.as_deref())).await
        }
        Command::Scopes {
            name,
            search,
            format,
        } => Box::pin(scopes::scopes(&shared, &name, search.as_deref(), format)).await,
        Command::Demo { output } => {
            let narrate = !(shared.json || shared.quiet);
            let reporter = reporter(&shared);
            Box::pin(demo::run(reporter, cancelled_by_signals(), output, narrate)).await
        }
    }
}

pub use catalogue::streams_markdown;

/// Starts logging to standard error: warnings, with `--verbose` requests, twice everything.
///
/// `RUST_LOG` overrides what is logged.
pub fn start_logging(verbose: u8) {
    use tracing_subscriber::EnvFilter;
    let default = match verbose {
        0 => "warn",
        1 => "warn,headwater=debug,headwater_collectors=debug",
        _ => "debug",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let started = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .try_init();
    // Only a second start can fail; the first one then goes on logging.
    drop(started);
}

async fn run_query(shared: &Shared, sql: String, format: Format) -> Result<Exit, Failure> {
    let context = Context::load(shared, NeedsFile::No)?;
    context.require_database()?;
    let sql = if sql == "-" {
        io::read_to_string(io::stdin())
            .map_err(|error| Failure::because(Exit::Failed, "reading standard input", error))?
    } else {
        sql
    };
    let mut printer = Printer::new(format, io::BufWriter::new(io::stdout().lock()));
    let answered = database::query(&context.database, &sql, &mut printer).await;
    let outcome = match answered {
        Ok(()) => printer.finish(),
        Err(query::QueryError::Output(error)) => Err(error),
        Err(error @ query::QueryError::Refused(_)) => {
            return Err(Failure::usage(format!(
                "{error}; `headwater tables` lists tables and columns"
            )));
        }
        Err(error) => return Err(Failure::because(Exit::Failed, "the query failed", error)),
    };
    written(outcome)
}

async fn migrate(shared: &Shared, status: bool, dry_run: bool) -> Result<Exit, Failure> {
    let context = Context::load(shared, NeedsFile::No)?;
    let failed = |error| Failure::because(Exit::Failed, "the schema is not usable", error);
    if status || dry_run {
        // A missing file is read as an empty database, and stays missing.
        let file = context.database.sqlite_path();
        let store = if file.is_some_and(|file| !file.exists()) {
            headwater_store::Store::open_in_memory().await?
        } else {
            database::connect(&context.database).await?
        };
        let connection = store.connection();
        if status {
            for change in headwater_migrations::status(connection)
                .await
                .map_err(failed)?
            {
                let state = if change.applied { "applied" } else { "pending" };
                println!("{state}  {}", change.name);
            }
        } else {
            let pending = headwater_migrations::pending_statements(connection).await;
            for statement in pending.map_err(failed)? {
                println!("{statement};");
            }
        }
        store.close().await?;
        return Ok(Exit::Ok);
    }
    let _lock = database::lock(&context.database, "migrate", context.clock.now())?;
    let store = database::connect(&context.database).await?;
    match database::migrate(&store, &context.database).await? {
        0 => println!("{} is up to date", context.database),
        count => println!("{}: {count} changes applied", context.database),
    }
    // So that the file has everything, and no log stays beside it.
    store.close().await?;
    Ok(Exit::Ok)
}

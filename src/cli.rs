//! The command line.

mod arguments;
mod command;
mod files;
mod help;
mod metrics;
mod serving;
mod setting_up;

use std::path::PathBuf;

use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser};

use crate::exit::Exit;
use crate::output;

pub use arguments::{
    CollectArgs, DemoArgs, DiffFormat, ExplainArgs, Explainable, Format, QueryLimits, ScopeArgs,
    StatusArgs, StreamArgs, Subject, WholeArgs,
};
pub use command::Command;
pub use files::{ImportCommand, PeopleCommand, RawCommand, RawFormat, TableCommand};
pub use help::command;
pub use metrics::{DoraArgs, GroupBy, MetricsCommand, MetricsStep, Report, ReportFormat};
pub use serving::{RunsArgs, RunsCommand, ScheduleArgs, ScheduleCommand, ServeArgs};
pub use setting_up::{ConfigCommand, ConnectionCommand, InitArgs, ScopesCommand};

/// Moves engineering data from Bitbucket to tables that answer questions.
///
/// Start with `headwater demo`: it needs no account. Then `headwater init` writes a configuration
/// file, `headwater sync` collects what it names, and `headwater query` answers in SQL.
#[derive(Debug, Parser)]
#[command(name = "headwater", version = env!("HEADWATER_VERSION"), arg_required_else_help = true)]
#[command(after_help = "Exit codes: 0 ok, 2 usage, 3 configuration or an input \
file, 4 credentials or permissions, 5 partial (some items or repositories failed and are tried \
again; verify and doctor: something was found), 6 failed, 7 another process works on the database or a repository, 130 cancelled.")]
pub struct Cli {
    /// What all commands share.
    #[command(flatten)]
    pub shared: Shared,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Clone, Debug, Args)]
pub struct Shared {
    /// Configuration file [default: ./headwater.toml]
    #[arg(long, global = true, env = "HEADWATER_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Database, instead of the configured one: sqlite:PATH
    #[arg(long, global = true, value_name = "URL")]
    pub database: Option<String>,
    /// Print data as JSON, and events of a run as lines of JSON (docs/events.md)
    #[arg(long, global = true)]
    pub json: bool,
    /// Print only what went wrong
    #[arg(long, short, global = true, conflicts_with_all = ["json", "verbose"])]
    pub quiet: bool,
    /// Print every step and log requests to standard error; twice: everything
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

/// Reads the command line of this process.
///
/// # Errors
/// Help that was asked for, or what is wrong with the command line.
pub fn parse() -> Result<Cli, clap::Error> {
    Cli::from_arg_matches(&command().try_get_matches()?)
}

/// The command line without our own page of help, for what lays it out itself.
#[must_use]
pub fn plain_command() -> clap::Command {
    Cli::command()
}

/// Prints the help, or what is wrong with a command line.
#[must_use]
pub fn print(message: &clap::Error) -> Exit {
    let printed = message.print();
    match (message.use_stderr(), printed) {
        (true, _) => Exit::Usage,
        (false, Err(error)) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            output::note(format_args!(
                "headwater: standard output could not be written: {error}"
            ));
            Exit::Failed
        }
        (false, _) => Exit::Ok,
    }
}

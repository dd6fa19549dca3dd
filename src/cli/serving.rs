//! Commands of a process that runs schedules, and of what it does.

use std::net::SocketAddr;

use clap::{Args, Subcommand};

use super::Format;

/// What `serve` takes.
#[derive(Clone, Debug, Args)]
pub struct ServeArgs {
    /// Where /healthz, /readyz and /metrics are; port 0 takes a free one. Anybody who reaches it can
    /// read the figures
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8686")]
    pub listen: SocketAddr,
    /// Runs worked on at the same time
    #[arg(long, value_name = "NUMBER", default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub parallel: u8,
}

/// What `schedule` takes.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct ScheduleArgs {
    /// Stops or restarts a schedule.
    #[command(subcommand)]
    pub command: Option<ScheduleCommand>,
    /// Only this project
    pub project: Option<String>,
    /// Times to list for each project
    #[arg(long, value_name = "NUMBER", default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=100))]
    pub next: u8,
    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// Stops or restarts a schedule.
#[derive(Debug, Subcommand)]
pub enum ScheduleCommand {
    /// Queue nothing for a project until `resume`, whatever its schedule says
    Pause {
        /// A project of the configuration
        project: String,
    },
    /// Let a paused schedule go on with its next time
    Resume {
        /// A project of the configuration
        project: String,
    },
}

/// What `runs` takes.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct RunsArgs {
    /// What to do with a run.
    #[command(subcommand)]
    pub command: Option<RunsCommand>,
    /// Only runs of this project
    #[arg(long, value_name = "NAME")]
    pub project: Option<String>,
    /// Runs that are listed, at most
    #[arg(long, value_name = "NUMBER", default_value_t = 20)]
    pub limit: u32,
    /// How to print them
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// What to do with a run.
#[derive(Debug, Subcommand)]
pub enum RunsCommand {
    /// One run with its steps
    ///
    /// Exit code: with `--follow` that of the run, as of `sync`; else 0.
    Show {
        /// Number of the run
        run: i64,
        /// Wait until it has ended, and print steps as they end
        #[arg(long)]
        follow: bool,
        /// How to print it
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Queue a run of a project now; a `serve` process works on it
    Start {
        /// A project of the configuration
        project: String,
    },
    /// End a run: one that waits at once, one that is under way after the page it writes
    Cancel {
        /// Number of the run
        run: i64,
    },
    /// Queue another run of a project whose run failed, was cancelled or is partial
    ///
    /// What arrived is kept, so that it costs what was missing.
    Retry {
        /// Number of the run
        run: i64,
    },
}

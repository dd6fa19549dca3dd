//! What several commands take, and what is too much for the list of commands.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::metrics;

/// How data is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Aligned columns, for people.
    #[default]
    Table,
    /// One array of objects.
    Json,
    /// Comma separated, with a header; no value is an empty field.
    Csv,
}

/// How a range of commits is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum DiffFormat {
    /// Aligned columns, for people.
    #[default]
    Table,
    /// One object; `commits` are the full hashes in order.
    Json,
    /// Comma separated, with a header; no value is an empty field.
    Csv,
    /// Release notes.
    Markdown,
}

/// Repositories a command works on.
#[derive(Clone, Debug, Args)]
pub struct ScopeArgs {
    /// Repositories: workspace/slug, connection:workspace/slug, or globs [default: all]
    #[arg(value_name = "SCOPE")]
    pub scopes: Vec<String>,
}

/// Streams a command works on.
#[derive(Clone, Debug, Args)]
pub struct StreamArgs {
    /// Only these streams (docs/streams.md), separated by commas
    #[arg(long, value_name = "STREAMS", value_delimiter = ',')]
    pub only: Vec<String>,
    /// All streams but these, separated by commas
    #[arg(long, value_name = "STREAMS", value_delimiter = ',')]
    pub skip: Vec<String>,
}

/// What `sync` and `collect` take.
#[derive(Clone, Debug, Args)]
pub struct CollectArgs {
    /// Which repositories.
    #[command(flatten)]
    pub scopes: ScopeArgs,
    /// Which streams.
    #[command(flatten)]
    pub streams: StreamArgs,
    /// Ask for everything again, and remove what is gone at the source
    #[arg(long)]
    pub full: bool,
    /// Collect what changed since this date, if that is further back than what is there:
    /// 2026-01-31, an RFC 3339 time, or "6 months"
    #[arg(long, value_name = "DATE")]
    pub since: Option<String>,
    /// Only print what would be done, step by step, with requests and time
    #[arg(long)]
    pub plan: bool,
}

/// What `status` takes.
#[derive(Clone, Debug, Args)]
pub struct StatusArgs {
    /// Which repositories.
    #[command(flatten)]
    pub scopes: ScopeArgs,
    /// A row for every step instead: what ran when, and how many rows there are
    #[arg(long)]
    pub steps: bool,
    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// What ends a query that asks for too much.
#[derive(Clone, Debug, Args)]
pub struct QueryLimits {
    /// Seconds that the query may take
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    pub max_seconds: u64,
    /// Rows that the answer may have
    #[arg(long, value_name = "ROWS", default_value_t = 10_000_000)]
    pub max_rows: u64,
    /// MiB that the database may use for it, where the database has such a limit
    #[arg(long, value_name = "MIB", default_value_t = 256)]
    pub max_memory: u64,
}

/// What `reconcile` and `verify` have in common.
#[derive(Clone, Debug, Args)]
pub struct WholeArgs {
    /// Which repositories.
    #[command(flatten)]
    pub scopes: ScopeArgs,
    /// Also read the comments, commits and activity of every pull request again, not only of
    /// those that changed
    #[arg(long)]
    pub deep: bool,
}

/// What is to be explained.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// What the id is of: deployment, task, issue, pull-request, incident or metric; or the
    /// address of a page, which says it
    #[arg(value_parser = subject)]
    pub kind: Subject,
    /// `acme/rocket#12` (of a deployment or a task the number of the build; `acme/rocket#12/Deploy`
    /// is a step of it), the address of its page, or a domain id; for `metric` the project
    pub id: Option<String>,
    /// For `metric`: `deployment_frequency`, `lead_time`, `change_failure_rate`,
    /// `failed_deployment_recovery_time`, `time_to_restore` or `rework_rate`
    pub metric: Option<String>,
    /// For `metric`: first day [default: six months before --to]
    #[arg(long, value_name = "DATE", value_parser = metrics::day, requires = "metric")]
    pub from: Option<chrono::NaiveDate>,
    /// For `metric`: day after the last one [default: tomorrow]
    #[arg(long, value_name = "DATE", value_parser = metrics::day, requires = "metric")]
    pub to: Option<chrono::NaiveDate>,
    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// What is asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A kind; the id follows.
    Kind(Explainable),
    /// The address of a page, which names both.
    Page(String),
}

fn subject(text: &str) -> Result<Subject, String> {
    if text.contains("://") {
        return Ok(Subject::Page(text.to_owned()));
    }
    Explainable::from_str(text, true)
        .map(Subject::Kind)
        .map_err(|_| {
            let kinds = Explainable::value_variants().iter();
            let kinds = kinds.filter_map(ValueEnum::to_possible_value);
            let kinds: Vec<String> = kinds.map(|kind| kind.get_name().to_owned()).collect();
            format!("is none of {}, and no address of a page", kinds.join(", "))
        })
}

/// What can be explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Explainable {
    /// A row of `cicd_deployments`.
    Deployment,
    /// A row of `cicd_tasks`.
    Task,
    /// A row of `issues`.
    Issue,
    /// A row of `pull_requests`, the commits it became, and its lead time.
    #[value(alias = "pr")]
    PullRequest,
    /// A row of `incidents`, and the deployment that caused it.
    Incident,
    /// A metric of a project, and the rows that it counts.
    Metric,
}

/// What the demo shows, and where.
#[derive(Clone, Debug, Args)]
pub struct DemoArgs {
    /// Where the demo's database goes [default: headwater-demo.db]; `--database` takes a server's
    #[arg(long, value_name = "FILE", conflicts_with = "database")]
    pub output: Option<PathBuf>,
    /// Which company: the same number gives the same one
    #[arg(long, value_name = "NUMBER", default_value_t = 2026)]
    pub seed: u64,
    /// The last day of the company (UTC), up to its evening [default: today, up to now]
    #[arg(long, value_name = "DATE")]
    pub as_of: Option<chrono::NaiveDate>,
}

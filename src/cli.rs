//! The command line.

mod metrics;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::exit::Exit;
use crate::output;

pub use metrics::{DoraArgs, GroupBy, MetricsCommand, MetricsStep, Report, ReportFormat};

/// Moves engineering data from Bitbucket to tables that answer questions.
///
/// Start with `headwater demo`: it needs no account. Then `headwater init` writes a configuration
/// file, `headwater sync` collects what it names, and `headwater query` answers in SQL.
#[derive(Debug, Parser)]
#[command(name = "headwater", version, arg_required_else_help = true)]
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
    /// Print events as lines of JSON (docs/events.md)
    #[arg(long, global = true)]
    pub json: bool,
    /// Print only what went wrong
    #[arg(long, short, global = true, conflicts_with_all = ["json", "verbose"])]
    pub quiet: bool,
    /// Print every step and log requests to standard error; twice: everything
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

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

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Collect, extract and convert what changed
    Sync(CollectArgs),
    /// Only collect: API pages to raw tables
    Collect(CollectArgs),
    /// Only extract: raw rows to tool tables, offline
    Extract {
        /// Which repositories.
        #[command(flatten)]
        scopes: ScopeArgs,
        /// Which streams.
        #[command(flatten)]
        streams: StreamArgs,
    },
    /// Only convert: tool rows to domain tables, offline
    Convert {
        /// Which repositories.
        #[command(flatten)]
        scopes: ScopeArgs,
    },
    /// Extract and convert, offline: everything that follows from the raw tables
    Transform {
        /// Which repositories.
        #[command(flatten)]
        scopes: ScopeArgs,
        /// Which streams are extracted.
        #[command(flatten)]
        streams: StreamArgs,
    },
    /// Find and repair what was deleted or silently edited at the source
    ///
    /// Reads every list as a whole. What is missing from a list is removed only when the server
    /// says that it is gone, or a second reading misses it too.
    Reconcile(WholeArgs),
    /// What `reconcile` would repair, without writing: every difference from a fresh first sync
    ///
    /// Exit code 0 when there is none, 5 when there are some. Requests count against the limit.
    Verify {
        /// Which repositories, and how thoroughly.
        #[command(flatten)]
        whole: WholeArgs,
        /// All streams but these, separated by commas: their rows are taken as they are
        #[arg(long, value_name = "STREAMS", value_delimiter = ',')]
        skip: Vec<String>,
        /// Differences that are listed, at most
        #[arg(long, value_name = "NUMBER", default_value_t = 100)]
        limit: usize,
        /// How to print them
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Items that could not be processed: where, why, how often they were tried
    DeadLetters {
        /// Which repositories.
        #[command(flatten)]
        scopes: ScopeArgs,
        /// How to print them
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// What ran when, how many rows, how fresh
    Status {
        /// Which repositories.
        #[command(flatten)]
        scopes: ScopeArgs,
        /// How to print it
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Why a deployment, a task, an issue, a pull request, an incident or a metric is what the
    /// tables say: every rule and its answer
    ///
    /// Reads the database and the configuration, and asks the rules of the configuration as it
    /// is now. A row of the answer is one look: which column is decided, the rule, the text that
    /// it looked at, whether it matches and why, and what that gives. Rows with the rule
    /// `verdict` say what came of it. If a verdict differs from the tables, the rules changed
    /// since: run `headwater transform`.
    ///
    /// Of a pull request the rows are the commits that it merged or became, with how each was
    /// found, as the last run stored them; or one row that says why none was. What projects
    /// measure comes behind that: the moments and minutes of a pull request, what a deployment
    /// shipped, repaired and caused, and which deployment caused an incident.
    ///
    /// Of a metric the rows are those that the number counts, so that they add up to it. An empty
    /// metric has its reason, and what to change.
    #[command(after_help = "Ids are those of the domain tables:\n  \
        headwater query \"SELECT id FROM cicd_deployments\"\n  \
        headwater explain deployment 'bitbucket:BitbucketDeployment:1:{uuid}'\n  \
        headwater explain task 'bitbucket:BitbucketPipelineStep:1:{uuid}'\n  \
        headwater explain issue 'bitbucket:BitbucketIssue:1:acme/rocket:7'\n  \
        headwater explain pull-request 'bitbucket:BitbucketPullRequest:1:acme/rocket:12'\n  \
        headwater explain pr acme/rocket#12\n  \
        headwater explain incident acme/rocket#7\n  \
        headwater explain metric shop lead_time --from 2026-01-01 --to 2026-04-01\n\n\
        A pipeline's id explains whether the pipeline is a deployment of its own. A step that was \
        skipped is no task; its id, 'bitbucket:BitbucketPipelineStep:CONNECTION:{uuid}', is \
        explained all the same. Quote ids: shells read braces.\n\n\
        Rules: docs/decisions/0031-rules-of-scopes.md, 0043-merges.md.")]
    Explain(ExplainArgs),
    /// What makes numbers wrong, empty or old, most harmful first, and what to write into
    /// headwater.toml
    ///
    /// Reads what is stored, and asks no server. Exit code 0 when nothing is found, 5 when
    /// something is. With `--json` each finding is one line.
    #[command(
        after_help = "Codes: PATTERN_NEVER_MATCHED, DEPLOYMENTS_WITHOUT_ENVIRONMENT, \
        MERGES_NOT_FOUND, SHORT_HASHES, TWO_PRODUCTION_ENVIRONMENTS, DEAD_LETTERS, CLOCK_SKEW \
        (wrong); PROJECT_WITHOUT_SCOPES, REPOSITORY_WITHOUT_DEPLOYMENTS, NO_INCIDENT_SOURCE \
        (empty); LIST_NOT_READ, TOKEN_EXPIRES, ENDPOINT_GOES (old)."
    )]
    Doctor {
        /// Only what concerns this project
        project: Option<String>,
        /// How to print it
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// The tags of a repository in the order of their versions, and which are compared
    ///
    /// Each tag is compared with the one below it in its series, which is what comes before the
    /// version, as many pairs as `tags_limit` says, counted from the highest version. Of every tag
    /// that is not compared the reason is listed.
    #[command(after_help = "Examples:\n  \
        headwater tags acme/rocket\n  \
        headwater tags acme-cloud:acme/rocket --format json\n\n\
        Reads the database and the configuration. The order follows the configuration as it is \
        now; state and number of commits are of the last run. How tags are ordered: docs/tags.md.")]
    Tags {
        /// Repository: group/name, or connection:group/name
        scope: String,
        /// How to print them
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// What a tag, branch or commit has that another has not: commits, pull requests, issues, authors
    ///
    /// The commits are those of `git rev-list NEW ^OLD`. A pull request is listed when the commit
    /// that merged it is among them, an issue when such a pull request or a commit names it.
    #[command(after_help = "Examples:\n  \
        headwater diff acme/rocket v1.0.0..v1.1.0\n  \
        headwater diff acme/rocket v1.1.0..main --format json\n  \
        headwater diff acme/rocket 41c0ffe..v2.0.0 --format markdown > notes.md\n\n\
        OLD and NEW are names of tags or branches, or hashes of which as many digits are enough as \
        tell the commit from others. A tag goes before a branch of the same name. Exit code 2: no \
        such name, or more than one commit.")]
    Diff {
        /// Repository: group/name, or connection:group/name
        scope: String,
        /// OLD..NEW
        #[arg(value_name = "OLD..NEW")]
        range: String,
        /// How to print it
        #[arg(long, value_enum, default_value_t)]
        format: DiffFormat,
    },
    /// DORA metrics of a project, and computing them anew
    #[command(subcommand)]
    Metrics(MetricsCommand),
    /// Answer a question in SQL; nothing is written
    ///
    /// One query is run, in a session that cannot write. Statements that change anything, and
    /// functions that reach files or other servers, are refused. Ctrl-C ends it on the server too.
    Query {
        /// One SQL query; `-` reads it from standard input
        sql: String,
        /// What ends a query that asks for too much.
        #[command(flatten)]
        limits: QueryLimits,
        /// How to print the answer
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// The tables, or one of them: what a row is, what each column holds
    Tables {
        /// A table
        name: Option<String>,
        /// How to print it
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// The streams: where they come from, which tables they fill
    Streams {
        /// Print docs/streams.md
        #[arg(long)]
        markdown: bool,
        /// How to print it
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Raw rows in and out of files
    #[command(subcommand)]
    Raw(RawCommand),
    /// What a run would do, step by step, with requests and time, without doing it
    ///
    /// Reads the configuration and the database. Nothing is asked of a server and nothing is
    /// written, so that lists which were never read count as one request and a `+`.
    Plan {
        /// Only repositories of this project
        project: Option<String>,
        /// How to print it
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Facts from elsewhere, such as incidents of a tracker without a connection
    #[command(subcommand)]
    Import(ImportCommand),
    /// Who is who: accounts and authors that are one person
    #[command(subcommand)]
    People(PeopleCommand),
    /// Rows of domain tables out of files
    #[command(subcommand)]
    Table(TableCommand),
    /// Bring the schema up to date (sync does so by itself)
    Migrate {
        /// Only list the changes and which are applied
        #[arg(long, conflicts_with = "dry_run")]
        status: bool,
        /// Only print the statements that would run
        #[arg(long)]
        dry_run: bool,
    },
    /// Write a commented configuration file
    Init {
        /// Overwrite a file that is there
        #[arg(long)]
        force: bool,
    },
    /// Check or describe the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Whether a connection works, and what to do if it does not
    #[command(subcommand)]
    Connection(ConnectionCommand),
    /// The workspaces and repositories that a connection can see; `forget` removes one
    #[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
    Scopes {
        /// What to do with a repository that is known.
        #[command(subcommand)]
        command: Option<ScopesCommand>,
        /// A connection of the configuration
        #[arg(required = true)]
        name: Option<String>,
        /// Only repositories whose name has this in it, in any case of letters
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
        /// How to print it
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// See it work: a made-up company, synced and questioned, without an account
    Demo {
        /// Where the demo's database goes [default: headwater-demo.db]
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

impl Command {
    /// True when all it does is print, so that it has failed when its output is lost.
    #[must_use]
    pub fn only_prints(&self) -> bool {
        match self {
            Self::Sync(_)
            | Self::Collect(_)
            | Self::Extract { .. }
            | Self::Convert { .. }
            | Self::Transform { .. }
            | Self::Reconcile(_)
            | Self::Metrics(MetricsCommand::Refresh { .. })
            | Self::Raw(RawCommand::Import { .. })
            | Self::Table(TableCommand::Import { .. })
            | Self::Import(_)
            | Self::People(_)
            | Self::Init { .. }
            | Self::Demo { .. } => false,
            Self::Migrate { status, dry_run } => *status || *dry_run,
            Self::Verify { .. }
            | Self::DeadLetters { .. }
            | Self::Status { .. }
            | Self::Explain(..)
            | Self::Doctor { .. }
            | Self::Tags { .. }
            | Self::Diff { .. }
            | Self::Metrics(MetricsCommand::Dora(_))
            | Self::Query { .. }
            | Self::Tables { .. }
            | Self::Streams { .. }
            | Self::Raw(RawCommand::Export { .. })
            | Self::Config(_)
            | Self::Connection(_)
            | Self::Plan { .. }
            | Self::Scopes { .. } => true,
        }
    }
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

/// What is to be explained.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// What the id is of
    #[arg(value_enum)]
    pub kind: Explainable,
    /// `acme/rocket#12`, the address of its page, or a domain id; for `metric` the project
    pub id: String,
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

/// Raw rows in and out of files.
#[derive(Debug, Subcommand)]
pub enum RawCommand {
    /// Read rows from a CSV file with DevLake's raw header, or from JSON lines; no network
    ///
    /// Columns: `id`, `params`, `data`, `url`, `input`, `created_at`. Given ids are kept; of several rows for
    /// one item the highest id wins. The repository named in `params` is registered.
    Import {
        /// Raw table, such as `_raw_bitbucket_api_pull_requests` or `pull_requests`
        table: String,
        /// File to read; `-` reads standard input
        file: PathBuf,
        /// Form of the file [default: by its ending, .csv or .jsonl]
        #[arg(long, value_enum)]
        format: Option<RawFormat>,
    },
    /// Write rows to a file, in the form that import reads
    Export {
        /// Raw table
        table: String,
        /// File to write; standard output if left out
        file: Option<PathBuf>,
        /// Only this repository: workspace/slug
        #[arg(long)]
        scope: Option<String>,
        /// Form of the file [default: by its ending, else csv]
        #[arg(long, value_enum)]
        format: Option<RawFormat>,
    },
}

/// Who is who.
#[derive(Debug, Subcommand)]
pub enum PeopleCommand {
    /// Fill `users` and `user_accounts`: accounts that share an e-mail address are one person
    ///
    /// Addresses are those of accounts and of the commits that are theirs; a mailmap says which
    /// stand for others. An imported user keeps its id and gets the accounts of its address. What
    /// was imported into `user_accounts` stays as it is, so an import joins and splits. Bots are
    /// nobody's. Each account is printed with the user and the reason.
    #[command(after_help = "Examples:\n  \
        headwater people join --dry-run\n  \
        headwater table import users users.csv\n  \
        headwater people join --mailmap .mailmap --by-name\n\n\
        To split an account from a user, import whose it is, and join again:\n  \
        printf 'account_id,user_id\\nACCOUNT,USER\\n' | headwater table import user_accounts -\n\n\
        Tables teams and team_users are filled by `headwater table import`.")]
    Join {
        /// File in the form of git's .mailmap
        #[arg(long, value_name = "FILE")]
        mailmap: Option<PathBuf>,
        /// Accounts whose name is that of exactly one imported user are this user's
        #[arg(long)]
        by_name: bool,
        /// Only print who would be who
        #[arg(long)]
        dry_run: bool,
        /// How to print it
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
}

/// Facts from elsewhere.
#[derive(Debug, Subcommand)]
pub enum ImportCommand {
    /// Read incidents from CSV or JSON lines: all of a file or, where a row is wrong, none
    ///
    /// The same file can be read again: incidents are told apart by `id`, an id that is known is
    /// changed in the columns that the file has, and one with `withdrawn` is removed.
    #[command(
        after_help = "Columns: id and created_date (when it began) are needed. \
        resolution_date (empty while it lasts), title, component (the service), deployment_id (a \
        deployment that caused it), severity, url and the other columns of `headwater tables \
        incidents` may follow; withdrawn is 1 or true for an incident that was none. Where the \
        file has resolution_date, lead_time_minutes and status follow from it. Where it has no \
        scope_id, table is incident_sources and scope_id is --source.\n\n\
        A project counts them when it maps their source. In headwater.toml:\n  \
        [[project]]\n  incident_sources = [\"incident_sources:pagerduty\"]\n\n\
        Exit code 3: a row or the header is wrong, or two rows have one id.\n\n\
        Examples:\n  \
        headwater import incidents incidents.csv --source pagerduty\n  \
        export-incidents | headwater import incidents - --format jsonl"
    )]
    Incidents {
        /// File to read; `-` reads standard input
        file: PathBuf,
        /// What the incidents have in `scope_id`, where the file does not say it
        #[arg(long, value_name = "NAME", default_value = "import")]
        source: String,
        /// Form of the file [default: by its ending, .csv or .jsonl]
        #[arg(long, value_enum)]
        format: Option<RawFormat>,
        /// A field of a CSV file that is this text is no value (NULL)
        #[arg(long, value_name = "TEXT", default_value = "\\N")]
        null: String,
    },
}

/// Rows of domain tables out of files.
#[derive(Debug, Subcommand)]
pub enum TableCommand {
    /// Read rows of a domain table from a CSV file: all of them or, where one is wrong, none
    ///
    /// The header names the columns; those of the key must be there. A row whose key is stored
    /// already is changed in the columns of the file, and keeps what it holds in others. A new row
    /// gets defaults in others: no value, empty text, 0 or false. Rows that the next sync reads
    /// from their source are written over by it; others stay.
    #[command(
        after_help = "Values: times like 2026-01-31T09:30:00Z or 2026-01-31 09:30:00.000 \
        (UTC); 0, 1, true or false; numbers; text. An empty field is empty text, and no value in a \
        column of another type. The columns _raw_data_*, created_at and updated_at may be in the \
        file and are not read.\n\n\
        Exit code 2: no such table, or the file cannot be read. Exit code 3: a row or the header \
        is wrong; the message has line, column, value and what was expected.\n\n\
        Examples:\n  \
        headwater table import incidents incidents.csv\n  \
        headwater table import users users.csv --null ''"
    )]
    Import {
        /// Domain table; `headwater tables` lists them
        table: String,
        /// File to read; `-` reads standard input
        file: PathBuf,
        /// A field that is this text is no value (NULL)
        #[arg(long, value_name = "TEXT", default_value = "\\N")]
        null: String,
    },
}

/// Form of a file of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RawFormat {
    /// Comma separated with a header.
    Csv,
    /// One JSON object a line.
    Jsonl,
}

/// Whether connections work.
#[derive(Debug, Subcommand)]
pub enum ConnectionCommand {
    /// Ask once for what a sync would ask for first, and tell in one word how that went
    ///
    /// The word is `ok`, `invalid_credentials`, `invalid_permissions`, `no_resources`,
    /// `endpoint_removed`, `rate_limited` or `unreachable`; a sentence says what to do next.
    Test {
        /// A connection of the configuration [default: all of them]
        name: Option<String>,
    },
}

/// What to do with a repository that is known.
#[derive(Debug, Subcommand)]
pub enum ScopesCommand {
    /// Remove a repository that is not wanted any more: its rows in all tables and its mirror
    ///
    /// What others share stays: accounts that they mention, commits that a fork has too. Nothing
    /// is asked of the server. Exclude it in `scopes` of the configuration first (`!acme/old`), or
    /// the next sync collects it again.
    Forget {
        /// Repository: workspace/slug, or connection:workspace/slug; or a workspace
        scope: String,
    },
}

/// Check or describe the configuration.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Report everything that is wrong with the file, with line and column
    Check,
    /// Print the JSON Schema of the file, for editors
    Schema,
}

//! The commands.

use std::path::PathBuf;

use clap::Subcommand;

use super::{
    CollectArgs, ConfigCommand, ConnectionCommand, DemoArgs, DiffFormat, ExplainArgs, Format,
    ImportCommand, InitArgs, MetricsCommand, PeopleCommand, QueryLimits, RawCommand, RawFormat,
    ReportFormat, RunsArgs, RunsCommand, ScheduleArgs, ScopeArgs, ScopesCommand, ServeArgs,
    StatusArgs, StreamArgs, TableCommand, WholeArgs,
};

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
    /// How fresh each repository is, how its last run ended, what waits
    Status(StatusArgs),
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
        headwater explain https://bitbucket.org/acme/rocket/pull-requests/12\n  \
        headwater explain deployment acme/rocket#42\n  \
        headwater explain task 'acme/rocket#42/Deploy to production'\n  \
        headwater explain https://bitbucket.org/acme/rocket/pipelines/results/42\n  \
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
        (empty); LIST_NOT_READ, TOKEN_EXPIRES, ENDPOINT_GOES, GIT_SAVES_REQUESTS \
        (old)."
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
    /// Sync projects by their schedules until it is stopped, and answer /healthz, /readyz, /metrics
    ///
    /// Works on queued runs, too. Any number of such processes may share one PostgreSQL or MariaDB;
    /// on an SQLite file one does. SIGHUP reads the configuration again: a broken one changes
    /// nothing. SIGTERM and Ctrl-C end it after the pages under way; what was not finished goes on
    /// when it is started again.
    #[command(after_help = "Examples:\n  \
        headwater serve\n  \
        headwater serve --listen 127.0.0.1:9100 --parallel 4\n\n\
        `schedule = \"0 * * * *\"` in a [[project]] of headwater.toml says when it is synced.")]
    Serve(ServeArgs),
    /// When projects are synced next
    Schedule(ScheduleArgs),
    /// What ran, what runs and what waits
    Runs(RunsArgs),
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
    Init(InitArgs),
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
    /// What a shell needs to complete commands and options
    #[command(after_help = "Examples:\n  \
        headwater completions bash > ~/.local/share/bash-completion/completions/headwater\n  \
        headwater completions zsh > ~/.zfunc/_headwater\n  \
        headwater completions fish > ~/.config/fish/completions/headwater.fish")]
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// The manual in the form of `man`
    #[command(after_help = "Examples:\n  \
        headwater man | man -l -\n  \
        headwater man --output ~/.local/share/man/man1")]
    Man {
        /// Folder to write a page for each command to
        #[arg(long, value_name = "FOLDER")]
        output: Option<PathBuf>,
    },
    /// See it work: a made-up company, synced and measured, without an account
    ///
    /// Starts a company with its own Bitbucket on 127.0.0.1, syncs it, and shows its DORA metrics,
    /// one of them explained, and what makes them wrong. The database, and the configuration
    /// beside it, are there to be asked more. A database of an earlier demo is replaced, another
    /// one is refused.
    Demo(DemoArgs),
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
            | Self::Init(_)
            | Self::Serve(_)
            | Self::Demo(_) => false,
            Self::Schedule(arguments) => arguments.command.is_none(),
            Self::Runs(arguments) => {
                matches!(arguments.command, None | Some(RunsCommand::Show { .. }))
            }
            Self::Migrate { status, dry_run } => *status || *dry_run,
            Self::Verify { .. }
            | Self::DeadLetters { .. }
            | Self::Status(_)
            | Self::Explain(..)
            | Self::Doctor { .. }
            | Self::Tags { .. }
            | Self::Diff { .. }
            | Self::Metrics(MetricsCommand::Dora(_))
            | Self::Query { .. }
            | Self::Tables { .. }
            | Self::Streams { .. }
            | Self::Raw(RawCommand::Export { .. })
            | Self::Table(TableCommand::Compare { .. })
            | Self::Config(ConfigCommand::Check)
            | Self::Connection(_)
            | Self::Plan { .. }
            | Self::Completions { .. }
            | Self::Scopes { .. } => true,
            Self::Config(ConfigCommand::Schema { output }) | Self::Man { output } => {
                output.is_none()
            }
        }
    }
    /// Prints data as JSON, whatever was said of its form.
    pub fn print_json(&mut self) {
        match self {
            Self::Verify { format, .. }
            | Self::DeadLetters { format, .. }
            | Self::Tags { format, .. }
            | Self::Query { format, .. }
            | Self::Tables { format, .. }
            | Self::Streams { format, .. }
            | Self::Plan { format, .. }
            | Self::Scopes { format, .. }
            | Self::Table(TableCommand::Compare { format, .. })
            | Self::Status(StatusArgs { format, .. })
            | Self::Schedule(ScheduleArgs { format, .. })
            | Self::Runs(
                RunsArgs {
                    command: None,
                    format,
                    ..
                }
                | RunsArgs {
                    command: Some(RunsCommand::Show { format, .. }),
                    ..
                },
            )
            | Self::Explain(ExplainArgs { format, .. })
            | Self::People(PeopleCommand::Join { format, .. }) => *format = Format::Json,
            Self::Diff { format, .. } => *format = DiffFormat::Json,
            Self::Metrics(MetricsCommand::Dora(arguments)) => {
                arguments.format = ReportFormat::Json;
            }
            Self::Raw(RawCommand::Export {
                file: None, format, ..
            }) => *format = Some(RawFormat::Jsonl),
            // What they print under `--json` is events, or has a form of its own.
            _ => {}
        }
    }
}

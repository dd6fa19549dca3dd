//! Commands that read and write files of rows.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

use super::Format;

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
    /// Compare the stored rows of a table with those of a CSV file, such as one of DevLake's
    ///
    /// Rows are matched by key. The columns that both have are compared, and no value is the same
    /// as empty text. Each column that differs is one line: in how many rows, the number of the
    /// decision by which Headwater differs on purpose (docs/decisions), and one example. Nothing
    /// is written.
    #[command(
        after_help = "Exit code 0: equal, or every difference has its decision. Exit code 5: \
        something else differs. Exit code 2: no such table, or the file cannot be read. Exit code \
        3: a row or the header is wrong.\n\n\
        Example:\n  headwater table compare pull_requests devlake/pull_requests.csv"
    )]
    Compare {
        /// Tool or domain table; `headwater tables` lists them
        table: String,
        /// File to read; `-` reads standard input
        file: PathBuf,
        /// A field that is this text is no value (NULL)
        #[arg(long, value_name = "TEXT", default_value = "\\N")]
        null: String,
        /// Form of the answer
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
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

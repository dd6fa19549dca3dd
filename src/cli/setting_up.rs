//! Commands that set Headwater up.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// What `init` takes.
#[derive(Clone, Debug, Args)]
pub struct InitArgs {
    /// E-mail address of the token's owner
    #[arg(long, value_name = "ADDRESS")]
    pub email: Option<String>,
    /// Workspace: all of its repositories, where none is named
    #[arg(long, value_name = "NAME")]
    pub workspace: Option<String>,
    /// A repository: workspace/slug, or slug with --workspace; may be repeated
    #[arg(long, value_name = "NAME")]
    pub repository: Vec<String>,
    /// Overwrite a file that is there
    #[arg(long)]
    pub force: bool,
}

/// Whether connections work.
#[derive(Debug, Subcommand)]
pub enum ConnectionCommand {
    /// Ask once for everything that a sync asks for, and tell in one word how that went
    ///
    /// The word is `ok`, `invalid_credentials`, `invalid_permissions`, `no_resources`,
    /// `endpoint_removed`, `rate_limited` or `unreachable`; a sentence says what to do next.
    Test {
        /// A connection of the configuration [default: all of them]
        name: Option<String>,
        /// Only print the questions as commands to try by hand, with places for the secrets
        #[arg(long)]
        curl: bool,
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
    Schema {
        /// File to write it to, such as headwater.schema.json
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

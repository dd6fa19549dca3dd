//! Commands that set Headwater up.

use clap::Subcommand;

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

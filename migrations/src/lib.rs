//! The frozen history of the schema: one file per change.
//!
//! A migration never uses the live entities, so that history stays what it was when a struct
//! changes. Every statement can be repeated: a migration that was killed halfway runs again.

mod m20261121_000001_create_bookkeeping;
mod m20261121_000002_create_repositories;
mod m20261121_000003_create_accounts;
mod m20261121_000004_create_pull_requests;
mod m20261121_000005_create_pull_request_activities;
mod m20261121_000006_create_pull_request_comments;
mod m20261121_000007_create_pull_request_commits;
mod m20261121_000008_create_request_ledger;
mod m20261121_000009_create_leases;
mod m20261121_000010_create_pipelines;
mod m20261121_000011_create_pipeline_steps;
mod m20261121_000012_create_deployments;
mod m20261121_000013_create_environments;
mod m20261121_000014_create_issues;
mod m20261121_000015_create_issue_comments_and_changes;
mod m20261121_000016_create_refs;
mod m20261121_000017_create_commits;
mod m20261121_000018_create_scope_aliases;
mod m20261121_000019_create_workspaces;
mod m20261121_000020_create_pull_request_statuses;
mod m20261121_000021_unindex_commits;
mod m20261121_000022_create_git_history;
mod m20261121_000023_create_commits_diffs;
mod m20261121_000024_create_issue_mentions;
mod m20261121_000026_create_pull_request_merges;
mod m20261121_000027_create_short_hashes;
mod m20261121_000028_index_authors_of_git;
mod m20261121_000029_index_commits_of_pull_requests;
mod m20261130_000030_size_pull_requests;
mod m20261130_000031_compare_updates;
mod m20261130_000032_read_times_again;
mod m20261130_000033_steady_request_ledger;
mod m20261130_000034_create_left_out_refs;
mod m20261130_000035_create_projects;
mod m20261130_000036_index_measured_rows;
mod m20261130_000040_create_views;
mod m20261130_000041_note_servers;
mod m20261130_000042_count_pull_requests;
mod m20261130_000044_create_what_boards_read;
mod m20261130_000052_note_repairs_of_pull_requests;
mod m20261130_000053_list_every_period;
mod m20261130_000054_index_children;
mod m20261130_000060_declare_times;
mod m20261130_000064_note_looks;
mod m20261130_000067_note_proofs;
mod m20261130_000080_create_schedules;
mod schema;

use std::time::Duration;

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};

use schema::{Addition, Dialect, NewTable};

/// One change of the schema.
struct Change {
    name: &'static str,
    tables: fn() -> Vec<NewTable>,
}

impl Change {
    fn tables(&self) -> Vec<NewTable> {
        let tables = (self.tables)();
        if self.name <= TIMES_DECLARED.as_str() {
            return tables;
        }
        let tables = tables.into_iter();
        tables.map(NewTable::with_declared_times).collect()
    }

    fn statements(&self, dialect: Dialect) -> Vec<String> {
        let tables = self.tables();
        tables.iter().flat_map(|t| t.statements(dialect)).collect()
    }
}

/// The tables of all changes before this one.
fn tables_before(name: ChangeName) -> Vec<NewTable> {
    let changes = changes().into_iter();
    let before = changes.take_while(|change| change.name < name.as_str());
    before.flat_map(|change| change.tables()).collect()
}

impl MigrationName for Change {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Change {
    fn use_transaction(&self) -> Option<bool> {
        // Between its statements a time would be written in one form and compared with another.
        (self.name == TIMES_DECLARED.as_str()).then_some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        let dialect = dialect(connection).await?;
        for table in self.tables() {
            for (addition, statement) in table.steps(dialect) {
                // A change that was killed halfway runs again, and not every database can be told
                // to add a column or an index only where it is missing.
                let is_there = match addition {
                    Addition::Column(column) => manager.has_column(table.name(), column).await?,
                    Addition::Index(index) => manager.has_index(table.name(), index).await?,
                    Addition::None => false,
                };
                if !is_there {
                    connection.execute_unprepared(&statement).await?;
                }
            }
        }
        Ok(())
    }
}

/// Names one change, so that the registry can say which one made a stream's tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangeName(&'static str);

impl ChangeName {
    /// The name, as the database remembers it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.0
    }
}

/// Declares the history: a module, and its name for the registry.
macro_rules! history {
    ($($module:ident => $name:ident),* $(,)?) => {
        $(
            #[doc = concat!("The change `", stringify!($module), "`.")]
            pub const $name: ChangeName = ChangeName(stringify!($module));
        )*

        /// All changes, oldest first.
        fn changes() -> Vec<Change> {
            vec![$(Change { name: stringify!($module), tables: $module::tables }),*]
        }
    };
}

history! {
    m20261121_000001_create_bookkeeping => BOOKKEEPING,
    m20261121_000002_create_repositories => REPOSITORIES,
    m20261121_000003_create_accounts => ACCOUNTS,
    m20261121_000004_create_pull_requests => PULL_REQUESTS,
    m20261121_000005_create_pull_request_activities => PULL_REQUEST_ACTIVITIES,
    m20261121_000006_create_pull_request_comments => PULL_REQUEST_COMMENTS,
    m20261121_000007_create_pull_request_commits => PULL_REQUEST_COMMITS,
    m20261121_000008_create_request_ledger => REQUEST_LEDGER,
    m20261121_000009_create_leases => LEASES,
    m20261121_000010_create_pipelines => PIPELINES,
    m20261121_000011_create_pipeline_steps => PIPELINE_STEPS,
    m20261121_000012_create_deployments => DEPLOYMENTS,
    m20261121_000013_create_environments => ENVIRONMENTS,
    m20261121_000014_create_issues => ISSUES,
    m20261121_000015_create_issue_comments_and_changes => ISSUE_COMMENTS_AND_CHANGES,
    m20261121_000016_create_refs => REFS,
    m20261121_000017_create_commits => COMMITS,
    m20261121_000018_create_scope_aliases => SCOPE_ALIASES,
    m20261121_000019_create_workspaces => WORKSPACES,
    m20261121_000020_create_pull_request_statuses => PULL_REQUEST_STATUSES,
    m20261121_000021_unindex_commits => COMMITS_UNINDEXED,
    m20261121_000022_create_git_history => GIT_HISTORY,
    m20261121_000023_create_commits_diffs => COMMITS_DIFFS,
    m20261121_000024_create_issue_mentions => ISSUE_MENTIONS,
    m20261121_000026_create_pull_request_merges => PULL_REQUEST_MERGES,
    m20261121_000027_create_short_hashes => SHORT_HASHES,
    m20261121_000028_index_authors_of_git => AUTHORS_OF_GIT,
    m20261121_000029_index_commits_of_pull_requests => COMMITS_OF_PULL_REQUESTS,
    m20261130_000030_size_pull_requests => PULL_REQUEST_SIZES,
    m20261130_000031_compare_updates => COMPARED_UPDATES,
    m20261130_000032_read_times_again => TIMES_READ_AGAIN,
    m20261130_000033_steady_request_ledger => STEADY_REQUEST_LEDGER,
    m20261130_000034_create_left_out_refs => LEFT_OUT_REFS,
    m20261130_000035_create_projects => PROJECTS,
    m20261130_000036_index_measured_rows => MEASURED_ROWS,
    m20261130_000040_create_views => VIEWS,
    m20261130_000041_note_servers => SERVER_NOTES,
    m20261130_000042_count_pull_requests => PULL_REQUEST_SIZES_FROM_GIT,
    m20261130_000044_create_what_boards_read => READ_BY_BOARDS,
    m20261130_000052_note_repairs_of_pull_requests => REPAIRS_OF_PULL_REQUESTS,
    m20261130_000053_list_every_period => EVERY_PERIOD,
    m20261130_000054_index_children => CHILDREN,
    m20261130_000060_declare_times => TIMES_DECLARED,
    m20261130_000064_note_looks => LOOKS,
    m20261130_000067_note_proofs => PROOFS,
    m20261130_000080_create_schedules => SCHEDULES,
}

/// Applies changes in order and remembers which are applied.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let boxed = |change| Box::new(change) as Box<dyn MigrationTrait>;
        changes().into_iter().map(boxed).collect()
    }
}

/// A change and whether the database has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Name of the change.
    pub name: String,
    /// True when it is applied.
    pub applied: bool,
}

/// Why the schema could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The database was written by a newer program.
    #[error(
        "the database has the change `{0}`, which this version of headwater does not know; \
         use the version that wrote it, or a newer one"
    )]
    Newer(String),
    /// A statement failed.
    #[error("migrating the database")]
    Database(#[from] DbErr),
}

/// Every change and whether it is applied. Writes nothing.
///
/// # Errors
/// When the database cannot be read, or has a change this version does not know.
pub async fn status(db: &DatabaseConnection) -> Result<Vec<Status>, MigrateError> {
    let applied = Box::pin(applied(db)).await?;
    let known = changes();
    if let Some(name) = applied
        .iter()
        .find(|a| !known.iter().any(|c| c.name == **a))
    {
        return Err(MigrateError::Newer(name.clone()));
    }
    let status = known.iter().map(|change| Status {
        name: change.name.to_owned(),
        applied: applied.iter().any(|name| name == change.name),
    });
    Ok(status.collect())
}

async fn applied(db: &DatabaseConnection) -> Result<Vec<String>, DbErr> {
    let manager = SchemaManager::new(db);
    if !manager.has_table("seaql_migrations").await? {
        return Ok(Vec::new());
    }
    let rows = db
        .query_all_raw(Statement::from_string(
            db.get_database_backend(),
            "SELECT version FROM seaql_migrations ORDER BY version",
        ))
        .await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}

/// MySQL and MariaDB speak one protocol and differ in the names of collations.
async fn dialect<C: ConnectionTrait>(db: &C) -> Result<Dialect, DbErr> {
    let backend = db.get_database_backend();
    let mut version = String::new();
    if backend == DbBackend::MySql {
        let asked = Statement::from_string(backend, "SELECT VERSION()");
        if let Some(row) = db.query_one_raw(asked).await? {
            version = row.try_get_by_index(0)?;
        }
    }
    Ok(Dialect::of(backend, &version))
}

/// The statements that `up` would run, in order. Writes nothing.
///
/// # Errors
/// As [`status`].
pub async fn pending_statements(db: &DatabaseConnection) -> Result<Vec<String>, MigrateError> {
    let status = status(db).await?;
    let pending = changes()
        .into_iter()
        .zip(status)
        .filter(|(_, s)| !s.applied);
    let dialect = dialect(db).await?;
    Ok(pending
        .flat_map(|(change, _)| change.statements(dialect))
        .collect())
}

/// Applies what is missing. Returns how many changes that were.
///
/// # Errors
/// As [`status`], and when a statement fails.
pub async fn up(db: &DatabaseConnection) -> Result<usize, MigrateError> {
    let mut missing = missing(db).await?;
    let found = missing;
    let mut attempt = 0;
    while missing > 0 {
        // Boxed: the future is large, and so would be that of every caller.
        let Err(error) = Box::pin(Migrator::up(db, None)).await else {
            return Ok(found);
        };
        attempt += 1;
        if attempt == ATTEMPTS || db.get_database_backend() == DbBackend::Sqlite {
            return Err(error.into());
        }
        // Another process may be at it; then its work shows after a moment.
        tokio::time::sleep(PAUSE).await;
        missing = self::missing(db).await?;
    }
    Ok(found)
}

async fn missing(db: &DatabaseConnection) -> Result<usize, MigrateError> {
    Ok(status(db).await?.iter().filter(|s| !s.applied).count())
}

/// How often, and at which distance, a server is tried that another process changes too.
const ATTEMPTS: u32 = 10;
const PAUSE: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests;

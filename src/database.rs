//! The database of a command: opened, updated, and held by one writer.

mod payloads;

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use chrono::{DateTime, SecondsFormat, Utc};
use headwater_migrations::{self as migrations, MigrateError};
use headwater_redaction::Secrets;
use headwater_store::{Limits, Store, query};

use crate::config::{DatabaseAddress, DatabaseKind};
use crate::exit::{Exit, Failure};
use crate::output;
use crate::run::claim;
use crate::sources::Sources;

/// Opens the database for reading and writing and applies missing changes of the schema. What
/// changes rows notes what has to be derived again.
///
/// # Errors
/// When it cannot be opened or reached, or was written by a newer version.
pub async fn open(address: &DatabaseAddress) -> Result<Store, Failure> {
    let store = connect(address).await?;
    migrate(&store, address).await?;
    Ok(Sources::all().followed_by(&store))
}

/// Opens the database as it is.
///
/// # Errors
/// When it cannot be opened or reached.
pub async fn connect(address: &DatabaseAddress) -> Result<Store, Failure> {
    connect_within(address, Limits::default()).await
}

/// Opens the database for reads that a person waits for, with connections of their own: on a server
/// they cannot write, and their statements have a time limit. They wait for no writer.
///
/// # Errors
/// When it cannot be opened or reached.
pub async fn connect_to_read(address: &DatabaseAddress) -> Result<Store, Failure> {
    connect_within(address, Limits::of_reads()).await
}

async fn connect_within(address: &DatabaseAddress, limits: Limits) -> Result<Store, Failure> {
    conceal_password(address);
    let server = address.expose();
    let opened = match (address.kind(), address.sqlite_path()) {
        (DatabaseKind::Postgres, _) => Box::pin(Store::open_postgres_within(server, limits)).await,
        (DatabaseKind::Mysql, _) => Box::pin(Store::open_mysql_within(server, limits)).await,
        (DatabaseKind::Sqlite, path) => Store::open_sqlite(&path.unwrap_or_default()).await,
    };
    opened.map_err(|error| not_opened(address, error))
}

/// What to say of a database that cannot be opened or reached.
pub(crate) fn not_opened(
    address: &DatabaseAddress,
    error: impl std::error::Error + Send + Sync + 'static,
) -> Failure {
    let what = match address.kind() {
        DatabaseKind::Sqlite => "check that its folder exists and is writable",
        _ => "check that the server runs, and that user, password and database are right",
    };
    let message = format!(
        "the database {address} could not be opened; {what}, and database.url in the configuration"
    );
    Failure::because(Exit::Failed, message, error)
}

/// Lets no line and no message hold the password from now on.
fn conceal_password(address: &DatabaseAddress) {
    let passwords = address.passwords();
    output::conceal(&Secrets::new(passwords.iter().map(String::as_str)));
}

/// Applies missing changes of the schema. Returns how many; copies an SQLite file first when
/// it has tables already.
///
/// # Errors
/// When the database was written by a newer version, or a statement fails.
pub async fn migrate(store: &Store, address: &DatabaseAddress) -> Result<usize, Failure> {
    let failed = async |error| match error {
        MigrateError::Newer(_) => Failure::because(Exit::Failed, "the schema is not usable", error),
        MigrateError::Database(error) => {
            let error = store.error_of_change(error).await;
            if error.is_of_another_process() {
                return Failure::from(error);
            }
            let message = "the schema is not usable";
            Failure::of_database(message, Some(Box::new(error))).naming(address)
        }
    };
    let status = match migrations::status(store.connection()).await {
        Ok(status) => status,
        Err(error) => return Err(failed(error).await),
    };
    let applied = status.iter().filter(|change| change.applied).count();
    if let Some(path) = address.sqlite_path()
        && applied > 0
        && applied < status.len()
    {
        copy_aside(store, &path, applied).await?;
    }
    let changes = match Box::pin(migrations::up(store.connection())).await {
        Ok(changes) => changes,
        Err(error) => return Err(failed(error).await),
    };
    let rewritten = payloads::rewrite(store).await;
    rewritten.map_err(|error| Failure::from(error).naming(address))?;
    Ok(changes)
}

/// Runs one statement of the user's, read-only.
///
/// # Errors
/// As the store's queries.
pub async fn query(
    address: &DatabaseAddress,
    sql: &str,
    rows: &mut dyn query::Rows,
) -> Result<(), query::QueryError> {
    query_within(address, sql, rows, &query::Limits::default()).await
}

/// The same within limits.
///
/// # Errors
/// As the store's queries.
pub async fn query_within(
    address: &DatabaseAddress,
    sql: &str,
    rows: &mut dyn query::Rows,
    limits: &query::Limits,
) -> Result<(), query::QueryError> {
    conceal_password(address);
    match (address.kind(), address.sqlite_path()) {
        (DatabaseKind::Postgres, _) => {
            query::run_postgres_within(address.expose(), sql, rows, limits).await
        }
        (DatabaseKind::Mysql, _) => {
            query::run_mysql_within(address.expose(), sql, rows, limits).await
        }
        (DatabaseKind::Sqlite, path) => {
            query::run_sqlite_within(&path.unwrap_or_default(), sql, rows, limits)
        }
    }
}

/// Copies the file. A copy has its name only when it is whole and without secrets, whatever ends
/// this program meanwhile.
async fn copy_aside(store: &Store, path: &Path, applied: usize) -> Result<(), Failure> {
    let copy = beside(path, &format!(".before-change-{}", applied + 1));
    if copy.exists() {
        // Left by an earlier try of the same change: that is the copy worth keeping.
        return Ok(());
    }
    let message = format!("the database could not be copied to {}", copy.display());
    let unfinished = beside(path, &format!(".before-change-{}.unfinished", applied + 1));
    let moved = |done: std::io::Result<()>| {
        done.map_err(|error| Failure::because(Exit::Failed, message.clone(), error))
    };
    if unfinished.exists() {
        moved(std::fs::remove_file(&unfinished))?;
    }
    let copied = store.copy_to(&unfinished).await;
    copied.map_err(|error| Failure::because(Exit::Failed, message.clone(), error))?;
    if !payloads::is_free_of_secrets(store).await? {
        let copied = Store::open_sqlite(&unfinished).await?;
        payloads::conceal_in_copy(&copied).await?;
        copied.close().await?;
    }
    moved(std::fs::rename(&unfinished, &copy))
}

/// A file named after the database, so that two databases never share it.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Holds the right to write for as long as it lives.
#[derive(Debug)]
pub struct WriteLock {
    _file: File,
}

/// Where a file is, or will be when it is made, with all links followed.
fn real_path(path: &Path) -> std::io::Result<PathBuf> {
    let mut path = path.to_owned();
    // A link to a file that is not there yet is followed by hand. Forty is what systems allow.
    for _ in 0..40 {
        match path.canonicalize() {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            found => return found,
        }
        let folder = match path.parent() {
            Some(folder) if folder != Path::new("") => folder.to_owned(),
            _ => PathBuf::from("."),
        };
        if let Ok(target) = path.read_link() {
            path = folder.join(target);
        } else {
            let name = path.file_name().unwrap_or_default();
            return Ok(match folder.canonicalize() {
                Ok(folder) => folder.join(name),
                // Told when the lock file cannot be made there.
                Err(_) => path,
            });
        }
    }
    Err(std::io::Error::other("its links lead in a circle"))
}

#[cfg(unix)]
fn not_through_links(options: &mut OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt as _;
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    options.custom_flags(i32::try_from(flags.bits()).unwrap_or_default());
}

#[cfg(not(unix))]
fn not_through_links(_: &mut OpenOptions) {}

/// Takes the right to write to a database file; none is needed on a server.
///
/// # Errors
/// Exit 7 when another process holds it, naming that process.
pub fn lock(
    address: &DatabaseAddress,
    command: &str,
    now: DateTime<Utc>,
) -> Result<Option<WriteLock>, Failure> {
    let path = address.sqlite_path();
    path.map(|path| lock_file(&path, command, now)).transpose()
}

/// The lock lies beside the file itself: by whichever name or link two processes reach it, they
/// meet there.
fn lock_file(path: &Path, command: &str, now: DateTime<Utc>) -> Result<WriteLock, Failure> {
    let real = real_path(path).map_err(|error| {
        let message = format!("{} cannot be followed to a file", path.display());
        Failure::because(Exit::Failed, message, error)
    })?;
    let lock_path = beside(&real, ".lock");
    let shown = lock_path.display();
    let failed = |error| {
        let message = format!(
            "{shown} could not be locked; the folder of the database has to be there, and to be \
             writable"
        );
        Failure::because(Exit::Failed, message, error)
    };
    // What the holder writes into it must not end in a file that another user chose.
    if let Ok(found) = lock_path.symlink_metadata()
        && !found.is_file()
    {
        let message = format!(
            "{shown} is no regular file but a link, a folder or something else; headwater does \
             not write through it: remove it"
        );
        return Err(Failure::new(Exit::Failed, message));
    }
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    not_through_links(&mut options);
    let mut file = options.open(&lock_path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            // What the holder wrote is a courtesy; without it the message is still true.
            let _ = file.read_to_string(&mut holder);
            let holder = if holder.trim().is_empty() {
                "unknown"
            } else {
                holder.trim()
            };
            return Err(Failure::new(
                Exit::Leased,
                format!(
                    "another headwater process works on {} ({holder}); wait for it, or stop it",
                    path.display()
                ),
            ));
        }
        Err(TryLockError::Error(error)) => return Err(failed(error)),
    }
    let holder = format!(
        "host {}, process {}, command {command}, since {}\n",
        claim(command).host,
        std::process::id(),
        now.to_rfc3339_opts(SecondsFormat::Secs, true)
    );
    file.set_len(0).map_err(failed)?;
    file.rewind().map_err(failed)?;
    file.write_all(holder.as_bytes()).map_err(failed)?;
    Ok(WriteLock { _file: file })
}

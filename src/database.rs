//! The database of a command: opened, brought up to date, and held by one writer.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use chrono::SecondsFormat;
use headwater_migrations as migrations;
use headwater_store::Store;

use crate::config::{DatabaseAddress, DatabaseKind};
use crate::exit::{Exit, Failure};
use crate::run::{claim, now};

/// The SQLite file behind an address.
///
/// # Errors
/// When the address is of a server.
pub fn sqlite_path(address: &DatabaseAddress) -> Result<PathBuf, Failure> {
    match (address.kind(), address.sqlite_path()) {
        (DatabaseKind::Sqlite, Some(path)) => Ok(path),
        _ => Err(Failure::new(
            Exit::Configuration,
            "database.url: this version writes SQLite files; \
             write: url = \"sqlite:headwater.db\"",
        )),
    }
}

/// Opens the file for reading and writing and applies missing changes of the schema.
///
/// # Errors
/// When the file cannot be opened, or was written by a newer version.
pub async fn open(path: &Path) -> Result<Store, Failure> {
    let store = connect(path).await?;
    migrate(&store, path).await?;
    Ok(store)
}

/// Opens the file as it is.
///
/// # Errors
/// When the file cannot be opened.
pub async fn connect(path: &Path) -> Result<Store, Failure> {
    let opened = Store::open_sqlite(path).await;
    opened.map_err(|error| {
        let message = "the database could not be opened; check that its folder exists and is \
                       writable, and database.url in the configuration";
        Failure::because(Exit::Failed, message, error)
    })
}

/// Applies missing changes of the schema. Returns how many; copies the file aside first when it
/// has tables already.
///
/// # Errors
/// When the database was written by a newer version, or a statement fails.
pub async fn migrate(store: &Store, path: &Path) -> Result<usize, Failure> {
    let failed = |error| Failure::because(Exit::Failed, "the schema is not usable", error);
    let status = migrations::status(store.connection())
        .await
        .map_err(failed)?;
    let applied = status.iter().filter(|change| change.applied).count();
    if applied > 0 && applied < status.len() {
        copy_aside(store, path, applied).await?;
    }
    migrations::up(store.connection()).await.map_err(failed)
}

async fn copy_aside(store: &Store, path: &Path, applied: usize) -> Result<(), Failure> {
    let copy = beside(path, &format!(".before-change-{}", applied + 1));
    if copy.exists() {
        // Left by an earlier try of the same change: that is the copy worth keeping.
        return Ok(());
    }
    let copied = store.copy_to(&copy).await;
    copied.map_err(|error| {
        let message = format!("the database could not be copied to {}", copy.display());
        Failure::because(Exit::Failed, message, error)
    })
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

/// Takes the right to write to a database file.
///
/// # Errors
/// Exit 7 when another process holds it, naming that process.
pub fn lock(path: &Path, command: &str) -> Result<WriteLock, Failure> {
    let lock_path = beside(path, ".lock");
    let shown = lock_path.display();
    let failed = |error| Failure::because(Exit::Failed, format!("locking {shown}"), error);
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
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
        now().to_rfc3339_opts(SecondsFormat::Secs, true)
    );
    file.set_len(0).map_err(failed)?;
    file.rewind().map_err(failed)?;
    file.write_all(holder.as_bytes()).map_err(failed)?;
    Ok(WriteLock { _file: file })
}

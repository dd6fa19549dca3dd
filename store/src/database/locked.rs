//! What another process keeps locked: one kind of error, whichever statement met the lock and
//! whichever database holds it.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sea_orm::{DbErr, RuntimeErr};
use sqlx::error::DatabaseError;
use sqlx::mysql::MySqlDatabaseError;
use sqlx::sqlite::SqliteError;

use super::Row;

/// What is said of every lock that was not let go in time.
pub(crate) const LOCKED: &str = "another process holds what is needed here in the database and \
                                 did not let go in time";

/// The processes that hold leases: whoever is frozen in the middle of a page is one of them.
pub(crate) const HOLDERS: &str = "SELECT host, process, command FROM _headwater_leases \
                                  WHERE token IS NOT NULL ORDER BY taken_at";

/// How long a statement waits for a lock after another one has waited in vain.
pub(crate) const SHORT_WAIT: Duration = Duration::from_secs(1);

/// How long waits stay short.
const SHORT_FOR: Duration = Duration::from_mins(1);

/// Whether a statement has waited for a lock in vain of late: the holder is probably frozen, and
/// the next statement, of another repository, would meet the same one. So a whole run waits in vain
/// about as long as one statement, and not once for each repository. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Patience(Arc<Mutex<Option<Instant>>>);

impl Patience {
    /// Notes that a statement waited in vain.
    pub(crate) fn lost(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// True while locks are not waited for as long as usual.
    pub(crate) fn is_short(&self) -> bool {
        let lost = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lost.is_some_and(|lost| lost.elapsed() < SHORT_FOR)
    }
}

/// A lock that was not let go in time, as the source of an error.
#[derive(Debug)]
struct Locked(String);

impl fmt::Display for Locked {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for Locked {}

/// The error of a statement that met such a lock.
pub(crate) fn locked(said: String) -> DbErr {
    let error = sqlx::Error::AnyDriverError(Box::new(Locked(said)));
    DbErr::Query(RuntimeErr::SqlxError(Arc::new(error)))
}

/// What such an error says; none for any other error.
pub(crate) fn said_of_lock(error: &DbErr) -> Option<String> {
    let (DbErr::Conn(error) | DbErr::Exec(error) | DbErr::Query(error)) = error else {
        return None;
    };
    let RuntimeErr::SqlxError(error) = error else {
        return None;
    };
    match &**error {
        sqlx::Error::AnyDriverError(error) => error.downcast_ref::<Locked>().map(Locked::to_string),
        // As changes of the schema meet it, which have a connection of their own.
        sqlx::Error::Database(error) if is_lock(&**error) => {
            Some(format!("{LOCKED} ({})", error.message()))
        }
        _ => None,
    }
}

/// True for an error that says that another transaction holds what is needed, or that two wait for
/// each other.
pub(crate) fn is_lock(error: &dyn DatabaseError) -> bool {
    if let Some(error) = error.try_downcast_ref::<MySqlDatabaseError>() {
        // Rows or tables; two that wait for each other; rows that were not to be waited for (MySQL).
        return matches!(error.number(), 1205 | 1213 | 3572);
    }
    let code = error.code();
    let code = code.as_deref().unwrap_or_default();
    if error.try_downcast_ref::<SqliteError>().is_some() {
        // Busy and locked; what is above the lowest byte says more than is needed.
        return code
            .parse()
            .is_ok_and(|code: i64| matches!(code & 0xff, 5 | 6));
    }
    matches!(code, "55P03" | "40P01")
}

/// The same error, which also names who holds leases, as [`HOLDERS`] found them.
pub(crate) fn naming(error: DbErr, holders: &[Row]) -> DbErr {
    let Some(said) = said_of_lock(&error) else {
        return error;
    };
    let own = i64::from(std::process::id());
    let mut named: Vec<String> = Vec::new();
    for row in holders {
        let text = |place| row.get::<Option<String>>(place).ok().flatten();
        let process: i64 = row.get::<Option<i64>>(1).ok().flatten().unwrap_or_default();
        let (host, command) = (text(0).unwrap_or_default(), text(2).unwrap_or_default());
        let holder = format!("host {host}, process {process}, command {command}");
        if process != own && !named.contains(&holder) {
            named.push(holder);
        }
    }
    if named.is_empty() {
        return locked(said);
    }
    locked(format!("{said}; leases are held by {}", named.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::super::Cell;
    use super::*;

    #[test]
    fn who_holds_leases_is_named_once_and_this_process_is_not() {
        let row = |host: &str, process, command: &str| {
            Row(vec![
                Cell::Text(host.to_owned()),
                Cell::Integer(process),
                Cell::Text(command.to_owned()),
            ])
        };
        let own = i64::from(std::process::id());
        let holders = [
            row("a", own, "sync"),
            row("b", own + 1, "sync"),
            row("b", own + 1, "sync"),
        ];
        let named = naming(locked(LOCKED.to_owned()), &holders);
        assert_eq!(
            said_of_lock(&named).unwrap(),
            format!(
                "{LOCKED}; leases are held by host b, process {}, command sync",
                own + 1
            )
        );
        assert_eq!(said_of_lock(&DbErr::Custom(LOCKED.to_owned())), None);
    }
}

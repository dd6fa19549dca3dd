//! What went wrong in the database, and while doing what.

use sea_orm::DbErr;

use crate::database::locked::said_of_lock;

/// A statement that the database refused, with what it was for.
#[derive(Debug, thiserror::Error)]
#[error("{action}")]
pub struct StoreError {
    action: String,
    #[source]
    source: Source,
}

#[derive(Debug, thiserror::Error)]
enum Source {
    #[error("{0}")]
    Database(#[from] DbErr),
    #[error("{0}")]
    Refused(String),
    #[error("another process took the work over: {0}")]
    LeaseLost(String),
    #[error("{0}; wait for it, or end it if it hangs, and run again")]
    Locked(String),
}

impl StoreError {
    pub(crate) fn new(action: impl Into<String>, source: DbErr) -> Self {
        let source = match said_of_lock(&source) {
            Some(said) => Source::Locked(said),
            None => Source::Database(source),
        };
        Self {
            action: action.into(),
            source,
        }
    }

    /// An error of the data rather than of the database.
    pub(crate) fn refused(action: impl Into<String>, why: impl Into<String>) -> Self {
        Self {
            action: action.into(),
            source: Source::Refused(why.into()),
        }
    }
}

impl StoreError {
    /// Nothing was written, because the lease is no longer ours.
    pub(crate) fn lease_lost(action: impl Into<String>, holder: String) -> Self {
        Self {
            action: action.into(),
            source: Source::LeaseLost(holder),
        }
    }

    /// Another process keeps a row of its own locked, and does not say who it is.
    pub(crate) fn locked(action: impl Into<String>, said: impl Into<String>) -> Self {
        Self {
            action: action.into(),
            source: Source::Locked(said.into()),
        }
    }

    /// True when another process is the reason: it took the scope over, or holds what is needed and
    /// did not let go of it in time.
    #[must_use]
    pub fn is_of_another_process(&self) -> bool {
        matches!(self.source, Source::LeaseLost(_) | Source::Locked(_))
    }
}

/// Says what a database call was for when it fails.
pub(crate) trait During<T> {
    fn during(self, action: &str) -> Result<T, StoreError>;
}

impl<T> During<T> for Result<T, DbErr> {
    fn during(self, action: &str) -> Result<T, StoreError> {
        self.map_err(|source| StoreError::new(action, source))
    }
}

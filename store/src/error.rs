//! What went wrong in the database, and while doing what.

use sea_orm::DbErr;

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
}

impl StoreError {
    pub(crate) fn new(action: impl Into<String>, source: DbErr) -> Self {
        Self {
            action: action.into(),
            source: Source::Database(source),
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

    /// True when nothing was written because another process works on the scope now.
    #[must_use]
    pub fn is_lost_lease(&self) -> bool {
        matches!(self.source, Source::LeaseLost(_))
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

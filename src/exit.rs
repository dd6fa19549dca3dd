//! Exit codes: what a script can tell from how the program ended.

use std::process::ExitCode;

use crate::config::{DatabaseAddress, DatabaseKind};

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: done.
    Ok,
    /// 2: the command line asks for something that is not there, or nothing is collected yet.
    Usage,
    /// 3: the configuration, or a file of rows, is wrong.
    Configuration,
    /// 4: credentials or permissions do not suffice.
    Credentials,
    /// 5: done, but some items or scopes failed and are tried again by the next run; of `verify` and
    /// `doctor`: something was found.
    Partial,
    /// 6: failed.
    Failed,
    /// 7: another process holds the lease, or something else that is needed in the database.
    Leased,
    /// 130: cancelled.
    Cancelled,
}

impl Exit {
    /// The number.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Usage => 2,
            Self::Configuration => 3,
            Self::Credentials => 4,
            Self::Partial => 5,
            Self::Failed => 6,
            Self::Leased => 7,
            Self::Cancelled => 130,
        }
    }

    /// The state of a run that ends so.
    #[must_use]
    pub fn state(self) -> &'static str {
        match self {
            Self::Ok => "success",
            Self::Partial => "partial",
            Self::Cancelled => "cancelled",
            _ => "failed",
        }
    }

    /// How a run in a state ended: the other way round. One that was skipped had nothing to do.
    #[must_use]
    pub fn of_state(state: &str) -> Self {
        match state {
            "success" | "skipped" => Self::Ok,
            "partial" => Self::Partial,
            "cancelled" => Self::Cancelled,
            _ => Self::Failed,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// A command that could not do what it was asked to, with the code it ends with.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// What is wrong and what to do about it.
    pub message: String,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
    /// True when the database failed, so that the message should name it.
    of_database: bool,
}

impl Failure {
    /// A failure in one message.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
            source: None,
            of_database: false,
        }
    }

    /// A failure with the error behind it.
    pub fn because(
        exit: Exit,
        message: impl Into<String>,
        source: impl std::error::Error + Send + Sync + 'static,
    ) -> Self {
        Self {
            exit,
            message: message.into(),
            source: Some(Box::new(source)),
            of_database: false,
        }
    }

    /// The database failed.
    pub fn of_database(
        message: impl Into<String>,
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self {
            exit: Exit::Failed,
            message: message.into(),
            source,
            of_database: true,
        }
    }

    /// Names the database and what to do, where it was the database that failed.
    #[must_use]
    pub fn naming(self, database: &DatabaseAddress) -> Self {
        if !self.of_database {
            return self;
        }
        let check = match database.kind() {
            DatabaseKind::Sqlite => {
                "check that its disk has room, that its file and folder are writable, and that no \
                 other program holds it"
            }
            _ => "check that the server runs and has room, and that the user may write",
        };
        let message = format!(
            "{}: {database}; {check}, then run the same command again: what is stored stays",
            self.message
        );
        Self {
            message,
            of_database: false,
            ..self
        }
    }

    /// The command line is wrong.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// The message with all causes, each once.
    #[must_use]
    pub fn chain(&self) -> String {
        chain(self)
    }
}

/// An error with all its causes in one line, each once.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

impl From<headwater_store::StoreError> for Failure {
    fn from(error: headwater_store::StoreError) -> Self {
        if error.is_of_another_process() {
            return Self::because(Exit::Leased, "the database is in use", error);
        }
        Self::of_database("the database failed", Some(Box::new(error)))
    }
}

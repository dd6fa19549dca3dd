//! Why collection stopped: where, what, and what follows from it.

use std::fmt;
use std::time::Duration;

use headwater_redaction::Secrets;
use headwater_store::StoreError;

use crate::address;
use crate::engine::Collected;

/// Longest text of a server or a library in a message, in characters.
const LONGEST_TEXT: usize = 2000;

/// What the engine does about a failed request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may go through later.
    Retry,
    /// This item cannot be had; the others can.
    Skip,
    /// The stream cannot go on.
    Fail,
    /// No request of this connection can succeed.
    Stop,
}

/// A URL with its origin, its path and the parameters that are known; nothing that could be a
/// secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownUrl(String);

impl ShownUrl {
    pub(crate) fn of(url: &url::Url) -> Self {
        Self(address::kept(url).to_string())
    }
}

impl fmt::Display for ShownUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// A request that did not give a page.
#[derive(Debug, thiserror::Error)]
#[error("{url}: {kind}")]
pub struct RequestError {
    /// The address.
    pub url: ShownUrl,
    /// What went wrong.
    pub kind: RequestErrorKind,
}

/// What went wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestErrorKind {
    /// 401.
    #[error("the credentials were refused (401{message}); {advice}")]
    Unauthorized {
        /// What the server said.
        message: String,
        /// What to do about it.
        advice: &'static str,
    },
    /// The server of access tokens refused an OAuth consumer.
    #[error(
        "no access token was given to the OAuth consumer ({status}{message}); check auth.key and \
         auth.secret, and that the consumer is marked as private"
    )]
    ConsumerRefused {
        /// The status.
        status: u16,
        /// What the server said.
        message: String,
    },
    /// 403.
    #[error("not permitted (403{message}); grant the credentials the scopes that are required")]
    Forbidden {
        /// What the server said, with required and granted scopes where it names them.
        message: String,
    },
    /// 404.
    #[error("not found, or not visible to these credentials (404{message})")]
    NotFound {
        /// What the server said.
        message: String,
    },
    /// 410.
    #[error("Atlassian removed this endpoint (410{message}){}", instead(change.as_deref(), message, *replacement))]
    Gone {
        /// What the server said.
        message: String,
        /// Number of the change that removed it, such as `CHANGE-2770`, where the server gives it.
        change: Option<String>,
        /// What replaces it, as far as this version knows.
        replacement: Option<&'static str>,
    },
    /// Any other 4xx.
    #[error("the server refused the request ({status}{message})")]
    Refused {
        /// The status.
        status: u16,
        /// What the server said.
        message: String,
    },
    /// 408, 425, 429 and 5xx.
    #[error("the server could not answer ({status}{message})")]
    Unavailable {
        /// The status.
        status: u16,
        /// What the server said.
        message: String,
        /// How long it asks to wait.
        retry_after: Option<Duration>,
    },
    /// The ledger of requests could not be kept, so that nothing was sent.
    #[error("requests cannot be counted in the database: {0}")]
    Ledger(String),
    /// The same because another process holds the ledger and did not let go of it in time.
    #[error("requests cannot be counted in the database: {0}")]
    LedgerInUse(String),
    /// The network.
    #[error("no answer: {0}")]
    Network(String),
    /// The body was not a page.
    #[error("the answer is not what the API sends: {0}")]
    Shape(String),
    /// The body was too large.
    #[error("the answer is larger than {0} bytes; `max_answer_mib` of the connection allows more")]
    TooLarge(usize),
    /// The list of one parent's items, which is kept until it is complete, was too large.
    #[error(
        "the list has more than {0} bytes; `max_answer_mib` of the connection allows more, four \
         times as many as it says"
    )]
    ListTooLarge(usize),
    /// The page has far more items than any page that is asked for.
    #[error(
        "the answer has more than {0} items on one page, far more than were asked for; report it \
         to whoever runs the server"
    )]
    TooManyItems(usize),
    /// `next` or a redirect led elsewhere.
    #[error("it leads to another server ({0}), which headwater does not follow")]
    Foreign(String),
    /// The list goes on and on.
    #[error(
        "the list does not end: {distinct} different items came on {pages} pages, {received} in \
         all, and there is always a next page; nothing of it counts as complete. Report it to \
         whoever runs the server"
    )]
    Endless {
        /// Pages read.
        pages: u64,
        /// Items on them.
        received: u64,
        /// Different ones among them.
        distinct: u64,
    },
    /// Fewer items came than the list announces.
    #[error(
        "the list announces {announced} items, and {distinct} different ones came in {readings} \
         readings: some are missing, so it does not count as read and nothing is taken for \
         deleted; the next run reads it again"
    )]
    Incomplete {
        /// Items that it announces.
        announced: u64,
        /// Different items that came.
        distinct: u64,
        /// How often it was read.
        readings: u32,
    },
    /// `next` led back.
    #[error("its pages lead in a circle")]
    Loop,
    /// Not a URL.
    #[error("it is no valid address: {0}")]
    BadUrl(String),
    /// Cancelled.
    #[error("cancelled")]
    Cancelled,
}

/// The number of the change, where the server's message lacks it, and where to go from here.
fn instead(change: Option<&str>, message: &str, replacement: Option<&str>) -> String {
    let change = change.filter(|change| !message.contains(change));
    let change = change
        .map(|change| format!(", {change}"))
        .unwrap_or_default();
    match replacement {
        Some(replacement) => format!("{change}; {replacement}"),
        None => format!("{change}; a newer headwater may know another"),
    }
}

impl RequestErrorKind {
    /// What follows from it.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Unavailable { .. } | Self::Network(_) | Self::Shape(_) => Verdict::Retry,
            Self::NotFound { .. } | Self::Forbidden { .. } | Self::Gone { .. } => Verdict::Skip,
            Self::Unauthorized { .. }
            | Self::ConsumerRefused { .. }
            | Self::LedgerInUse(_)
            | Self::Cancelled => Verdict::Stop,
            Self::Refused { .. }
            | Self::Ledger(_)
            | Self::TooLarge(_)
            | Self::ListTooLarge(_)
            | Self::TooManyItems(_)
            | Self::Foreign(_)
            | Self::Loop
            | Self::Endless { .. }
            | Self::Incomplete { .. }
            | Self::BadUrl(_) => Verdict::Fail,
        }
    }
}

impl RequestErrorKind {
    /// The same without secrets in what the server or a library said, whoever wrote it into it.
    #[must_use]
    pub(crate) fn without(mut self, hidden: &Secrets) -> Self {
        let text = match &mut self {
            Self::Unauthorized { message, .. }
            | Self::ConsumerRefused { message, .. }
            | Self::Forbidden { message }
            | Self::NotFound { message }
            | Self::Gone { message, .. }
            | Self::Refused { message, .. }
            | Self::Unavailable { message, .. } => message,
            Self::Ledger(text)
            | Self::LedgerInUse(text)
            | Self::Network(text)
            | Self::Shape(text)
            | Self::Foreign(text)
            | Self::BadUrl(text) => text,
            Self::TooLarge(_)
            | Self::ListTooLarge(_)
            | Self::TooManyItems(_)
            | Self::Endless { .. }
            | Self::Incomplete { .. }
            | Self::Loop
            | Self::Cancelled => return self,
        };
        *text = hidden.shown(text, LONGEST_TEXT);
        self
    }
}

/// Why the collection of a stream stopped.
#[derive(Debug, thiserror::Error)]
#[error("collecting {stream} of {scope} over connection {connection}")]
pub struct CollectError {
    /// The connection.
    pub connection: String,
    /// Full name of the repository.
    pub scope: String,
    /// The stream.
    pub stream: &'static str,
    /// What went wrong.
    #[source]
    pub kind: CollectErrorKind,
    /// What was done before; it is committed and stays.
    pub outcome: Collected,
}

/// What stopped a collection.
#[derive(Debug, thiserror::Error)]
pub enum CollectErrorKind {
    /// A request failed.
    #[error("{0}")]
    Request(#[from] RequestError),
    /// The database failed.
    #[error("storing raw rows")]
    Store(#[from] StoreError),
    /// Too many parents failed one after the other.
    #[error("{count} requests failed one after the other, the last one: {last}")]
    GaveUp {
        /// How many.
        count: usize,
        /// The last one.
        last: RequestError,
    },
    /// A switch took the list away.
    #[error("{error}; the list is switched off there, or was never switched on")]
    SwitchedOff {
        /// What the list answered.
        error: RequestError,
        /// True when it was there the last time.
        is_new: bool,
    },
    /// The list was not there when it was last asked for, and is not asked for again yet.
    #[error("the list was not there when it was last asked for")]
    StillAbsent,
    /// Items came and went between the pages of every walk.
    #[error(
        "the list changed each of the {0} times that it was read, and items may have been missed; \
         the next run reads it again"
    )]
    Restless(u32),
    /// The work was cancelled.
    #[error("cancelled")]
    Cancelled,
}

impl CollectErrorKind {
    /// What follows from it for other streams and scopes.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Request(error) | Self::GaveUp { last: error, .. } => match error.kind.verdict() {
                Verdict::Retry => Verdict::Fail,
                verdict => verdict,
            },
            Self::SwitchedOff { .. } | Self::StillAbsent => Verdict::Skip,
            Self::Store(_) | Self::Restless(_) => Verdict::Fail,
            Self::Cancelled => Verdict::Stop,
        }
    }
}

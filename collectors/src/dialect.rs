//! How an API spells what every API has: pages, filters, times and errors.
//!
//! A source has one [`Dialect`], a value. Engine and client ask it and know no product by name.

use std::time::Duration;

use chrono::{DateTime, Utc};
use headwater_domain::timestamp;
use headwater_redaction::Secrets;
use url::Url;

use crate::endpoint::Since;
use crate::error::RequestErrorKind;

/// Name and value of a parameter of a request.
pub type Parameter = (&'static str, String);

/// Makes the parameter of a filter by time: from the first time on and before the second (UTC).
pub type Filter = fn(Since, Option<DateTime<Utc>>, Option<DateTime<Utc>>) -> Option<Parameter>;

/// How the API of a source is spoken.
#[derive(Clone, Copy, Debug)]
pub struct Dialect {
    /// How lists are cut into pages.
    pub pages: Pages,
    /// How items write times.
    pub times: Times,
    /// Name and value of the parameter that asks a list for items that changed at the first time
    /// or later and before the second one (UTC); none where neither is given.
    pub filter: Filter,
    /// Reads the error envelope of an answer.
    pub error: fn(&[u8]) -> ApiError,
    /// What an answer that is no success means.
    pub refusal: fn(&Refused<'_>) -> RequestErrorKind,
    /// First segment, below the endpoint, of addresses that ask about the user: there a token
    /// without one may be refused, and only there. Empty where there are none.
    pub user_path: &'static str,
}

/// How lists are cut into pages. The items are in `values`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pages {
    /// `next` is the opaque address of the next page, and absent on the last one. Lists may be
    /// numbered without it (`page`, `pagelen`); `size` is the number of items on all pages.
    Linked,
    /// A page begins at item `start` and has `limit` items at most. `isLastPage` says whether it
    /// is the last one, `nextPageStart` where the next one begins; `size` counts the page alone.
    Offsets,
}

impl Pages {
    /// Parameter for the number of items on a page.
    #[must_use]
    pub fn length(self) -> &'static str {
        match self {
            Self::Linked => "pagelen",
            Self::Offsets => "limit",
        }
    }

    /// Parameter for the place of a page, and its value for the page of this number, counted
    /// from 1, where pages are so long.
    #[must_use]
    pub fn place(self, page: u64, length: u64) -> (&'static str, u64) {
        match self {
            Self::Linked => ("page", page),
            Self::Offsets => ("start", page.saturating_sub(1) * length),
        }
    }

    /// True when a page may tell how many items the whole list has. Where none does, a list of
    /// several pages is complete only if it reads the same twice.
    #[must_use]
    pub fn count_lists(self) -> bool {
        self == Self::Linked
    }
}

/// How items write times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times {
    /// `2026-03-01T10:00:00.123456+00:00`.
    Rfc3339,
    /// Milliseconds since 1970, a number; or text as newer versions of such an API write it.
    Milliseconds,
}

impl Times {
    /// Reads a time (UTC); none for what is no time.
    #[must_use]
    pub fn read(self, text: &str) -> Option<DateTime<Utc>> {
        match self {
            Self::Rfc3339 => timestamp::rfc3339(text),
            Self::Milliseconds => timestamp::milliseconds_or_text(text),
        }
    }
}

/// What an error envelope says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApiError {
    /// What is wrong; none where the body is no error envelope.
    pub message: Option<String>,
    /// Permissions that the request needs.
    pub required: Vec<String>,
    /// Permissions that the credentials have.
    pub granted: Vec<String>,
    /// Number of the change that removed what was asked for.
    pub change: Option<String>,
}

/// An answer that is no success.
#[derive(Clone, Copy, Debug)]
pub struct Refused<'a> {
    /// Base address of the connection.
    pub endpoint: &'a Url,
    /// What was asked for.
    pub url: &'a Url,
    /// The status.
    pub status: u16,
    /// The body, as it came.
    pub body: &'a [u8],
    /// What no message may hold.
    pub hidden: &'a Secrets,
    /// How long the server asks to wait.
    pub retry_after: Option<Duration>,
}

impl Refused<'_> {
    /// `: <message>` with the permissions that the envelope names, or the beginning of a short
    /// text that is no page for people; else nothing.
    #[must_use]
    pub fn message(&self, error: &ApiError) -> String {
        let text = match &error.message {
            Some(message) => message,
            None => match std::str::from_utf8(self.body) {
                Ok(text) if !text.trim_start().starts_with(['<', '{']) => text.trim(),
                _ => "",
            },
        };
        let mut shown = self.hidden.shown(text, 200);
        for (name, permissions) in [("required", &error.required), ("granted", &error.granted)] {
            if !permissions.is_empty() {
                let permissions = self.hidden.shown(&permissions.join(" "), 1000);
                shown = format!("{shown}, {name}: {permissions}");
            }
        }
        if shown.is_empty() {
            return shown;
        }
        format!(": {shown}")
    }

    /// What the status means wherever HTTP is spoken; of 401 what `advice` says to do.
    #[must_use]
    pub fn kind(&self, message: String, advice: &'static str) -> RequestErrorKind {
        match self.status {
            401 => RequestErrorKind::Unauthorized { message, advice },
            403 => RequestErrorKind::Forbidden { message },
            404 => RequestErrorKind::NotFound { message },
            410 => RequestErrorKind::Gone {
                message,
                change: None,
                replacement: None,
            },
            status @ (408 | 425 | 429 | 500..=599) => RequestErrorKind::Unavailable {
                status,
                message,
                retry_after: self.retry_after,
            },
            status => RequestErrorKind::Refused { status, message },
        }
    }
}

//! Ways to misbehave.

mod kind;
mod plan;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

pub use kind::{FaultKind, FaultSettings};
pub use plan::{FaultPlan, When};

use crate::requests::RequestRecord;

/// What happens to a request instead of, or on the way to, its proper response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Another response: status, body, further headers. Without a `content-type` among the headers
    /// a body that starts with a brace is JSON and any other is plain text.
    Status(u16, Bytes, Vec<(String, String)>),
    /// 200 with this body and content type.
    Body(Bytes, String),
    /// 429 as Bitbucket sends it, in plain text, and when to come back in either form of
    /// `Retry-After`. Dates count from the `Date` header of the same response. Both forms know
    /// whole seconds only: fractions are rounded up.
    RateLimited(Option<(RetryForm, Duration)>),
    /// No response until the client leaves or the simulator stops.
    Hang,
    /// The head and half the body of the proper response; the rest never comes.
    Stall,
    /// The proper response in sixteen pieces, with that pause before each.
    Slow(Duration),
    /// The proper response, cut off in the middle.
    CutConnection,
    /// The connection ends before any response.
    CutBeforeHead,
    /// The proper response, later.
    Delay(Duration),
    /// The first half of the proper body, as if it were the whole.
    Truncate,
    /// 200 with a JSON body that goes on for that many bytes, made while it is sent. Clients that
    /// accept it get it compressed when `packed` is set: little to transfer, much to unpack.
    Huge {
        /// Length of the body in bytes, unpacked.
        bytes: u64,
        /// Whether it is sent with gzip.
        packed: bool,
    },
    /// The proper page of a list, but `next` leads back to where the client has been. The last
    /// page gets such a `next`, too.
    NextLoops(Loop),
    /// The proper page of a list, but `next` leads to this origin, `http://host:port`.
    NextElsewhere(String),
    /// The proper page of a list without `next`.
    NoNext,
    /// The proper page of a list without `size`.
    NoSize,
    /// The list changes before this page of it is served, so that numbered pages skip or repeat
    /// an item. Only pages after the first are hit; lists paged by cursor do not mind.
    Shift(Shift),
    /// Several faults at once, in this order.
    Together(Vec<Fault>),
    /// A fault under a name of the caller's, for the counts.
    Named(String, Box<Fault>),
}

/// The two forms of `Retry-After`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryForm {
    /// A number of seconds.
    Seconds,
    /// A date as HTTP writes it.
    Date,
}

/// Where a looping `next` leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loop {
    /// To the very page it is on.
    SamePage,
    /// To the first page of the list.
    FirstPage,
}

/// What happens to a list while it is paged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shift {
    /// A new item appears: in a list with the newest first, one item is served twice.
    Insert,
    /// An item of the page before disappears: one item is skipped. Repositories do not.
    Delete,
    /// An item changes and so moves to where the latest updates are. It comes from this page when
    /// that is the front of the list, so that it is missed, and else from the page before, so that
    /// another one is skipped.
    Update,
}

/// Decides the fate of each request as it arrives, before anything else looks at it.
pub type OnRequest = Arc<dyn Fn(&RequestRecord) -> Option<Fault> + Send + Sync>;

impl Fault {
    /// A status with the service's own kind of body: JSON for most, plain text for 429, a web page
    /// for 502.
    #[must_use]
    pub fn status(status: u16) -> Fault {
        let page = || {
            let body = format!("<html><head><title>{status}</title></head></html>");
            Fault::Status(status, body.into(), html())
        };
        match status {
            401 => Fault::error(
                401,
                "Token is invalid, expired, or not supported for this endpoint.",
            ),
            403 => Fault::error(403, "Forbidden"),
            404 => Fault::error(404, "Resource not found"),
            410 => Fault::removed("CHANGE-2770"),
            429 => Fault::RateLimited(None),
            502 => page(),
            _ => Fault::error(status, "Something went wrong"),
        }
    }

    /// A status with an error in the service's JSON envelope.
    #[must_use]
    pub fn error(status: u16, message: &str) -> Fault {
        let answer = crate::cloud::Answer::error(status, message);
        Fault::Status(status, answer.body.into(), Vec::new())
    }

    /// 410 as a removed endpoint answers it, with the number of a changelog entry such as
    /// `CHANGE-2770` and the address of the announcement.
    #[must_use]
    pub fn removed(change: &str) -> Fault {
        let answer = crate::cloud::Answer::retired(change);
        Fault::Status(answer.status, answer.body.into(), Vec::new())
    }

    /// 429 with `Retry-After` in seconds.
    #[must_use]
    pub fn retry_after_seconds(seconds: u64) -> Fault {
        Fault::RateLimited(Some((RetryForm::Seconds, Duration::from_secs(seconds))))
    }

    /// 429 with `Retry-After` as a date so much later than the response.
    #[must_use]
    pub fn retry_after_date(later: Duration) -> Fault {
        Fault::RateLimited(Some((RetryForm::Date, later)))
    }

    /// 200 and JSON, says the head; the body is neither JSON nor text.
    #[must_use]
    pub fn garbage() -> Fault {
        let body = Bytes::from_static(b"{\"values\": [\xff\xfe\x00\x9f, nul, }");
        Fault::Body(body, "application/json".to_owned())
    }

    /// 200 and a web page, as proxies and maintenance windows serve it.
    #[must_use]
    pub fn web_page() -> Fault {
        let page = "<!doctype html><html><head><title>Sign in</title></head><body></body></html>";
        Fault::Body(page.into(), "text/html; charset=utf-8".to_owned())
    }

    /// The fault under that name in the counts.
    #[must_use]
    pub fn named(self, name: &str) -> Fault {
        Fault::Named(name.to_owned(), Box::new(self))
    }

    /// What the fault is called in counts and tables. Names are stable.
    #[must_use]
    pub fn name(&self) -> String {
        if let Some(kind) = FaultKind::of(self) {
            return kind.name().to_owned();
        }
        match self {
            Fault::Status(status, ..) => format!("status {status}"),
            Fault::Body(..) => "another body".to_owned(),
            Fault::Delay(_) => "a late answer".to_owned(),
            Fault::Slow(_) => "a slow answer".to_owned(),
            Fault::NoNext => "a page without next".to_owned(),
            Fault::NoSize => "a page without size".to_owned(),
            Fault::Together(faults) => {
                let names: Vec<String> = faults.iter().map(Fault::name).collect();
                names.join(" + ")
            }
            Fault::Named(name, _) => name.clone(),
            _ => "another fault".to_owned(),
        }
    }

    /// How long a response waits.
    pub(crate) fn delay(&self) -> Duration {
        match self {
            Fault::Delay(duration) => *duration,
            Fault::Named(_, fault) => fault.delay(),
            Fault::Together(faults) => faults.iter().map(Fault::delay).sum(),
            _ => Duration::ZERO,
        }
    }

    /// Whether the fault can do anything to that request, as far as its address shows.
    pub(crate) fn suits(&self, request: &RequestRecord) -> bool {
        match self {
            Fault::Shift(_) => request.is_continuation(),
            Fault::Named(_, fault) => fault.suits(request),
            Fault::Together(faults) => faults.iter().any(|fault| fault.suits(request)),
            _ => true,
        }
    }
}

fn html() -> Vec<(String, String)> {
    vec![(
        "content-type".to_owned(),
        "text/html; charset=utf-8".to_owned(),
    )]
}

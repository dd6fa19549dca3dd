//! What a request gets back, and the catalogue of errors.

use crate::cloud::payload::json::object;

/// A status and a JSON document.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
    /// Where to go instead; empty for an answer that is none of that kind.
    pub(crate) location: String,
}

const REPOSITORY: &str = "The requested repository either does not exist or you do not have access. \
     If you believe this repository exists and you have access, make sure you're authenticated.";
const TOKEN: &str = "Token is invalid, expired, or not supported for this endpoint.";
const ROUTE: &str = "There is no API hosted at this URL.";

impl Answer {
    pub(crate) fn ok(body: String) -> Answer {
        Answer::of(200, body)
    }

    pub(crate) fn error(status: u16, message: &str) -> Answer {
        Answer::detailed(status, message, None)
    }

    fn detailed(status: u16, message: &str, detail: Option<&str>) -> Answer {
        let mut body = String::new();
        object(&mut body, |it| {
            it.text("type", "error");
            it.object("error", |it| {
                it.text("message", message);
                if let Some(detail) = detail {
                    it.text("detail", detail);
                }
            });
        });
        Answer::of(status, body)
    }

    pub(super) fn of(status: u16, body: String) -> Answer {
        Answer {
            status,
            body,
            location: String::new(),
        }
    }

    /// The answer is at another address of the same server.
    pub(crate) fn elsewhere(address: &str) -> Answer {
        Answer {
            location: address.to_owned(),
            ..Answer::of(302, String::new())
        }
    }

    pub(crate) fn bad_request(message: &str) -> Answer {
        Answer::error(400, message)
    }

    pub(crate) fn unauthorized() -> Answer {
        Answer::error(401, TOKEN)
    }

    pub(crate) fn no_user() -> Answer {
        Answer::error(403, "This API is only accessible by a user.")
    }

    pub(crate) fn no_workspace(name: &str) -> Answer {
        Answer::error(404, &format!("No workspace with identifier '{name}'."))
    }

    pub(crate) fn no_repository() -> Answer {
        Answer::error(404, REPOSITORY)
    }

    pub(crate) fn not_found(what: &str) -> Answer {
        Answer::error(404, &format!("{what} not found"))
    }

    pub(crate) fn no_route() -> Answer {
        Answer::detailed(404, "Resource not found", Some(ROUTE))
    }

    pub(crate) fn method_not_allowed() -> Answer {
        Answer::error(405, "Method not allowed")
    }

    /// An endpoint that a changelog entry retired.
    pub(crate) fn retired(change: &str) -> Answer {
        let mut body = String::new();
        let page = "https://developer.atlassian.com/cloud/bitbucket/changelog";
        object(&mut body, |it| {
            it.text("type", "error");
            it.object("error", |it| {
                it.shown(
                    "message",
                    format_args!("{change} - Functionality has been deprecated"),
                );
                it.text(
                    "detail",
                    "Please read the changelog entry for more details.",
                );
                it.object("data", |it| {
                    it.shown("announcement_url", format_args!("{page}#{change}"));
                });
            });
            it.object("data", |it| {
                it.shown("announcement_url", format_args!("{page}#{change}"));
            });
        });
        Answer::of(410, body)
    }
}

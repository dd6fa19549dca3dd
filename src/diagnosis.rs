//! What an answer says about a connection: one of seven words, what happened, what to do next.
//!
//! No network here: the result of a probe goes in, a [`Diagnosis`] comes out.

mod advice;
mod git;

use headwater_collectors::{Cause, Probed, Reply, Unanswered};

use crate::connect::Clues;
use crate::exit::Exit;

pub use git::{of_git, of_silence};

/// How a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// It works.
    Ok,
    /// The server does not accept the credentials.
    InvalidCredentials,
    /// The credentials are accepted but may not read what is needed.
    InvalidPermissions,
    /// There is nothing to collect, or nothing that these credentials can see.
    NoResources,
    /// The endpoint is gone for every client.
    EndpointRemoved,
    /// Too many requests.
    RateLimited,
    /// No usable answer came.
    Unreachable,
}

impl Code {
    /// The word that is printed.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::InvalidCredentials => "invalid_credentials",
            Self::InvalidPermissions => "invalid_permissions",
            Self::NoResources => "no_resources",
            Self::EndpointRemoved => "endpoint_removed",
            Self::RateLimited => "rate_limited",
            Self::Unreachable => "unreachable",
        }
    }

    /// How a test ends that finds this.
    #[must_use]
    pub fn exit(self) -> Exit {
        match self {
            Self::Ok => Exit::Ok,
            Self::InvalidCredentials | Self::InvalidPermissions | Self::NoResources => {
                Exit::Credentials
            }
            Self::EndpointRemoved | Self::RateLimited | Self::Unreachable => Exit::Failed,
        }
    }
}

/// What was found, and what follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    /// The word.
    pub code: Code,
    /// What kind of `unreachable` it is: `dns`, `refused`, `proxy`, `tls`, `timeout`, `broken`,
    /// `server`, `not_the_api`; empty for other codes.
    pub cause: &'static str,
    /// What happened, with the address.
    pub detail: String,
    /// What to do next, in one sentence; empty when all is well.
    pub next: String,
    /// Scopes that are needed, where the server names it.
    pub required: Vec<String>,
    /// Scopes that the credentials have, where the server names it.
    pub granted: Vec<String>,
    /// Number of the change that removed an endpoint, such as `CHANGE-2770`.
    pub change: Option<String>,
}

impl Diagnosis {
    /// All is well.
    #[must_use]
    pub fn ok(detail: String) -> Self {
        Self {
            code: Code::Ok,
            cause: "",
            detail,
            next: String::new(),
            required: Vec::new(),
            granted: Vec::new(),
            change: None,
        }
    }

    /// Something is wrong.
    #[must_use]
    pub fn of(code: Code, detail: String, next: impl Into<String>) -> Self {
        Self {
            code,
            next: next.into(),
            ..Self::ok(detail)
        }
    }

    fn unreachable(cause: &'static str, detail: String, next: impl Into<String>) -> Self {
        Self {
            cause,
            ..Self::of(Code::Unreachable, detail, next)
        }
    }
}

/// What is wrong with a probe of a list; nothing when it returned a list with something in it.
#[must_use]
pub fn of_list(probed: &Probed, clues: &Clues) -> Option<Diagnosis> {
    let wrong = of_answer(probed, clues);
    if wrong.is_some() {
        return wrong;
    }
    let reply = probed.outcome.as_ref().ok()?;
    let values = reply
        .json
        .as_ref()
        .and_then(|json| json["values"].as_array());
    let url = &probed.url;
    match values {
        None => Some(Diagnosis::unreachable(
            "not_the_api",
            format!("{url} answered something that is no list"),
            advice::NOT_THE_API,
        )),
        Some(values) if values.is_empty() => Some(Diagnosis::of(
            Code::NoResources,
            format!("{url} lists nothing"),
            advice::nothing_listed(clues),
        )),
        Some(_) => None,
    }
}

/// What is wrong with a probe; nothing when the server answered with JSON as the API does.
#[must_use]
pub fn of_answer(probed: &Probed, clues: &Clues) -> Option<Diagnosis> {
    let url = probed.url.to_string();
    match &probed.outcome {
        Ok(reply) => of_reply(&url, reply, clues),
        Err(unanswered) => Some(of_unanswered(&url, unanswered, clues)),
    }
}

fn of_reply(url: &str, reply: &Reply, clues: &Clues) -> Option<Diagnosis> {
    let status = reply.status;
    let said = if reply.message.is_empty() {
        format!("{url} answered {status}")
    } else {
        format!("{url} answered {status}: {}", reply.message)
    };
    Some(match status {
        200..=299 if reply.json.is_some() => return None,
        200..=299 => Diagnosis::unreachable(
            "not_the_api",
            format!("{url} answered something that is not JSON"),
            advice::NOT_THE_API,
        ),
        300..=399 => {
            let elsewhere = reply.leads_to.as_deref().unwrap_or("nowhere");
            let detail = format!("{url} leads to {elsewhere}, which is not followed");
            Diagnosis::unreachable("not_the_api", detail, advice::NOT_THE_API)
        }
        401 => Diagnosis::of(
            Code::InvalidCredentials,
            said,
            advice::refused(&reply.message, clues),
        ),
        403 => forbidden(said, reply, clues),
        404 => Diagnosis::of(Code::NoResources, said, advice::not_found(clues)),
        407 => Diagnosis::unreachable("proxy", said, advice::PROXY_LOGIN),
        410 => gone(said, reply, clues),
        429 => Diagnosis::of(
            Code::RateLimited,
            said,
            advice::rate_limited(reply.retry_after),
        ),
        408 | 425 | 500..=599 => Diagnosis::unreachable("server", said, advice::SERVER),
        _ => Diagnosis::unreachable("not_the_api", said, advice::NOT_THE_API),
    })
}

fn forbidden(said: String, reply: &Reply, clues: &Clues) -> Diagnosis {
    let (required, granted) = (reply.required.clone(), reply.granted.clone());
    let mut detail = said;
    for (word, scopes) in [("required", &required), ("granted", &granted)] {
        if !scopes.is_empty() {
            detail = format!("{detail}; {word}: {}", scopes.join(" "));
        }
    }
    Diagnosis {
        required: required.clone(),
        granted: granted.clone(),
        ..Diagnosis::of(
            Code::InvalidPermissions,
            detail,
            advice::forbidden(&required, &granted, clues),
        )
    }
}

/// A removed endpoint, or removed credentials.
fn gone(said: String, reply: &Reply, clues: &Clues) -> Diagnosis {
    let change = reply.change.clone();
    if change.as_deref() == Some(advice::APP_PASSWORD_CHANGE) {
        return Diagnosis {
            change,
            ..Diagnosis::of(
                Code::InvalidCredentials,
                said,
                advice::refused(&reply.message, clues),
            )
        };
    }
    let next = advice::removed(change.as_deref());
    // The server may hide the number in an address.
    let detail = match &change {
        Some(number) if !said.contains(number.as_str()) => format!("{said} ({number})"),
        _ => said,
    };
    Diagnosis {
        change,
        ..Diagnosis::of(Code::EndpointRemoved, detail, next)
    }
}

fn of_unanswered(url: &str, unanswered: &Unanswered, clues: &Clues) -> Diagnosis {
    match unanswered {
        Unanswered::Network { cause, message } => {
            let (word, next) = match cause {
                Cause::Name => ("dns", advice::name(clues)),
                Cause::Refused => ("refused", advice::REFUSED.to_owned()),
                Cause::Proxy => ("proxy", advice::PROXY.to_owned()),
                Cause::Tls => ("tls", advice::TLS.to_owned()),
                Cause::Timeout => ("timeout", advice::TIMEOUT.to_owned()),
                Cause::Broken => ("broken", advice::BROKEN.to_owned()),
            };
            Diagnosis::unreachable(word, format!("{url}: no answer: {message}"), next)
        }
        Unanswered::ConsumerRefused { status, message } => Diagnosis::of(
            Code::InvalidCredentials,
            format!("no access token was given to the OAuth consumer: {status} {message}")
                .trim_end()
                .to_owned(),
            advice::CONSUMER,
        ),
        Unanswered::TokensUnavailable {
            status: 429,
            retry_after,
        } => Diagnosis::of(
            Code::RateLimited,
            "asking for an access token was answered with 429".to_owned(),
            advice::rate_limited(*retry_after),
        ),
        Unanswered::TokensUnavailable { status: 200, .. } => Diagnosis::unreachable(
            "not_the_api",
            "what auth.token_url answers is no access token".to_owned(),
            advice::TOKEN_URL,
        ),
        Unanswered::TokensUnavailable { status, .. } => Diagnosis::unreachable(
            "server",
            format!("asking for an access token was answered with {status}"),
            advice::SERVER,
        ),
        Unanswered::Cancelled => Diagnosis::unreachable(
            "timeout",
            format!("{url}: cancelled"),
            "Run the test again and let it finish.",
        ),
    }
}

#[cfg(test)]
mod tests;

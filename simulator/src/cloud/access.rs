//! Who may read what: credentials, their scopes, and the tokens of OAuth consumers.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use url::form_urlencoded;

use super::{Answer, Reader};
use crate::cloud::payload::json::{self, object};
use crate::options::{Consumer, Credentials, base64};

/// Where consumers ask for tokens.
pub(crate) const TOKEN_PATH: &str = "/site/oauth2/access_token";

/// Stands before an API token where git asks for a user.
const API_TOKEN_USER: &str = "x-bitbucket-api-token-auth";
/// Stands before an access token where git asks for a user.
const TOKEN_USER: &str = "x-token-auth";
const EXPIRED: &str = "Access token expired. Use your refresh token to obtain a new access token.";
const APP_PASSWORD: &str = "CHANGE-3222 - Functionality has been deprecated: app passwords are \
     deprecated and must be replaced with API tokens.";
const LACKING: &str = "Your credentials lack one or more required privilege scopes.";

/// Credentials in the form in which requests carry them, and the tokens that were given out.
#[derive(Debug)]
pub(crate) struct Accepted {
    known: Vec<Known>,
    app_passwords: Vec<String>,
    anonymous: bool,
    consumers: Vec<Consumer>,
    /// What git accepts, each with its equivalent at the API.
    git: Vec<(String, String)>,
    /// What only git accepts.
    only_git: Vec<String>,
    issued: Mutex<Issued>,
}

/// One accepted header.
#[derive(Clone, Debug)]
struct Known {
    header: String,
    reader: Reader,
    expired: bool,
    /// The scopes it has; all of them where none are given.
    scopes: Option<Vec<String>>,
}

#[derive(Debug, Default)]
struct Issued {
    count: u64,
    tokens: Vec<Token>,
}

/// A token of a consumer.
#[derive(Debug)]
struct Token {
    known: Known,
    until: Instant,
    left: Option<u64>,
}

impl Accepted {
    pub(crate) fn new(credentials: &Credentials) -> Accepted {
        let scopes = |name: &str| {
            let found = credentials.scopes.iter().find(|(of, _)| of == name);
            found.map(|(_, scopes)| scopes.clone())
        };
        let expired = |token: &String| credentials.expired.contains(token);
        let people = credentials.api_tokens.iter().map(|(email, token)| Known {
            header: format!("basic {}", base64(&format!("{email}:{token}"))),
            reader: Reader::Person,
            expired: expired(token),
            scopes: scopes(token),
        });
        let tokens = credentials.access_tokens.iter().map(|token| Known {
            header: format!("bearer {token}"),
            reader: Reader::Token,
            expired: expired(token),
            scopes: scopes(token),
        });
        let app_passwords = credentials.app_passwords.iter();
        Accepted {
            known: people.chain(tokens).collect(),
            app_passwords: app_passwords
                .map(|(user, password)| format!("basic {}", base64(&format!("{user}:{password}"))))
                .collect(),
            anonymous: credentials.anonymous,
            consumers: credentials.consumers.clone(),
            git: git_headers(credentials),
            only_git: only_git(credentials),
            issued: Mutex::default(),
        }
    }

    /// Who sends that header, or the answer to a client that may not read this.
    pub(crate) fn reader(&self, authorization: Option<&str>, path: &str) -> Result<Reader, Answer> {
        let Some(authorization) = authorization else {
            let anonymous = self.anonymous.then_some(Reader::Anonymous);
            return anonymous.ok_or_else(Answer::unauthorized);
        };
        let header = normal(authorization);
        if self.app_passwords.contains(&header) {
            return Err(Answer::error(401, APP_PASSWORD));
        }
        let known = match self.find(&header) {
            Some(known) => known,
            None => self.spend(&header)?,
        };
        if known.expired {
            return Err(Answer::unauthorized());
        }
        let required = required(path);
        match (&known.scopes, required) {
            (Some(granted), Some(required)) if !suffice(granted, required) => {
                Err(lacking(known.word(required), granted))
            }
            _ => Ok(known.reader),
        }
    }

    /// Who asks git with that header, or the answer to a client that may not read repositories.
    pub(crate) fn git_reader(&self, authorization: Option<&str>) -> Result<Reader, Answer> {
        let path = "/2.0/repositories/";
        let Some(authorization) = authorization else {
            return self.reader(None, path);
        };
        let header = normal(authorization);
        if self.only_git.contains(&header) {
            return Ok(Reader::Token);
        }
        let same = self.git.iter().find(|(of_git, _)| *of_git == header);
        let same = same.map(|(_, of_api)| of_api.clone());
        let same = same.or_else(|| self.issued_to_git(&header));
        let same = same.ok_or_else(Answer::unauthorized)?;
        self.reader(Some(&same), path)
    }

    /// The header at the API of a consumer's token that git is given as a password.
    fn issued_to_git(&self, header: &str) -> Option<String> {
        let issued = self.lock();
        let mut headers = issued.tokens.iter().map(|token| &token.known.header);
        let same = headers.find(|bearer| {
            let token = bearer.strip_prefix("bearer ").unwrap_or_default();
            header == basic(TOKEN_USER, token)
        });
        same.cloned()
    }

    /// What answers tell of the scopes, for credentials that do not have all of them.
    pub(crate) fn headers(
        &self,
        authorization: Option<&str>,
        path: &str,
    ) -> Vec<(&'static str, String)> {
        let header = normal(authorization.unwrap_or_default());
        let Some(known) = self.find(&header).or_else(|| self.issued(&header)) else {
            return Vec::new();
        };
        let Some(granted) = &known.scopes else {
            return Vec::new();
        };
        let mut headers = vec![("x-oauth-scopes", granted.join(", "))];
        if let Some(required) = required(path) {
            let accepted = known.word(required).to_owned();
            headers.push(("x-accepted-oauth-scopes", accepted));
        }
        headers
    }

    fn find(&self, header: &str) -> Option<Known> {
        let found = self.known.iter().find(|known| known.header == header);
        found.cloned()
    }

    fn issued(&self, header: &str) -> Option<Known> {
        let issued = self.lock();
        let found = issued.tokens.iter().find(|t| t.known.header == header);
        found.map(|token| token.known.clone())
    }

    /// Uses a consumer's token once.
    fn spend(&self, header: &str) -> Result<Known, Answer> {
        let mut issued = self.lock();
        let mut tokens = issued.tokens.iter_mut();
        let token = tokens.find(|token| token.known.header == header);
        let token = token.ok_or_else(Answer::unauthorized)?;
        if Instant::now() >= token.until || token.left == Some(0) {
            return Err(Answer::error(401, EXPIRED));
        }
        token.left = token.left.map(|left| left - 1);
        Ok(token.known.clone())
    }

    /// Answers a consumer that asks for a token.
    pub(crate) fn token(&self, authorization: Option<&str>, form: &[u8]) -> Answer {
        let header = normal(authorization.unwrap_or_default());
        let consumer = self.consumers.iter().find(|consumer| {
            let pair = format!("{}:{}", consumer.key, consumer.secret);
            header == format!("basic {}", base64(&pair))
        });
        let Some(consumer) = consumer else {
            return denied("unauthorized_client", "Invalid OAuth client credentials");
        };
        let mut form = form_urlencoded::parse(form);
        if !form.any(|(name, value)| name == "grant_type" && value == "client_credentials") {
            return denied("unsupported_grant_type", "Unsupported grant type");
        }
        let mut issued = self.lock();
        issued.count += 1;
        let token = format!("issued-{}", issued.count);
        let scopes = consumer.scopes.clone();
        let mut body = String::new();
        object(&mut body, |it| {
            it.text("access_token", &token);
            it.text("token_type", "bearer");
            it.number("expires_in", consumer.lifetime.as_secs());
            it.text("state", "client_credentials");
            it.text("scopes", &scopes.clone().unwrap_or_default().join(" "));
        });
        issued.tokens.push(Token {
            known: Known {
                header: format!("bearer {token}"),
                // Such tokens act for the owner of the consumer.
                reader: Reader::Person,
                expired: false,
                scopes,
            },
            until: Instant::now() + consumer.lifetime,
            left: consumer.requests,
        });
        Answer::ok(body)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Issued> {
        self.issued.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// The scope in the words of these credentials.
    fn word(&self, required: Required) -> &'static str {
        let granular = self.header.starts_with("basic ");
        if granular {
            required.granular
        } else {
            required.classic
        }
    }
}

/// What git accepts of the credentials of the API: the same tokens, with users that stand for them.
fn git_headers(credentials: &Credentials) -> Vec<(String, String)> {
    let people = credentials.api_tokens.iter();
    let people = people.map(|(email, token)| (basic(API_TOKEN_USER, token), basic(email, token)));
    let tokens = credentials.access_tokens.iter();
    let tokens = tokens.map(|token| (basic(TOKEN_USER, token), format!("bearer {token}")));
    people.chain(tokens).collect()
}

fn only_git(credentials: &Credentials) -> Vec<String> {
    let users = credentials.git_users.iter();
    let users = users.map(|(user, password)| basic(user, password));
    let bearers = credentials.git_bearers.iter();
    users
        .chain(bearers.map(|token| format!("bearer {token}")))
        .collect()
}

fn basic(user: &str, password: &str) -> String {
    format!("basic {}", base64(&format!("{user}:{password}")))
}

/// API tokens have granular scopes, of which none includes another; of the classic ones
/// `pullrequest` includes `repository`.
fn suffice(granted: &[String], required: Required) -> bool {
    let has = |name: &str| granted.iter().any(|scope| scope == name);
    has(required.granular)
        || has(required.classic)
        || required.classic == "repository" && has("pullrequest")
}

/// The scheme in lower case, the rest as it is.
fn normal(authorization: &str) -> String {
    match authorization.split_once(' ') {
        Some((scheme, value)) => format!("{} {}", scheme.to_lowercase(), value.trim()),
        None => String::new(),
    }
}

/// The scope that a request needs, in both vocabularies.
#[derive(Clone, Copy)]
struct Required {
    granular: &'static str,
    classic: &'static str,
}

fn required(path: &str) -> Option<Required> {
    let path = path.strip_prefix("/2.0/")?;
    let needs = |granular, classic| Some(Required { granular, classic });
    if path.contains("/pullrequests") {
        needs("read:pullrequest:bitbucket", "pullrequest")
    } else if ["/pipelines", "/deployments", "/environments"]
        .iter()
        .any(|list| path.contains(list))
    {
        needs("read:pipeline:bitbucket", "pipeline")
    } else if path.starts_with("repositories/") {
        needs("read:repository:bitbucket", "repository")
    } else if path.starts_with("workspaces/") || path.starts_with("user/workspaces") {
        needs("read:workspace:bitbucket", "account")
    } else if path.starts_with("user") {
        needs("read:user:bitbucket", "account")
    } else {
        None
    }
}

fn lacking(required: &str, granted: &[String]) -> Answer {
    let mut body = String::new();
    object(&mut body, |it| {
        it.text("type", "error");
        it.object("error", |it| {
            it.text("message", LACKING);
            it.object("detail", |it| {
                it.array("required", [required], json::text);
                it.array("granted", granted, |out, scope| json::text(out, scope));
            });
        });
    });
    Answer::of(403, body)
}

/// The error of the OAuth standard.
fn denied(error: &str, description: &str) -> Answer {
    let mut body = String::new();
    object(&mut body, |it| {
        it.text("error_description", description);
        it.text("error", error);
    });
    Answer::of(400, body)
}

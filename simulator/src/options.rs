//! What a simulator is started with.

use std::fmt;

use crate::behaviour::Behaviour;
use crate::fault::OnRequest;
use crate::world::Size;

/// How to build the world and how to serve it.
#[derive(Clone)]
pub struct Options {
    /// Decides everything random.
    pub seed: u64,
    /// How much there is of everything.
    pub size: Size,
    /// Slug of the workspace.
    pub workspace: String,
    /// Who may read.
    pub credentials: Credentials,
    /// Whether requests are recorded; they are always counted.
    pub log_requests: bool,
    /// Whether bodies above one kilobyte are compressed for clients that accept it.
    pub gzip: bool,
    /// What the removed issue endpoints answer: 404 or 410. Both have been reported.
    pub issues_status: u16,
    /// Repositories with more pull requests than this answer 500 to `sort` with several states.
    pub sorted_states_limit: Option<usize>,
    /// Whether activity is paged by cursor, as commits are, instead of by number.
    pub activity_by_cursor: bool,
    /// How many bytes of rendered items are kept. Rendering again is fast too; this is for benchmarks.
    pub cache_bytes: usize,
    /// How the service as a whole behaves; may be set later as well.
    pub behaviour: Behaviour,
    /// Faults; may be set later as well.
    pub on_request: Option<OnRequest>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            seed: 1,
            size: Size::default(),
            workspace: "acme".to_owned(),
            credentials: Credentials::default(),
            log_requests: true,
            gzip: true,
            issues_status: 410,
            sorted_states_limit: None,
            activity_by_cursor: false,
            cache_bytes: 256 << 20,
            behaviour: Behaviour::default(),
            on_request: None,
        }
    }
}

impl Options {
    /// Made for speed: no log and no compression.
    #[must_use]
    pub fn benchmark(pull_requests: usize, comments: usize) -> Options {
        Options {
            size: Size::benchmark(pull_requests, comments),
            log_requests: false,
            gzip: false,
            ..Options::default()
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Options")
            .field("seed", &self.seed)
            .field("size", &self.size)
            .field("workspace", &self.workspace)
            .finish_non_exhaustive()
    }
}

/// What is accepted as `Authorization`. None of it is a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// E-mail address and API token of a user.
    pub api_tokens: Vec<(String, String)>,
    /// Access tokens, which have no user.
    pub access_tokens: Vec<String>,
    /// Whether public repositories may be read without any.
    pub anonymous: bool,
}

impl Default for Credentials {
    fn default() -> Credentials {
        Credentials {
            api_tokens: vec![("me@example.com".to_owned(), "api-token".to_owned())],
            access_tokens: vec!["access-token".to_owned()],
            anonymous: false,
        }
    }
}

/// Credentials in the form in which requests carry them.
#[derive(Debug)]
pub(crate) struct Accepted {
    basic: Vec<String>,
    bearer: Vec<String>,
    anonymous: bool,
}

impl Accepted {
    pub(crate) fn new(credentials: &Credentials) -> Accepted {
        let basic = credentials.api_tokens.iter();
        Accepted {
            basic: basic
                .map(|(email, token)| base64(&format!("{email}:{token}")))
                .collect(),
            bearer: credentials.access_tokens.clone(),
            anonymous: credentials.anonymous,
        }
    }

    /// Who sends that header; nobody we know gives `None`, and so does a wrong one.
    pub(crate) fn reader(&self, authorization: Option<&str>) -> Option<crate::api::Reader> {
        use crate::api::Reader;

        let Some(authorization) = authorization else {
            return self.anonymous.then_some(Reader::Anonymous);
        };
        let (scheme, value) = authorization.split_once(' ')?;
        let value = value.trim();
        let knows = |accepted: &[String]| accepted.iter().any(|accepted| accepted == value);
        if scheme.eq_ignore_ascii_case("basic") && knows(&self.basic) {
            Some(Reader::Person)
        } else if scheme.eq_ignore_ascii_case("bearer") && knows(&self.bearer) {
            Some(Reader::Token)
        } else {
            None
        }
    }
}

fn base64(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut encoded = String::new();
    for chunk in text.as_bytes().chunks(3) {
        let mut bytes = [0; 4];
        bytes[1..=chunk.len()].copy_from_slice(chunk);
        let bits = u32::from_be_bytes(bytes);
        for place in 0..4 {
            let digit = (bits >> (18 - 6 * place)) & 63;
            let padding = place > chunk.len();
            encoded.push(if padding {
                '='
            } else {
                char::from(DIGITS[digit as usize])
            });
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn base64_pads_like_everyone_else() {
        assert_eq!(base64("me@example.com:x"), "bWVAZXhhbXBsZS5jb206eA==");
        assert_eq!(base64("abcde"), "YWJjZGU=");
        assert_eq!(base64("abcdef"), "YWJjZGVm");
    }
}

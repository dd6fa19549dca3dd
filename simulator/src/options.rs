//! What a simulator is started with.

use std::fmt;
use std::time::Duration;

use crate::behaviour::Behaviour;
use crate::fault::OnRequest;
use crate::world::Size;

/// How to build the world and how to serve it.
#[derive(Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a habit of the service of its own"
)]
pub struct Options {
    /// Decides everything random.
    pub seed: u64,
    /// How much there is of everything.
    pub size: Size,
    /// Slug of the workspace.
    pub workspace: String,
    /// Workspaces beside it, of which only lists are simulated.
    pub listed_workspaces: Vec<ListedWorkspace>,
    /// Who may read.
    pub credentials: Credentials,
    /// Whether requests are recorded; they are always counted.
    pub log_requests: bool,
    /// Whether bodies above one kilobyte are compressed for clients that accept it.
    pub gzip: bool,
    /// Issues of each repository at first; `None` for a service that has removed its trackers.
    pub trackers: Option<usize>,
    /// What the removed issue endpoints answer: 404 or 410. Both have been reported.
    pub issues_status: u16,
    /// Repositories with more pull requests than this answer 500 to `sort` with several states.
    pub sorted_states_limit: Option<usize>,
    /// Whether activity is paged by cursor, as commits are, instead of by number.
    pub activity_by_cursor: bool,
    /// Whether git leaves out contents of files when it is asked to (partial clones).
    pub git_filters: bool,
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
            listed_workspaces: Vec::new(),
            credentials: Credentials::default(),
            log_requests: true,
            gzip: true,
            trackers: None,
            issues_status: 410,
            sorted_states_limit: None,
            activity_by_cursor: false,
            git_filters: true,
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
    /// Scopes of a token; one that is not named here has all of them.
    pub scopes: Vec<(String, Vec<String>)>,
    /// Tokens, of those above, that are refused.
    pub expired: Vec<String>,
    /// User names and app passwords, which are refused as such.
    pub app_passwords: Vec<(String, String)>,
    /// OAuth consumers.
    pub consumers: Vec<Consumer>,
    /// User names and passwords that only git accepts.
    pub git_users: Vec<(String, String)>,
    /// Bearer tokens that only git accepts, as Data Center does.
    pub git_bearers: Vec<String>,
}

/// An OAuth consumer that is given access tokens for its key and secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consumer {
    /// Its key.
    pub key: String,
    /// Its secret.
    pub secret: String,
    /// Scopes of its tokens; all of them where none are given.
    pub scopes: Option<Vec<String>>,
    /// How long a token lives, and says it does (in whole seconds).
    pub lifetime: Duration,
    /// After how many requests a token is refused, however long it says it lives.
    pub requests: Option<u64>,
}

impl Consumer {
    /// A consumer whose tokens have all scopes and live for an hour.
    #[must_use]
    pub fn new(key: &str, secret: &str) -> Consumer {
        Consumer {
            key: key.to_owned(),
            secret: secret.to_owned(),
            scopes: None,
            lifetime: Duration::from_hours(1),
            requests: None,
        }
    }
}

/// A workspace beside the world's own whose repositories are listed, but have no pull requests.
/// They are named `repository-1`, `repository-2` and so on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedWorkspace {
    /// Short name in addresses.
    pub slug: String,
    /// How many repositories it has.
    pub repositories: usize,
    /// Each repository with a multiple of this number is archived.
    pub archived_every: Option<usize>,
    /// Each repository with a multiple of this number is a fork.
    pub fork_every: Option<usize>,
    /// Repositories, by number, that have another short name than usual.
    pub renamed: Vec<(usize, String)>,
}

impl ListedWorkspace {
    /// Short name of a repository, by its number from 1.
    pub(crate) fn slug_of(&self, number: usize) -> String {
        let renamed = self.renamed.iter().find(|(renamed, _)| *renamed == number);
        renamed.map_or_else(|| format!("repository-{number}"), |(_, slug)| slug.clone())
    }

    /// A workspace of repositories that are neither archived nor forks.
    #[must_use]
    pub fn new(slug: &str, repositories: usize) -> ListedWorkspace {
        ListedWorkspace {
            slug: slug.to_owned(),
            repositories,
            archived_every: None,
            fork_every: None,
            renamed: Vec::new(),
        }
    }
}

impl Default for Credentials {
    fn default() -> Credentials {
        Credentials {
            api_tokens: vec![("me@example.com".to_owned(), "api-token".to_owned())],
            access_tokens: vec!["access-token".to_owned()],
            anonymous: false,
            scopes: Vec::new(),
            expired: Vec::new(),
            app_passwords: Vec::new(),
            consumers: Vec::new(),
            git_users: Vec::new(),
            git_bearers: Vec::new(),
        }
    }
}

pub(crate) fn base64(text: &str) -> String {
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

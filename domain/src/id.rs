//! Domain ids: deterministic, readable, of the same form as `DevLake`'s.
//!
//! Columns for ids hold 255 characters. An id that would be longer, which no name at Bitbucket
//! leads to, ends in a hash of the whole instead. Each source spells its ids in a file of its own;
//! what every source has, [`Ids`] spells.

pub mod bitbucket;

use xxhash_rust::xxh3::xxh3_128;

use crate::Scope;

/// Characters of an id.
const LONGEST: usize = 255;

/// Characters of the hash that a longer one ends in.
const HASH: usize = 33;

/// How a source spells the ids of what every source has: each is the beginning, before the
/// connection, such as `bitbucket:BitbucketRepo`.
#[derive(Debug, PartialEq, Eq)]
pub struct Ids {
    /// Of a repository; also of its board and its CI/CD scope. Its full name follows.
    pub repository: &'static str,
    /// Of a pull request. The repository's full name and a number follow.
    pub pull_request: &'static str,
    /// Of an issue. The repository's full name and a number follow.
    pub issue: &'static str,
    /// Of an account. What the source knows the account by follows.
    pub account: &'static str,
    /// Of everything else in which a repository's full name follows.
    pub others: &'static [&'static str],
}

/// A repository that only git tells of: `git:Repo:9:group/name`.
pub const GIT: Ids = Ids {
    repository: "git:Repo",
    pull_request: "git:PullRequest",
    issue: "git:Issue",
    account: "git:Account",
    others: &[],
};

impl Ids {
    /// `<repository>:1:workspace/slug`.
    #[must_use]
    pub fn repository(&self, scope: &Scope) -> String {
        fitted(beginning(self.repository, scope))
    }

    /// `<pull request>:1:workspace/slug:12`.
    #[must_use]
    pub fn pull_request(&self, scope: &Scope, number: i64) -> String {
        fitted(format!("{}:{number}", beginning(self.pull_request, scope)))
    }

    /// How the ids of a repository's pull requests begin, so that they are found by their key.
    #[must_use]
    pub fn pull_requests(&self, scope: &Scope) -> String {
        let beginning = format!("{}:", beginning(self.pull_request, scope));
        // A longer one ends in a hash.
        beginning.chars().take(LONGEST - HASH).collect()
    }

    /// `<issue>:1:workspace/slug:12`.
    #[must_use]
    pub fn issue(&self, scope: &Scope, number: i64) -> String {
        fitted(format!("{}:{number}", beginning(self.issue, scope)))
    }

    /// `<account>:1:<account id>`; ends in `:` when the account is unknown.
    #[must_use]
    pub fn account(&self, connection_id: i64, account_id: &str) -> String {
        fitted(format!("{}:{connection_id}:{account_id}", self.account))
    }

    /// How ids begin that hold the name of this repository; the whole id, or the part before a
    /// `:`.
    #[must_use]
    pub fn beginnings(&self, scope: &Scope) -> Vec<String> {
        let kinds = [self.repository, self.pull_request, self.issue].into_iter();
        let kinds = kinds.chain(self.others.iter().copied());
        kinds.map(|kind| beginning(kind, scope)).collect()
    }
}

/// `<kind>:1:workspace/slug`.
fn beginning(kind: &str, scope: &Scope) -> String {
    format!("{kind}:{}:{}", scope.connection_id, scope.full_name)
}

/// The id, or where that is too long its beginning and a hash of it.
fn fitted(id: String) -> String {
    shortened(id, LONGEST)
}

fn shortened(text: String, longest: usize) -> String {
    if text.len() <= longest || text.chars().count() <= longest {
        return text;
    }
    let hash = format!("#{:032x}", xxh3_128(text.as_bytes()));
    let beginning = text.chars().take(longest - hash.len());
    beginning.chain(hash.chars()).collect()
}

/// `<repository id>:<name>`; the one id of 500 characters.
#[must_use]
pub fn git_ref(repository_id: &str, name: &str) -> String {
    let name = shortened(name.to_owned(), 500 - 1 - LONGEST);
    format!("{repository_id}:{name}")
}

/// The name of a branch or tag where only 255 characters fit; that of almost every one as it is.
#[must_use]
pub fn shortened_ref(name: &str) -> String {
    shortened(name.to_owned(), LONGEST)
}

/// The id of a branch or tag where only 255 characters fit; that of almost every one as it is.
#[must_use]
pub fn compared_ref(ref_id: &str) -> String {
    fitted(ref_id.to_owned())
}

/// `<repository id>:<what is compared>`, such as `<repository id>:v1.0.0..v2.0.0`.
#[must_use]
pub fn compared(repository_id: &str, what: &str) -> String {
    fitted(format!("{repository_id}:{what}"))
}

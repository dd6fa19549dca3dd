//! Domain ids: deterministic, readable, of the same form as `DevLake`'s.

use xxhash_rust::xxh3::xxh3_128;

use crate::Scope;

/// `bitbucket:BitbucketRepo:1:workspace/slug`; also the id of the board and the CI/CD scope.
#[must_use]
pub fn repository(connection_id: i64, full_name: &str) -> String {
    format!("bitbucket:BitbucketRepo:{connection_id}:{full_name}")
}

/// `bitbucket:BitbucketAccount:1:<account id>`; ends in `:` when the account is unknown.
#[must_use]
pub fn account(connection_id: i64, account_id: &str) -> String {
    format!("bitbucket:BitbucketAccount:{connection_id}:{account_id}")
}

/// `bitbucket:BitbucketPullRequest:1:workspace/slug:12`.
#[must_use]
pub fn pull_request(scope: &Scope, number: i64) -> String {
    format!(
        "bitbucket:BitbucketPullRequest:{}:{}:{number}",
        scope.connection_id, scope.full_name
    )
}

/// `bitbucket:BitbucketPrComment:1:<comment id>`.
#[must_use]
pub fn pull_request_comment(connection_id: i64, comment_id: i64) -> String {
    format!("bitbucket:BitbucketPrComment:{connection_id}:{comment_id}")
}

/// `bitbucket:BitbucketPrActivity:1:workspace/slug:12:<kind, time and actor>`; `#` and a hash of
/// these where an id of that form would be too long for a key.
#[must_use]
pub fn pull_request_activity(scope: &Scope, number: i64, activity_key: &str) -> String {
    let prefix = format!(
        "bitbucket:BitbucketPrActivity:{}:{}:{number}:",
        scope.connection_id, scope.full_name
    );
    let id = [prefix.as_str(), activity_key].concat();
    if id.chars().count() <= LONGEST {
        return id;
    }
    format!("{prefix}#{:032x}", xxh3_128(activity_key.as_bytes()))
}

/// Longest id, in characters, that every database takes as a key.
const LONGEST: usize = 255;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_has_the_form_that_devlake_gives_it() {
        let scope = Scope::new(1, "acme/rocket");
        let ids = [
            repository(1, "acme/rocket"),
            repository(1, ""),
            account(1, "62abf394192edb006fa0e8cf"),
            account(1, ""),
            pull_request(&scope, 54),
            pull_request_comment(1, 323_119_643),
        ];
        assert_eq!(
            ids,
            [
                "bitbucket:BitbucketRepo:1:acme/rocket",
                "bitbucket:BitbucketRepo:1:",
                "bitbucket:BitbucketAccount:1:62abf394192edb006fa0e8cf",
                "bitbucket:BitbucketAccount:1:",
                "bitbucket:BitbucketPullRequest:1:acme/rocket:54",
                "bitbucket:BitbucketPrComment:1:323119643",
            ]
        );
    }

    #[test]
    fn an_id_that_would_be_too_long_for_a_key_ends_in_a_hash() {
        let scope = Scope::new(1, "acme/rocket");
        let [one, other] = ["a", "b"]
            .map(|end| pull_request_activity(&scope, 12, &format!("{}{end}", "x".repeat(300))));
        assert_ne!(one, other);
        assert!(one.starts_with("bitbucket:BitbucketPrActivity:1:acme/rocket:12:#"));
        assert!(one.chars().count() <= LONGEST);
        assert_eq!(
            pull_request_activity(&scope, 12, "approval:x"),
            "bitbucket:BitbucketPrActivity:1:acme/rocket:12:approval:x"
        );
    }
}

//! Ids of Bitbucket Cloud.

use super::{Ids, fitted};
use crate::Scope;

pub use super::{compared, compared_ref, git_ref};

/// What every source has.
pub const IDS: Ids = Ids {
    repository: "bitbucket:BitbucketRepo",
    pull_request: "bitbucket:BitbucketPullRequest",
    issue: "bitbucket:BitbucketIssue",
    account: "bitbucket:BitbucketAccount",
    others: &[
        "bitbucket:BitbucketPrActivity",
        "bitbucket:BitbucketIssueChange",
    ],
};

/// `bitbucket:BitbucketRepo:1:workspace/slug`; also the id of the board and the CI/CD scope.
#[must_use]
pub fn repository(connection_id: i64, full_name: &str) -> String {
    IDS.repository(&Scope::new(connection_id, full_name))
}

/// `bitbucket:BitbucketAccount:1:<account id>`; ends in `:` when the account is unknown.
#[must_use]
pub fn account(connection_id: i64, account_id: &str) -> String {
    IDS.account(connection_id, account_id)
}

/// `bitbucket:BitbucketPullRequest:1:workspace/slug:12`.
#[must_use]
pub fn pull_request(scope: &Scope, number: i64) -> String {
    IDS.pull_request(scope, number)
}

/// `bitbucket:BitbucketIssue:1:workspace/slug:12`.
#[must_use]
pub fn issue(scope: &Scope, number: i64) -> String {
    IDS.issue(scope, number)
}

/// `bitbucket:BitbucketPrComment:1:<comment id>`.
#[must_use]
pub fn pull_request_comment(connection_id: i64, comment_id: i64) -> String {
    format!("bitbucket:BitbucketPrComment:{connection_id}:{comment_id}")
}

/// `bitbucket:BitbucketPrActivity:1:workspace/slug:12:<kind, time and actor>`.
#[must_use]
pub fn pull_request_activity(scope: &Scope, number: i64, activity_key: &str) -> String {
    fitted(format!(
        "bitbucket:BitbucketPrActivity:{}:{}:{number}:{activity_key}",
        scope.connection_id, scope.full_name
    ))
}

/// `bitbucket:BitbucketIssueComment:1:<comment id>`.
#[must_use]
pub fn issue_comment(connection_id: i64, comment_id: i64) -> String {
    format!("bitbucket:BitbucketIssueComment:{connection_id}:{comment_id}")
}

/// `bitbucket:BitbucketIssueChange:1:workspace/slug:12:<change id>:<field>`.
#[must_use]
pub fn issue_change(scope: &Scope, number: i64, change_id: i64, field: &str) -> String {
    fitted(format!(
        "bitbucket:BitbucketIssueChange:{}:{}:{number}:{change_id}:{field}",
        scope.connection_id, scope.full_name
    ))
}

/// `bitbucket:BitbucketPipeline:1:{uuid}`.
#[must_use]
pub fn pipeline(connection_id: i64, uuid: &str) -> String {
    fitted(format!(
        "bitbucket:BitbucketPipeline:{connection_id}:{uuid}"
    ))
}

/// `bitbucket:BitbucketPipelineStep:1:{uuid}`.
#[must_use]
pub fn pipeline_step(connection_id: i64, uuid: &str) -> String {
    fitted(format!(
        "bitbucket:BitbucketPipelineStep:{connection_id}:{uuid}"
    ))
}

/// `bitbucket:BitbucketDeployment:1:{uuid}`.
#[must_use]
pub fn deployment(connection_id: i64, uuid: &str) -> String {
    fitted(format!(
        "bitbucket:BitbucketDeployment:{connection_id}:{uuid}"
    ))
}

#[cfg(test)]
mod tests {
    use super::super::GIT;
    use super::*;

    #[test]
    fn an_id_too_long_for_its_column_ends_in_a_hash() {
        let scope = Scope::new(1, "acme/rocket");
        let key = "🚀".repeat(250);
        let id = pull_request_activity(&scope, 12, &key);
        assert_eq!(id.chars().count(), 255);
        assert!(id.starts_with("bitbucket:BitbucketPrActivity:1:acme/rocket:12:🚀"));
        let other = pull_request_activity(&scope, 12, &format!("{key}!"));
        assert_ne!(id, other, "ids that begin alike differ");
        let whole = account(1, &"a".repeat(226));
        assert_eq!(whole.len(), 255, "{whole}");
        assert!(whole.ends_with("aaa"), "{whole}");
        assert_eq!(account(1, &"a".repeat(227)).len(), 255);
    }

    #[test]
    fn refs_with_long_names_that_begin_alike_have_ids_of_their_own() {
        let repository = repository(1, "acme/rocket");
        let long = "n".repeat(244);
        assert!(git_ref(&repository, &long).ends_with(&long));
        let ids = ["a", "b"].map(|end| git_ref(&repository, &format!("{long}{end}")));
        assert_ne!(ids[0], ids[1]);
        assert!(ids[0].len() <= 500, "{}", ids[0]);
    }

    #[test]
    fn every_id_with_a_repository_s_name_begins_as_is_said() {
        let scope = Scope::new(1, "acme/rocket");
        let ids = [
            repository(1, &scope.full_name),
            pull_request(&scope, 54),
            issue(&scope, 7),
            pull_request_activity(&scope, 54, "update"),
            issue_change(&scope, 7, 91, "state"),
        ];
        let beginnings = IDS.beginnings(&scope);
        assert_eq!(ids.len(), beginnings.len());
        for (id, beginning) in ids.iter().zip(beginnings) {
            let rest = id.strip_prefix(&beginning);
            assert!(
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(':')),
                "{id}"
            );
        }
    }

    #[test]
    fn every_id_has_the_form_that_devlake_gives_it() {
        let scope = Scope::new(1, "acme/rocket");
        let ids = [
            repository(1, "acme/rocket"),
            repository(1, ""),
            GIT.repository(&Scope::new(9, "tools/widget")),
            account(1, "62abf394192edb006fa0e8cf"),
            account(1, ""),
            pull_request(&scope, 54),
            pull_request_comment(1, 323_119_643),
            issue(&scope, 7),
            issue_comment(1, 63_860_152),
            issue_change(&scope, 7, 91, "state"),
        ];
        assert_eq!(
            ids,
            [
                "bitbucket:BitbucketRepo:1:acme/rocket",
                "bitbucket:BitbucketRepo:1:",
                "git:Repo:9:tools/widget",
                "bitbucket:BitbucketAccount:1:62abf394192edb006fa0e8cf",
                "bitbucket:BitbucketAccount:1:",
                "bitbucket:BitbucketPullRequest:1:acme/rocket:54",
                "bitbucket:BitbucketPrComment:1:323119643",
                "bitbucket:BitbucketIssue:1:acme/rocket:7",
                "bitbucket:BitbucketIssueComment:1:63860152",
                "bitbucket:BitbucketIssueChange:1:acme/rocket:7:91:state",
            ]
        );
    }
}

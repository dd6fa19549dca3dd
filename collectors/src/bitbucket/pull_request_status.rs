//! `GET repositories/{workspace}/{repo_slug}/pullrequests/{id}/statuses`.
//!
//! One request for each pull request that changed, where `commit/{hash}/statuses` would be one for
//! each commit.

use headwater_domain::Stream;
use headwater_domain::tool::bitbucket::pull_request::PullRequests;
use headwater_domain::tool::bitbucket::pull_request_status::PullRequestStatuses;

use crate::endpoint::{Collect, Endpoint, Parent};
use crate::key::{Alternative, Key};

impl Collect for PullRequestStatuses {
    const ENDPOINT: Endpoint = Endpoint {
        path: "repositories/{scope}/pullrequests/{parent}/statuses",
        key: Key(&[
            Alternative {
                kind: "",
                fields: &[&["commit", "hash"], &["key"]],
            },
            // Older ones name no commit.
            Alternative {
                kind: "key",
                fields: &[&["key"]],
            },
        ]),
        left_out: &["links", "commit.links", "repository.links"],
        ..super::LIST
    };

    const PARENT: Option<Parent> = Some(Parent {
        stream: PullRequests::NAME,
        count: None,
    });
}

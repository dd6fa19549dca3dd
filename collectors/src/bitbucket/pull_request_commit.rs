//! `GET repositories/{workspace}/{repo_slug}/pullrequests/{id}/commits`.

use headwater_domain::Stream;
use headwater_domain::tool::bitbucket::pull_request::PullRequests;
use headwater_domain::tool::bitbucket::pull_request_commit::PullRequestCommits;

use crate::endpoint::{Collect, Endpoint, Parent};
use crate::key::{Alternative, Key};

impl Collect for PullRequestCommits {
    const ENDPOINT: Endpoint = Endpoint {
        path: "repositories/{scope}/pullrequests/{parent}/commits",
        key: Key(&[Alternative {
            kind: "",
            fields: &[&["hash"]],
        }]),
        left_out: super::LEFT_OUT_OF_COMMITS,
        ..super::LIST
    };

    const PARENT: Option<Parent> = Some(Parent {
        stream: PullRequests::NAME,
        count: None,
    });
}

//! `GET repositories/{workspace}/{repo_slug}/pullrequests/{id}/comments`.

use headwater_domain::Stream;
use headwater_domain::tool::bitbucket::pull_request::PullRequests;
use headwater_domain::tool::bitbucket::pull_request_comment::PullRequestComments;

use crate::endpoint::{Collect, Endpoint, Parent};

impl Collect for PullRequestComments {
    const ENDPOINT: Endpoint = Endpoint {
        path: "repositories/{scope}/pullrequests/{parent}/comments",
        ..super::LIST
    };

    const PARENT: Option<Parent> = Some(Parent {
        stream: PullRequests::NAME,
        count: Some("comment_count"),
    });
}

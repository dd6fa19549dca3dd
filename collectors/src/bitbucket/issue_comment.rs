//! `GET repositories/{workspace}/{repo_slug}/issues/{id}/comments`.

use headwater_domain::Stream;
use headwater_domain::tool::bitbucket::issue::Issues;
use headwater_domain::tool::bitbucket::issue_comment::IssueComments;

use crate::endpoint::{Collect, Endpoint, Parent};

impl Collect for IssueComments {
    const ENDPOINT: Endpoint = Endpoint {
        path: "repositories/{scope}/issues/{parent}/comments",
        left_out: &[
            "content.html",
            "links",
            "issue.links",
            "issue.repository.links",
            "user.links.self",
        ],
        ..super::LIST
    };

    const PARENT: Option<Parent> = Some(Parent {
        stream: Issues::NAME,
        count: None,
    });
}

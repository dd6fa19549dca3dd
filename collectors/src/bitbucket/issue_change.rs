//! `GET repositories/{workspace}/{repo_slug}/issues/{id}/changes`.

use headwater_domain::Stream;
use headwater_domain::tool::bitbucket::issue::Issues;
use headwater_domain::tool::bitbucket::issue_change::IssueChanges;

use crate::endpoint::{Collect, Endpoint, Parent};

impl Collect for IssueChanges {
    const ENDPOINT: Endpoint = Endpoint {
        path: "repositories/{scope}/issues/{parent}/changes",
        left_out: &[
            "links",
            "issue.links",
            "issue.repository.links",
            "message.html",
            "user.links.self",
        ],
        ..super::LIST
    };

    const PARENT: Option<Parent> = Some(Parent {
        stream: Issues::NAME,
        count: None,
    });
}

//! `GET repositories/{workspace}/{repo_slug}/pullrequests/{id}/comments`.

use headwater_domain::Stream;
use headwater_domain::tool::bitbucket::pull_request::PullRequests;
use headwater_domain::tool::bitbucket::pull_request_activity::PullRequestActivities;
use headwater_domain::tool::bitbucket::pull_request_comment::PullRequestComments;

use crate::carried::Carried;
use crate::endpoint::{Collect, Endpoint, Parent};

impl Collect for PullRequestComments {
    const ENDPOINT: Endpoint = Endpoint {
        path: "repositories/{scope}/pullrequests/{parent}/comments",
        // As in the log of activity, which lacks the last two.
        left_out: &[
            "content.html",
            "links",
            "parent.links",
            "pullrequest.links",
            "user.links.self",
            "pending",
            "resolution",
        ],
        ..super::LIST
    };

    const PARENT: Option<Parent> = Some(Parent {
        stream: PullRequests::NAME,
        count: Some("comment_count"),
    });

    const CARRIED: Option<Carried> = Some(Carried {
        stream: PullRequestActivities::NAME,
        member: "comment",
        answers: &["parent", "id"],
        uncounted: &["deleted"],
    });
}

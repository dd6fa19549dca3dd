//! `GET repositories/{workspace}/{repo_slug}/pullrequests`.

use headwater_domain::tool::bitbucket::pull_request::PullRequests;

use crate::endpoint::{Collect, Endpoint, Since};

impl Collect for PullRequests {
    const ENDPOINT: Endpoint = Endpoint {
        path: "repositories/{scope}/pullrequests",
        query: &[
            // Open ones only, unless all four states are named.
            ("state", "OPEN"),
            ("state", "MERGED"),
            ("state", "DECLINED"),
            ("state", "SUPERSEDED"),
            // More than 50 is refused with "Invalid pagelen". No `sort`: together with several
            // states it makes the server fail on large repositories.
            ("pagelen", "50"),
            // Lists leave these two out unless they are asked for.
            ("fields", "+values.participants,+values.reviewers"),
        ],
        since: Some(Since {
            field: "updated_on",
        }),
        item_path: Some("repositories/{scope}/pullrequests/{item}"),
        // Texts as pages, and links but for its page. The address of an account in the API follows
        // from its UUID; its picture and its page are in tables.
        left_out: &[
            "rendered",
            "summary",
            "author.links.self",
            "closed_by.links.self",
            "reviewers.links.self",
            "participants.user.links.self",
            "source.commit.links",
            "source.repository.links",
            "destination.commit.links",
            "destination.repository.links",
            "merge_commit.links",
            "links.self",
            "links.commits",
            "links.approve",
            "links.request-approve",
            "links.diff",
            "links.diffstat",
            "links.comments",
            "links.activity",
            "links.merge",
            "links.decline",
            "links.statuses",
        ],
        ..super::LIST
    };
}

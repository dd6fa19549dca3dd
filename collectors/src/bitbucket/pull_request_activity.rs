//! `GET repositories/{workspace}/{repo_slug}/pullrequests/{id}/activity`.

use headwater_domain::Stream;
use headwater_domain::tool::bitbucket::pull_request::PullRequests;
use headwater_domain::tool::bitbucket::pull_request_activity::PullRequestActivities;

use crate::endpoint::{BulkList, Collect, Counted, Endpoint, Parent};
use crate::key::{Alternative, Key};

impl Collect for PullRequestActivities {
    const ENDPOINT: Endpoint = Endpoint {
        path: "repositories/{scope}/pullrequests/{parent}/activity",
        query: &[("pagelen", "50")],
        // Entries have neither id nor type: kind, time and actor tell them apart.
        key: Key(&[
            Alternative {
                kind: "comment",
                fields: &[&["comment", "id"]],
            },
            Alternative {
                kind: "update",
                fields: &[
                    &["update", "date"],
                    &["update", "author", "uuid"],
                    &["update", "state"],
                ],
            },
            Alternative {
                kind: "approval",
                fields: &[&["approval", "date"], &["approval", "user", "uuid"]],
            },
            Alternative {
                kind: "changes_requested",
                fields: &[
                    &["changes_requested", "date"],
                    &["changes_requested", "user", "uuid"],
                ],
            },
        ]),
        left_out: &[
            "pull_request.links",
            "comment.content.html",
            "comment.links",
            "comment.parent.links",
            "comment.pullrequest.links",
            "comment.user.links.self",
            // What the lists of comments do not have.
            "comment.pending",
            "comment.resolution",
            "comment.inline.context_lines",
            "comment.inline.outdated",
            "update.author.links.self",
            "update.reviewers.links.self",
            "update.source.commit.links",
            "update.source.repository.links",
            "update.destination.commit.links",
            "update.destination.repository.links",
            "approval.user.links.self",
            "approval.pullrequest.links",
            "changes_requested.user.links.self",
            "changes_requested.pullrequest.links",
        ],
        ..super::LIST
    };

    const PARENT: Option<Parent> = Some(Parent {
        stream: PullRequests::NAME,
        count: None,
    });

    const BULK_LIST: Option<BulkList> = Some(BulkList {
        path: "repositories/{scope}/pullrequests/activity",
        parent: &["pull_request", "id"],
        times: &[
            &["update", "date"],
            &["approval", "date"],
            &["changes_requested", "date"],
            &["comment", "created_on"],
        ],
        created: &["created_on"],
        counted: Some(Counted {
            number: &["comment_count"],
            with: &["comment", "id"],
            unless: &["comment", "deleted"],
        }),
    });
}

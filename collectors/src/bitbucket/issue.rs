//! `GET repositories/{workspace}/{repo_slug}/issues`.
//!
//! Atlassian removed the tracker on 2026-08-20; servers that still have it are read.

use headwater_domain::tool::bitbucket::issue::Issues;

use crate::endpoint::{Collect, Endpoint, Since};
use crate::refresh::Refresh;

impl Collect for Issues {
    const ENDPOINT: Endpoint = Endpoint {
        path: "repositories/{scope}/issues",
        since: Some(Since {
            field: "updated_on",
        }),
        item_path: Some("repositories/{scope}/issues/{item}"),
        optional: true,
        refresh: Refresh {
            absence: Some(super::ABSENCE),
            ..Refresh::EACH_RUN
        },
        left_out: &[
            "content.html",
            "repository.links",
            "reporter.links.self",
            "assignee.links.self",
            "links.attachments",
            "links.comments",
            "links.vote",
            "links.watch",
        ],
        ..super::LIST
    };
}

//! `GET repositories/{workspace}/{repo_slug}/pullrequests/{id}/diffstat`.
//!
//! The server answers with a redirect to the diffstat of the two commits, so that each list costs
//! a request more than it has pages.

use headwater_domain::Stream;
use headwater_domain::tool::bitbucket::pull_request::PullRequests;
use headwater_domain::tool::bitbucket::pull_request_diffstat::PullRequestDiffstats;

use crate::endpoint::{Collect, Endpoint, Parent};
use crate::key::{Alternative, Key};

impl Collect for PullRequestDiffstats {
    const ENDPOINT: Endpoint = Endpoint {
        path: "repositories/{scope}/pullrequests/{parent}/diffstat",
        key: Key(&[
            Alternative {
                kind: "",
                fields: &[&["new", "path"]],
            },
            // A file that is removed has no new path.
            Alternative {
                kind: "old",
                fields: &[&["old", "path"]],
            },
        ]),
        long_keys: true,
        redirects: 1,
        // No common ancestor; and a comparison that takes the server too long.
        incomparable: &[400, 555],
        left_out: &["old.links", "new.links"],
        ..super::LIST
    };

    const PARENT: Option<Parent> = Some(Parent {
        stream: PullRequests::NAME,
        count: None,
    });
}

//! `GET repositories/{workspace}/{repo_slug}/pipelines/`.

use headwater_domain::tool::bitbucket::pipeline::Pipelines;

use crate::endpoint::{Collect, Ended, Endpoint, NewestFirst};
use crate::key::{Alternative, Key};
use crate::refresh::Refresh;

impl Collect for Pipelines {
    const ENDPOINT: Endpoint = Endpoint {
        // Without the slash at the end some servers answer 404.
        path: "repositories/{scope}/pipelines/",
        query: &[("sort", "-created_on"), ("pagelen", "100")],
        key: Key(&[Alternative {
            kind: "",
            fields: &[&["uuid"]],
        }]),
        // The list knows no filter. A step that is run again leaves the time of creation as it
        // was, so the newest two days are read again each time.
        created: &["created_on"],
        newest_first: Some(NewestFirst { again_hours: 48 }),
        // One that waits for a manual step may do so for ever.
        ended: Some(Ended {
            field: &["completed_on"],
            values: &[],
            waiting: None,
        }),
        switch: Some(super::PIPELINES),
        refresh: Refresh {
            absence: Some(super::ABSENCE),
            ..Refresh::EACH_RUN
        },
        item_path: Some("repositories/{scope}/pipelines/{item}"),
        left_out: &[
            "creator.links",
            "repository.links",
            "target.commit.links",
            "links.steps",
        ],
        ..super::LIST
    };
}

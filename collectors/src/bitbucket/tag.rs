//! `GET repositories/{workspace}/{repo_slug}/refs/tags`.

use headwater_domain::tool::bitbucket::tag::Tags;

use crate::endpoint::{Collect, Endpoint};
use crate::key::{Alternative, Key};
use crate::list::together::Together;

impl Collect for Tags {
    const ENDPOINT: Endpoint = Endpoint {
        path: "repositories/{scope}/refs/tags",
        key: Key(&[Alternative {
            kind: "",
            fields: &[&["name"]],
        }]),
        item_path: Some("repositories/{scope}/refs/tags/{item}"),
        together: Some(Together {
            kind: "tag",
            ..super::REFS
        }),
        left_out: super::LEFT_OUT_OF_REFS,
        ..super::LIST
    };
}

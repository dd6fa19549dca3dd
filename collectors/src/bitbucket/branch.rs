//! `GET repositories/{workspace}/{repo_slug}/refs/branches`.

use headwater_domain::tool::bitbucket::branch::Branches;

use crate::endpoint::{Collect, Endpoint};
use crate::key::{Alternative, Key};
use crate::list::together::Together;

impl Collect for Branches {
    const ENDPOINT: Endpoint = Endpoint {
        path: "repositories/{scope}/refs/branches",
        key: Key(&[Alternative {
            kind: "",
            fields: &[&["name"]],
        }]),
        item_path: Some("repositories/{scope}/refs/branches/{item}"),
        together: Some(Together {
            kind: "branch",
            ..super::REFS
        }),
        left_out: super::LEFT_OUT_OF_REFS,
        ..super::LIST
    };
}

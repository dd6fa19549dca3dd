//! `GET repositories/{workspace}/{repo_slug}/refs/branches`.

use headwater_domain::tool::bitbucket::branch::Branches;

use crate::endpoint::{Collect, Endpoint};
use crate::key::{Alternative, Key};

impl Collect for Branches {
    const ENDPOINT: Endpoint = Endpoint {
        path: "repositories/{scope}/refs/branches",
        key: Key(&[Alternative {
            kind: "",
            fields: &[&["name"]],
        }]),
        item_path: Some("repositories/{scope}/refs/branches/{item}"),
        ..super::LIST
    };
}

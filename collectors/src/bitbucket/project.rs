//! `GET workspaces/{workspace}/projects`.

use headwater_domain::tool::bitbucket::project::Projects;

use crate::endpoint::{Collect, Endpoint};
use crate::key::{Alternative, Key};

impl Collect for Projects {
    const ENDPOINT: Endpoint = Endpoint {
        path: "workspaces/{scope}/projects",
        key: Key(&[Alternative {
            kind: "",
            fields: &[&["key"]],
        }]),
        item_path: Some("workspaces/{scope}/projects/{item}"),
        // `read:project:bitbucket` is none of the permissions that are asked for.
        optional: true,
        ..super::LIST
    };
}

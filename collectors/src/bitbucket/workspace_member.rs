//! `GET workspaces/{workspace}/members`.

use headwater_domain::tool::bitbucket::workspace_member::WorkspaceMembers;

use crate::endpoint::{Collect, Endpoint};
use crate::key::{Alternative, Key};

impl Collect for WorkspaceMembers {
    const ENDPOINT: Endpoint = Endpoint {
        path: "workspaces/{scope}/members",
        key: Key(&[Alternative {
            kind: "",
            fields: &[&["user", "uuid"]],
        }]),
        item_path: Some("workspaces/{scope}/members/{item}"),
        // `read:workspace:bitbucket` is none of the permissions that are asked for.
        optional: true,
        ..super::LIST
    };
}

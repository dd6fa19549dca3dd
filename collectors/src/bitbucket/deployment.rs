//! `GET repositories/{workspace}/{repo_slug}/deployments/`.

use headwater_domain::tool::bitbucket::deployment::Deployments;

use crate::endpoint::{Collect, Endpoint};
use crate::key::{Alternative, Key};

impl Collect for Deployments {
    const ENDPOINT: Endpoint = Endpoint {
        // The list ignores filters and refuses an order: it is read whole.
        path: "repositories/{scope}/deployments/",
        key: Key(&[Alternative {
            kind: "",
            fields: &[&["uuid"]],
        }]),
        created: &["release", "created_on"],
        item_path: Some("repositories/{scope}/deployments/{item}"),
        ..super::LIST
    };
}

//! `GET repositories/{workspace}/{repo_slug}/environments/`.

use headwater_domain::tool::bitbucket::environment::Environments;

use crate::endpoint::{Collect, Endpoint};
use crate::key::{Alternative, Key};

impl Collect for Environments {
    const ENDPOINT: Endpoint = Endpoint {
        path: "repositories/{scope}/environments/",
        key: Key(&[Alternative {
            kind: "",
            fields: &[&["uuid"]],
        }]),
        item_path: Some("repositories/{scope}/environments/{item}"),
        switch: Some(super::PIPELINES),
        ..super::LIST
    };
}

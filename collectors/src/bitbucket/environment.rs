//! `GET repositories/{workspace}/{repo_slug}/environments/`.

use headwater_domain::tool::bitbucket::deployment::Deployments;
use headwater_domain::tool::bitbucket::environment::Environments;

use crate::endpoint::{Collect, Collection, Endpoint};
use crate::key::{Alternative, Key};
use crate::refresh::{Refresh, Sign};

impl Collect for Environments {
    const ENDPOINT: Endpoint = Endpoint {
        path: "repositories/{scope}/environments/",
        key: Key(&[Alternative {
            kind: "",
            fields: &[&["uuid"]],
        }]),
        item_path: Some("repositories/{scope}/environments/{item}"),
        switch: Some(super::PIPELINES),
        refresh: Refresh {
            hours: super::DAY,
            signs: &[Sign::Names(
                Collection::of::<Deployments>,
                &["environment", "uuid"],
            )],
            absence: Some(super::ABSENCE),
        },
        ..super::LIST
    };
}

//! `GET repositories/{workspace}/{repo_slug}/pipelines/{uuid}/steps/`.

use headwater_domain::Stream;
use headwater_domain::tool::bitbucket::pipeline::Pipelines;
use headwater_domain::tool::bitbucket::pipeline_step::PipelineSteps;

use crate::endpoint::{Collect, Endpoint, Parent};
use crate::key::{Alternative, Key};

impl Collect for PipelineSteps {
    const ENDPOINT: Endpoint = Endpoint {
        path: "repositories/{scope}/pipelines/{parent}/steps/",
        key: Key(&[Alternative {
            kind: "",
            fields: &[&["uuid"]],
        }]),
        ..super::LIST
    };

    const PARENT: Option<Parent> = Some(Parent {
        stream: Pipelines::NAME,
        count: None,
    });
}

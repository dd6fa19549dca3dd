//! `GET repositories/{workspace}/{repo_slug}/pipelines/{uuid}/steps/`.

use headwater_domain::Stream;
use headwater_domain::rules::{Rules, Steps};
use headwater_domain::tool::bitbucket::deployment::Deployments;
use headwater_domain::tool::bitbucket::pipeline::Pipelines;
use headwater_domain::tool::bitbucket::pipeline_step::PipelineSteps;

use crate::chosen::Chosen;
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

    const CHOSEN: Option<Chosen> = Some(Chosen {
        stream: Deployments::NAME,
        field: &["release", "pipeline", "uuid"],
        created: &["created_on"],
        // A pipeline that was started by its name is named by its selector.
        names: &[
            &["name"],
            &["target", "ref_name"],
            &["target", "source"],
            &["target", "selector", "pattern"],
        ],
        fingerprint: Rules::steps_fingerprint,
        looks_at_names: |rules| rules.steps == Steps::Matching,
        wants: Rules::wants_steps::<String>,
    });
}

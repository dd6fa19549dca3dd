//! `GET repositories/{workspace}/{repo_slug}/deployments/`.

use headwater_domain::Stream;
use headwater_domain::tool::bitbucket::deployment::Deployments;
use headwater_domain::tool::bitbucket::pipeline::Pipelines;

use crate::endpoint::{Collect, Collection, Ended, Endpoint, Waiting};
use crate::key::{Alternative, Key};
use crate::refresh::{Refresh, Sign};

impl Collect for Deployments {
    const ENDPOINT: Endpoint = Endpoint {
        path: "repositories/{scope}/deployments/",
        key: Key(&[Alternative {
            kind: "",
            fields: &[&["uuid"]],
        }]),
        query: &[
            ("pagelen", "100"),
            // What the list may give as stubs only unless it is asked for.
            (
                "fields",
                "+values.environment.name,+values.environment.slug,\
                 +values.environment.environment_type.name,+values.step.uuid,\
                 +values.release.pipeline.uuid,+values.release.name,+values.release.url,\
                 +values.release.created_on,+values.release.commit.hash,+values.deployable.uuid",
            ),
        ],
        created: &["release", "created_on"],
        item_path: Some("repositories/{scope}/deployments/{item}"),
        ended: Some(Ended {
            field: &["state", "name"],
            values: &["COMPLETED"],
            // A step that was not started; a start changes its pipeline.
            waiting: Some(Waiting {
                values: &["UNDEPLOYED"],
                stream: Pipelines::NAME,
                field: &["release", "pipeline", "uuid"],
            }),
        }),
        // The list ignores filters and refuses an order.
        settled: true,
        switch: Some(super::PIPELINES),
        // What pipelines deploy shows with them; what is deployed by other means, once a day.
        refresh: Refresh {
            hours: super::DAY,
            signs: &[Sign::Moves(Collection::of::<Pipelines>)],
            absence: Some(super::ABSENCE),
        },
        ..super::LIST
    };
}

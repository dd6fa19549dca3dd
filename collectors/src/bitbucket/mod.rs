//! Endpoints of Bitbucket Cloud 2.0: one file per entity.

mod branch;
mod commit;
mod deployment;
mod dialect;
mod environment;
mod issue;
mod issue_change;
mod issue_comment;
mod pipeline;
mod pipeline_step;
mod project;
mod pull_request;
mod pull_request_activity;
mod pull_request_comment;
mod pull_request_commit;
mod pull_request_diffstat;
mod pull_request_status;
mod removed;
mod repository;
mod tag;
mod workspace;
mod workspace_member;

use crate::endpoint::{Endpoint, Paging, Switch};
use crate::key::{Alternative, Key};

pub use dialect::DIALECT;
pub use workspace::REPOSITORIES;

/// Pipelines can be switched off, and are until a person switches them on.
const PIPELINES: Switch = Switch {
    path: "repositories/{scope}/pipelines_config",
    on: "/enabled",
    of: "repositories/{scope}",
};

/// What most lists share: `{"values": [...], "next": "..."}`, items with an `id`.
const LIST: Endpoint = Endpoint {
    dialect: &DIALECT,
    path: "",
    query: &[("pagelen", "100")],
    paging: Paging::List,
    key: Key(&[Alternative {
        kind: "",
        fields: &[&["id"]],
    }]),
    since: None,
    created: &[],
    newest_first: None,
    ended: None,
    settled: false,
    item_path: None,
    optional: false,
    switch: None,
    commit_range: None,
    long_keys: false,
    redirects: 0,
    incomparable: &[],
    input: "BitbucketId",
};

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

use headwater_domain::Stream;
use headwater_domain::tool::bitbucket::branch::Branches;
use headwater_domain::tool::bitbucket::repository::Repositories;
use headwater_domain::tool::bitbucket::tag::Tags;

use crate::endpoint::{Collection, Endpoint, Paging, Switch};
use crate::key::{Alternative, Key};
use crate::list::together::Together;
use crate::refresh::{Absence, Refresh};

pub use dialect::DIALECT;
pub use workspace::REPOSITORIES;

/// Pipelines can be switched off, and are until a person switches them on.
const PIPELINES: Switch = Switch {
    path: "repositories/{scope}/pipelines_config",
    on: "/enabled",
    of: "repositories/{scope}",
};

/// Hours of a day.
const DAY: i64 = 24;

/// A tracker or Pipelines that a repository lacks is asked for again after a week.
const ABSENCE: Absence = Absence {
    hours: 7 * DAY,
    scope_item: Repositories::NAME,
};

/// Branches and tags in one list.
const REFS: Together = Together {
    path: "repositories/{scope}/refs",
    query: &[("pagelen", "100")],
    lists: &[Collection::of::<Branches>, Collection::of::<Tags>],
    kind_field: &["type"],
    kind: "",
    moved: &["target", "hash"],
};

/// Of a commit: its message as a page, and links but for its own, which a table holds.
const LEFT_OUT_OF_COMMITS: &[&str] = &[
    "rendered",
    "summary",
    "links.html",
    "links.diff",
    "links.patch",
    "links.approve",
    "links.comments",
    "links.statuses",
    "parents.links",
    "repository.links",
    "author.user.links.self",
    "committer.user.links.self",
];

/// Of a branch or tag, which share a list: its links, and those of what it points to, with the message as a page.
const LEFT_OUT_OF_REFS: &[&str] = &[
    "links",
    "target.links",
    "target.rendered",
    "target.summary",
    "target.parents.links",
    "target.repository.links",
    "target.author.user.links.self",
    "target.committer.user.links.self",
];

/// What most lists share: `{"values": [...], "next": "..."}`, items with an `id`.
const LIST: Endpoint = Endpoint {
    dialect: &DIALECT,
    path: "",
    query: &[("pagelen", "100")],
    left_out: &[],
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
    refresh: Refresh::EACH_RUN,
    together: None,
    commit_range: None,
    long_keys: false,
    redirects: 0,
    incomparable: &[],
    input: "BitbucketId",
};

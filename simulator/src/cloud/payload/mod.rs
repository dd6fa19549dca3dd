//! Renders the world as the JSON documents that Bitbucket Cloud sends.
//!
//! Links point at the real service, not at the simulator: payloads then depend on the seed alone,
//! and a client that follows anything but `next` is caught by leaving loopback.

mod activity;
mod build;
mod comment;
mod commit;
mod diffstat;
mod git_ref;
mod issue;
pub(crate) mod json;
mod markdown;
mod pull_request;
mod repository;
mod status;
mod user;

pub(crate) use activity::activity;
pub(crate) use build::{Environment, deployment, environment, pipeline, pipeline_step};
pub(crate) use comment::{Shown, comment};
pub(crate) use commit::commit;
pub(crate) use diffstat::{changed_files, diffstat};
pub(crate) use git_ref::{branch, plain_branch, tag};
pub(crate) use issue::{issue, issue_change, issue_comment};
pub(crate) use pull_request::{Extras, pull_request};
pub(crate) use repository::{project, repository};
pub(crate) use status::{checks, status};
pub(crate) use user::{membership, user, workspace, workspace_access};

/// Where links to the API point.
const API: &str = "https://api.bitbucket.org/2.0";
/// Where links to web pages point.
const WEB: &str = "https://bitbucket.org";

/// A repository together with the name its links use.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) world: &'a crate::world::World,
    pub(crate) repository: &'a crate::world::Repository,
    pub(crate) full_name: &'a str,
}

//! `GET repositories/{workspace}/{repo_slug}/commits?include=<main branch>`.

use headwater_domain::Stream;
use headwater_domain::tool::bitbucket::branch::Branches;
use headwater_domain::tool::bitbucket::commit::Commits;
use headwater_domain::tool::bitbucket::repository::Repositories;

use crate::endpoint::{Collect, Collection, CommitRange, Endpoint, Heads};
use crate::key::{Alternative, Key};

impl Collect for Commits {
    const ENDPOINT: Endpoint = Endpoint {
        path: "repositories/{scope}/commits",
        key: Key(&[Alternative {
            kind: "",
            fields: &[&["hash"]],
        }]),
        commit_range: Some(CommitRange {
            stream: Repositories::NAME,
            path: "repositories/{scope}",
            // Null for a repository without a push.
            branch: &["mainbranch", "name"],
            include: "include",
            exclude: "exclude",
            parents: ("parents", "hash"),
            heads: Some(Heads {
                branches: Collection::of::<Branches>,
                head: &["target", "hash"],
            }),
        }),
        left_out: super::LEFT_OUT_OF_COMMITS,
        ..super::LIST
    };
}

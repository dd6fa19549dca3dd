//! `GET repositories/{workspace}/{repo_slug}`.

use headwater_domain::tool::bitbucket::repository::Repositories;

use crate::endpoint::{Collect, Endpoint, Paging};
use crate::key::{Alternative, Key};

impl Collect for Repositories {
    const ENDPOINT: Endpoint = Endpoint {
        path: "repositories/{scope}",
        query: &[],
        paging: Paging::Single,
        // The UUID survives a rename; recordings of old may lack it.
        key: Key(&[
            Alternative {
                kind: "",
                fields: &[&["uuid"]],
            },
            Alternative {
                kind: "",
                fields: &[&["full_name"]],
            },
        ]),
        ..super::LIST
    };
}

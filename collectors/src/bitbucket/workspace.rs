//! `GET workspaces/{workspace}`, the stream; `GET user/workspaces` and
//! `GET repositories/{workspace}`: what credentials can see, and what globs are resolved against.

use headwater_domain::Scope;
use headwater_domain::tool::bitbucket::repository::Repositories;
use headwater_domain::tool::bitbucket::workspace::Workspaces;
use serde::Deserialize;

use crate::endpoint::{Collect, Collection, Endpoint, Paging};
use crate::key::{Alternative, Key, MAX_LENGTH, field};
use crate::repositories::{Listing, Traits};

impl Collect for Workspaces {
    const ENDPOINT: Endpoint = Endpoint {
        path: "workspaces/{scope}",
        query: &[],
        paging: Paging::Single,
        key: Key(&[Alternative {
            kind: "",
            fields: &[&["uuid"]],
        }]),
        // `read:workspace:bitbucket` is none of the permissions that are asked for.
        optional: true,
        ..super::LIST
    };
}

/// The repositories of workspaces.
pub const REPOSITORIES: Listing = Listing {
    single: Collection::of::<Repositories>,
    of_group: "repositories/{parent}",
    groups: "user/workspaces",
    query: super::LIST.query,
    group: |data| field(data, &["workspace", "slug"]),
    full_name: |data| field(data, &["full_name"]).filter(|name| is_full_name(name)),
    lasting_id: |data| field(data, &["uuid"]).filter(|uuid| is_uuid(uuid)),
    is_lasting_id: is_uuid,
    // The API answers to `workspace/{uuid}` too.
    by_lasting_id: |scope, uuid| {
        let workspace = scope.workspace().full_name;
        Scope::new(scope.connection_id, format!("{workspace}/{uuid}"))
    },
    traits,
};

/// Members that may be missing, null or of another type; each is then as if it were not there.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Told {
    is_private: serde_json::Value,
    archived: serde_json::Value,
    parent: serde_json::Value,
    updated_on: serde_json::Value,
}

fn traits(data: &[u8]) -> Traits {
    let told: Told = serde_json::from_slice(data).unwrap_or_default();
    Traits {
        private: told.is_private.as_bool(),
        archived: told.archived.as_bool(),
        fork: told.parent.is_object(),
        updated_on: told.updated_on.as_str().map(str::to_owned),
    }
}

/// True for what Bitbucket calls a repository for good. Recordings of old have other keys.
fn is_uuid(text: &str) -> bool {
    let inner = text
        .strip_prefix('{')
        .and_then(|text| text.strip_suffix('}'));
    inner.is_some_and(|inner| {
        !inner.is_empty()
            && inner
                .bytes()
                .all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
    })
}

/// False for text that leads nowhere, or elsewhere, as a part of an address.
fn is_full_name(text: &str) -> bool {
    let usable = |part: &str| !matches!(part, "" | "." | "..");
    let hostile = |character: char| {
        character.is_control() || character.is_whitespace() || "?#%\\".contains(character)
    };
    let mut parts = text.split('/');
    let (workspace, slug, rest) = (parts.next(), parts.next(), parts.next());
    text.len() <= MAX_LENGTH
        && !text.contains(hostile)
        && workspace.is_some_and(usable)
        && slug.is_some_and(usable)
        && rest.is_none()
}

#[cfg(test)]
mod tests {
    use super::is_full_name;

    #[test]
    fn what_cannot_be_a_repository_is_not_taken_for_one() {
        for name in [
            "acme/rocket",
            "acme/rocket.js",
            "a_b/c-d",
            "acme/größe",
            "acme/{12-ab}",
        ] {
            assert!(is_full_name(name), "{name}");
        }
        let long = format!("acme/{}", "a".repeat(130));
        for name in [
            "",
            "/",
            "acme",
            "acme/",
            "/rocket",
            "acme/..",
            "./rocket",
            "acme/rocket/src",
            "acme/a b",
            "acme/a\0b",
            "acme/a\n",
            "acme/a?b=c",
            "acme/a#b",
            "acme/%2e%2e",
            "acme/a\\b",
            &long,
        ] {
            assert!(!is_full_name(name), "{name}");
        }
    }
}

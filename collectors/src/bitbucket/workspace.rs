//! `GET workspaces/{workspace}`, the stream; `GET user/workspaces` and
//! `GET repositories/{workspace}`: what credentials can see, and what globs are resolved against.

use headwater_domain::Scope;
use headwater_domain::tool::bitbucket::repository::Repositories;
use headwater_domain::tool::bitbucket::workspace::Workspaces;
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use crate::client::Client;
use crate::endpoint::{Collect, Collection, Endpoint, Paging};
use crate::engine::{Trail, bad_url, fetch};
use crate::error::RequestError;
use crate::key::{Alternative, Key, MAX_LENGTH, field};
use crate::page::RawItem;

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

/// A repository found in a workspace, with its payload as received.
#[derive(Clone, Debug)]
pub struct FoundRepository {
    /// `workspace/slug`.
    pub full_name: String,
    /// The payload: the same that a request for the repository alone would bring.
    pub item: RawItem,
}

/// What kind of repository it is, as far as the payload tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traits {
    /// Whether only some people may see it.
    pub private: Option<bool>,
    /// Whether nothing is meant to change in it any more.
    pub archived: Option<bool>,
    /// Whether it was made from another repository.
    pub fork: bool,
    /// When it last changed (as the server writes it).
    pub updated_on: Option<String>,
}

/// Members that may be missing, null or of another type; each is then as if it were not there.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Told {
    is_private: serde_json::Value,
    archived: serde_json::Value,
    parent: serde_json::Value,
    updated_on: serde_json::Value,
}

impl FoundRepository {
    /// Bitbucket's own id, which survives a rename: in braces. None where the payload has none.
    #[must_use]
    pub fn uuid(&self) -> Option<String> {
        field(&self.item.0, &["uuid"]).filter(|uuid| is_uuid(uuid))
    }

    /// What kind of repository it is.
    #[must_use]
    pub fn traits(&self) -> Traits {
        let told: Told = serde_json::from_slice(&self.item.0).unwrap_or_default();
        Traits {
            private: told.is_private.as_bool(),
            archived: told.archived.as_bool(),
            fork: told.parent.is_object(),
            updated_on: told.updated_on.as_str().map(str::to_owned),
        }
    }
}

/// All repositories of a workspace that the credentials can see.
///
/// # Errors
/// When a request fails; a missing page is never taken for the end.
pub async fn repositories(
    client: &Client,
    workspace: &str,
    cancel: &CancellationToken,
) -> Result<Vec<FoundRepository>, RequestError> {
    let mut found = Vec::new();
    each_repository(client, workspace, cancel, |page| found.extend(page)).await?;
    Ok(found)
}

/// Hands over the repositories of a workspace page by page, holding one page at a time. An item
/// without a usable full name is nobody's: it is left out.
///
/// # Errors
/// When a request fails; the pages before were handed over.
pub async fn each_repository(
    client: &Client,
    workspace: &str,
    cancel: &CancellationToken,
    mut take: impl FnMut(Vec<FoundRepository>),
) -> Result<(), RequestError> {
    each_page(
        client,
        ("repositories/{parent}", workspace),
        cancel,
        |items| {
            let found = items.into_iter().filter_map(|item| {
                let full_name = field(&item.0, &["full_name"])?;
                is_full_name(&full_name).then_some(FoundRepository { full_name, item })
            });
            take(found.collect());
        },
    )
    .await
}

/// The repository that answers to a name, which may be a former one, or to `workspace/{uuid}`.
/// None where the payload does not tell its present name.
///
/// # Errors
/// When the request fails.
pub async fn repository(
    client: &Client,
    name: &Scope,
    cancel: &CancellationToken,
) -> Result<Option<FoundRepository>, RequestError> {
    let single = Collection::of::<Repositories>();
    let url = single.list_url(client.endpoint(), name, "");
    let url = url.map_err(|error| bad_url(client, error))?;
    let mut page = fetch(client, cancel, &single, &url).await?;
    let found = page.items.items.pop().and_then(|item| {
        let full_name = field(&item.0, &["full_name"])?;
        is_full_name(&full_name).then_some(FoundRepository { full_name, item })
    });
    Ok(found)
}

/// Where a repository of that name is: the beginning of all addresses below it.
///
/// # Errors
/// When the endpoint cannot have one.
pub fn address(client: &Client, name: &Scope) -> Result<String, RequestError> {
    let url = Collection::of::<Repositories>().list_url(client.endpoint(), name, "");
    url.map(Into::into).map_err(|error| bad_url(client, error))
}

/// Slugs of the workspaces that the user behind the credentials belongs to.
///
/// # Errors
/// When a request fails; credentials without a user are refused.
pub async fn of_user(
    client: &Client,
    cancel: &CancellationToken,
) -> Result<Vec<String>, RequestError> {
    let mut slugs = Vec::new();
    each_page(client, ("user/workspaces", ""), cancel, |items| {
        let slug = |item: &RawItem| field(&item.0, &["workspace", "slug"]);
        slugs.extend(items.iter().filter_map(slug));
    })
    .await?;
    Ok(slugs)
}

async fn each_page(
    client: &Client,
    (path, parent): (&'static str, &str),
    cancel: &CancellationToken,
    mut take: impl FnMut(Vec<RawItem>),
) -> Result<(), RequestError> {
    let list = Collection {
        endpoint: Endpoint {
            path,
            key: Repositories::ENDPOINT.key,
            ..super::LIST
        },
        ..Collection::of::<Repositories>()
    };
    let nowhere = Scope::new(0, parent);
    let first = list.list_url(client.endpoint(), &nowhere, parent);
    let mut url = first.map_err(|error| bad_url(client, error))?;
    let mut trail = Trail::default();
    loop {
        trail.step(&url)?;
        let page = fetch(client, cancel, &list, &url).await?;
        take(page.items.items);
        match page.items.next {
            Some(next) => url = client.own_url(&next)?,
            None => return Ok(()),
        }
    }
}

/// True for what Bitbucket calls a repository for good. Recordings of old have other keys.
#[must_use]
pub fn is_uuid(text: &str) -> bool {
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

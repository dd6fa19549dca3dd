//! `GET repositories/{workspace}`: the repositories that globs are resolved against.

use tokio_util::sync::CancellationToken;

use crate::client::Client;
use crate::endpoint::{Collect, Collection, Endpoint};
use crate::engine::{Trail, bad_url, fetch};
use crate::error::RequestError;
use crate::key::{MAX_LENGTH, field};
use crate::page::RawItem;
use headwater_domain::Scope;
use headwater_domain::tool::bitbucket::repository::Repositories;

/// A repository found in a workspace, with its payload as received.
#[derive(Clone, Debug)]
pub struct FoundRepository {
    /// `workspace/slug`.
    pub full_name: String,
    /// The payload: the same that a request for the repository alone would bring.
    pub item: RawItem,
}

/// All repositories of a workspace that the credentials can see. An item without a usable full
/// name is nobody's: it is left out.
///
/// # Errors
/// When a request fails; a missing page is never taken for the end.
pub async fn repositories(
    client: &Client,
    workspace: &str,
    cancel: &CancellationToken,
) -> Result<Vec<FoundRepository>, RequestError> {
    let list = Collection {
        endpoint: Endpoint {
            path: "repositories/{parent}",
            key: Repositories::ENDPOINT.key,
            ..super::LIST
        },
        ..Collection::of::<Repositories>()
    };
    let nowhere = Scope::new(0, workspace);
    let first = list.list_url(client.endpoint(), &nowhere, workspace);
    let mut url = first.map_err(|error| bad_url(client, error))?;
    let mut trail = Trail::default();
    let mut found = Vec::new();
    loop {
        trail.step(&url)?;
        let page = fetch(client, cancel, &list, &url).await?;
        for item in page.items.items {
            let full_name = field(&item.0, &["full_name"]);
            if let Some(full_name) = full_name.filter(|name| is_full_name(name)) {
                found.push(FoundRepository { full_name, item });
            }
        }
        match page.items.next {
            Some(next) => url = client.own_url(&next)?,
            None => return Ok(found),
        }
    }
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

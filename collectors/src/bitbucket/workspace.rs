//! `GET repositories/{workspace}`: the repositories that globs are resolved against.

use tokio_util::sync::CancellationToken;

use crate::client::Client;
use crate::endpoint::{Collect, Collection, Endpoint};
use crate::engine::{Trail, bad_url, fetch};
use crate::error::RequestError;
use crate::key::field;
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

/// All repositories of a workspace that the credentials can see.
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
            if let Some(full_name) = field(&item.0, &["full_name"]) {
                found.push(FoundRepository { full_name, item });
            }
        }
        match page.items.next {
            Some(next) => url = client.own_url(&next)?,
            None => return Ok(found),
        }
    }
}

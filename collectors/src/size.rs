//! How long a list is, asked without reading it.

use chrono::{DateTime, Utc};
use headwater_domain::{Scope, surrogates};
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use crate::client::{Answer, Client};
use crate::endpoint::Collection;
use crate::engine::bad_url;
use crate::error::RequestError;

#[derive(Deserialize)]
struct Envelope {
    size: Option<u64>,
}

/// Items of a stream's list that are no older than a time (UTC); none where the server does not
/// count them. One request.
///
/// # Errors
/// When the request fails.
pub async fn list_size(
    client: &Client,
    collection: &Collection,
    scope: &Scope,
    (after, cancel): (Option<DateTime<Utc>>, &CancellationToken),
) -> Result<Option<u64>, RequestError> {
    let dialect = collection.endpoint.dialect;
    if !dialect.pages.count_lists() {
        return Ok(None);
    }
    let list = collection.list_url(client.endpoint(), scope, "");
    let mut url = list.map_err(|error| bad_url(client, error))?;
    let kept: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(name, _)| name != dialect.pages.length() && name != "fields")
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    url.query_pairs_mut().clear().extend_pairs(kept);
    let length = dialect.pages.length();
    url.query_pairs_mut().append_pair(length, "1");
    let since = collection.endpoint.since;
    if let Some((name, filter)) = since.and_then(|since| (dialect.filter)(since, after, None)) {
        url.query_pairs_mut().append_pair(name, &filter);
    }
    let read = |answer: Answer| {
        let envelope = serde_json::from_slice(&surrogates::mended(&answer.body)).ok();
        Ok(envelope.and_then(|envelope: Envelope| envelope.size))
    };
    client.get(&url, cancel, read).await
}

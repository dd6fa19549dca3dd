//! The lists that the configuration wants of a connection, each asked for once.

use std::collections::HashMap;

use headwater_collectors::{Client, Collection, Paging};
use headwater_domain::Scope;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::config::Connection;
use crate::connect::Clues;
use crate::context::Context;
use crate::diagnosis::{Code, Diagnosis, of_answer};
use crate::resolve::connection_id;

/// The lists of a connection's streams, parents before what hangs on their items.
pub(super) struct Lists {
    collections: Vec<Collection>,
}

impl Lists {
    /// Those that the configuration wants. What is not public is absent for strangers, which is no
    /// mistake; of their sixty requests an hour one is spent.
    pub(super) fn of(context: &Context, connection: &Connection, anonymous: bool) -> Self {
        let config = &context.config;
        let wanted = config.streams_of(&context.sources, &connection.name);
        let source = context.sources.of_connection(config, &connection.name);
        let streams = source.streams.iter().map(|entry| &entry.collection);
        let asked = streams.filter(|it| {
            let stream = it.stream;
            wanted.contains(stream)
                && it.endpoint.paging == Paging::List
                && (!anonymous || stream == "pull_requests")
        });
        Self {
            collections: asked.cloned().collect(),
        }
    }

    /// The address of a list's first item; `parent` is the key of what it hangs on.
    pub(super) fn address(
        collection: &Collection,
        (base, connection): (&Url, &Connection),
        repository: &str,
        parent: &str,
    ) -> Option<Url> {
        let repository = Scope::new(connection_id(connection), repository);
        let scope = if collection.of_workspace {
            repository.workspace()
        } else {
            repository
        };
        let mut url = collection.list_url(base, &scope, parent).ok()?;
        let others: Vec<(String, String)> = url
            .query_pairs()
            .filter(|(name, _)| name != "pagelen")
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        url.query_pairs_mut()
            .clear()
            .extend_pairs(others)
            .append_pair("pagelen", "1");
        Some(url)
    }

    /// The lists.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Collection> {
        self.collections.iter()
    }

    /// Asks for the first item of each list of a repository, of children for those of the first
    /// item of their parents.
    ///
    /// # Errors
    /// With what is wrong with one of them.
    pub(super) async fn ask(
        &self,
        (client, connection): (&Client, &Connection),
        (clues, cancel): (&Clues, &CancellationToken),
        repository: &str,
    ) -> Result<(), Diagnosis> {
        let mut first_items: HashMap<&str, String> = HashMap::new();
        for collection in &self.collections {
            let parent = match &collection.parent {
                None => "",
                Some((parent, _)) => match first_items.get(parent.stream) {
                    Some(key) => key.as_str(),
                    None => continue,
                },
            };
            let place = (client.endpoint(), connection);
            let Some(url) = Self::address(collection, place, repository, parent) else {
                continue;
            };
            let probed = client.probe(&url, cancel).await;
            match of_answer(&probed, clues) {
                Some(wrong) if !may_be_missing(collection, wrong.code) => return Err(wrong),
                Some(_) => continue,
                None => {}
            }
            let json = probed.outcome.ok().and_then(|reply| reply.json);
            let item = json.and_then(|json| serde_json::to_vec(&json["values"][0]).ok());
            if let Some(key) = item.and_then(|item| collection.endpoint.key_of(&item)) {
                first_items.insert(collection.stream, key);
            }
        }
        Ok(())
    }
}

/// A repository without the list is no sign of a missing scope. A list that can be switched off, or
/// that not all have, may be refused or gone as well.
fn may_be_missing(collection: &Collection, code: Code) -> bool {
    let endpoint = &collection.endpoint;
    match code {
        Code::NoResources => true,
        Code::EndpointRemoved => endpoint.optional || endpoint.switch.is_some(),
        // A switched off list says 403 as well; but so does one whose scope is missing.
        Code::InvalidPermissions => endpoint.optional,
        _ => false,
    }
}

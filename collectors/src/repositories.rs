//! The repositories that credentials can see: what globs are resolved against, and where one is
//! that may have another name by now.

use std::collections::HashSet;

use headwater_domain::Scope;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::client::Client;
use crate::endpoint::{Collection, Paging};
use crate::engine::{bad_url, fetch};
use crate::error::{RequestError, RequestErrorKind};
use crate::page::RawItem;
use crate::trail::{Trail, identity};

/// Times that a list is read, at most, because items are missing.
const READINGS: u32 = 8;

/// How a source lists repositories, and what it tells of each. A *group* is what has repositories:
/// a workspace, or a project.
#[derive(Debug)]
pub struct Listing {
    /// The collection whose one item is a repository.
    pub single: fn() -> Collection,
    /// Path of the list of a group's repositories, `{parent}` being the group's name. Its items
    /// are what the request for the repository alone would bring.
    pub of_group: &'static str,
    /// Path of the list of the user's groups.
    pub groups: &'static str,
    /// Parameters of both lists.
    pub query: &'static [(&'static str, &'static str)],
    /// Name of a group, by an item of that list.
    pub group: fn(&[u8]) -> Option<String>,
    /// Full name by the payload; none for what leads nowhere, or elsewhere, as part of an address.
    pub full_name: fn(&[u8]) -> Option<String>,
    /// The source's own id of the repository, which survives a rename, by the payload.
    pub lasting_id: fn(&[u8]) -> Option<String>,
    /// False for keys of raw rows that are no such ids.
    pub is_lasting_id: fn(&str) -> bool,
    /// The name under which the source answers for that id, whatever the repository is called now;
    /// the scope has one of its names.
    pub by_lasting_id: fn(&Scope, &str) -> Scope,
    /// What kind of repository it is, by the payload.
    pub traits: fn(&[u8]) -> Traits,
}

/// What kind of repository it is, as far as the payload says.
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

/// A repository that was found, with its payload as received.
#[derive(Clone, Debug)]
pub struct FoundRepository {
    /// Its full name.
    pub full_name: String,
    /// The payload: the same that a request for the repository alone would bring.
    pub item: RawItem,
    listing: &'static Listing,
}

impl FoundRepository {
    /// The source's own id, which survives a rename. None where the payload has none.
    #[must_use]
    pub fn lasting_id(&self) -> Option<String> {
        (self.listing.lasting_id)(&self.item.0)
    }

    /// What kind of repository it is.
    #[must_use]
    pub fn traits(&self) -> Traits {
        (self.listing.traits)(&self.item.0)
    }
}

/// The repositories of one connection.
#[derive(Clone, Copy)]
pub struct Repositories<'a> {
    client: &'a Client,
    /// How the source lists them.
    pub listing: &'static Listing,
}

impl<'a> Repositories<'a> {
    /// Those that a client can see.
    #[must_use]
    pub fn new(client: &'a Client, listing: &'static Listing) -> Self {
        Self { client, listing }
    }

    /// The client.
    #[must_use]
    pub fn client(&self) -> &'a Client {
        self.client
    }

    /// All repositories of a group that the credentials can see.
    ///
    /// # Errors
    /// When a request fails; a missing page is never taken for the end.
    pub async fn of_group(
        &self,
        group: &str,
        cancel: &CancellationToken,
    ) -> Result<Vec<FoundRepository>, RequestError> {
        let mut found = Vec::new();
        self.each_of_group(group, cancel, |page| found.extend(page))
            .await?;
        Ok(found)
    }

    /// Hands over the repositories of a group page by page, holding one page at a time. An item
    /// without a usable full name is left out.
    ///
    /// # Errors
    /// When a request fails; the pages before were handed over.
    pub async fn each_of_group(
        &self,
        group: &str,
        cancel: &CancellationToken,
        mut take: impl FnMut(Vec<FoundRepository>),
    ) -> Result<(), RequestError> {
        self.each_page((self.listing.of_group, group), cancel, |items| {
            take(
                items
                    .into_iter()
                    .filter_map(|item| self.found(item))
                    .collect(),
            );
        })
        .await
    }

    /// The repository that answers to a name, which may be a former one. None where the payload
    /// does not tell its present name.
    ///
    /// # Errors
    /// When the request fails.
    pub async fn named(
        &self,
        name: &Scope,
        cancel: &CancellationToken,
    ) -> Result<Option<FoundRepository>, RequestError> {
        let single = (self.listing.single)();
        let url = single.list_url(self.client.endpoint(), name, "");
        let url = url.map_err(|error| bad_url(self.client, error))?;
        let mut page = fetch(self.client, cancel, &single, &url).await?;
        Ok(page.items.items.pop().and_then(|item| self.found(item)))
    }

    /// Where a repository of that name is: the beginning of all addresses below it.
    ///
    /// # Errors
    /// When the endpoint cannot have one.
    pub fn address(&self, name: &Scope) -> Result<String, RequestError> {
        let url = (self.listing.single)().list_url(self.client.endpoint(), name, "");
        url.map(Into::into)
            .map_err(|error| bad_url(self.client, error))
    }

    /// Names of the groups that the user behind the credentials belongs to.
    ///
    /// # Errors
    /// When a request fails; credentials without a user may be refused.
    pub async fn groups(&self, cancel: &CancellationToken) -> Result<Vec<String>, RequestError> {
        let mut names = Vec::new();
        self.each_page((self.listing.groups, ""), cancel, |items| {
            names.extend(
                items
                    .iter()
                    .filter_map(|item| (self.listing.group)(&item.0)),
            );
        })
        .await?;
        Ok(names)
    }

    fn found(&self, item: RawItem) -> Option<FoundRepository> {
        Some(FoundRepository {
            full_name: (self.listing.full_name)(&item.0)?,
            item,
            listing: self.listing,
        })
    }

    /// False when the server says that there is no such group, and not only that it is not shown.
    /// The collection is that of the group's own item.
    pub async fn group_is_there(
        &self,
        single: &Collection,
        group: &Scope,
        cancel: &CancellationToken,
    ) -> bool {
        let Ok(url) = single.list_url(self.client.endpoint(), group, "") else {
            return true;
        };
        match fetch(self.client, cancel, single, &url).await {
            Ok(_) => true,
            Err(error) => !matches!(
                error.kind,
                RequestErrorKind::NotFound { .. } | RequestErrorKind::Gone { change: None, .. }
            ),
        }
    }

    /// Hands over the items of a list page by page, each once. A list that announces more items
    /// than come is read again: its order may not be stable.
    async fn each_page(
        &self,
        (path, group): (&'static str, &str),
        cancel: &CancellationToken,
        mut take: impl FnMut(Vec<RawItem>),
    ) -> Result<(), RequestError> {
        let mut list = (self.listing.single)();
        list.endpoint.path = path;
        list.endpoint.query = self.listing.query;
        list.endpoint.paging = Paging::List;
        let first = list.list_url(self.client.endpoint(), &Scope::new(0, group), group);
        let first = first.map_err(|error| bad_url(self.client, error))?;
        let mut found = HashSet::new();
        let mut readings = 0;
        loop {
            let before = found.len();
            let mut fresh = |mut items: Vec<RawItem>| {
                items.retain(|item| found.insert(identity(&list.endpoint, &item.0)));
                take(items);
            };
            let trail = self.one_reading(cancel, &list, &first, &mut fresh).await?;
            readings += 1;
            let distinct = found.len() as u64;
            let Some(announced) = trail.announced().filter(|&size| size > distinct) else {
                return Ok(());
            };
            if readings == READINGS || readings > 1 && found.len() == before {
                return Err(trail.failed(RequestErrorKind::Incomplete {
                    announced,
                    distinct,
                    readings,
                }));
            }
        }
    }

    /// Reads all pages of a list.
    async fn one_reading(
        &self,
        cancel: &CancellationToken,
        list: &Collection,
        first: &Url,
        take: &mut impl FnMut(Vec<RawItem>),
    ) -> Result<Trail, RequestError> {
        let mut trail = Trail::new(first, &list.endpoint);
        let mut url = first.clone();
        loop {
            trail.step(&url)?;
            let page = fetch(self.client, cancel, list, &url).await?;
            trail.page(&list.endpoint, &page.items)?;
            take(page.items.items);
            match page.items.next {
                Some(next) => url = trail.next(self.client, &next)?,
                None => return Ok(trail),
            }
        }
    }
}

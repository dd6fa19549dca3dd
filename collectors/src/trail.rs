//! The way of one reading through the pages of a list: where the next page is, whether the list
//! ends, and how many of the items that it announces have arrived.
//!
//! A server is not trusted in any of these. Its `next` may forget what was asked for, lead in a
//! circle, or lead on for ever; and an order that is not stable shows some items twice and others
//! never.

use std::collections::HashSet;

use url::Url;
use xxhash_rust::xxh3::xxh3_64;

use crate::client::Client;
use crate::endpoint::Endpoint;
use crate::error::{RequestError, RequestErrorKind, ShownUrl};
use crate::page::{Items, RawItem};

/// Pages in a row without a new item after which the list is taken for endless.
const BARREN: u32 = 10;

/// A list that sends more than twice the items that it announces, and these besides, is endless.
const BEYOND: u64 = 1000;

/// Keys remembered at least, for memory that does not grow with the list.
const REMEMBERED: usize = 1 << 17;

/// One reading of a list.
pub(crate) struct Trail {
    /// The first request: every page is asked for with its parameters.
    first: Url,
    /// Parameter for the place of a page.
    place: &'static str,
    /// Addresses met; one that comes twice would never end.
    met: HashSet<String>,
    keys: Keys,
    received: u64,
    barren: u32,
    /// Items that the list announces, as the last page gave it.
    announced: Option<u64>,
}

impl Trail {
    /// A reading that begins with this request.
    pub(crate) fn new(first: &Url, endpoint: &Endpoint) -> Self {
        Self {
            first: first.clone(),
            place: endpoint.dialect.pages.place(1, 1).0,
            met: HashSet::new(),
            keys: Keys::default(),
            received: 0,
            barren: 0,
            announced: None,
        }
    }

    /// Notes that a page is asked for.
    pub(crate) fn step(&mut self, url: &Url) -> Result<(), RequestError> {
        if self.met.insert(url.to_string()) {
            return Ok(());
        }
        Err(self.failed(RequestErrorKind::Loop))
    }

    /// Where the next page is: the server's address with the parameters of the first request.
    pub(crate) fn next(&self, client: &Client, next: &str) -> Result<Url, RequestError> {
        let next = client.own_url(next)?;
        Ok(continued(&self.first, next, self.place))
    }

    /// Looks at a page that has arrived.
    ///
    /// # Errors
    /// When the list shows no sign of ending.
    pub(crate) fn page(&mut self, endpoint: &Endpoint, items: &Items) -> Result<(), RequestError> {
        let before = self.keys.count;
        for RawItem(data) in &items.items {
            self.keys.insert(identity(endpoint, data));
        }
        self.received += items.items.len() as u64;
        self.announced = items.size.or(self.announced);
        let is_barren = self.keys.count == before;
        self.barren = if is_barren { self.barren + 1 } else { 0 };
        let goes_on = items.next.is_some() || items.next_number.is_some();
        let most = self.announced.map(|size| size.saturating_mul(2) + BEYOND);
        if goes_on && (self.barren >= BARREN || most.is_some_and(|most| self.received > most)) {
            return Err(self.failed(RequestErrorKind::Endless {
                pages: self.met.len() as u64,
                received: self.received,
                distinct: self.keys.count,
            }));
        }
        Ok(())
    }

    /// Different items that have arrived.
    pub(crate) fn distinct(&self) -> u64 {
        self.keys.count
    }

    /// Items that the list announces; none where it does not.
    pub(crate) fn announced(&self) -> Option<u64> {
        self.announced
    }

    /// Keys of the items that arrived, as far as they are remembered.
    pub(crate) fn into_keys(self) -> impl Iterator<Item = u64> {
        self.keys.old.into_iter().chain(self.keys.recent)
    }

    /// The reading failed at the list itself.
    pub(crate) fn failed(&self, kind: RequestErrorKind) -> RequestError {
        RequestError {
            url: ShownUrl::of(&self.first),
            kind,
        }
    }
}

/// What distinguishes an item from the others of its list: its key, or all of it where it has none.
pub(crate) fn identity(endpoint: &Endpoint, data: &[u8]) -> u64 {
    match endpoint.key.of(data) {
        Some(key) => xxh3_64(key.as_bytes()),
        None => xxh3_64(data),
    }
}

/// A set of keys that forgets the oldest ones when there are many. Items that a list shows twice
/// stand near each other, and a list that goes in circles is found by its size.
#[derive(Default)]
struct Keys {
    old: HashSet<u64>,
    recent: HashSet<u64>,
    count: u64,
}

impl Keys {
    fn insert(&mut self, key: u64) {
        if self.old.contains(&key) || !self.recent.insert(key) {
            return;
        }
        self.count += 1;
        if self.recent.len() == REMEMBERED {
            self.old = std::mem::take(&mut self.recent);
        }
    }
}

/// The address of a next page, with the parameters of the first request: of the server's own only
/// those are kept that the first request does not have, such as a page or a cursor.
fn continued(first: &Url, next: Url, place: &str) -> Url {
    let wanted: Vec<&str> = parameters(first)
        .filter(|parameter| name(parameter) != place)
        .collect();
    let given: Vec<&str> = parameters(&next).collect();
    let decoded = |parameter: &&str| decoded(parameter);
    let mut kept: Vec<_> = given.iter().map(decoded).collect();
    let repeats_all = wanted.iter().map(decoded).all(|wanted| {
        let place = kept.iter().position(|kept| *kept == wanted);
        place.map(|place| kept.swap_remove(place)).is_some()
    });
    let is_named = |name: &str| wanted.iter().any(|wanted| self::name(wanted) == name);
    if repeats_all && !kept.iter().any(|(name, _)| is_named(name)) {
        return next;
    }
    let own = given.iter().filter(|given| !is_named(&name(given)));
    let query: Vec<&str> = wanted.iter().chain(own).copied().collect();
    let mut url = next.clone();
    url.set_query(Some(&query.join("&")));
    url
}

/// Parameters as they are written.
fn parameters(url: &Url) -> impl Iterator<Item = &str> {
    let query = url.query().unwrap_or_default();
    query.split('&').filter(|parameter| !parameter.is_empty())
}

fn decoded(parameter: &str) -> (String, String) {
    let pair = url::form_urlencoded::parse(parameter.as_bytes()).next();
    pair.map(|(name, value)| (name.into_owned(), value.into_owned()))
        .unwrap_or_default()
}

fn name(parameter: &str) -> String {
    decoded(parameter).0
}

#[cfg(test)]
mod tests {
    use headwater_domain::tool::bitbucket::tag::Tags;

    use super::*;
    use crate::endpoint::Collect;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn every_page_is_asked_for_as_the_first_one_was() {
        let first = "https://api.example/p?sort=-created_on&pagelen=100&state=A&state=B";
        for (next, expected) in [
            // All repeated: the server's own spelling stays.
            (
                "/p?page=2&state=A&state=B&pagelen=100&sort=%2Dcreated_on",
                "/p?page=2&state=A&state=B&pagelen=100&sort=%2Dcreated_on",
            ),
            (
                "/p?page=2&pagelen=100",
                "/p?sort=-created_on&pagelen=100&state=A&state=B&page=2",
            ),
            (
                "/p?sort=created_on&pagelen=10&ctx=a%2Fb%20c",
                "/p?sort=-created_on&pagelen=100&state=A&state=B&ctx=a%2Fb%20c",
            ),
            (
                "/p?page=2&pagelen=100&sort=-created_on&state=A&state=B&state=C",
                "/p?sort=-created_on&pagelen=100&state=A&state=B&page=2",
            ),
            (
                "/q/?after=x",
                "/q/?sort=-created_on&pagelen=100&state=A&state=B&after=x",
            ),
        ] {
            let next = url(first).join(next).unwrap();
            let expected = url(first).join(expected).unwrap();
            assert_eq!(continued(&url(first), next, "page"), expected);
        }
        let third = url("https://api.example/p?pagelen=10&page=3");
        let next = url("https://api.example/p?page=4");
        let fourth = "https://api.example/p?pagelen=10&page=4";
        assert_eq!(continued(&third, next, "page").as_str(), fourth);
    }

    fn page(keys: std::ops::Range<u64>, size: Option<u64>) -> Items {
        let item = |key| RawItem(format!(r#"{{"name": "{key}"}}"#).into_bytes());
        Items {
            items: keys.map(item).collect(),
            next: Some("x".to_owned()),
            next_number: None,
            size,
        }
    }

    fn is_endless(pages: impl IntoIterator<Item = Items>) -> bool {
        let endpoint = &Tags::ENDPOINT;
        let mut trail = Trail::new(&url("https://api.example/tags"), endpoint);
        let mut pages = pages.into_iter();
        pages.any(|page| trail.page(endpoint, &page).is_err())
    }

    #[test]
    fn a_list_that_brings_nothing_new_or_too_much_is_endless() {
        let empty = || page(0..0, None);
        assert!(is_endless((0..10).map(|_| empty())));
        assert!(!is_endless((0..9).map(|_| empty())));
        assert!(is_endless((0..11).map(|_| page(0..50, None))));
        // A few pages without news are none.
        let now_and_then = (0..100).map(|n| {
            if n % 5 == 0 {
                page(n..n + 1, None)
            } else {
                empty()
            }
        });
        assert!(!is_endless(now_and_then));
        let always_new = |size| (0..40).map(move |n| page(n * 50..n * 50 + 50, size));
        assert!(!is_endless(always_new(None)));
        assert!(!is_endless(always_new(Some(2000))));
        assert!(is_endless(always_new(Some(100))));
    }

    #[test]
    fn memory_for_keys_has_a_bound() {
        let mut keys = Keys::default();
        for key in 0..5 * REMEMBERED as u64 {
            keys.insert(key);
            keys.insert(key);
        }
        assert_eq!(keys.count, 5 * REMEMBERED as u64);
        assert!(keys.old.len() + keys.recent.len() <= 2 * REMEMBERED);
    }
}

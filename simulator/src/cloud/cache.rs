//! Rendered items and chosen lists, kept until the world changes under them.

use std::collections::HashMap;
use std::sync::Arc;

use crate::cloud::payload::Extras;

/// Lists are small but there may be one for every query ever sent.
const LISTS: usize = 512;

/// One rendered item: repository, pull request and what of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) repository: u64,
    pub(super) pull_request: u64,
    pub(super) item: Item,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Item {
    Repository,
    PullRequest(Extras),
    Comment(u64),
    Activity(usize),
    Commit(usize),
}

/// The state an item was rendered from: its own revision and that of shared things.
pub(super) type Version = (u64, u64);

/// Items of a list by repository or pull request, and place within it.
pub(super) type Places = Arc<Vec<(u64, u64)>>;

#[derive(Debug)]
pub(crate) struct Cache {
    budget: usize,
    items: HashMap<Key, (Version, Box<str>)>,
    bytes: usize,
    lists: HashMap<String, (u64, Places)>,
}

impl Cache {
    /// Keeps at most that many bytes of rendered items; a larger world is rendered again as it is walked.
    pub(crate) fn new(budget: usize) -> Cache {
        Cache {
            budget,
            items: HashMap::new(),
            bytes: 0,
            lists: HashMap::new(),
        }
    }

    /// Appends the item, rendering it only when it changed.
    pub(super) fn write(
        &mut self,
        out: &mut String,
        key: Key,
        version: Version,
        render: impl FnOnce(&mut String),
    ) {
        if let Some((rendered_from, text)) = self.items.get(&key)
            && *rendered_from == version
        {
            out.push_str(text);
            return;
        }
        let start = out.len();
        render(out);
        let text = &out[start..];
        if self.bytes + text.len() > self.budget {
            self.items.clear();
            self.bytes = 0;
        }
        self.bytes += text.len();
        if let Some((_, old)) = self.items.insert(key, (version, text.into())) {
            self.bytes -= old.len();
        }
    }

    /// The list under that name, chosen again when anything changed.
    pub(super) fn places(
        &mut self,
        name: String,
        revision: u64,
        choose: impl FnOnce() -> Vec<(u64, u64)>,
    ) -> Places {
        if let Some((chosen_from, places)) = self.lists.get(&name)
            && *chosen_from == revision
        {
            return Arc::clone(places);
        }
        if self.lists.len() >= LISTS {
            self.lists.clear();
        }
        let places = Arc::new(choose());
        self.lists.insert(name, (revision, Arc::clone(&places)));
        places
    }
}

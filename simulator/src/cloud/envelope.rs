//! The outside of a page: everything but the items, which stay as they are to the byte.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// The members of a page by name.
pub(crate) struct Envelope(BTreeMap<String, Box<RawValue>>);

impl Envelope {
    /// Opens a page; anything else gives `None`.
    pub(crate) fn open(body: &[u8]) -> Option<Envelope> {
        let members: BTreeMap<String, Box<RawValue>> = serde_json::from_slice(body).ok()?;
        members.contains_key("values").then_some(Envelope(members))
    }

    /// Whether its list counts pages.
    pub(crate) fn is_numbered(&self) -> bool {
        self.0.contains_key("page")
    }

    /// Where the next page is.
    pub(crate) fn next(&self) -> Option<String> {
        serde_json::from_str(self.0.get("next")?.get()).ok()
    }

    /// Leads elsewhere.
    pub(crate) fn set_next(&mut self, address: &str) {
        if let Ok(text) = serde_json::value::to_raw_value(address) {
            self.0.insert("next".to_owned(), text);
        }
    }

    /// Drops a member; returns whether it was there.
    pub(crate) fn remove(&mut self, name: &str) -> bool {
        self.0.remove(name).is_some()
    }

    /// The page with what was changed.
    pub(crate) fn close(self) -> Option<String> {
        serde_json::to_string(&self.0).ok()
    }
}

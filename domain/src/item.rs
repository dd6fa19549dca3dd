//! One raw item on its way to tool rows.

use crate::rules::Rules;
use crate::{Origin, Scope};

/// What is known of a raw item besides its payload.
#[derive(Clone, Debug)]
pub struct Item<'a> {
    /// Repository the item belongs to.
    pub scope: &'a Scope,
    /// The rules of the scope's configuration; see [`Rules`].
    pub rules: &'a Rules,
    /// Natural key of the parent item; empty for an item without one.
    pub parent: &'a str,
    /// Natural key of the item among its siblings.
    pub key: &'a str,
    /// Where its rows come from.
    pub origin: Origin,
}

impl Item<'_> {
    /// The item's key after its parent's.
    #[must_use]
    pub fn path(&self) -> String {
        if self.parent.is_empty() {
            self.key.to_owned()
        } else {
            format!("{}/{}", self.parent, self.key)
        }
    }

    /// The parent's key as a number; 0 when it is none.
    #[must_use]
    pub fn parent_number(&self) -> i64 {
        self.parent.parse().unwrap_or_default()
    }
}

//! Which tags of a repository are versions, in which order they came, and which are compared.
//!
//! Pure: names in, an order, reasons and pairs out. The order is that of semantic versioning: a
//! pre-release before its release, numbers by size, build metadata without weight.

#[cfg(test)]
mod tests;
mod version;

use std::cmp::Ordering;

use regex::Regex;

pub use version::{NoVersion, TagVersion};

/// The order in which tags are listed. Whichever it is, of two neighbours the higher one is the
/// new one: an ascending order lists the same pairs from the other end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TagsOrder {
    /// Newest version first.
    #[default]
    ReverseSemver,
    /// Oldest version first.
    Semver,
    /// By the bytes of the name, from A.
    Alphabetically,
    /// By the bytes of the name, from Z.
    ReverseAlphabetically,
}

impl TagsOrder {
    fn is_of_versions(self) -> bool {
        matches!(self, Self::ReverseSemver | Self::Semver)
    }

    fn is_descending(self) -> bool {
        matches!(self, Self::ReverseSemver | Self::ReverseAlphabetically)
    }
}

/// What a scope config says about tags.
#[derive(Clone, Debug)]
pub struct TagRules {
    /// Tags whose name matches are compared; without it only configured pairs are.
    pub pattern: Option<Regex>,
    /// How many pairs of neighbours are compared, counted from the highest.
    pub limit: usize,
    /// The order of the tags.
    pub order: TagsOrder,
    /// What may stand before a version, such as `release-`.
    pub prefixes: Vec<String>,
    /// Further pairs: the old name and the new one, of tags or branches.
    pub pairs: Vec<(String, String)>,
}

impl Default for TagRules {
    fn default() -> Self {
        Self {
            pattern: None,
            limit: 10,
            order: TagsOrder::default(),
            prefixes: Vec::new(),
            pairs: Vec::new(),
        }
    }
}

/// Why a tag takes no part.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// Nothing says which tags are compared.
    #[error("`tags_pattern` is not configured")]
    NoPattern,
    /// The pattern says no.
    #[error("does not match `tags_pattern`")]
    Unmatched,
    /// It has no place in an order of versions.
    #[error("is no version: {0}")]
    NoVersion(#[from] NoVersion),
}

/// A tag with its place, or the reason why it has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacedTag<'n> {
    /// The name, without `refs/tags/`.
    pub name: &'n str,
    /// The version it names; none where the order is not one of versions.
    pub version: Option<TagVersion>,
}

/// The tags of a repository in their order, and the pairs to be compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection<'n> {
    /// The tags that have a place, in the configured order.
    pub placed: Vec<PlacedTag<'n>>,
    /// The others, by name, each with the reason.
    pub rejected: Vec<(&'n str, Rejection)>,
    /// Names of neighbours, old and new, the highest pair first, as many as the limit allows.
    pub pairs: Vec<(&'n str, &'n str)>,
}

/// Puts the tags with these names (without `refs/tags/`) in order.
///
/// The result depends on the set of names only, not on their order.
#[must_use]
pub fn select<'n>(rules: &TagRules, names: impl IntoIterator<Item = &'n str>) -> Selection<'n> {
    let mut selection = Selection::default();
    for name in names {
        match place(rules, name) {
            Ok(version) => selection.placed.push(PlacedTag { name, version }),
            Err(reason) => selection.rejected.push((name, reason)),
        }
    }
    selection.rejected.sort_unstable_by_key(|(name, _)| *name);
    selection.placed.sort_unstable_by(from_the_highest);
    let neighbours = selection.placed.windows(2).take(rules.limit);
    selection.pairs = neighbours.map(|two| (two[1].name, two[0].name)).collect();
    if !rules.order.is_descending() {
        selection.placed.reverse();
    }
    selection
}

fn place(rules: &TagRules, name: &str) -> Result<Option<TagVersion>, Rejection> {
    let pattern = rules.pattern.as_ref().ok_or(Rejection::NoPattern)?;
    if !pattern.is_match(name) {
        return Err(Rejection::Unmatched);
    }
    if !rules.order.is_of_versions() {
        return Ok(None);
    }
    Ok(Some(TagVersion::of_tag(name, &rules.prefixes)?))
}

/// Equal versions, such as `v1.0.0` and `1.0.0`, or two builds of one, are told apart by the bytes
/// of their names, so that the order is always the same.
fn from_the_highest(left: &PlacedTag<'_>, right: &PlacedTag<'_>) -> Ordering {
    let by_version = right.version.cmp(&left.version);
    by_version.then_with(|| right.name.cmp(left.name))
}

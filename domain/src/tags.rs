//! Which tags of a repository are versions, in which order they came, and which are compared.
//!
//! Pure: names in, an order, reasons and pairs out. Tags fall into series by what comes before
//! the version (`widget/`, `pkg@`, `name-`), so that packages of one repository are not compared
//! with each other. Within a series the order is that of semantic versioning: a pre-release
//! before its release, numbers by size, build metadata without weight.

#[cfg(test)]
mod tests;
mod text;
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
    /// By the name, from A; numbers in it by size, so that `7.2` comes before `7.19`.
    Alphabetically,
    /// By the name, from Z; numbers in it by size.
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
    /// Tags whose whole name matches are compared; without it only configured pairs are.
    pub pattern: Option<Regex>,
    /// How many pairs of neighbours are compared in each series, counted from the highest.
    pub limit: usize,
    /// The order of the tags.
    pub order: TagsOrder,
    /// Where a version begins that is not found by itself, such as behind `widget-2.`. Each is a
    /// series of its own.
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

/// What a tag is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Neighbour<'n> {
    /// With this one, the next lower of its series.
    #[error("compared with {0}")]
    Older(&'n str),
    /// With none, since it is the lowest.
    #[error("the first of its series: there is nothing before it to compare with")]
    First,
    /// With none, since enough others are.
    #[error("beyond `tags_limit`, which compares {0} of each series")]
    BeyondLimit(usize),
}

/// A tag with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacedTag<'n> {
    /// The name, without `refs/tags/`.
    pub name: &'n str,
    /// What comes before the version, without a `v`; often nothing.
    pub series: &'n str,
    /// The version it names; none where the order is not one of versions.
    pub version: Option<TagVersion>,
    /// What it is compared with, or why with nothing.
    pub neighbour: Neighbour<'n>,
}

/// The tags of a repository in their order, and the pairs to be compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection<'n> {
    /// The tags that have a place: by series, and in each in the configured order.
    pub placed: Vec<PlacedTag<'n>>,
    /// The others, by name, each with the reason.
    pub rejected: Vec<(&'n str, Rejection)>,
    /// Names of neighbours, old and new; in each series the highest pair first, as many as the
    /// limit allows.
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
            Ok(placed) => selection.placed.push(placed),
            Err(reason) => selection.rejected.push((name, reason)),
        }
    }
    selection.rejected.sort_unstable_by_key(|(name, _)| *name);
    selection.placed.sort_unstable_by(|left, right| {
        let by_series = left.series.cmp(right.series);
        by_series.then_with(|| from_the_highest(left, right))
    });
    let same_series = |one: &PlacedTag<'_>, other: &PlacedTag<'_>| one.series == other.series;
    for series in selection.placed.chunk_by_mut(same_series) {
        compare(rules, series, &mut selection.pairs);
    }
    selection
}

/// Says of each tag of a series what it is compared with, and puts them in the configured order.
fn compare<'n>(
    rules: &TagRules,
    series: &mut [PlacedTag<'n>],
    pairs: &mut Vec<(&'n str, &'n str)>,
) {
    for place in 0..series.len() {
        let older = series.get(place + 1).map(|older| older.name);
        series[place].neighbour = match older {
            None => Neighbour::First,
            Some(_) if place >= rules.limit => Neighbour::BeyondLimit(rules.limit),
            Some(older) => {
                pairs.push((older, series[place].name));
                Neighbour::Older(older)
            }
        };
    }
    if !rules.order.is_descending() {
        series.reverse();
    }
}

fn place<'n>(rules: &TagRules, name: &'n str) -> Result<PlacedTag<'n>, Rejection> {
    let pattern = rules.pattern.as_ref().ok_or(Rejection::NoPattern)?;
    if !pattern.is_match(name) {
        return Err(Rejection::Unmatched);
    }
    let found = TagVersion::of_tag(name, &rules.prefixes);
    let (series, version) = match found {
        Ok((series, version)) if rules.order.is_of_versions() => (series, Some(version)),
        Ok((series, _)) => (series, None),
        Err(reason) if rules.order.is_of_versions() => return Err(reason.into()),
        Err(_) => (version::before_first_number(name, &rules.prefixes), None),
    };
    Ok(PlacedTag {
        name,
        series,
        version,
        neighbour: Neighbour::First,
    })
}

/// Equal versions, such as `v1.0.0` and `1.0.0`, or two builds of one, are distinguished by their
/// names, so that the order is always the same.
fn from_the_highest(left: &PlacedTag<'_>, right: &PlacedTag<'_>) -> Ordering {
    match (&left.version, &right.version) {
        // By the bytes of the name where the versions are equal.
        (Some(one), Some(other)) => other.cmp(one).then_with(|| right.name.cmp(left.name)),
        _ => text::by_text(right.name, left.name),
    }
}

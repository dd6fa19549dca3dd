//! `tags`: the tags of a repository in their order, what each is compared with, and why others are
//! left out.

use std::collections::{BTreeMap, HashMap};

use headwater_converters::diffs::short_name;
use headwater_domain::Scope;
use headwater_domain::code::commits_diff_pair::Model as Pair;
use headwater_domain::tags::{Neighbour, select};
use headwater_store::query::Cell;
use headwater_store::{Store, StoreError};

use crate::cli::{Format, Shared};
use crate::context::{Context, NeedsFile};
use crate::exit::{Exit, Failure};
use crate::output::{self, print, written};
use crate::resolve::{one_registered, repository_id};

const COLUMNS: [&str; 9] = [
    "place",
    "tag",
    "version",
    "commit",
    "series",
    "compared_with",
    "state",
    "commits",
    "left_out_because",
];

pub(super) async fn tags(shared: &Shared, scope: &str, format: Format) -> Result<Exit, Failure> {
    let context = Context::load(shared, NeedsFile::No)?;
    let store = context.open_to_read().await?;
    let (scope, connection) = one_registered(&store, &context.config, scope).await?;
    let repository = repository_id(&context.sources, &context.config, &scope);
    let refs = store.refs_of(&repository).await?;
    let pairs = store.diff_pairs_of(&repository).await?;
    let left_out = left_out(&store, &scope).await?;
    store.close().await?;
    let commits: HashMap<&str, &str> = refs
        .iter()
        .filter_map(|r| Some((short_name(r)?, r.commit_sha.as_str())))
        .collect();
    let commit_of = |name: &str| commits.get(name).copied().unwrap_or_default();
    let rules = context.config.rules_of(&connection);
    let selection = select(&rules.tags, refs.iter().filter_map(short_name));
    let mut rows = Vec::new();
    let mut place = Place::default();
    for tag in &selection.placed {
        let (old, reason) = match tag.neighbour {
            Neighbour::Older(old) => (Some(old), None),
            reason => (None, Some(reason.to_string())),
        };
        let pair = old.and_then(|old| pair_of(&pairs, commit_of(tag.name), commit_of(old)));
        let version = tag.version.as_ref().map(ToString::to_string);
        rows.push(vec![
            Cell::Integer(place.in_series(tag.series)),
            text(tag.name),
            version.as_deref().map_or(Cell::Null, text),
            text(commit_of(tag.name)),
            text(tag.series),
            old.map_or(Cell::Null, text),
            pair.map_or(Cell::Null, |pair| text(&pair.state.to_lowercase())),
            pair.map_or(Cell::Null, |pair| Cell::Integer(pair.commits)),
            reason.as_deref().map_or(Cell::Null, text),
        ]);
    }
    let rejected = selection.rejected.iter();
    let rejected = rejected.map(|(name, reason)| (*name, commit_of(name), reason.to_string()));
    let unstored = left_out.iter();
    let unstored = unstored.map(|(name, reason)| (name.as_str(), "", reason.clone()));
    for (name, commit, reason) in rejected.chain(unstored) {
        let mut row = vec![Cell::Null; COLUMNS.len()];
        row[1] = text(name);
        row[3] = text(commit);
        row[8] = text(&reason);
        rows.push(row);
    }
    if rows.is_empty() && format == Format::Table {
        output::line(format_args!(
            "{}:{} has no tags here",
            connection, scope.full_name
        ));
        return Ok(Exit::Ok);
    }
    written(print(format, &COLUMNS, rows))
}

/// Counts the tags of each series from 1.
#[derive(Default)]
struct Place<'n> {
    series: &'n str,
    place: i64,
}

impl<'n> Place<'n> {
    /// The place of the next tag, which is of this series.
    fn in_series(&mut self, series: &'n str) -> i64 {
        self.place = if series == self.series {
            self.place + 1
        } else {
            1
        };
        self.series = series;
        self.place
    }
}

/// Tags that have no row in `refs`, by name, each with the reason.
async fn left_out(store: &Store, scope: &Scope) -> Result<BTreeMap<String, String>, StoreError> {
    let mut left_out = store.left_out_refs(scope).await?;
    let letters = store.dead_letters(scope).await?;
    left_out.extend(letters.into_iter().map(|stored| {
        let letter = stored.letter;
        (letter.item, letter.message)
    }));
    let tags = left_out.into_iter().filter_map(|(name, reason)| {
        let name = name.strip_prefix("refs/tags/")?;
        Some((name.to_owned(), reason))
    });
    Ok(tags.collect())
}

/// The stored pair of these commits; none when a tag moved, or rules changed, since the last run.
fn pair_of<'p>(pairs: &'p [Pair], new: &str, old: &str) -> Option<&'p Pair> {
    pairs
        .iter()
        .find(|pair| pair.new_commit_sha == new && pair.old_commit_sha == old)
}

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

//! `tags`: the tags of a repository in their order, what each is compared with, and why others are
//! left out.

use std::collections::HashMap;

use headwater_converters::diffs::short_name;
use headwater_domain::code::commits_diff_pair::Model as Pair;
use headwater_domain::tags::select;
use headwater_store::query::Cell;

use crate::cli::{Format, Shared};
use crate::context::{Context, NeedsFile};
use crate::exit::{Exit, Failure};
use crate::output::{self, print, written};
use crate::resolve::{one_registered, repository_id};

const COLUMNS: [&str; 8] = [
    "place",
    "tag",
    "version",
    "commit",
    "compared_with",
    "state",
    "commits",
    "left_out_because",
];

pub(super) async fn tags(shared: &Shared, scope: &str, format: Format) -> Result<Exit, Failure> {
    let context = Context::load(shared, NeedsFile::No)?;
    let store = context.open_for_reading().await?;
    let (scope, connection) = one_registered(&store, &context.config, scope).await?;
    let repository = repository_id(&context.sources, &context.config, &scope);
    let refs = store.refs_of(&repository).await?;
    let pairs = store.diff_pairs_of(&repository).await?;
    store.close().await?;
    let commits: HashMap<&str, &str> = refs
        .iter()
        .filter_map(|r| Some((short_name(r)?, r.commit_sha.as_str())))
        .collect();
    let commit_of = |name: &str| commits.get(name).copied().unwrap_or_default();
    let rules = context.config.rules_of(&connection);
    let selection = select(&rules.tags, refs.iter().filter_map(short_name));
    let older: HashMap<&str, &str> = selection
        .pairs
        .iter()
        .map(|&(old, new)| (new, old))
        .collect();
    let mut rows = Vec::new();
    for (place, tag) in (1..).zip(&selection.placed) {
        let old = older.get(tag.name).copied();
        let pair = old.and_then(|old| pair_of(&pairs, commit_of(tag.name), commit_of(old)));
        rows.push(vec![
            Cell::Integer(place),
            text(tag.name),
            tag.version
                .as_ref()
                .map_or(Cell::Null, |v| text(&v.to_string())),
            text(commit_of(tag.name)),
            old.map_or(Cell::Null, text),
            pair.map_or(Cell::Null, |pair| text(&pair.state.to_lowercase())),
            pair.map_or(Cell::Null, |pair| Cell::Integer(pair.commits)),
            Cell::Null,
        ]);
    }
    for (name, reason) in &selection.rejected {
        let mut row = vec![Cell::Null; COLUMNS.len()];
        row[1] = text(name);
        row[3] = text(commit_of(name));
        row[7] = text(&reason.to_string());
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

/// The stored pair of these commits; none when a tag moved, or rules changed, since the last run.
fn pair_of<'p>(pairs: &'p [Pair], new: &str, old: &str) -> Option<&'p Pair> {
    pairs
        .iter()
        .find(|pair| pair.new_commit_sha == new && pair.old_commit_sha == old)
}

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

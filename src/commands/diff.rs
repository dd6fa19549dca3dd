//! `diff`: what one tag, branch or commit has that another has not.

mod contents;
mod range;
mod shown;

use std::io::Write as _;

use headwater_domain::graph::RangeWalk;

use crate::cli::{DiffFormat, Format, Shared};
use crate::context::{Context, NeedsFile};
use crate::exit::{Exit, Failure};
use crate::output::{self, print, written};
use crate::resolve::{one_registered, repository_id};
use contents::Contents;
use range::Range;

pub(super) async fn diff(
    shared: &Shared,
    scope: &str,
    range: &str,
    format: DiffFormat,
) -> Result<Exit, Failure> {
    let range = Range::parse(range)?;
    let context = Context::load(shared, NeedsFile::No)?;
    let store = context.open_to_read().await?;
    let (scope, connection) = one_registered(&store, &context.config, scope).await?;
    let repository = repository_id(&context.sources, &context.config, &scope);
    let refs = store.refs_of(&repository).await?;
    let graph = store.commit_graph(&repository).await?;
    let name = format!("{connection}:{}", scope.full_name);
    let old = range::find(&name, &refs, &graph, &range.old)?;
    let new = range::find(&name, &refs, &graph, &range.new)?;
    let mut walk = RangeWalk::over(&graph);
    let difference = walk.difference(new, old);
    let commits = difference.commits.iter();
    let shas: Vec<String> = commits
        .map(|&commit| graph.hash(commit).to_string())
        .collect();
    let contents = Contents::read(&store, &scope, (&repository, &graph), &shas).await?;
    store.close().await?;
    if !difference.is_complete {
        output::note(format_args!(
            "the history of {name} is cut off below {}..{}: there may be more commits, or fewer",
            range.old, range.new
        ));
    }
    let ends = shown::Ends {
        scope: &name,
        old: (&range.old, graph.hash(old).to_string()),
        new: (&range.new, graph.hash(new).to_string()),
        is_complete: difference.is_complete,
    };
    let table = |format| print(format, &shown::COLUMNS, shown::rows(&contents));
    written(match format {
        DiffFormat::Table => table(Format::Table),
        DiffFormat::Csv => table(Format::Csv),
        DiffFormat::Json => writeln!(output::data(), "{:#}", shown::json(&ends, &contents)),
        DiffFormat::Markdown => write!(output::data(), "{}", shown::markdown(&ends, &contents)),
    })
}

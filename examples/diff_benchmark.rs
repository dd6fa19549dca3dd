//! How long it takes to load a commit graph from the database, and to compare 999 pairs of tags in
//! it: the walk of all pairs should cost next to nothing beside the load.
//!
//! `cargo run --release --example diff_benchmark [-- COMMITS]`; prints a table in Markdown.

use std::time::{Duration, Instant};

use chrono::Utc;
use headwater::config::DatabaseAddress;
use headwater_domain::code::{commit_parent, repo_commit};
use headwater_domain::graph::{Commit, Graph, RangeWalk};
use headwater_domain::{Row, Rows, Scope};
use headwater_store::{Owner, Replacement, Store, Transaction};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Tags, at equal distances.
const TAGS: usize = 1000;

/// Measurements of which the middle one counts.
const ROUNDS: usize = 5;

/// Rows written in one transaction while preparing.
const PAGE: usize = 5000;

/// A history by number: the parents of each commit, all below it.
fn history(shape: &str, commits: usize) -> Vec<Vec<usize>> {
    let parents = |number: usize| match (number, shape) {
        (0, _) => Vec::new(),
        (_, "linear") => vec![number - 1],
        // Branches of three commits that are merged after a while, as pull requests are.
        _ if number < 16 => vec![number - 1],
        _ => match number % 8 {
            0 => vec![number - 1, number - 10],
            5 => vec![number - 9],
            _ => vec![number - 1],
        },
    };
    (0..commits).map(parents).collect()
}

fn sha(number: usize) -> String {
    let mixed = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    format!("{mixed:016x}{mixed:016x}{number:08x}")
}

async fn fill<R: Row>(page: &mut Transaction<'_>, made: Vec<R>) -> Result<(), Failure> {
    let mut rows = Rows::default();
    for row in made {
        rows.push(row);
    }
    let replacement = Replacement {
        table: R::table(),
        owner: Owner::Column {
            name: "",
            values: Vec::new(),
            connection_id: None,
        },
        rows: rows.take(R::table()),
        first: true,
    };
    page.replace(replacement).await?;
    Ok(())
}

/// Writes a history, commits in the order of their numbers.
async fn prepare(store: &Store, scope: &Scope, history: &[Vec<usize>]) -> Result<(), Failure> {
    for start in (0..history.len()).step_by(PAGE) {
        let mut page = store.begin(scope, Utc::now()).await?;
        let numbers = start..history.len().min(start + PAGE);
        let commits = numbers.clone().map(|number| repo_commit::Model {
            repo_id: scope.full_name.clone(),
            commit_sha: sha(number),
            ..repo_commit::Model::default()
        });
        fill(&mut page, commits.collect()).await?;
        let parents = numbers.flat_map(|number| {
            (0..)
                .zip(&history[number])
                .map(move |(order, &parent)| commit_parent::Model {
                    commit_sha: sha(number),
                    parent_commit_sha: sha(parent),
                    parent_order: order,
                })
        });
        fill(&mut page, parents.collect()).await?;
        page.commit().await?;
    }
    Ok(())
}

fn tagged(graph: &Graph, commits: usize) -> Vec<Commit> {
    let numbers = (1..=TAGS).map(|tag| tag * commits / TAGS - 1);
    let hashes = numbers.filter_map(|number| sha(number).parse().ok());
    hashes.filter_map(|hash| graph.find(hash)).collect()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

async fn measure(shape: &str, commits: usize) -> Result<String, Failure> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("graph.db");
    let address = DatabaseAddress::parse(&format!("sqlite:{}", path.display()))?;
    let store = headwater::database::open(&address).await?;
    let scope = Scope::new(1, format!("acme/{shape}"));
    store.register(&scope, Utc::now()).await?;
    prepare(&store, &scope, &history(shape, commits)).await?;
    let (mut loads, mut walks, mut found) = (Vec::new(), Vec::new(), 0);
    for _ in 0..ROUNDS {
        let began = Instant::now();
        let graph = store.commit_graph(&scope.full_name).await?;
        loads.push(began.elapsed());
        let tags = tagged(&graph, commits);
        let began = Instant::now();
        let mut walk = RangeWalk::over(&graph);
        let pairs = tags.windows(2);
        found = pairs
            .map(|two| walk.difference(two[1], two[0]).commits.len())
            .sum();
        walks.push(began.elapsed());
    }
    store.close().await?;
    let (load, walk) = (median(loads).as_secs_f64(), median(walks).as_secs_f64());
    Ok(format!(
        "| {shape} | {commits} | {} | {found} | {load:.3} | {walk:.3} | {:.2} |",
        TAGS - 1,
        (load + walk) / load
    ))
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let commits = std::env::args()
        .nth(1)
        .map_or(Ok(100_000), |text| text.parse())?;
    println!("| history | commits | pairs | found | load (s) | walks (s) | both / load |");
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    for shape in ["linear", "branchy"] {
        println!("{}", measure(shape, commits).await?);
    }
    Ok(())
}

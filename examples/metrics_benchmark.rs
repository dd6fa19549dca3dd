//! How long it takes to measure a large project, beside one plain read of the same rows and one
//! plain insert of the results; and what ten changed pull requests cost.
//!
//! `cargo run --release --example metrics_benchmark [-- PULL_REQUESTS]`; prints a table in
//! Markdown. There are twice as many commits as pull requests, and a tenth as many deployments.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use headwater::config::DatabaseAddress;
use headwater::sources::Sources;
use headwater_converters::project_metrics::ProjectMetrics;
use headwater_converters::{Derivation, Outcome, Task};
use headwater_domain::code::{
    commit, commit_parent, pull_request, pull_request_comment, pull_request_commit,
    pull_request_event, repo, repo_commit,
};
use headwater_domain::crossdomain::project_mapping;
use headwater_domain::devops::cicd_deployment_commit;
use headwater_domain::id::bitbucket::IDS;
use headwater_domain::{Row, Rows, Scope};
use headwater_metrics::stored::Projects;
use headwater_store::{Owner, Replacement, StepContext, Store};
use rusqlite::Connection;
use rusqlite::types::Value;
use tokio_util::sync::CancellationToken;

type Failure = Box<dyn std::error::Error + Send + Sync>;

const REPOSITORY: &str = "bitbucket:BitbucketRepo:1:acme/large";
const PROJECT: &str = "large";

/// Rows written in one transaction while preparing.
const PAGE: usize = 5000;

/// Rounds of which the fastest one counts.
const ROUNDS: usize = 3;

/// What a plain read has to read: the columns that are looked at.
const READ: [&str; 7] = [
    "SELECT id, base_repo_id, pull_request_key, title, head_ref, author_id, created_date, \
     merged_date, merge_commit_sha FROM pull_requests",
    "SELECT pull_request_id, commit_sha, commit_authored_date FROM pull_request_commits",
    "SELECT pull_request_id, id, account_id, created_date FROM pull_request_comments",
    "SELECT pull_request_id, id, actor_id, at FROM pull_request_events",
    "SELECT id, commit_sha, cicd_scope_id, cicd_deployment_id, cicd_pipeline_id, subtask_name, \
     result, environment, original_environment, finished_date, repo_id, repo_url \
     FROM cicd_deployment_commits",
    "SELECT held.commit_sha, own.authored_date, own.message FROM repo_commits AS held \
     JOIN commits AS own ON own.sha = held.commit_sha",
    "SELECT commit_sha, parent_commit_sha, parent_order FROM commit_parents",
];

/// Tables of results.
const RESULTS: [&str; 2] = ["project_pr_metrics", "project_deployments"];

fn sha(number: usize) -> String {
    let mixed = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    format!("{mixed:016x}{mixed:016x}{number:08x}")
}

fn at(minutes: usize) -> Option<DateTime<Utc>> {
    let minutes = i64::try_from(minutes).ok()?;
    DateTime::from_timestamp(1_600_000_000, 0)?.checked_add_signed(TimeDelta::minutes(minutes))
}

async fn fill<R: Row>(store: &Store, made: impl Iterator<Item = R>) -> Result<(), Failure> {
    let mut made = made.peekable();
    while made.peek().is_some() {
        let mut rows = Rows::default();
        for row in made.by_ref().take(PAGE) {
            rows.push(row);
        }
        let mut page = store.begin(&Scope::everywhere(), Utc::now()).await?;
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
        page.commit().await?;
    }
    Ok(())
}

fn pull_request_id(number: usize) -> String {
    format!("bitbucket:BitbucketPullRequest:1:acme/large:{number}")
}

/// One row of `pull_requests`, merged as every second commit.
fn pull_request_row(number: usize) -> pull_request::Model {
    pull_request::Model {
        id: pull_request_id(number),
        base_repo_id: REPOSITORY.to_owned(),
        pull_request_key: i64::try_from(number).unwrap_or_default(),
        title: format!("Change number {number} of many, with a title as titles are"),
        description: "What it does and why, in a few words.".to_owned(),
        head_ref: format!("feature/change-{number}"),
        author_id: "ann".to_owned(),
        status: "MERGED".to_owned(),
        created_date: at(number * 10),
        merged_date: at(number * 10 + 600),
        merge_commit_sha: sha(2 * number + 1),
        ..pull_request::Model::default()
    }
}

async fn prepare(store: &Store, pull_requests: usize) -> Result<(), Failure> {
    let mapped = ["repos", "cicd_scopes", "boards"].into_iter();
    let mapped = mapped.map(|table| project_mapping::Model {
        project_name: PROJECT.to_owned(),
        table: table.to_owned(),
        row_id: REPOSITORY.to_owned(),
    });
    fill(store, mapped).await?;
    let repository = repo::Model {
        id: REPOSITORY.to_owned(),
        name: "acme/large".to_owned(),
        url: "https://bitbucket.org/acme/large".to_owned(),
        ..repo::Model::default()
    };
    fill(store, std::iter::once(repository)).await?;
    fill(store, (0..pull_requests).map(pull_request_row)).await?;
    let own = (0..2 * pull_requests).map(|number| pull_request_commit::Model {
        pull_request_id: pull_request_id(number / 2),
        commit_sha: sha(1_000_000 + number),
        commit_authored_date: at(number * 5),
        ..pull_request_commit::Model::default()
    });
    fill(store, own).await?;
    let comments = (0..pull_requests).map(|number| pull_request_comment::Model {
        id: format!("comment {number}"),
        pull_request_id: pull_request_id(number),
        account_id: "bob".to_owned(),
        created_date: at(number * 10 + 60),
        ..pull_request_comment::Model::default()
    });
    fill(store, comments).await?;
    let events = (0..pull_requests).map(|number| pull_request_event::Model {
        id: format!("event {number}"),
        pull_request_id: pull_request_id(number),
        kind: "approved".to_owned(),
        actor_id: "cem".to_owned(),
        at: at(number * 10 + 90),
        ..pull_request_event::Model::default()
    });
    fill(store, events).await?;
    prepare_history(store, 2 * pull_requests).await?;
    let every = 20;
    let deployments = (0..2 * pull_requests / every).map(|number| cicd_deployment_commit::Model {
        id: format!("bitbucket:BitbucketDeployment:1:{number}"),
        cicd_scope_id: REPOSITORY.to_owned(),
        cicd_deployment_id: format!("bitbucket:BitbucketDeployment:1:{number}"),
        result: "SUCCESS".to_owned(),
        environment: "PRODUCTION".to_owned(),
        finished_date: at(number * every * 5 + 1000),
        commit_sha: sha(number * every + every - 1),
        repo_id: REPOSITORY.to_owned(),
        repo_url: "https://bitbucket.org/acme/large".to_owned(),
        ..cicd_deployment_commit::Model::default()
    });
    fill(store, deployments).await
}

async fn prepare_history(store: &Store, commits: usize) -> Result<(), Failure> {
    let held = (0..commits).map(|number| repo_commit::Model {
        repo_id: REPOSITORY.to_owned(),
        commit_sha: sha(number),
        ..repo_commit::Model::default()
    });
    fill(store, held).await?;
    let own = (0..commits).map(|number| commit::Model {
        sha: sha(number),
        message: format!("Commit number {number}"),
        authored_date: at(number * 5),
        ..commit::Model::default()
    });
    fill(store, own).await?;
    let parents = (1..commits).map(|number| commit_parent::Model {
        commit_sha: sha(number),
        parent_commit_sha: sha(number - 1),
        ..commit_parent::Model::default()
    });
    fill(store, parents).await
}

/// Reads every row that counts, into memory of its own, row by row.
fn plain_read(file: &Path) -> Result<(Duration, usize), Failure> {
    let connection = Connection::open(file)?;
    let began = Instant::now();
    let mut read = 0;
    for sql in READ {
        read += rows_of(&connection, sql, |_| Ok(()))?;
    }
    Ok((began.elapsed(), read))
}

fn rows_of(
    connection: &Connection,
    sql: &str,
    mut each: impl FnMut(Vec<Value>) -> Result<(), Failure>,
) -> Result<usize, Failure> {
    let mut statement = connection.prepare(sql)?;
    let columns = statement.column_count();
    let mut rows = statement.query([])?;
    let mut count = 0;
    while let Some(row) = rows.next()? {
        let values: Result<Vec<Value>, _> = (0..columns).map(|place| row.get(place)).collect();
        each(values?)?;
        count += 1;
    }
    Ok(count)
}

/// Inserts the results once more, after they were taken away.
fn plain_insert(file: &Path) -> Result<Duration, Failure> {
    let connection = Connection::open(file)?;
    connection.pragma_update(None, "synchronous", "normal")?;
    let mut took = Duration::ZERO;
    for table in RESULTS {
        let mut kept = Vec::new();
        rows_of(&connection, &format!("SELECT * FROM {table}"), |row| {
            kept.push(row);
            Ok(())
        })?;
        connection.execute_batch(&format!("DELETE FROM {table}"))?;
        let marks = vec!["?"; kept.first().map_or(0, Vec::len)].join(", ");
        let began = Instant::now();
        connection.execute_batch("BEGIN IMMEDIATE")?;
        let mut insert = connection.prepare(&format!("INSERT INTO {table} VALUES ({marks})"))?;
        for row in kept {
            insert.execute(rusqlite::params_from_iter(row))?;
        }
        connection.execute_batch("COMMIT")?;
        took += began.elapsed();
    }
    Ok(took)
}

/// Runs the derivation as a sync does.
async fn derive(store: &Store) -> Result<(Duration, Outcome), Failure> {
    let cancel = CancellationToken::new();
    let context = StepContext {
        now: Utc::now(),
        cancel: &cancel,
        progress: &|_| (),
    };
    let (scope, rules, projects) = (Scope::everywhere(), Arc::default(), Projects::default());
    let task = Task {
        store,
        scope: &scope,
        ids: &IDS,
        repo_id: "",
        rules: &rules,
        projects: &projects,
        patches: None,
        context: &context,
    };
    let derivation = Derivation::of::<ProjectMetrics>();
    let began = Instant::now();
    let outcome = derivation.run(&task).await?;
    Ok((began.elapsed(), outcome))
}

/// Changes ten pull requests in the middle, as a sync would.
async fn change_ten(store: &Store, pull_requests: usize, round: usize) -> Result<(), Failure> {
    let mut rows = Rows::default();
    let numbers = (0..10).map(|number| pull_requests / 2 + number);
    for number in numbers.clone() {
        let mut row = pull_request_row(number);
        row.created_date = at(number * 10 + 1 + round);
        rows.push(row);
    }
    let table = pull_request::Model::table();
    let replacement = Replacement {
        table,
        owner: Owner::Column {
            name: "id",
            values: numbers.map(pull_request_id).collect(),
            connection_id: None,
        },
        rows: rows.take(table),
        first: false,
    };
    let mut page = store.begin(&Scope::everywhere(), Utc::now()).await?;
    page.replace(replacement).await?;
    page.commit().await?;
    Ok(())
}

/// The most memory that this process had since it was asked to forget, in MiB.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes >> 10)
}

fn forget_peak() {
    // Elsewhere than on Linux there is no figure.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let pull_requests = std::env::args()
        .nth(1)
        .map_or(Ok(50_000), |text| text.parse())?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("metrics.db");
    let address = DatabaseAddress::parse(&format!("sqlite:{}", file.display()))?;
    let store = headwater::database::open(&address).await?;
    prepare(&store, pull_requests).await?;
    store.close().await?;
    let (mut reads, mut read) = (Vec::new(), 0);
    for _ in 0..ROUNDS {
        let (took, rows) = plain_read(&file)?;
        reads.push(took);
        read = rows;
    }
    let store = headwater::database::open(&address).await?;
    let store = Sources::all().followed_by(&store);
    forget_peak();
    let (full, outcome) = derive(&store).await?;
    let memory = peak_memory();
    let mut changed = Vec::new();
    for round in 0..ROUNDS {
        change_ten(&store, pull_requests, round).await?;
        changed.push(derive(&store).await?.0);
    }
    store.close().await?;
    let insert = plain_insert(&file)?;
    let least = |times: Vec<Duration>| times.into_iter().min().unwrap_or_default().as_secs_f64();
    let (read_time, changed) = (least(reads), least(changed));
    let (full, insert) = (full.as_secs_f64(), insert.as_secs_f64());
    println!("| what | seconds | beside |");
    println!("| --- | --- | --- |");
    println!("| plain read of {read} rows | {read_time:.3} | |");
    println!(
        "| plain insert of {} rows | {insert:.3} | |",
        outcome.changes.written
    );
    println!(
        "| all computed | {full:.3} | {:.1} times both |",
        full / (read_time + insert)
    );
    println!(
        "| ten pull requests changed | {changed:.3} | {:.1} % of all |",
        changed / full * 100.0
    );
    match memory {
        Some(memory) => println!("\nAt most {memory} MiB of memory while all was computed."),
        None => println!("\nHow much memory it took is not known here."),
    }
    Ok(())
}

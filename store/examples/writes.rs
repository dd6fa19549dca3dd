//! How fast the store writes rows, compared with a plain loop of batched upserts.
//!
//! Both write the same rows into the same table of the same database, one after the other in each
//! round. The loop is what a careful engineer would write by hand for one table: a prepared
//! statement of 500 rows (one row on SQLite, where that is faster), values bound by type,
//! transactions of 10,000 rows. The store does so for every table, keeps the origin of each row
//! and numbers changes.
//!
//! ```text
//! cargo run --release -p headwater-store --example writes -- postgres://… mysql://…
//! ```
//!
//! SQLite is always measured. The databases named are emptied: name ones that hold nothing else.

use std::error::Error;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use headwater_domain::tool::bitbucket::pull_request;
use headwater_domain::{Origin, Rows, Scope, Table};
use headwater_store::{Owner, Replacement, Store};
use sea_orm::ConnectionTrait as _;
use sqlx::{Connection as _, Executor as _};

type Failure = Box<dyn Error + Send + Sync>;

const ROWS: usize = 20_000;
const ROUNDS: usize = 5;
const PER_TRANSACTION: usize = 10_000;
const PER_STATEMENT: usize = 500;
/// Rows that the engines hand over at once: the next are made while these are written.
const PER_BATCH: usize = 512;
const TABLE: &str = "_tool_bitbucket_pull_requests";
const RAW: &str = "_raw_bitbucket_api_pull_requests";

#[tokio::main]
async fn main() -> Result<(), Failure> {
    if cfg!(debug_assertions) {
        eprintln!("warning: built without optimization; use --release");
    }
    let folder = std::env::temp_dir().join(format!("headwater-writes-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let file = format!("sqlite:{}", folder.join("writes.db").display());
    let mut addresses = vec![file];
    addresses.extend(std::env::args().skip(1));
    println!("{ROWS} pull requests, median of {ROUNDS} rounds\n");
    println!("| database | plain loop rows/s | store rows/s | store / loop (median, min–max) |");
    println!("| --- | ---: | ---: | ---: |");
    for address in &addresses {
        measure(address).await?;
    }
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

async fn measure(address: &str) -> Result<(), Failure> {
    let store = open(address).await?;
    headwater_migrations::up(store.connection()).await?;
    let scope = Scope::new(1, "acme/rocket");
    store.register(&scope, Utc::now()).await?;
    let rows = pull_requests();
    let mut ratios = Vec::new();
    let (mut plain_times, mut store_times) = (Vec::new(), Vec::new());
    // One round more than is counted: the first finds cold caches.
    for round in 0..=ROUNDS {
        empty(&store).await?;
        let plain = plain(address, &rows).await?;
        count(&store, &scope).await?;
        empty(&store).await?;
        let ours = through_store(&store, &scope, &rows).await?;
        count(&store, &scope).await?;
        if round > 0 {
            ratios.push(plain.as_secs_f64() / ours.as_secs_f64());
            plain_times.push(plain.as_secs_f64());
            store_times.push(ours.as_secs_f64());
        }
    }
    let per_second = |times: &mut Vec<f64>| 20_000.0 / median(times);
    let kind = address.split(':').next().unwrap_or_default();
    let (least, most) = (
        ratios.iter().copied().fold(f64::INFINITY, f64::min),
        ratios.iter().copied().fold(0.0, f64::max),
    );
    println!(
        "| {kind} | {:.0} | {:.0} | {:.2} ({least:.2}–{most:.2}) |",
        per_second(&mut plain_times),
        per_second(&mut store_times),
        median(&mut ratios),
    );
    store.close().await?;
    Ok(())
}

async fn open(address: &str) -> Result<Store, Failure> {
    let opened = match address.split_once(':') {
        Some(("sqlite", path)) => Store::open_sqlite(path.as_ref()).await,
        Some(("postgres" | "postgresql", _)) => Store::open_postgres(address).await,
        _ => Store::open_mysql(address).await,
    };
    Ok(opened?)
}

async fn empty(store: &Store) -> Result<(), Failure> {
    let text = format!("DELETE FROM {TABLE}");
    store.connection().execute_unprepared(&text).await?;
    Ok(())
}

/// Comparing times only makes sense for equal work.
async fn count(store: &Store, scope: &Scope) -> Result<(), Failure> {
    let found = store.scope_rows(scope, TABLE).await?;
    if found == ROWS as u64 {
        return Ok(());
    }
    Err(format!("{found} rows instead of {ROWS}").into())
}

fn median(numbers: &mut [f64]) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

fn pull_requests() -> Vec<pull_request::Model> {
    let begin = DateTime::from_timestamp(1_760_000_000, 0).unwrap_or_default();
    let time = |minutes| Some(begin + TimeDelta::minutes(minutes));
    let one = |number: i64| pull_request::Model {
        connection_id: 1,
        repo_id: "acme/rocket".to_owned(),
        bitbucket_id: number,
        number,
        state: "MERGED".to_owned(),
        title: format!("Make part {number} of the rocket lighter"),
        description: "It is heavier than it has to be. ".repeat(20),
        bitbucket_created_at: time(number),
        bitbucket_updated_at: time(number + 90),
        merged_at: time(number + 80),
        closed_at: time(number + 80),
        head_ref: format!("feature/{number}"),
        base_ref: "main".to_owned(),
        merge_commit_sha: format!("{number:040x}"),
        author_name: "Ada".to_owned(),
        author_id: format!("account:{}", number % 40),
        ..pull_request::Model::default()
    };
    (1..).take(ROWS).map(one).collect()
}

async fn through_store(
    store: &Store,
    scope: &Scope,
    rows: &[pull_request::Model],
) -> Result<Duration, Failure> {
    let transactions: Vec<Vec<Vec<pull_request::Model>>> = rows
        .chunks(PER_TRANSACTION)
        .map(|rows| rows.chunks(PER_BATCH).map(<[_]>::to_vec).collect())
        .collect();
    let table = Table::of::<pull_request::Entity>();
    let began = Instant::now();
    for transaction in transactions {
        let mut page = store.begin(scope, Utc::now()).await?;
        for batch in transaction {
            let mut made = Rows::default();
            for row in batch {
                made.from_origin(Origin {
                    params: scope.params(),
                    table: RAW.to_owned(),
                    id: row.bitbucket_id,
                });
                made.push(row);
            }
            let owner = Owner::RawRows {
                table: RAW.to_owned(),
                ids: Vec::new(),
            };
            page.replace(Replacement {
                table,
                owner,
                rows: made.take(table),
                first: true,
            })
            .await?;
        }
        page.commit().await?;
    }
    Ok(began.elapsed())
}

/// Columns of the plain loop, all that the store fills.
fn columns() -> Vec<String> {
    let table = Table::of::<pull_request::Entity>();
    let mut names: Vec<String> = table.columns.iter().map(|c| c.name.clone()).collect();
    for name in [
        "_raw_data_id",
        "_raw_data_params",
        "_raw_data_table",
        "created_at",
        "updated_at",
        "changed_seq",
    ] {
        names.push(name.to_owned());
    }
    names
}

const KEYS: [&str; 3] = ["connection_id", "repo_id", "bitbucket_id"];

fn upsert(kind: &str, rows: usize) -> String {
    let columns = columns();
    let mut number = 0;
    let mut mark = || {
        number += 1;
        if kind == "postgres" {
            format!("${number}")
        } else {
            "?".to_owned()
        }
    };
    let tuples: Vec<String> = (0..rows)
        .map(|_| {
            let marks: Vec<String> = columns.iter().map(|_| mark()).collect();
            format!("({})", marks.join(", "))
        })
        .collect();
    let changing = columns.iter().filter(|name| !KEYS.contains(&name.as_str()));
    let assignments: Vec<String> = changing
        .map(|name| match kind {
            "mysql" => format!("{name} = VALUES({name})"),
            _ => format!("{name} = excluded.{name}"),
        })
        .collect();
    let conflict = match kind {
        "mysql" => "ON DUPLICATE KEY UPDATE".to_owned(),
        _ => format!("ON CONFLICT ({}) DO UPDATE SET", KEYS.join(", ")),
    };
    format!(
        "INSERT INTO {TABLE} ({}) VALUES {} {conflict} {}",
        columns.join(", "),
        tuples.join(", "),
        assignments.join(", ")
    )
}

/// Binds one row, in the order of [`columns`]; a macro, since each driver has its own types.
macro_rules! bind_row {
    ($query:expr, $row:expr, $now:expr, $params:expr) => {
        $query
            .bind($row.connection_id)
            .bind(&$row.repo_id)
            .bind($row.bitbucket_id)
            .bind($row.number)
            .bind(&$row.base_repo_id)
            .bind(&$row.head_repo_id)
            .bind(&$row.state)
            .bind(&$row.title)
            .bind(&$row.description)
            .bind($row.bitbucket_created_at)
            .bind($row.bitbucket_updated_at)
            .bind($row.closed_at)
            .bind($row.comment_count)
            .bind($row.commits)
            .bind($row.merged_at)
            .bind(&$row.body)
            .bind(&$row.r#type)
            .bind(&$row.component)
            .bind(&$row.merge_commit_sha)
            .bind(&$row.head_ref)
            .bind(&$row.base_ref)
            .bind(&$row.base_commit_sha)
            .bind(&$row.head_commit_sha)
            .bind(&$row.url)
            .bind(&$row.author_name)
            .bind(&$row.author_id)
            .bind(&$row.merged_by_name)
            .bind(&$row.merged_by_id)
            .bind($row.is_draft)
            .bind($row.task_count)
            .bind($row.bitbucket_id)
            .bind($params)
            .bind(RAW)
            .bind($now)
            .bind($now)
            .bind(1i64)
    };
}

macro_rules! plain_server {
    ($name:ident, $connection:ty, $kind:literal) => {
        async fn $name(address: &str, rows: &[pull_request::Model]) -> Result<Duration, Failure> {
            let mut connection = <$connection>::connect(address).await?;
            let text = upsert($kind, PER_STATEMENT);
            let params = Scope::new(1, "acme/rocket").params();
            let began = Instant::now();
            let now = Utc::now();
            for transaction in rows.chunks(PER_TRANSACTION) {
                connection.execute("BEGIN").await?;
                for group in transaction.chunks(PER_STATEMENT) {
                    let mut query = sqlx::query(sqlx::AssertSqlSafe(text.as_str()));
                    for row in group {
                        query = bind_row!(query, row, now, &params);
                    }
                    query.execute(&mut connection).await?;
                }
                connection.execute("COMMIT").await?;
            }
            let took = began.elapsed();
            connection.close().await?;
            Ok(took)
        }
    };
}

plain_server!(plain_postgres, sqlx::PgConnection, "postgres");
plain_server!(plain_mysql, sqlx::MySqlConnection, "mysql");

async fn plain(address: &str, rows: &[pull_request::Model]) -> Result<Duration, Failure> {
    match address.split_once(':') {
        Some(("sqlite", path)) => plain_sqlite(path, rows),
        Some(("postgres" | "postgresql", _)) => plain_postgres(address, rows).await,
        _ => plain_mysql(address, rows).await,
    }
}

fn plain_sqlite(path: &str, rows: &[pull_request::Model]) -> Result<Duration, Failure> {
    let connection = rusqlite::Connection::open(path)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.pragma_update(None, "synchronous", "normal")?;
    connection.pragma_update(None, "cache_size", -16_384)?;
    let text = upsert("sqlite", 1);
    let params = Scope::new(1, "acme/rocket").params();
    let began = Instant::now();
    let now = Utc::now().to_rfc3339();
    for transaction in rows.chunks(PER_TRANSACTION) {
        connection.execute_batch("BEGIN")?;
        let mut statement = connection.prepare(&text)?;
        for row in transaction {
            let time = |time: Option<DateTime<Utc>>| time.map(|time| time.to_rfc3339());
            let values: [&dyn rusqlite::ToSql; 36] = [
                &row.connection_id,
                &row.repo_id,
                &row.bitbucket_id,
                &row.number,
                &row.base_repo_id,
                &row.head_repo_id,
                &row.state,
                &row.title,
                &row.description,
                &time(row.bitbucket_created_at),
                &time(row.bitbucket_updated_at),
                &time(row.closed_at),
                &row.comment_count,
                &row.commits,
                &time(row.merged_at),
                &row.body,
                &row.r#type,
                &row.component,
                &row.merge_commit_sha,
                &row.head_ref,
                &row.base_ref,
                &row.base_commit_sha,
                &row.head_commit_sha,
                &row.url,
                &row.author_name,
                &row.author_id,
                &row.merged_by_name,
                &row.merged_by_id,
                &row.is_draft,
                &row.task_count,
                &row.bitbucket_id,
                &params,
                &RAW,
                &now,
                &now,
                &1i64,
            ];
            statement.execute(&values[..])?;
        }
        drop(statement);
        connection.execute_batch("COMMIT")?;
    }
    Ok(began.elapsed())
}

//! The least that has to be done: every row that counts is read once, and every result is
//! inserted once.

use std::path::Path;
use std::time::{Duration, Instant};

use futures::TryStreamExt as _;
use headwater_domain::Row;
use headwater_domain::metrics::{project_deployment, project_pr_metric};
use headwater_store::Store;
use rusqlite::Connection;
use rusqlite::types::Value;
use sea_orm::{ConnectionTrait as _, EntityTrait as _};
use sqlx::{Connection as _, Row as _};

use super::{Failure, company};

/// The columns that are looked at. MySQL and MariaDB read quoted names as texts.
const READ: [&str; 7] = [
    "SELECT id, base_repo_id, pull_request_key, title, head_ref, author_id, created_date, \
     merged_date, merge_commit_sha FROM pull_requests",
    "SELECT pull_request_id, commit_sha, commit_authored_date FROM pull_request_commits",
    "SELECT pull_request_id, id, account_id, created_date FROM pull_request_comments",
    "SELECT events.pull_request_id, events.id, events.actor_id, events.at \
     FROM pull_request_events AS events",
    "SELECT id, commit_sha, cicd_scope_id, cicd_deployment_id, cicd_pipeline_id, subtask_name, \
     result, environment, original_environment, finished_date, repo_id, repo_url \
     FROM cicd_deployment_commits",
    "SELECT held.commit_sha, own.authored_date, own.message FROM repo_commits AS held \
     JOIN commits AS own ON own.sha = held.commit_sha",
    "SELECT commit_sha, parent_commit_sha, parent_order FROM commit_parents",
];

/// Tables of results.
const RESULTS: [&str; 2] = ["project_pr_metrics", "project_deployments"];

/// Reads every row that counts, into memory of its own, row by row.
pub(super) async fn read(address: &str) -> Result<(Duration, usize), Failure> {
    match address.split_once(':') {
        Some(("sqlite", file)) => read_sqlite(file.as_ref()),
        Some(("postgres", _)) => {
            let mut connection = sqlx::PgConnection::connect(address).await?;
            let began = Instant::now();
            let mut read = 0;
            for sql in READ {
                let mut rows = sqlx::query(sql).fetch(&mut connection);
                while let Some(row) = rows.try_next().await? {
                    for place in 0..row.len() {
                        row.try_get_raw(place)?;
                    }
                    read += 1;
                }
            }
            Ok((began.elapsed(), read))
        }
        _ => {
            let mut connection = sqlx::MySqlConnection::connect(address).await?;
            let began = Instant::now();
            let mut read = 0;
            for sql in READ {
                let mut rows = sqlx::query(sql).fetch(&mut connection);
                while let Some(row) = rows.try_next().await? {
                    for place in 0..row.len() {
                        row.try_get_raw(place)?;
                    }
                    read += 1;
                }
            }
            Ok((began.elapsed(), read))
        }
    }
}

fn read_sqlite(file: &Path) -> Result<(Duration, usize), Failure> {
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

/// Inserts the results once more, after they were taken away: with a prepared statement into an
/// `SQLite` file, with statements of many rows into a server.
pub(super) async fn insert(store: &Store, address: &str) -> Result<Duration, Failure> {
    if let Some(file) = address.strip_prefix("sqlite:") {
        return insert_sqlite(file.as_ref());
    }
    let connection = store.connection();
    let pull_requests = project_pr_metric::Entity::find().all(connection).await?;
    let deployments = project_deployment::Entity::find().all(connection).await?;
    for table in RESULTS {
        let text = format!("DELETE FROM {table}");
        connection.execute_unprepared(&text).await?;
    }
    Ok(inserted(store, pull_requests).await? + inserted(store, deployments).await?)
}

async fn inserted<R: Row>(store: &Store, rows: Vec<R>) -> Result<Duration, Failure> {
    let began = Instant::now();
    company::fill(store, rows.into_iter()).await?;
    Ok(began.elapsed())
}

fn insert_sqlite(file: &Path) -> Result<Duration, Failure> {
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

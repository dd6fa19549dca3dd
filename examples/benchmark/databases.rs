//! The same sync into each database, first and again.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use headwater::config::DatabaseAddress;
use headwater::database;
use headwater_store::query::{Cell, Rows};
use sea_orm::ConnectionTrait as _;
use tempfile::TempDir;

use crate::Failure;
use crate::process::Measured;
use crate::subject::Bench;

/// First sync and second sync of one database in one round.
pub(crate) type Pair = (Measured, Measured);

/// Syncs into an SQLite file and into each server, in turns, and prints a table.
pub(crate) fn compare(bench: &mut Bench, servers: &[String], rounds: usize) -> Result<(), Failure> {
    let runtime = tokio::runtime::Runtime::new()?;
    let mut databases = vec![None];
    databases.extend(servers.iter().map(Some));
    let mut pairs: Vec<Vec<Pair>> = vec![Vec::new(); databases.len()];
    for round in 0..rounds {
        for (place, server) in databases.iter().enumerate() {
            let pair = match server {
                None => into_file(bench)?,
                Some(server) => into_server(bench, &runtime, server)?,
            };
            println!(
                "round {}: {} {:.2} s, again {:.3} s",
                round + 1,
                name(*server),
                pair.0.seconds,
                pair.1.seconds
            );
            pairs[place].push(pair);
        }
    }
    println!(
        "\n| database | first sync s | ratio to SQLite | again s | again to first | requests again |"
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: |");
    for (server, of_database) in databases.iter().zip(&pairs) {
        let ratios = of_database.iter().zip(&pairs[0]);
        let to_sqlite = ratios.map(|(pair, sqlite)| pair.0.seconds / sqlite.0.seconds);
        let again = of_database
            .iter()
            .map(|pair| pair.1.seconds / pair.0.seconds);
        println!(
            "| {} | {:.2} | {:.2} | {:.3} | {:.4} | {} |",
            name(*server),
            median(of_database.iter().map(|pair| pair.0.seconds)),
            median(to_sqlite),
            median(of_database.iter().map(|pair| pair.1.seconds)),
            median(again),
            of_database.last().map_or(0, |pair| pair.1.requests),
        );
    }
    Ok(())
}

pub(crate) fn name(server: Option<&String>) -> &str {
    server.map_or("sqlite", |address| {
        address.split(':').next().unwrap_or_default()
    })
}

pub(crate) fn median(numbers: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = numbers.collect();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

pub(crate) fn into_file(bench: &mut Bench) -> Result<Pair, Failure> {
    let folder = TempDir::new()?;
    bench.write_configuration(folder.path(), "sqlite:headwater.db")?;
    both(bench, folder.path())
}

fn both(bench: &mut Bench, folder: &Path) -> Result<Pair, Failure> {
    let first = bench.run(folder, "sync")?;
    let again = bench.run(folder, "sync")?;
    Ok((first, again))
}

/// Into a new database on the server, which is dropped afterwards.
pub(crate) fn into_server(
    bench: &mut Bench,
    runtime: &tokio::runtime::Runtime,
    server: &str,
) -> Result<Pair, Failure> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let database = format!("headwater_benchmark_{}_{number}", std::process::id());
    let (before, _) = server
        .rsplit_once('/')
        .ok_or("the address has no database")?;
    let address = format!("{before}/{database}");
    runtime.block_on(run(server, &format!("CREATE DATABASE {database}")))?;
    let folder = TempDir::new()?;
    bench.write_configuration(folder.path(), &address)?;
    let measured = both(bench, folder.path());
    let filled = runtime.block_on(domain_rows(&address));
    runtime.block_on(run(server, &format!("DROP DATABASE {database}")))?;
    if filled? == 0 {
        return Err("headwater sync left the domain tables empty".into());
    }
    measured
}

async fn run(server: &str, sql: &str) -> Result<(), Failure> {
    let store = database::connect(&DatabaseAddress::parse(server)?)
        .await
        .map_err(|failure| failure.to_string())?;
    store.connection().execute_unprepared(sql).await?;
    store.close().await?;
    Ok(())
}

/// Pull requests and comments in the domain tables.
async fn domain_rows(address: &str) -> Result<i64, Failure> {
    let sql = "SELECT COUNT(*) FROM pull_request_comments WHERE pull_request_id IN \
               (SELECT id FROM pull_requests)";
    let mut found = Counted(0);
    database::query(&DatabaseAddress::parse(address)?, sql, &mut found).await?;
    Ok(found.0)
}

struct Counted(i64);

impl Rows for Counted {
    fn columns(&mut self, _: Vec<String>) -> std::io::Result<()> {
        Ok(())
    }

    fn row(&mut self, cells: Vec<Cell>) -> std::io::Result<()> {
        if let Some(Cell::Integer(number)) = cells.first() {
            self.0 = *number;
        }
        Ok(())
    }
}

//! How long it takes to measure a large project, beside one plain read of the same rows and one
//! plain insert of the results; and what ten changed pull requests cost.
//!
//! `cargo run --release --example metrics_benchmark [-- PULL_REQUESTS...]`; prints a table in
//! Markdown, a line for each database and number of pull requests. There are twice as many commits
//! as pull requests, and a tenth as many deployments. Servers are measured where
//! `HEADWATER_TEST_POSTGRES` and `HEADWATER_TEST_MARIADB` name them.

mod company;
mod plain;

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use headwater::config::DatabaseAddress;
use headwater::sources::Sources;
use headwater_converters::project_metrics::ProjectMetrics;
use headwater_converters::{Derivation, Outcome, Task};
use headwater_domain::code::pull_request;
use headwater_domain::id::bitbucket::IDS;
use headwater_domain::{Row as _, Rows, Scope};
use headwater_metrics::stored::Projects;
use headwater_store::{Owner, Replacement, StepContext, Store};
use headwater_testing::{On, TestDatabase};
use tokio_util::sync::CancellationToken;

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Rounds of which the fastest one counts.
const ROUNDS: usize = 3;

/// What happens to ten pull requests.
const CHANGES: [(&str, Change); 4] = [
    (
        "dates",
        Change::Of(|row, round| {
            row.created_date =
                company::at(usize::try_from(row.pull_request_key).unwrap_or(0) * 10 + 1 + round);
        }),
    ),
    (
        "titles",
        Change::Of(|row, round| {
            row.title = format!("{} ({round})", row.title);
            row.head_ref = format!("{}-{round}", row.head_ref);
        }),
    ),
    ("new commits", Change::Pushed),
    ("merged", Change::Merged),
];

/// What is changed.
#[derive(Clone, Copy)]
enum Change {
    /// Columns of pull requests in the middle.
    Of(fn(&mut pull_request::Model, usize)),
    /// Twenty commits come on top of the history.
    Pushed,
    /// The same, and ten pull requests that became every second one of them.
    Merged,
}

impl Change {
    /// Makes the change, as a sync would. `so_far` are the pull requests whose commits are there.
    async fn make(self, store: &Store, so_far: &mut usize, round: usize) -> Result<(), Failure> {
        let numbers = match self {
            Self::Of(change) => {
                let middle = *so_far / 2;
                return write(store, middle..middle + 10, |row| change(row, round)).await;
            }
            Self::Pushed | Self::Merged => *so_far..*so_far + 10,
        };
        *so_far = numbers.end;
        company::add_history(store, 2 * numbers.start..2 * numbers.end).await?;
        if matches!(self, Self::Merged) {
            write(store, numbers, |_| ()).await?;
        }
        Ok(())
    }
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

/// Writes pull requests, with a change, as a sync would.
async fn write(
    store: &Store,
    numbers: Range<usize>,
    change: impl Fn(&mut pull_request::Model),
) -> Result<(), Failure> {
    let mut rows = Rows::default();
    for number in numbers.clone() {
        let mut row = company::pull_request_row(number);
        change(&mut row);
        rows.push(row);
    }
    let table = pull_request::Model::table();
    let replacement = Replacement {
        table,
        owner: Owner::Column {
            name: "id",
            values: numbers.map(company::pull_request_id).collect(),
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

/// The most memory that this process had, in MiB.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes >> 10)
}

/// The argument of a process that computes one database.
const ALONE: &str = "--alone";

/// Computes everything in a process of its own, so that its memory is that of a run: seconds, peak
/// in MiB, rows written.
fn derive_alone(address: &str) -> Result<(f64, String, u64), Failure> {
    let program = std::env::current_exe()?;
    let output = std::process::Command::new(program)
        .args([ALONE, address])
        .stderr(std::process::Stdio::inherit())
        .output()?;
    let said = String::from_utf8(output.stdout)?;
    let mut words = said.split_whitespace();
    let mut next = || words.next().ok_or("the process that computes says nothing");
    Ok((next()?.parse()?, next()?.to_owned(), next()?.parse()?))
}

async fn alone(address: &str) -> Result<(), Failure> {
    let address = DatabaseAddress::parse(address)?;
    let store = headwater::database::open(&address).await?;
    let (took, outcome) = derive(&store).await?;
    let memory = peak_memory().map_or_else(|| "unknown".to_owned(), |it| it.to_string());
    println!(
        "{} {memory} {}",
        took.as_secs_f64(),
        outcome.changes.written
    );
    store.close().await?;
    Ok(())
}

fn least(times: &[Duration]) -> f64 {
    times
        .iter()
        .min()
        .copied()
        .unwrap_or_default()
        .as_secs_f64()
}

/// Measures one database of this many pull requests, and prints a line of the table.
async fn measure(on: On, pull_requests: usize) -> Result<(), Failure> {
    let Some(database) = TestDatabase::migrated(on).await else {
        return Ok(());
    };
    let store = Sources::all().followed_by(&on.open(&database.address).await);
    company::prepare(&store, pull_requests).await?;
    let (mut reads, mut read) = (Vec::new(), 0);
    for _ in 0..ROUNDS {
        let (took, rows) = plain::read(&database.address).await?;
        reads.push(took);
        read = rows;
    }
    let (full, memory, written) = derive_alone(&database.address)?;
    let mut shares = Vec::new();
    let mut so_far = pull_requests;
    for (name, change) in CHANGES {
        let mut changed = Vec::new();
        for round in 0..ROUNDS {
            change.make(&store, &mut so_far, round).await?;
            changed.push(derive(&store).await?.0);
        }
        shares.push(format!("{name} {:.2} %", least(&changed) / full * 100.0));
    }
    let insert = plain::insert(&store, &database.address)
        .await?
        .as_secs_f64();
    store.close().await?;
    let read_time = least(&reads);
    println!(
        "| {on:?} | {pull_requests} | {read} | {read_time:.3} | {} | {insert:.3} | {full:.3} | \
         {:.2} | {} | {} |",
        written,
        full / (read_time + insert),
        memory,
        shares.join(", ")
    );
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    if cfg!(debug_assertions) {
        eprintln!("warning: built without optimization; use --release");
    }
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some(ALONE) {
        return alone(&arguments.next().unwrap_or_default()).await;
    }
    let given: Result<Vec<usize>, _> = std::env::args().skip(1).map(|it| it.parse()).collect();
    let mut sizes = given?;
    if sizes.is_empty() {
        sizes.push(50_000);
    }
    println!(
        "| database | pull requests | rows read | plain read s | rows written | plain insert s | \
         all computed s | times both | peak MiB | ten changed, of all |"
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |");
    for on in [On::Sqlite, On::Postgres, On::MariaDb] {
        for size in &sizes {
            measure(on, *size).await?;
        }
    }
    Ok(())
}

//! How long headwater takes, compared with the least that any program must do.
//!
//! Everything reads the same simulated Bitbucket, which runs as a process of its own, and runs
//! as a process of its own in a fresh folder. Times depend on the machine; the ratios, taken
//! within one round, are what to compare. Prints the table of `docs/benchmarks.md`.
//!
//! ```text
//! cargo build --release --bins --examples
//! cargo run --release --example benchmark -- --rounds 5
//! cargo run --release --example benchmark -- --workload everything --rounds 5
//! ```

mod databases;
mod growth;
mod prerendered;
mod process;
mod report;
mod simulator;
mod subject;

use std::path::{Path, PathBuf};

use clap::{Parser, Subcommand};
use tempfile::TempDir;

use process::Measured;
use report::{Report, Round, grouped};
use simulator::Server;
use subject::{Bench, Rows, Subject, Workload};

pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Measures headwater against the floor.
#[derive(Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Arguments {
    /// What is loaded: `review` (pull requests and comments, from the simulator), or `everything`
    /// (commits, pipelines and steps as well, from bodies rendered beforehand).
    #[arg(long, value_enum, default_value = "review")]
    workload: Workload,
    /// Pull requests of the simulated repository.
    #[arg(long, default_value_t = 5000)]
    pull_requests: usize,
    /// Comments on all of them together.
    #[arg(long, default_value_t = 20000)]
    comments: usize,
    /// How often everything is measured.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// The headwater program; by default the one built together with this one.
    #[arg(long)]
    headwater: Option<PathBuf>,
    /// Instead of times, compares the memory of a sync with that of one ten times as large.
    #[arg(long)]
    memory: bool,
    /// Instead of the floor, syncs one, two and four times as much, into SQLite and into the
    /// servers of `HEADWATER_TEST_POSTGRES` and `HEADWATER_TEST_MARIADB`.
    #[arg(long)]
    growth: bool,
    /// Also measures a second sync of the same database.
    #[arg(long)]
    unchanged: bool,
    /// Instead of the floor, compares databases: SQLite and the servers at these addresses, on
    /// which databases are made and dropped.
    #[arg(long, value_name = "URL")]
    database: Vec<String>,
    #[command(subcommand)]
    part: Option<Part>,
}

#[derive(Subcommand)]
enum Part {
    /// Plays Bitbucket until standard input ends.
    #[command(hide = true)]
    Simulator {
        pull_requests: usize,
        comments: usize,
    },
    /// Plays Bitbucket with bodies rendered beforehand until standard input ends.
    #[command(hide = true)]
    Prerendered { factor: u64 },
}

fn main() -> std::process::ExitCode {
    let arguments = Arguments::parse();
    let done = match arguments.part {
        Some(Part::Simulator {
            pull_requests,
            comments,
        }) => simulator::serve(pull_requests, comments),
        Some(Part::Prerendered { factor }) => prerendered::serve(factor),
        None if arguments.memory => memory(&arguments),
        None if arguments.growth => growth::measure(&arguments),
        None if !arguments.database.is_empty() => bench(&arguments, 1).and_then(|mut bench| {
            databases::compare(&mut bench, &arguments.database, arguments.rounds)
        }),
        None => times(&arguments),
    };
    match done {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            std::process::ExitCode::FAILURE
        }
    }
}

fn times(arguments: &Arguments) -> Result<(), Failure> {
    let mut bench = bench(arguments, 1)?;
    let changes = arguments.workload == Workload::Everything;
    // Not counted: it lets the simulator render its answers once, as later runs find them.
    let (_, rows) = bench.floor()?;
    for (table, rows) in arguments.workload.tables().iter().zip(&rows.tool) {
        println!("{table}: {} rows", grouped(*rows));
    }
    let mut report = Report {
        rounds: Vec::new(),
        rows,
        changed: None,
    };
    for number in 0..arguments.rounds {
        let round = round(&mut bench, &report.rows, number, arguments.unchanged)?;
        report.print_round(number + 1, &round);
        report.rounds.push(round);
    }
    if changes {
        // Once, at the end: afterwards the world is another one.
        let (folder, mut round) = (TempDir::new()?, Round::new());
        round.insert(Subject::Sync, synced(&mut bench, folder.path())?.0);
        bench.server.change()?;
        round.insert(Subject::Changed, synced(&mut bench, folder.path())?.0);
        report.changed = Some((round, Bench::rows_written(folder.path())?));
    }
    report.print_summary();
    Ok(())
}

/// Runs everything once. Every other round goes backwards, so that nothing always comes first.
fn round(
    bench: &mut Bench,
    expected: &Rows,
    number: usize,
    unchanged: bool,
) -> Result<Round, Failure> {
    let mut order = vec![Subject::Floor, Subject::CollectAndExtract, Subject::Sync];
    if bench.workload == Workload::Everything {
        order.extend([Subject::FloorOffline, Subject::Transform]);
    }
    if !number.is_multiple_of(2) {
        order.reverse();
    }
    let mut round = Round::new();
    for subject in order {
        let folder = TempDir::new()?;
        let (measured, rows) = match subject {
            Subject::Floor => bench.floor()?,
            Subject::CollectAndExtract => {
                bench.headwater(folder.path(), &["collect", "extract"])?
            }
            Subject::Sync | Subject::Unchanged | Subject::Changed => synced(bench, folder.path())?,
            Subject::FloorOffline => bench.floor_offline()?,
            Subject::Transform => {
                bench.headwater(folder.path(), &["collect"])?;
                bench.headwater(folder.path(), &["transform"])?
            }
        };
        rows.expect(expected, subject)?;
        round.insert(subject, measured);
        if unchanged && subject == Subject::Sync {
            let (measured, rows) = synced(bench, folder.path())?;
            rows.expect(expected, Subject::Unchanged)?;
            round.insert(Subject::Unchanged, measured);
        }
    }
    Ok(round)
}

fn synced(bench: &mut Bench, folder: &Path) -> Result<(Measured, Rows), Failure> {
    let (measured, rows) = bench.headwater(folder, &["sync"])?;
    if rows.domain == 0 {
        return Err("headwater sync left the domain tables empty".into());
    }
    Ok((measured, rows))
}

/// Memory must not grow with the number of rows.
fn memory(arguments: &Arguments) -> Result<(), Failure> {
    let mut peaks = Vec::new();
    let more = match arguments.workload {
        Workload::Review => 10,
        Workload::Everything => 3,
    };
    for factor in [1, more] {
        let mut bench = bench(arguments, factor)?;
        let folder = TempDir::new()?;
        let (measured, rows) = synced(&mut bench, folder.path())?;
        println!(
            "sync of {} rows: {:.0} MB at most, {:.2} s",
            grouped(rows.total()),
            measured.peak_megabytes,
            measured.seconds,
        );
        peaks.push(measured.peak_megabytes);
    }
    println!("ratio of the peaks: {:.2}", peaks[1] / peaks[0]);
    Ok(())
}

fn bench(arguments: &Arguments, factor: usize) -> Result<Bench, Failure> {
    let own = std::env::current_exe()?;
    let examples = own.parent().ok_or("this program is in no folder")?;
    let beside = examples.with_file_name("headwater");
    if cfg!(debug_assertions) {
        eprintln!(
            "warning: built without optimization; use --release for numbers that mean something"
        );
    }
    let server = match arguments.workload {
        Workload::Review => vec![
            "simulator".to_owned(),
            (arguments.pull_requests * factor).to_string(),
            (arguments.comments * factor).to_string(),
        ],
        Workload::Everything => vec!["prerendered".to_owned(), factor.to_string()],
    };
    Ok(Bench {
        floor: built(&examples.join("floor"))?,
        headwater: built(arguments.headwater.as_ref().unwrap_or(&beside))?,
        server: Server::start(&server)?,
        workload: arguments.workload,
    })
}

/// Programs are started from other folders, so paths have to be complete.
fn built(program: &Path) -> Result<PathBuf, Failure> {
    std::fs::canonicalize(program).map_err(|error| {
        let program = program.display();
        let hint = "run `cargo build --release --bins --examples` first";
        format!("{program}: {error}; {hint}").into()
    })
}

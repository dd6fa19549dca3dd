//! How fast a git history is read, beside git alone and beside a program that only inserts.
//!
//! ```sh
//! cargo run --release --example git_benchmark -- --rounds 3
//! cargo run --release --example git_benchmark -- --commits 1000000 --rounds 1
//! ```
//!
//! All pairs run in one process tree, one after the other, in every round. Peaks of memory are of
//! the memory that processes have of their own: the pack, which git maps, is not counted.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement that cannot be made has nothing to go on with"
)]

mod floor;
mod history;
mod walk;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use chrono::DateTime;
use clap::Parser;
use headwater_domain::Scope;
use headwater_domain::rules::Rules;
use headwater_extractors::git::{self, Authors, GitRules, GitSource};
use headwater_git::Git;
use headwater_store::{StepContext, Store};
use tokio_util::sync::CancellationToken;
use walk::Walk;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures reading a git history.
#[derive(Parser)]
struct Arguments {
    /// Commits of the generated repository.
    #[arg(long, default_value_t = 100_000)]
    commits: u32,
    /// How often everything is measured.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// A repository to use instead of a generated one.
    #[arg(long)]
    repository: Option<PathBuf>,
    /// What a child of this program does: `counts`, `graph`, `walk` or `read`.
    #[arg(long, hide = true)]
    only: Option<String>,
    /// The database of that child.
    #[arg(long, hide = true)]
    database: Option<PathBuf>,
}

fn main() {
    let arguments = Arguments::parse();
    if let (Some(only), Some(repository)) = (&arguments.only, &arguments.repository) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        return runtime.block_on(run_only(only, repository, arguments.database.as_deref()));
    }
    let folder = tempfile::tempdir().unwrap();
    let repository = arguments.repository.clone().unwrap_or_else(|| {
        let path = folder.path().join("history.git");
        history::generate(&path, arguments.commits).unwrap();
        path
    });
    let bench = Bench {
        repository: std::path::absolute(repository).unwrap(),
        folder: folder.path().to_owned(),
    };
    println!("git: {}", git_says(&["version"]));
    println!("| round | what | seconds | peak MB | beside | seconds | ratio |");
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    for round in 1..=arguments.rounds {
        bench.round(round);
    }
}

struct Bench {
    repository: PathBuf,
    folder: PathBuf,
}

/// Time and the most memory of a process with its children.
#[derive(Clone, Copy)]
struct Measured {
    time: Duration,
    peak_megabytes: f64,
}

impl Bench {
    fn round(&self, round: usize) {
        let shown = |what: &str, ours: Measured, beside: &str, theirs: Duration| {
            let (ours_s, theirs_s) = (ours.time.as_secs_f64(), theirs.as_secs_f64());
            println!(
                "| {round} | {what} | {ours_s:.2} | {:.0} | {beside} | {theirs_s:.2} | {:.2} |",
                ours.peak_megabytes,
                ours_s / theirs_s
            );
        };
        let alone = self.git(&["log", "--numstat", "--all"]);
        let counts = self.ours("counts", "counts.db");
        shown(
            "lines, files and database",
            counts,
            "git log --numstat --all",
            alone.time,
        );
        let alone = self.git(&["rev-list", "--all", "--parents"]);
        for (only, what) in [
            ("walk", "walk of the graph"),
            ("read", "reading every commit"),
        ] {
            let ours = self.ours(only, "none.db");
            shown(what, ours, "git rev-list --all --parents", alone.time);
        }
        let graph = self.ours("graph", "graph.db");
        let (floor, rows) = self.floor("graph.db");
        shown(
            "graph and database",
            graph,
            &format!("inserting {rows} rows"),
            floor,
        );
        let (floor, rows) = self.floor("counts.db");
        shown(
            "lines, files and database",
            counts,
            &format!("inserting {rows} rows"),
            floor,
        );
    }

    /// Runs git with its output thrown away.
    fn git(&self, arguments: &[&str]) -> Measured {
        let mut command = Command::new("git");
        command.arg("-C").arg(&self.repository).args(arguments);
        command.stdout(Stdio::null());
        measure(command)
    }

    /// Runs this program for one task, with a database that is new.
    fn ours(&self, only: &str, database: &str) -> Measured {
        let database = self.folder.join(database);
        for end in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{end}", database.display()));
        }
        migrate(&database);
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--only", only]);
        command.arg("--repository").arg(&self.repository);
        command.arg("--database").arg(&database);
        measure(command)
    }

    fn floor(&self, database: &str) -> (Duration, usize) {
        let to = self.folder.join("floor.db");
        for end in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{end}", to.display()));
        }
        migrate(&to);
        floor::copy(&self.folder.join(database), &to).unwrap()
    }
}

fn migrate(database: &Path) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = Store::open_sqlite(database).await.unwrap();
        headwater_migrations::up(store.connection()).await.unwrap();
        store.close().await.unwrap();
    });
}

async fn run_only(only: &str, repository: &Path, database: Option<&Path>) {
    let program = Git::find(None).await.unwrap();
    let cancel = CancellationToken::new();
    let what = match only {
        "walk" => Some(Walk::Graph),
        "read" => Some(Walk::Commits),
        _ => None,
    };
    if let Some(what) = what {
        let walked = walk::walk(&program, repository, what, &cancel).await;
        // Every commit but the first has a parent: nothing of the history was passed over.
        assert!(walked.commits > 0, "no commit was read");
        assert!(walked.parents + 1 >= walked.commits, "{walked:?}");
        return;
    }
    let store = Store::open_sqlite(database.unwrap()).await.unwrap();
    let scope = Scope::new(9, "tools/widget");
    let now = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
    store.register(&scope, now).await.unwrap();
    let source = GitSource {
        repo_id: "git:Repo:9:tools/widget",
        mirror: repository,
        git: &program,
    };
    let configured = Rules::default();
    let rules = GitRules {
        line_counts: only == "counts",
        authors: Authors::Addresses,
        configured: &configured,
    };
    let watch = StepContext {
        now,
        cancel: &cancel,
        progress: &|_| {},
    };
    git::run(&store, &scope, &source, &rules, &watch)
        .await
        .unwrap();
    store.close().await.unwrap();
}

fn measure(mut command: Command) -> Measured {
    let begun = Instant::now();
    let mut child = command.spawn().unwrap();
    let watcher = Watcher::of(&child);
    let status = child.wait().unwrap();
    let time = begun.elapsed();
    assert!(status.success(), "{command:?}: {status}");
    Measured {
        time,
        peak_megabytes: watcher.finish(),
    }
}

/// Looks at a process and its children from time to time.
struct Watcher {
    done: Arc<AtomicBool>,
    peak: Arc<AtomicU64>,
    thread: std::thread::JoinHandle<()>,
}

impl Watcher {
    fn of(child: &Child) -> Self {
        let (done, peak) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicU64::new(0)),
        );
        let id = child.id();
        let (is_done, highest) = (Arc::clone(&done), Arc::clone(&peak));
        let thread = std::thread::spawn(move || {
            while !is_done.load(Ordering::Relaxed) {
                highest.fetch_max(own_memory(id), Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(50));
            }
        });
        Self { done, peak, thread }
    }

    fn finish(self) -> f64 {
        self.done.store(true, Ordering::Relaxed);
        self.thread.join().unwrap();
        #[expect(clippy::cast_precision_loss, reason = "kilobytes of a process")]
        let kilobytes = self.peak.load(Ordering::Relaxed) as f64;
        kilobytes / 1024.0
    }
}

/// Kilobytes that a process and whatever it started have of their own; 0 where there is no
/// `/proc`.
fn own_memory(id: u32) -> u64 {
    let listed = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let processes: Vec<(u32, u32, u64)> = listed
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(parent_and_memory)
        .collect();
    let mut family = vec![id];
    let mut kilobytes = 0;
    while let Some(id) = family.pop() {
        for (process, parent, own) in &processes {
            if *process == id {
                kilobytes += own;
            }
            if *parent == id {
                family.push(*process);
            }
        }
    }
    kilobytes
}

/// A process with its parent and its kilobytes; none when it has ended.
fn parent_and_memory(id: u32) -> Option<(u32, u32, u64)> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let number = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    };
    let parent = u32::try_from(number("PPid:")?).ok()?;
    Some((id, parent, number("RssAnon:").unwrap_or_default()))
}

fn git_says(arguments: &[&str]) -> String {
    let output = Command::new("git").args(arguments).output().unwrap();
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

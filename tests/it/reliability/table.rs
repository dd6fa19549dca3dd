//! The tables of `docs/reliability.md`, made by trying everything.
//!
//! `HEADWATER_WRITE_RELIABILITY=1` tries it and writes the page; otherwise a test only looks
//! whether every fault has its line.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use headwater_simulator::FaultKind;
use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};

use super::faults::{Recovery, Trial, assert_recovered, drawn, trials};
use super::number;

const DATABASES: [On; 3] = [Sqlite, Postgres, MariaDb];

/// A line of the table: one fault, or one set of faults, on every database.
#[derive(Default)]
struct Line {
    times: BTreeMap<&'static str, u64>,
    exits: BTreeSet<u8>,
    recoveries: BTreeSet<Recovery>,
}

impl Line {
    fn add(&mut self, on: On, trial: &Trial, given: u64) {
        *self.times.entry(name(on)).or_default() += given;
        self.exits.extend(&trial.exits);
        self.recoveries.insert(trial.recovery.clone());
    }

    fn write(&self, what: &str, text: &mut String) {
        let times = |on| self.times.get(name(on)).copied().unwrap_or(0);
        let exits: Vec<String> = self.exits.iter().map(u8::to_string).collect();
        let recoveries = self.recoveries.iter().map(|recovery| match recovery {
            Recovery::Sync => "sync",
            Recovery::Deep => "reconcile --deep",
            Recovery::None(_) => "NOTHING",
        });
        let _ = writeln!(
            text,
            "| {what} | {} | {} | {} | {} | {} |",
            times(Sqlite),
            times(Postgres),
            times(MariaDb),
            exits.join(", "),
            recoveries.collect::<Vec<_>>().join(", ")
        );
    }
}

fn name(on: On) -> &'static str {
    match on {
        Sqlite => "SQLite",
        Postgres => "PostgreSQL",
        MariaDb => "MariaDB",
    }
}

fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reliability.md")
}

const HEAD: &str = "| fault | SQLite | PostgreSQL | MariaDB | exit codes | equal again after |\n\
                    | --- | ---: | ---: | ---: | --- | --- |\n";

/// Each fault alone, as often as it took effect.
async fn alone(seeds: u64) -> String {
    let mut lines: BTreeMap<FaultKind, Line> = BTreeMap::new();
    for on in DATABASES {
        let sets = (1..=seeds).flat_map(|seed| {
            let kinds = FaultKind::all().into_iter();
            kinds.map(move |kind| (vec![kind], seed))
        });
        let tried = trials(on, sets.collect()).await;
        assert_recovered(on, &tried);
        for (kinds, trial) in &tried {
            let given = trial.given.get(kinds[0].name()).copied().unwrap_or(0);
            lines.entry(kinds[0]).or_default().add(on, trial, given);
        }
    }
    let mut text = HEAD.to_owned();
    for (kind, line) in &lines {
        line.write(kind.name(), &mut text);
    }
    text
}

/// Three to five faults together: how many such sets were tried, by their number of faults.
async fn together(seeds: u64) -> String {
    let mut lines: BTreeMap<usize, Line> = BTreeMap::new();
    for on in DATABASES {
        let sets = (1..=seeds).map(|seed| (drawn(seed), seed));
        let tried = trials(on, sets.collect()).await;
        assert_recovered(on, &tried);
        for (kinds, trial) in &tried {
            let given = trial.given.values().sum();
            lines.entry(kinds.len()).or_default().add(on, trial, given);
        }
    }
    let mut text = HEAD.to_owned();
    for (count, line) in &lines {
        line.write(&format!("{count} of them together"), &mut text);
    }
    text
}

#[cfg(target_os = "linux")]
async fn killed(wanted: u64) -> String {
    let mut text = "| database | killed while it wrote | killed at another time | equal again \
                    after |\n| --- | ---: | ---: | --- |\n"
        .to_owned();
    for on in DATABASES {
        if let Some(kills) = super::kill::kills(on, wanted, 7).await {
            let (writing, between) = (kills.writing, kills.between);
            let _ = writeln!(text, "| {} | {writing} | {between} | sync |", name(on));
        }
    }
    text
}

#[cfg(not(target_os = "linux"))]
async fn killed(_wanted: u64) -> String {
    String::new()
}

/// Puts text between the marks of a part.
fn put(page: &str, part: &str, text: &str) -> String {
    let (begin, end) = (
        format!("<!-- {part} -->\n"),
        format!("<!-- end of {part} -->"),
    );
    let (before, rest) = page.split_once(&begin).unwrap();
    let (_, after) = rest.split_once(&end).unwrap();
    format!("{before}{begin}{text}{end}{after}")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_has_its_line_in_the_documents() {
    let mut text = std::fs::read_to_string(page()).unwrap();
    if std::env::var("HEADWATER_WRITE_RELIABILITY").is_ok_and(|value| value == "1") {
        let seeds = number("HEADWATER_TRIALS").unwrap_or(2);
        let kills = number("HEADWATER_KILLS").unwrap_or(30);
        text = put(&text, "faults alone", &alone(seeds).await);
        text = put(&text, "faults together", &together(seeds * 4).await);
        text = put(&text, "kills", &killed(kills).await);
        std::fs::write(page(), &text).unwrap();
    }
    for kind in FaultKind::all() {
        let start = format!("| {} |", kind.name());
        let line = text.lines().find(|line| line.starts_with(&start));
        let line = line.unwrap_or_else(|| panic!("no line for {}", kind.name()));
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        for cell in &cells[2..5] {
            assert_ne!(cell.parse::<u64>().unwrap_or(0), 0, "{line}");
        }
        assert!(
            cells[6] == "sync" || cells[6] == "reconcile --deep",
            "{line}"
        );
    }
}

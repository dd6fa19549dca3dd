//! The first promise as a property: whatever happened before, the tables equal a first sync.
//!
//! `HEADWATER_SOAK=1` plays 50 scripts of 2,000 steps instead of a few short ones. A script that
//! fails is made smaller; `HEADWATER_SCRIPT` plays what is left again.

use std::fmt::Write as _;

use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};

use super::minimal::minimal;
use super::script::{Sabotage, Script, Step, places, read_places};
use super::{count, is_soak, number};

/// How often a script that fails is played again at most, to make it smaller.
const MOST_PLAYS: usize = 60;

/// Seeds and length of the scripts for a database.
fn scripts(on: On) -> (Vec<u64>, usize) {
    let length = |usual| count("HEADWATER_LENGTH").unwrap_or(usual);
    if let Some(seed) = number("HEADWATER_SEED") {
        return (vec![seed], length(200));
    }
    match (is_soak(), on) {
        (true, Sqlite) => ((1..=30).collect(), length(2000)),
        (true, Postgres) => ((31..=40).collect(), length(2000)),
        (true, MariaDb) => ((41..=50).collect(), length(2000)),
        (false, Sqlite) => (vec![1, 2, 3], length(200)),
        (false, Postgres) => (vec![4], length(100)),
        (false, MariaDb) => (vec![5], length(100)),
    }
}

/// Plays a script; what is wrong comes with the seed and a minimal script.
async fn check(on: On, script: &Script, sabotage: Option<Sabotage>) -> Result<(), String> {
    let Some(wrong) = script.play(on, sabotage).await else {
        return Ok(());
    };
    if wrong.is_empty() {
        return Ok(());
    }
    let most = count("HEADWATER_PLAYS").unwrap_or(MOST_PLAYS);
    let fails = |kept: Vec<usize>| async move {
        let wrong = script.only(&kept).play(on, sabotage).await;
        wrong.is_some_and(|wrong| !wrong.is_empty())
    };
    let found = minimal(script.steps.len(), most, fails).await;
    Err(report(on, script, &wrong, &found.kept))
}

fn report(on: On, script: &Script, wrong: &[String], kept: &[usize]) -> String {
    let (seed, length) = (script.seed, script.steps.len());
    let mut text = format!(
        "seed {seed}, {length} steps, {on:?}: the tables differ from a first sync's\n{wrong:#?}\n\
         a minimal script, {} of the steps:\n",
        kept.len()
    );
    for place in kept {
        let _ = writeln!(text, "  {place}: {:?}", script.steps[*place]);
    }
    let places = places(kept);
    let _ = write!(
        text,
        "play it again: HEADWATER_SCRIPT={on:?}:{seed}:{length}:{places} cargo test --test it \
         a_script_of_the_environment"
    );
    text
}

async fn histories_equal_a_first_sync(on: On) {
    let (seeds, length) = scripts(on);
    for seed in seeds {
        let began = std::time::Instant::now();
        let script = Script::draw(seed, length);
        if let Err(report) = check(on, &script, None).await {
            panic!("{report}");
        }
        let seconds = began.elapsed().as_secs();
        println!("{on:?}: seed {seed}, {length} steps: equal ({seconds} s)");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_random_histories_on_sqlite_the_tables_equal_a_first_sync() {
    histories_equal_a_first_sync(Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_random_histories_on_postgres_the_tables_equal_a_first_sync() {
    histories_equal_a_first_sync(Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_random_histories_on_mariadb_the_tables_equal_a_first_sync() {
    histories_equal_a_first_sync(MariaDb).await;
}

/// Plays `HEADWATER_SCRIPT=database:seed:length:places`, as the report of a failure writes it.
#[tokio::test(flavor = "multi_thread")]
async fn a_script_of_the_environment_gives_the_tables_of_a_first_sync() {
    let Ok(text) = std::env::var("HEADWATER_SCRIPT") else {
        return;
    };
    let parts: Vec<&str> = text.split(':').collect();
    let [on, seed, length, kept] = parts[..] else {
        panic!("HEADWATER_SCRIPT is database:seed:length:places");
    };
    let on = [Sqlite, Postgres, MariaDb]
        .into_iter()
        .find(|one| format!("{one:?}") == on);
    let script = Script::draw(seed.parse().unwrap(), length.parse().unwrap());
    let script = script.only(&read_places(kept));
    println!("{script}");
    let wrong = script.play(on.unwrap(), None).await.unwrap();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_property_notices_one_broken_cell_and_names_the_step_that_broke_it() {
    use headwater_simulator::Change;
    let script = Script::draw(1, 120);
    let sabotage: Sabotage = |step| {
        matches!(
            step,
            Step::Change(Change::PushCommits { .. } | Change::Merge { .. })
        )
    };
    let guilty = script.steps.iter().filter(|step| sabotage(step)).count();
    assert!(guilty > 1, "{script}");
    assert_eq!(check(Sqlite, &script, None).await, Ok(()));
    let report = check(Sqlite, &script, Some(sabotage)).await.unwrap_err();
    assert!(report.contains("pull_requests"), "{report}");
    assert!(report.contains("title is 'broken' here"), "{report}");
    assert!(
        report.contains("a minimal script, 1 of the steps:"),
        "{report}"
    );
    assert!(
        report.contains("HEADWATER_SCRIPT=Sqlite:1:120:"),
        "{report}"
    );
}

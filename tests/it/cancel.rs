//! A real process gets the signal to stop, or killed, wherever it is; the next one goes on.

#![cfg(unix)]

use std::collections::HashSet;
use std::process::{Child, Command, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use headwater::exit::Exit;
use headwater_simulator::{Fault, OnRequest, Simulator};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio_util::sync::CancellationToken;

use crate::lake::{self, How, Lake};

/// What the program promises is two seconds; a machine that is busy with other tests may be late.
const BOUND: Duration = Duration::from_secs(5);

/// The same for `sync`, which makes tables of what arrived: that is ten seconds.
const BOUND_WITH_TABLES: Duration = Duration::from_secs(15);

fn send(signal: &str, child: &Child) {
    let sent = Command::new("kill")
        .args([signal, &child.id().to_string()])
        .status();
    assert!(sent.unwrap().success());
}

/// Waits for the process to end, and says how long that took.
async fn ended(child: &mut Child) -> (ExitStatus, Duration) {
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return (status, began.elapsed());
        }
        assert!(began.elapsed() < Duration::from_secs(30), "it does not end");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Every request is late, and from one on all hang.
fn slow(delay: u64, hanging_from: u64) -> OnRequest {
    Arc::new(move |request| {
        if request.number >= hanging_from {
            return Some(Fault::Hang);
        }
        Some(Fault::Delay(Duration::from_millis(delay)))
    })
}

async fn asked(simulator: &Simulator, count: u64) {
    let began = Instant::now();
    while simulator.request_count() < count && began.elapsed() < BOUND {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

async fn tiny() -> (Simulator, Lake) {
    let simulator = lake::tiny().await;
    let lake = Lake::beside(&simulator).await;
    (simulator, lake)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_told_to_stop_ends_within_two_seconds_wherever_it_is() {
    let (simulator, lake) = tiny().await;
    let mut random = StdRng::seed_from_u64(3);
    let mut longest = Duration::ZERO;
    let mut cancelled = 0;
    for round in 0..10 {
        let begun = simulator.request_count();
        let stop_at = begun + random.random_range(0..25);
        // In every other round the signal comes while requests hang.
        let hanging_from = if round % 2 == 0 { stop_at } else { u64::MAX };
        simulator.set_faults(Some(slow(random.random_range(0..30), hanging_from)));
        let (command, bound) = match round % 4 {
            0 | 1 => ("collect", BOUND),
            _ => ("sync", BOUND_WITH_TABLES),
        };
        let mut child = lake.start(&[command, "--full"]);
        asked(&simulator, stop_at.max(begun + 1)).await;
        tokio::time::sleep(Duration::from_millis(random.random_range(0..40))).await;
        let signal = if round % 3 == 0 { "-TERM" } else { "-INT" };
        if child.try_wait().unwrap().is_some() {
            continue;
        }
        send(signal, &child);
        let (status, took) = ended(&mut child).await;
        longest = longest.max(took);
        assert!(took < bound, "{command}: {took:?} after {stop_at} requests");
        match status.code() {
            Some(130) => cancelled += 1,
            // The signal came when it was done.
            code => assert_eq!(code, Some(0), "{status}"),
        }
    }
    println!("{cancelled} were cancelled, the slowest in {longest:?}");
    assert!(cancelled >= 6, "only {cancelled} were cancelled in time");
    simulator.set_faults(None);
    let (mut child, ()) = (lake.start(&["sync"]), ());
    let (status, _) = ended(&mut child).await;
    assert_eq!(status.code(), Some(0));
    lake.assert_equals_a_first_sync(&simulator).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_it_at_once() {
    let (simulator, lake) = tiny().await;
    simulator.set_faults(Some(slow(0, 2)));
    let mut child = lake.start(&["sync"]);
    asked(&simulator, 2).await;
    send("-INT", &child);
    send("-INT", &child);
    let (status, took) = ended(&mut child).await;
    assert_eq!(status.code(), Some(130));
    assert!(took < BOUND, "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_kill_the_next_process_takes_the_leases_over_and_completes_the_tables() {
    let (simulator, lake) = tiny().await;
    for stop_at in [3, 9, 20] {
        let begun = simulator.request_count();
        simulator.set_faults(Some(slow(2, begun + stop_at)));
        let mut child = lake.start(&["sync"]);
        asked(&simulator, begun + stop_at).await;
        send("-KILL", &child);
        let (status, _) = ended(&mut child).await;
        assert_eq!(status.code(), None, "it could not say goodbye");
        let left = lake.number("SELECT COUNT(*) FROM _headwater_leases").await;
        assert!(left > 0, "its leases are still there");
    }
    simulator.set_faults(None);
    let (exit, _) = lake.sync(How::default()).await;
    assert_eq!(exit, Exit::Ok);
    lake.assert_equals_a_first_sync(&simulator).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_is_told_who_works_on_the_database() {
    let (simulator, lake) = tiny().await;
    simulator.set_faults(Some(slow(0, 1)));
    let mut child = lake.start(&["sync"]);
    asked(&simulator, 1).await;
    let mut second = lake.start(&["transform"]);
    let (status, _) = ended(&mut second).await;
    assert_eq!(status.code(), Some(7));
    let mut said = String::new();
    std::io::Read::read_to_string(&mut second.stderr.take().unwrap(), &mut said).unwrap();
    let holder = format!("process {}, command sync, since 2", child.id());
    assert!(said.contains("host ") && said.contains(&holder), "{said}");
    send("-INT", &child);
    ended(&mut child).await;
    let mut said = String::new();
    std::io::Read::read_to_string(&mut child.stderr.take().unwrap(), &mut said).unwrap();
    let last = said.lines().last().unwrap_or_default();
    assert!(last.contains("`headwater sync` goes on"), "{said}");
}

/// How a process ended and what it printed: standard output, and the last line of standard error.
async fn said(child: Child) -> (ExitStatus, String, String) {
    // Read while it runs: it waits for a reader of a full pipe.
    let output = tokio::task::spawn_blocking(|| child.wait_with_output().unwrap());
    let output = output.await.unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    let last = errors.lines().last().unwrap_or_default().to_owned();
    let printed = String::from_utf8(output.stdout).unwrap();
    (output.status, printed, last)
}

/// The ends of runs among events.
fn ends(events: &str) -> Vec<serde_json::Value> {
    let events = events
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    events
        .filter(|event: &serde_json::Value| event["event"] == "run_finished")
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_sync_makes_tables_of_what_it_collected() {
    let (simulator, lake) = tiny().await;
    simulator.set_faults(Some(slow(0, 40)));
    let child = lake.start(&["--json", "sync"]);
    asked(&simulator, 40).await;
    let began = Instant::now();
    send("-INT", &child);
    let (status, events, last) = said(child).await;
    let took = began.elapsed();
    assert_eq!(status.code(), Some(130));
    assert!(took < BOUND_WITH_TABLES, "{took:?}");
    assert!(last.contains("the tables have it"), "{last}\n{events}");
    let ends_of = ends(&events);
    assert_eq!(ends_of.len(), 2, "{events}");
    assert_eq!(ends_of[0]["state"], "cancelled");
    assert_eq!(ends_of[1]["state"], "success");
    let collected = "SELECT COUNT(*) FROM _raw_bitbucket_api_pull_requests";
    let collected = lake.number(collected).await;
    assert!(collected > 0, "{events}");
    let converted = lake.number("SELECT COUNT(*) FROM pull_requests").await;
    assert_eq!(converted, collected);
    let (_, events, _) = said(lake.start(&["--json", "transform"])).await;
    let left = &ends(&events)[0];
    assert_eq!(
        (&left["written"], &left["removed"]),
        (&0.into(), &0.into()),
        "{events}"
    );
    simulator.set_faults(None);
    lake.sync(How::default()).await;
    lake.assert_equals_a_first_sync(&simulator).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_sync_that_cannot_make_tables_ends_soon_and_says_how() {
    let (simulator, lake) = tiny().await;
    simulator.set_faults(Some(slow(0, 40)));
    let child = lake.start(&["sync"]);
    asked(&simulator, 40).await;
    // Another program holds the database.
    let held = rusqlite::Connection::open(lake.address.sqlite_path().unwrap()).unwrap();
    held.execute_batch("BEGIN IMMEDIATE").unwrap();
    let began = Instant::now();
    send("-INT", &child);
    let (status, _, last) = said(child).await;
    assert_eq!(status.code(), Some(130));
    let took = began.elapsed();
    assert!(took < BOUND_WITH_TABLES, "{took:?}");
    assert!(
        last.contains("`headwater transform` makes tables"),
        "{last}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_interrupted_run_had_stored_is_not_asked_for_again() {
    let (simulator, _) = tiny().await;
    let fresh = Lake::beside(&simulator).await;
    let _ = simulator.take_requests();
    fresh.sync(How::default()).await;
    let needed: HashSet<String> = targets(&simulator).into_iter().collect();
    for stop_at in [4, 10, 20, 30] {
        let lake = Lake::beside(&simulator).await;
        let cancel = CancellationToken::new();
        let (token, seen) = (cancel.clone(), AtomicU64::new(0));
        simulator.set_faults(Some(Arc::new(move |_| {
            if seen.fetch_add(1, Ordering::SeqCst) + 1 == stop_at {
                token.cancel();
            }
            None
        })));
        lake.try_sync(How::default(), cancel).await.unwrap();
        simulator.set_faults(None);
        let before = targets(&simulator);
        lake.sync(How::default()).await;
        let after = targets(&simulator);
        // Lists of children are under way eight at a time, for each of four repositories.
        let twice = before.iter().filter(|target| after.contains(target));
        let twice: Vec<&String> = twice
            .filter(|target| !target.contains("/repositories/acme?"))
            .collect();
        let stopped_lists = |list: &&&String| list.contains("/pullrequests?");
        assert!(
            twice.iter().filter(stopped_lists).count() <= 4,
            "{twice:#?}"
        );
        assert!(twice.len() <= 4 * 8, "{twice:#?}");
        let all: HashSet<String> = before.into_iter().chain(after).collect();
        // Beside what a first run asks for there are only questions for what changed.
        let of_changes = ["updated_on", "/refs?"];
        let beside = all
            .difference(&needed)
            .filter(|target| !of_changes.iter().any(|it| target.contains(it)));
        assert_eq!(beside.collect::<Vec<_>>(), Vec::<&String>::new());
    }
}

fn targets(simulator: &Simulator) -> Vec<String> {
    let requests = simulator.take_requests().into_iter();
    requests
        .map(|request| format!("{}?{}", request.path, request.query))
        .collect()
}

//! Schedules fire once each time, queued runs are done once, whatever happens to the processes.

#![cfg(unix)]

use std::process::{Child, Command};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use headwater::config::{self, Config};
use headwater::exit::Exit;
use headwater::serve::Schedules;
use headwater_simulator::{Fault, RequestRecord, Simulator};
use headwater_store::queue::RunRecord;
use headwater_testing::On;
use rstest::rstest;

use crate::lake::{self, How, Lake, configuration};

/// Longest time that a test waits for what a process does; machines may be busy.
const BOUND: Duration = Duration::from_mins(1);

fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn project(name: &str, schedule: &str, more: &str) -> String {
    format!(
        "\n[[project]]\nname = \"{name}\"\nscopes = [\"acme-cloud:acme/*\"]\n\
         schedule = \"{schedule}\"\n{more}\n"
    )
}

fn parsed(text: &str) -> Config {
    let (config, problems) = config::parse(text, "headwater.toml");
    config.unwrap_or_else(|| panic!("{problems:?}"))
}

/// A lake that nobody collects into, and the configuration with these projects.
async fn unserved(on: On, projects: &str) -> Option<(Lake, Config)> {
    let text = configuration("http://127.0.0.1:9", r#"["acme/*"]"#) + projects;
    Some((Lake::with(on, &text).await?, parsed(&text)))
}

async fn runs(lake: &Lake) -> Vec<RunRecord> {
    let mut runs = lake.store.latest_runs(None, 10_000).await.unwrap();
    runs.reverse();
    runs
}

/// Ends all runs that wait, as if they had been done.
async fn finish_waiting(lake: &Lake, now: DateTime<Utc>) {
    for run in lake.store.open_runs().await.unwrap() {
        assert!(lake.store.cancel_run(run.id, now).await.unwrap());
    }
}

#[rstest]
#[tokio::test]
async fn a_schedule_fires_once_for_any_number_of_processes(
    #[values(On::Sqlite, On::Postgres, On::MariaDb)] on: On,
) {
    let Some((lake, config)) = unserved(on, &project("shop", "0 * * * *", "")).await else {
        return;
    };
    let schedules = Schedules {
        store: &lake.store,
        projects: &config.projects,
    };
    schedules.keep(time("2026-03-01T09:30:00Z")).await.unwrap();
    let early = schedules.fire_due(time("2026-03-01T09:59:59Z")).await;
    assert_eq!(early.unwrap(), Vec::<i64>::new());
    let now = time("2026-03-01T10:00:00Z");
    let all = futures::future::join_all((0..8).map(|_| schedules.fire_due(now))).await;
    let fired: Vec<i64> = all.into_iter().flat_map(Result::unwrap).collect();
    assert_eq!(fired.len(), 1);
    let runs = runs(&lake).await;
    let seen: Vec<_> = runs.iter().map(|it| (it.id, it.due_at)).collect();
    assert_eq!(seen, [(fired[0], Some(now))]);
    assert_eq!((&*runs[0].state, &*runs[0].reason), ("queued", "schedule"));
    let next = &lake.store.schedules().await.unwrap()[0];
    assert_eq!(next.next_due_at, Some(time("2026-03-01T11:00:00Z")));
}

#[rstest]
#[tokio::test]
async fn what_was_missed_is_made_up_for_by_one_run(
    #[values(On::Sqlite, On::Postgres, On::MariaDb)] on: On,
) {
    let Some((lake, config)) = unserved(on, &project("shop", "0 * * * *", "")).await else {
        return;
    };
    let schedules = Schedules {
        store: &lake.store,
        projects: &config.projects,
    };
    schedules.keep(time("2026-03-01T09:30:00Z")).await.unwrap();
    let back = time("2026-03-03T14:20:00Z");
    assert_eq!(schedules.fire_due(back).await.unwrap().len(), 1);
    let made_up = &runs(&lake).await[0];
    assert_eq!(made_up.reason, "catch-up");
    assert_eq!(made_up.due_at, Some(time("2026-03-01T10:00:00Z")));
    let next = &lake.store.schedules().await.unwrap()[0];
    assert_eq!(next.next_due_at, Some(time("2026-03-03T15:00:00Z")));
    // The run has not ended: the next one has nothing to do, and says so.
    let later = time("2026-03-03T15:00:00Z");
    assert_eq!(schedules.fire_due(later).await.unwrap().len(), 1);
    let skipped = &runs(&lake).await[1];
    assert_eq!(skipped.state, "skipped");
    let expected = format!("run {} of this project has not ended", made_up.id);
    assert_eq!(skipped.message, expected);
    assert_eq!(skipped.finished_at, Some(later));
}

#[tokio::test]
async fn over_both_changes_of_the_clocks_each_time_comes_once_also_with_restarts() {
    let berlin = "timezone = \"Europe/Berlin\"";
    for (from, days, hourly) in [
        // The clocks skip 02:15 on 29 March 2026: made up for at 03:00, before the one of 03:15.
        ("2026-03-27T00:00:00Z", 5, 121),
        ("2026-10-23T00:00:00Z", 5, 120),
    ] {
        let text =
            project("nightly", "30 2 * * *", berlin) + &project("hourly", "15 * * * *", berlin);
        let (lake, config) = unserved(On::Sqlite, &text).await.unwrap();
        let from = time(from);
        for minutes in (0..days * 24 * 60).step_by(5) {
            let now = from + TimeDelta::minutes(minutes);
            // Each look is one of a process that has just begun.
            let schedules = Schedules {
                store: &lake.store,
                projects: &config.projects,
            };
            schedules.keep(now).await.unwrap();
            schedules.fire_due(now).await.unwrap();
            finish_waiting(&lake, now).await;
        }
        let runs = runs(&lake).await;
        assert!(runs.iter().all(|run| run.reason == "schedule"), "{runs:?}");
        let of = |name: &str| {
            let mut due: Vec<_> = runs.iter().filter(|it| it.project == name).collect();
            due.sort_by_key(|run| run.due_at);
            due.dedup_by_key(|run| run.due_at);
            due.len()
        };
        assert_eq!((of("nightly"), of("hourly")), (5, hourly));
        assert_eq!(runs.len(), of("nightly") + of("hourly"));
    }
}

#[tokio::test]
async fn a_changed_schedule_begins_with_its_own_next_time_and_a_removed_one_is_forgotten() {
    let (lake, before) = unserved(On::Sqlite, &project("shop", "0 * * * *", ""))
        .await
        .unwrap();
    let kept = async |config: &Config, now: &str| {
        let schedules = Schedules {
            store: &lake.store,
            projects: &config.projects,
        };
        schedules.keep(time(now)).await.unwrap();
        let kept = lake.store.schedules().await.unwrap();
        kept.into_iter()
            .map(|it| it.next_due_at.unwrap())
            .collect::<Vec<_>>()
    };
    let ten = time("2026-03-01T10:00:00Z");
    assert_eq!(kept(&before, "2026-03-01T09:30:00Z").await, [ten]);
    assert_eq!(kept(&before, "2026-03-01T09:50:00Z").await, [ten]);
    let endpoint = configuration("http://127.0.0.1:9", r#"["acme/*"]"#);
    let changed = parsed(&(endpoint.clone() + &project("shop", "30 6 * * *", "")));
    let half_past_six = time("2026-03-02T06:30:00Z");
    assert_eq!(
        kept(&changed, "2026-03-01T09:55:00Z").await,
        [half_past_six]
    );
    let without = parsed(&endpoint);
    let none = kept(&without, "2026-03-01T09:56:00Z").await;
    assert_eq!(none, Vec::<DateTime<Utc>>::new());
}

fn send(signal: &str, child: &Child) {
    let sent = Command::new("kill")
        .args([signal, &child.id().to_string()])
        .status();
    assert!(sent.unwrap().success());
}

/// Waits until something of the runs holds.
async fn until(lake: &Lake, what: &str, holds: impl Fn(&[RunRecord]) -> bool) -> Vec<RunRecord> {
    let began = Instant::now();
    loop {
        let seen = runs(lake).await;
        if holds(&seen) {
            return seen;
        }
        assert!(began.elapsed() < BOUND, "{what}: {seen:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until the process has ended, and says with which code.
async fn ended(child: &mut Child) -> Option<i32> {
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        assert!(began.elapsed() < BOUND, "it does not end");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A lake with one project that is only synced on request.
async fn beside(simulator: &Simulator) -> Lake {
    let text = lake::with_everything(&simulator.endpoint(), lake::ALL)
        + "\n[[project]]\nname = \"shop\"\nscopes = [\"acme-cloud:acme/*\"]\n";
    Lake::with(On::Sqlite, &text).await.unwrap()
}

async fn served() -> (Simulator, Lake) {
    let simulator = lake::tiny().await;
    let lake = beside(&simulator).await;
    (simulator, lake)
}

/// The tables equal those of a first sync, when what belongs to the workspace as a whole, which a
/// project's run leaves out, is read, too.
async fn assert_is_complete(simulator: &Simulator, lake: &Lake) {
    let fresh = beside(simulator).await;
    for lake in [lake, &fresh] {
        assert_eq!(lake.sync(How::default()).await.0, Exit::Ok);
    }
    lake.assert_equals(&fresh).await;
}

fn serve(lake: &Lake) -> Child {
    lake.start(&["serve", "--quiet", "--listen", "127.0.0.1:0"])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queued_run_is_done_and_a_signal_ends_the_server() {
    let (simulator, lake) = served().await;
    let mut server = serve(&lake);
    let queued = lake::stdout(&lake::headwater(lake.folder(), &["runs", "start", "shop"]));
    assert!(
        queued.starts_with("run 1: sync of shop (manual): queued"),
        "{queued}"
    );
    let done = until(&lake, "it is done", |runs| runs[0].finished_at.is_some()).await;
    assert_eq!((&*done[0].state, &*done[0].message), ("success", ""));
    let followed = lake::headwater(lake.folder(), &["runs", "show", "1", "--follow"]);
    assert!(lake::stdout(&followed).contains("acme-cloud:acme/"));
    send("-TERM", &server);
    assert_eq!(ended(&mut server).await, Some(0));
    assert_is_complete(&simulator, &lake).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_goes_on_with_its_run_when_it_is_started_again() {
    let (simulator, lake) = served().await;
    lake::stdout(&lake::headwater(lake.folder(), &["runs", "start", "shop"]));
    for _ in 0..5 {
        let before = simulator.request_count();
        let delayed = move |_: &RequestRecord| Some(Fault::Delay(Duration::from_millis(3)));
        simulator.set_faults(Some(std::sync::Arc::new(delayed)));
        let mut server = serve(&lake);
        let began = Instant::now();
        while simulator.request_count() < before + 4 && began.elapsed() < BOUND {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        server.kill().unwrap();
        server.wait().unwrap();
        let seen = runs(&lake).await;
        assert_eq!(seen.len(), 1);
        if seen[0].finished_at.is_some() {
            break;
        }
        assert_eq!(seen[0].state, "running");
    }
    simulator.set_faults(None);
    let mut server = serve(&lake);
    let done = until(&lake, "it is done", |runs| runs[0].finished_at.is_some()).await;
    assert_eq!((done.len(), &*done[0].state), (1, "success"));
    send("-TERM", &server);
    assert_eq!(ended(&mut server).await, Some(0));
    assert_is_complete(&simulator, &lake).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_cancelled_ends_within_seconds_and_one_that_is_interrupted_stays_open() {
    let (simulator, lake) = served().await;
    let hang = |request: &RequestRecord| (request.number > 2).then_some(Fault::Hang);
    simulator.set_faults(Some(std::sync::Arc::new(hang)));
    let mut server = serve(&lake);
    lake::stdout(&lake::headwater(lake.folder(), &["runs", "start", "shop"]));
    until(&lake, "it runs", |runs| runs[0].state == "running").await;
    let cancelled = lake::stdout(&lake::headwater(lake.folder(), &["runs", "cancel", "1"]));
    assert!(cancelled.contains("running"), "{cancelled}");
    let seen = until(&lake, "it ends", |runs| runs[0].finished_at.is_some()).await;
    assert_eq!(seen[0].state, "cancelled");
    let took = seen[0].finished_at.unwrap() - seen[0].cancel_asked_at.unwrap();
    assert!(took < TimeDelta::seconds(10), "{took}");
    lake::stdout(&lake::headwater(lake.folder(), &["runs", "retry", "1"]));
    until(&lake, "it runs again", |runs| runs[1].state == "running").await;
    send("-TERM", &server);
    assert_eq!(ended(&mut server).await, Some(0));
    let seen = runs(&lake).await;
    assert_eq!((&*seen[1].state, seen[1].finished_at), ("running", None));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_figures_are_answered_and_a_broken_configuration_changes_nothing() {
    let (_simulator, lake) = served().await;
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = port.local_addr().unwrap().to_string();
    drop(port);
    let mut server = lake.start(&["serve", "--listen", &address]);
    let began = Instant::now();
    let answer = loop {
        match reqwest::get(format!("http://{address}/readyz")).await {
            Ok(answer) => break answer,
            Err(error) => assert!(began.elapsed() < BOUND, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!(answer.status(), 200);
    let file = lake.folder().join("headwater.toml");
    let good = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, good.clone() + "[[project]]\nname = 3\n").unwrap();
    send("-HUP", &server);
    tokio::time::sleep(Duration::from_millis(300)).await;
    std::fs::write(&file, &good).unwrap();
    lake::stdout(&lake::headwater(lake.folder(), &["runs", "start", "shop"]));
    until(&lake, "it is done", |runs| runs[0].finished_at.is_some()).await;
    let figures = reqwest::get(format!("http://{address}/metrics"))
        .await
        .unwrap();
    let figures = figures.text().await.unwrap();
    assert!(
        figures.contains("headwater_runs{state=\"success\"} 1"),
        "{figures}"
    );
    assert!(
        figures.contains("headwater_freshness_seconds{scope=\"1:acme/"),
        "{figures}"
    );
    send("-INT", &server);
    assert_eq!(ended(&mut server).await, Some(0));
}

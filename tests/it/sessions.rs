//! Runs inside a server: spawned, followed by several listeners, with one connector for all.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use headwater::clock::Clock;
use headwater::connect::Connector;
use headwater::exit::Exit;
use headwater::plan::Depth;
use headwater::report::{Event, Report, Reporter, Reporters};
use headwater::sources::Sources;
use headwater_testing::On;
use tokio_util::sync::CancellationToken;
use tracing::span::{Attributes, Id};
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;

use crate::lake::{self, Lake, configuration, request};

/// Keeps what it is given.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<Report>>>);

impl Reporter for Kept {
    fn event(&self, report: &Report) {
        self.0.lock().unwrap().push(report.clone());
    }
}

impl Kept {
    fn all(&self) -> Vec<Report> {
        self.0.lock().unwrap().clone()
    }
}

/// A clock that goes on by a second each time it is read.
fn ticking() -> Clock {
    let now = Mutex::new(DateTime::<Utc>::UNIX_EPOCH + TimeDelta::days(20_000));
    Clock::of(move || {
        let mut now = now.lock().unwrap();
        *now += TimeDelta::seconds(1);
        *now
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spawned_run_is_followed_by_several_who_learn_run_and_time() {
    let simulator = lake::tiny().await;
    let lake = Lake::beside(&simulator).await;
    let mut session = lake
        .session(&lake.store, CancellationToken::new())
        .await
        .unwrap();
    let (first, second) = (Kept::default(), Kept::default());
    session.clock = ticking();
    session.reporter = Reporters::of(Arc::new(first.clone()), &session.clock);
    session.reporter.add(Arc::new(second.clone()));
    let run = session.clone().spawn(request("sync", Depth::Changes));
    assert_eq!(run.await.unwrap().unwrap().0, Exit::Ok);
    let reports = first.all();
    assert!(reports.len() > 20);
    assert_eq!(reports, second.all());
    let started = |report: &Report| matches!(report.event, Event::RunStarted { .. });
    let begin = reports.iter().position(started).unwrap();
    let run = i64::try_from(lake.number("SELECT MAX(id) FROM _headwater_runs").await).unwrap();
    assert!(
        reports[begin..]
            .iter()
            .all(|report| report.run == Some(run))
    );
    let by_hand = DateTime::<Utc>::UNIX_EPOCH + TimeDelta::days(20_000);
    assert!(
        reports
            .iter()
            .all(|report| report.at > by_hand && report.at < by_hand + TimeDelta::days(1))
    );
    let line = serde_json::to_value(&reports[begin]).unwrap();
    assert_eq!(
        (&line["event"], &line["run"]),
        (&"run_started".into(), &run.into())
    );
    assert!(line["at"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spawned_run_ends_when_its_token_says_so() {
    let simulator = lake::tiny().await;
    let lake = Lake::beside(&simulator).await;
    let cancel = CancellationToken::new();
    cancel.cancel();
    let session = lake.session(&lake.store, cancel).await.unwrap();
    let run = session.spawn(request("sync", Depth::Changes));
    assert_eq!(run.await.unwrap().unwrap().0, Exit::Cancelled);
}

/// Two databases share nothing but the connector: together they send what one may.
#[tokio::test(flavor = "multi_thread")]
async fn two_runs_of_one_process_share_the_budget_of_a_credential() {
    let simulator = lake::tiny().await;
    let text = configuration(&simulator.endpoint(), lake::ALL);
    let text = text.replace("requests_per_hour = 1000000000", "requests_per_hour = 100");
    let first = Lake::with(On::Sqlite, &text).await.unwrap();
    let second = Lake::with(On::Sqlite, &text).await.unwrap();
    let connector = Connector::new((first.folder(), &Clock::system()), &Sources::all());
    let cancel = CancellationToken::new();
    let mut runs = Vec::new();
    for lake in [&first, &second] {
        let mut session = lake.session(&lake.store, cancel.clone()).await.unwrap();
        session.connector = connector.clone();
        runs.push(session.spawn(request("sync", Depth::Changes)));
    }
    // A tenth may go at once, then one in 40 seconds: both runs wait.
    while simulator.request_count() < 10 || connector.waiting() < 2 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let sent = simulator.request_count();
    assert!((10..=12).contains(&sent), "{sent} requests");
    cancel.cancel();
    for run in runs {
        assert_eq!(run.await.unwrap().unwrap().0, Exit::Cancelled);
    }
}

/// Spans by id: the name with its fields, and the parent.
#[derive(Clone, Default)]
struct Spans(Arc<Mutex<HashMap<u64, Seen>>>);

/// Name and fields of a span, and its parent.
type Seen = (String, Option<u64>);

struct Fields(String);

impl tracing::field::Visit for Fields {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
        use std::fmt::Write as _;
        let _ = write!(self.0, " {}={value:?}", field.name());
    }
}

impl<S: tracing::Subscriber + for<'a> LookupSpan<'a>> tracing_subscriber::Layer<S> for Spans {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields(attributes.metadata().name().to_owned());
        attributes.record(&mut fields);
        let span = context.span(id).unwrap();
        let parent = span.parent().map(|parent| parent.id().into_u64());
        self.0
            .lock()
            .unwrap()
            .insert(id.into_u64(), (fields.0, parent));
    }
}

/// One thread, so that the subscriber of this test sees all of its run and nothing else.
#[tokio::test]
async fn a_request_is_a_span_of_its_step_and_that_one_of_the_run() {
    let spans = Spans::default();
    // With a single subscriber tracing asks only the thread that first comes by a span whether it
    // is wanted, which may be another test's.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    let subscriber = tracing_subscriber::registry().with(spans.clone());
    let _guard = tracing::subscriber::set_default(subscriber);
    let simulator = lake::tiny().await;
    let lake = Lake::beside(&simulator).await;
    let session = lake
        .session(&lake.store, CancellationToken::new())
        .await
        .unwrap();
    let (exit, _) = session
        .sync(&request("sync", Depth::Changes))
        .await
        .unwrap();
    assert_eq!(exit, Exit::Ok);
    let spans = spans.0.lock().unwrap().clone();
    let mut found = 0;
    for (text, parent) in spans.values() {
        if !text.starts_with("request ") || !text.contains("/pullrequests/") {
            continue;
        }
        assert!(text.contains("connection=\"acme-cloud\""), "{text}");
        let (step, run) = &spans[&parent.expect(text)];
        for part in [
            "step ",
            "connection=",
            "scope=\"acme/",
            "stage=\"collect\"",
            "stream=\"pull_request",
        ] {
            assert!(step.contains(part), "{part} in {step}");
        }
        let (run, _) = &spans[&run.expect(step)];
        assert!(
            run.starts_with("run ") && run.contains("command=\"sync\""),
            "{run}"
        );
        found += 1;
    }
    assert!(found > 0, "{spans:?}");
}

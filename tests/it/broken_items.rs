//! Broken items: the rest lands, the run is partial, and what is well again is cleared.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use headwater::exit::Exit;
use headwater_simulator::{Fault, Options, Simulator, Size};
use headwater_testing::On;
use rstest::rstest;

use crate::lake::{How, Lake, ended_output};

/// A list of pull requests of which every hundredth is broken in one of several ways.
fn broken_list(tried: u64) -> String {
    let long = "ä".repeat(220);
    let items = (1..=200u64).map(|id| match (id, tried) {
        (50, 1..=2) => r#"{"title": "no id"}"#.to_owned(),
        (150, 1..=2) => {
            format!(r#"{{"id": 150, "state": "OPEN", "author": {{"account_id": "{long}"}}}}"#)
        }
        _ => format!(r#"{{"id": {id}, "title": "t", "state": "OPEN"}}"#),
    });
    let items: Vec<String> = items.collect();
    format!(
        r#"{{"values": [{}], "size": {}}}"#,
        items.join(","),
        items.len()
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn one_percent_of_broken_items_keeps_no_other_from_landing() {
    let options = Options {
        size: Size::tiny(),
        ..Options::default()
    };
    let simulator = Simulator::start(options).await.unwrap();
    let slug = simulator.world().repositories()[0].slug.clone();
    let list = format!("/2.0/repositories/acme/{slug}/pullrequests");
    let tried = AtomicU64::new(0);
    simulator.set_faults(Some(Arc::new(move |request| {
        let json = |body: String| Fault::Body(body.into(), "application/json".to_owned());
        if request.path == list {
            return Some(json(broken_list(tried.fetch_add(1, Ordering::SeqCst) + 1)));
        }
        let child = request.path.starts_with(&list);
        child.then(|| json(r#"{"values": []}"#.to_owned()))
    })));
    let scopes = format!("[\"acme/{slug}\"]");
    let lake = Lake::on(On::Sqlite, &simulator, &scopes).await.unwrap();
    let rows = "SELECT COUNT(*) FROM pull_requests";
    for attempt in 1..=2 {
        let (exit, summary) = lake.sync(How::default()).await;
        assert_eq!((exit, summary.rejected), (Exit::Partial, 2));
        assert_eq!(lake.number(rows).await, 198);
        let letters = "SELECT COUNT(*) FROM _headwater_dead_letters WHERE attempts = ";
        assert_eq!(lake.number(&format!("{letters}{attempt}")).await, 2);
    }
    let output = |arguments: &[&str]| ended_output(lake.start(arguments));
    let listed = output(&["dead-letters", "--format", "csv"]);
    let lines: Vec<&str> = listed.lines().collect();
    assert_eq!(lines.len(), 3, "{listed}");
    assert!(lines[0].starts_with("scope,stage,stream,item,raw_id,place,message,attempts"));
    let scope = format!("acme-cloud:acme/{slug}");
    assert!(
        lines[1].starts_with(&format!("{scope},collect,pull_requests,/")),
        "{listed}"
    );
    assert!(
        lines[1].contains("values[49],\"the item has no usable key"),
        "{listed}"
    );
    assert!(
        lines[2].starts_with(&format!("{scope},extract,pull_requests,/150,")),
        "{listed}"
    );
    assert!(lines[2].contains("220 characters"), "{listed}");
    assert!(output(&["status", "--steps"]).contains("dead letters"));
    assert!(output(&["status"]).contains("2 items to try again"));

    let (exit, summary) = lake.sync(How::default()).await;
    assert_eq!((exit, summary.rejected), (Exit::Ok, 0));
    assert_eq!(lake.number(rows).await, 200);
    assert!(output(&["dead-letters"]).contains("every item could be processed"));
}

/// Three pull requests, the second with a description of this length.
fn long_list(length: usize) -> String {
    let description = "d".repeat(length);
    let item = |id: u64, description: &str| {
        format!(r#"{{"id": {id}, "title": "t", "state": "OPEN", "description": "{description}"}}"#)
    };
    let items = [item(1, ""), item(2, &description), item(3, "")];
    format!(r#"{{"values": [{}], "size": 3}}"#, items.join(","))
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_item_longer_than_the_server_takes_is_a_dead_letter_and_the_others_land(
    #[values(On::Sqlite, On::Postgres, On::MariaDb)] on: On,
) {
    let options = Options {
        size: Size::tiny(),
        ..Options::default()
    };
    let simulator = Simulator::start(options).await.unwrap();
    let slug = simulator.world().repositories()[0].slug.clone();
    let scopes = format!("[\"acme/{slug}\"]");
    let Some(lake) = Lake::on(on, &simulator, &scopes).await else {
        return;
    };
    // MariaDB takes 16 MB by default.
    let length = match on {
        On::MariaDb => lake.number("SELECT @@max_allowed_packet").await,
        _ => 17 << 20,
    };
    let list = format!("/2.0/repositories/acme/{slug}/pullrequests");
    simulator.set_faults(Some(Arc::new(move |request| {
        let json = |body: String| Fault::Body(body.into(), "application/json".to_owned());
        if request.path == list {
            return Some(json(long_list(length)));
        }
        let child = request.path.starts_with(&list);
        child.then(|| json(r#"{"values": []}"#.to_owned()))
    })));
    let (expected, landed) = match on {
        On::MariaDb => ((Exit::Partial, 1), 2),
        _ => ((Exit::Ok, 0), 3),
    };
    for attempt in 1..=2 {
        let (exit, summary) = lake.sync(How::default()).await;
        assert_eq!((exit, summary.rejected), expected, "attempt {attempt}");
        let rows = "SELECT COUNT(*) FROM pull_requests";
        assert_eq!(lake.number(rows).await, landed);
        let letters = format!(
            "SELECT COUNT(*) FROM _headwater_dead_letters WHERE attempts = {attempt} \
             AND item = '/2' AND message LIKE '%max_allowed_packet%'"
        );
        assert_eq!(lake.number(&letters).await, 3 - landed);
    }
}

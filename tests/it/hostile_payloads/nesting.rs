//! Nesting without measure: what cannot be taken apart is refused with its address, and nothing
//! else is lost.

use std::sync::Arc;

use bytes::Bytes;
use headwater::exit::Exit;
use headwater_simulator::{Fault, Simulator};
use headwater_store::query::Cell;
use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;

use super::mutations::deep;
use crate::lake::{self, ALL, How, Lake};

/// More levels than any stack has room for frames.
const LEVELS: usize = 100_000;

fn levels(open: &str, close: &str) -> String {
    String::from_utf8(deep(open, close, LEVELS)).unwrap()
}

/// Answers a list with this page; the rest of the service goes on.
fn answer(simulator: &Simulator, path: String, page: String) {
    let page = Bytes::from(page);
    simulator.set_faults(Some(Arc::new(move |request| {
        let json = || Fault::Body(page.clone(), "application/json".to_owned());
        (request.path == path).then(json)
    })));
}

/// A repository's name, and its pull requests as they are sent.
async fn pull_requests(simulator: &Simulator) -> (String, String) {
    let lake = Lake::beside(simulator).await;
    lake.sync(How::default()).await;
    let name = {
        let world = simulator.world();
        let mut repositories = world.repositories().iter();
        let found = repositories.find(|it| it.pull_requests.len() > 1).unwrap();
        world.full_name(found)
    };
    let sql = format!(
        "SELECT CAST(data AS TEXT) FROM _raw_bitbucket_api_pull_requests \
         WHERE params LIKE '%{name}%' ORDER BY id"
    );
    let rows = lake.ask(&sql).await.rows;
    let texts = rows.iter().map(|row| match &row[0] {
        Cell::Text(text) => text.as_str(),
        other => panic!("{other:?}"),
    });
    (name, texts.collect::<Vec<_>>().join(","))
}

/// What is nested, a page with it, and how a sync of it ends.
fn cases(good: &str) -> Vec<(&'static str, String, Exit)> {
    let (arrays, objects) = (levels("[", "]"), levels("{\"a\":", "}"));
    let titled = format!("{{\"id\": 900001, \"title\": {objects}}}");
    let beside = format!("{{\"id\": 900002, \"title\": \"x\", \"extra\": {arrays}}}");
    let page = |members: &str| format!("{{\"pagelen\": 50, {members}}}");
    let with = |item: &str| page(&format!("\"values\": [{item}, {good}]"));
    let before = |members: &str| page(&format!("{members}, \"values\": [{good}]"));
    vec![
        ("a title", with(&titled), Exit::Partial),
        ("a member that no table has", with(&beside), Exit::Ok),
        ("an item", with(&arrays), Exit::Partial),
        (
            "a member of the page",
            before(&format!("\"x\": {objects}")),
            Exit::Ok,
        ),
        ("its size", before(&format!("\"size\": {arrays}")), Exit::Ok),
        (
            "its next",
            before(&format!("\"next\": {arrays}")),
            Exit::Partial,
        ),
        (
            "its values",
            page(&format!("\"values\": {objects}")),
            Exit::Partial,
        ),
        ("the page", arrays.clone(), Exit::Partial),
        ("a page that is cut off", "[".repeat(LEVELS), Exit::Partial),
    ]
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_item_or_a_page_of_any_depth_loses_only_itself(
    // What is stored matters on a server; how pages are read is the same.
    #[values((Sqlite, 9), (Postgres, 2), (MariaDb, 2))] (on, most): (On, usize),
) {
    let simulator = lake::tiny().await;
    let (name, good) = pull_requests(&simulator).await;
    let path = format!("/2.0/repositories/{name}/pullrequests");
    let fresh = Lake::beside(&simulator).await;
    fresh.sync(How::default()).await;
    for (what, page, expected) in cases(&good).into_iter().take(most) {
        let Some(lake) = Lake::on(on, &simulator, ALL).await else {
            return;
        };
        answer(&simulator, path.clone(), page);
        let (exit, _) = lake.sync(How::default()).await;
        simulator.set_faults(None);
        assert_eq!(exit, expected, "{what}");
        if exit == Exit::Partial {
            let letters = "SELECT COUNT(*) FROM _headwater_dead_letters WHERE path <> ''";
            let steps =
                format!("SELECT COUNT(*) FROM _headwater_steps WHERE message LIKE '%{path}%'");
            let named = lake.number(letters).await + lake.number(&steps).await;
            assert!(named > 0, "{what} is not named");
        }
        let differences = lake.differences(&fresh).await.into_iter();
        // Of other repositories nothing is lost, and of this one only what did not come.
        let lost = differences.filter(|found| found.only_left || found.cell.is_some());
        let lost: Vec<String> = lost.map(|it| it.to_string()).collect();
        let lost: Vec<&String> = lost.iter().filter(|it| !it.contains(&name)).collect();
        assert!(lost.is_empty(), "{what}: {lost:#?}");
        let rows = "SELECT COUNT(*) FROM pull_requests";
        let (here, there) = (lake.number(rows).await, fresh.number(rows).await);
        let all_land = ![
            "its next",
            "its values",
            "the page",
            "a page that is cut off",
        ]
        .contains(&what);
        assert!(
            !all_land || here >= there,
            "{what}: {here} of {there} pull requests"
        );
        let (exit, _) = lake.sync(How { full: true }).await;
        assert_eq!(exit, Exit::Ok, "{what}: the service is well again");
        let differences = lake.differences(&fresh).await;
        assert!(differences.is_empty(), "{what}: {differences:#?}");
    }
}

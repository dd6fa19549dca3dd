//! What a source corrects, or the configuration changes, reaches everything that follows from it.

use headwater::exit::Exit;
use headwater_simulator::{Options, Simulator, Size};
use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;
use serde_json::{Value, json};

use crate::hashes::{import, offline, texts};
use crate::lake::{ALL, How, Lake, ended_output, tiny, with_everything};
use crate::rules::{company, synced, under};

fn sha(number: u8) -> String {
    format!("{number:02x}").repeat(20)
}

fn commit(number: u8, parents: &[u8]) -> Value {
    let parents: Vec<Value> = parents.iter().map(|it| json!({"hash": sha(*it)})).collect();
    json!({"hash": sha(number), "message": "m", "date": "2026-03-01T10:00:00Z", "parents": parents})
}

fn tag(name: &str, number: u8) -> Value {
    json!({"name": name, "target": {"hash": sha(number)}})
}

fn with_tags() -> String {
    format!(
        "[scope_config.default]\ntags_pattern = \".\"\n\n{}",
        offline()
    )
}

async fn filled(on: On, configuration: &str, rows: &[(&str, Vec<Value>)]) -> Option<Lake> {
    let lake = Lake::with(on, configuration).await?;
    for (stream, items) in rows {
        import(&lake, stream, items);
    }
    ended_output(lake.start(&["transform"]));
    Some(lake)
}

async fn assert_equal(lake: &Lake, fresh: &Lake, when: &str) {
    let differences = lake.differences(fresh).await;
    let shown: Vec<String> = differences.iter().map(ToString::to_string).collect();
    assert!(
        shown.is_empty(),
        "{when}: here: corrected, there: fresh\n{shown:#?}"
    );
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn corrected_parents_reach_what_was_compared_completely(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let right = || {
        vec![
            commit(1, &[]),
            commit(2, &[1]),
            commit(3, &[2]),
            commit(4, &[3]),
            commit(5, &[4]),
        ]
    };
    let tags = || vec![tag("v1.0.0", 2), tag("v2.0.0", 4), tag("v3.0.0", 5)];
    let rows = [("commits", right()), ("tags", tags())];
    let Some(fresh) = filled(on, &with_tags(), &rows).await else {
        return;
    };
    for (when, wrong) in [
        ("a parent that was missing", commit(3, &[])),
        ("a parent that was another one", commit(4, &[1])),
        ("a parent that was too many", commit(5, &[4, 1])),
        ("a parent on the older side", commit(2, &[])),
    ] {
        let mut commits = right();
        let place = commits.iter().position(|it| it["hash"] == wrong["hash"]);
        commits[place.unwrap()] = wrong;
        let rows = [("commits", commits), ("tags", tags())];
        let lake = filled(on, &with_tags(), &rows).await.unwrap();
        let states = "SELECT DISTINCT state FROM commits_diff_pairs";
        assert_eq!(texts(&lake, states).await, ["COMPLETE"], "{when}");
        import(&lake, "commits", &right());
        ended_output(lake.start(&["transform"]));
        assert_equal(&lake, &fresh, when).await;
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_corrected_destination_reaches_the_links_of_a_pull_request(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let pull_request = |repository: Option<&str>| {
        json!({
            "id": 12, "state": "MERGED", "merge_commit": {"hash": sha(2)},
            "source": {"branch": {"name": "f"}, "commit": {"hash": sha(2)}},
            "destination": {
                "branch": {"name": "main"}, "commit": {"hash": sha(1)},
                "repository": repository.map(|name| json!({"full_name": name})),
            },
        })
    };
    let rows = |repository: Option<&str>| {
        [
            ("commits", vec![commit(1, &[]), commit(2, &[1])]),
            ("pull_requests", vec![pull_request(repository)]),
        ]
    };
    let Some(fresh) = filled(on, &offline(), &rows(Some("acme/rocket"))).await else {
        return;
    };
    let links = "SELECT COUNT(*) FROM pull_request_merges";
    assert_eq!(fresh.number(links).await, 1);
    let lake = filled(on, &offline(), &rows(None)).await.unwrap();
    assert_eq!(lake.number(links).await, 0);
    import(&lake, "pull_requests", &[pull_request(Some("acme/rocket"))]);
    ended_output(lake.start(&["transform"]));
    assert_equal(&lake, &fresh, "the right repository").await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn another_endpoint_is_the_address_of_every_item_after_a_full_sync(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let before = tiny().await;
    let Some(mut lake) = Lake::on(on, &before, ALL).await else {
        return;
    };
    assert_eq!(lake.sync(How::default()).await.0, Exit::Ok);
    let options = Options {
        size: Size::tiny(),
        ..Options::default()
    };
    let after = Simulator::start(options).await.unwrap();
    assert_ne!(before.endpoint(), after.endpoint());
    lake.configure(&with_everything(&after.endpoint(), ALL));
    let (exit, _) = lake.sync(How { full: true }).await;
    assert_eq!(exit, Exit::Ok);
    let verified = lake.verify(true).await;
    let shown: Vec<String> = verified
        .differences
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(shown, [] as [String; 0]);
    assert_eq!(verified.exit, Exit::Ok);
    let (_, again) = lake.sync(How { full: true }).await;
    assert_eq!((again.written, again.removed), (0, 0), "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whichever_entity_is_taken_out_verify_finds_no_difference() {
    let all = ["code", "code-review", "cicd", "issues", "cross"];
    for taken in all {
        let simulator = company().await;
        let mut lake = synced(&simulator, "tags_pattern = \".\"").await;
        let left: Vec<String> = all
            .iter()
            .filter(|entity| **entity != taken)
            .map(|entity| format!("\"{entity}\""))
            .collect();
        let rules = format!("tags_pattern = \".\"\nentities = [{}]", left.join(", "));
        lake.configure(&under(&simulator, &rules));
        simulator
            .world()
            .advance(std::time::Duration::from_hours(2));
        assert_eq!(lake.sync(How { full: true }).await.0, Exit::Ok, "{taken}");
        let verified = lake.verify(false).await;
        let shown: Vec<String> = verified
            .differences
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(shown, [] as [String; 0], "{taken}");
        assert_eq!(verified.exit, Exit::Ok, "{taken}");
        lake.execute("UPDATE repos SET name = 'tampered'").await;
        let verified = lake.verify(false).await;
        assert_eq!(verified.exit, Exit::Partial, "{taken}: it still looks");
    }
}

//! `doctor` over a database: what it reads on each of them, and how it ends.

use std::collections::BTreeMap;

use chrono::DateTime;
use headwater::exit::Exit;
use headwater_store::symptoms::ServerNotes;
use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use headwater_testing::TestStore;
use headwater_testing::small_server::{SmallServer, answer};
use rstest::rstest;

use crate::lake::{ALL, How, Lake, code, configuration, tiny};

#[rstest]
#[tokio::test]
async fn what_servers_said_is_remembered_until_they_take_it_back(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(store) = TestStore::on(on).await else {
        return;
    };
    let now = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
    let announced = ("@1".to_owned(), "soon".to_owned());
    let endpoint = "/2.0/workspaces/*".to_owned();
    let mut notes = ServerNotes {
        endpoints: BTreeMap::from([(endpoint.clone(), Some(announced))]),
        ahead_seconds: Some(-90),
    };
    store.record_server_notes(7, &notes, now).await.unwrap();
    store.record_server_notes(7, &notes, now).await.unwrap();
    let symptoms = store.symptoms().await.unwrap();
    assert_eq!(symptoms.announcements.len(), 1);
    assert_eq!(symptoms.announcements[0].sunset, "soon");
    assert_eq!(symptoms.ahead_seconds, BTreeMap::from([(7, -90)]));
    notes.endpoints.insert(endpoint, None);
    store.record_server_notes(7, &notes, now).await.unwrap();
    let symptoms = store.symptoms().await.unwrap();
    assert!(symptoms.announcements.is_empty());
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_in_a_company_is_found_and_the_exit_code_says_so(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let simulator = tiny().await;
    let rules = "[scope_config.default]\ndeployment_pattern = \"never\"\n";
    let text = format!("{}\n{rules}", configuration(&simulator.endpoint(), ALL));
    let Some(lake) = Lake::with(on, &text).await else {
        return;
    };
    assert_eq!(lake.sync(How::default()).await.0, Exit::Ok);
    let output = lake
        .start(&["doctor", "--json"])
        .wait_with_output()
        .unwrap();
    assert_eq!(code(&output), 5);
    let text = String::from_utf8(output.stdout).unwrap();
    let findings: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let first = &findings[0];
    assert_eq!(first["code"], "PATTERN_NEVER_MATCHED", "{text}");
    assert_eq!(first["harm"], "wrong");
    assert!(first["what"].as_str().unwrap().contains("\"Build\""));
    // The simulator's clock is that of its own company.
    assert!(text.contains("CLOCK_SKEW"), "{text}");
    let shown = lake.start(&["doctor"]).wait_with_output().unwrap();
    assert_eq!(code(&shown), 5);
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("Write into headwater.toml:"), "{shown}");
    let unknown = lake
        .start(&["doctor", "nobody"])
        .wait_with_output()
        .unwrap();
    assert_eq!(code(&unknown), 2);
}

#[tokio::test]
async fn nothing_is_found_in_an_empty_database() {
    let lake = Lake::with(Sqlite, "").await.unwrap();
    let output = lake.start(&["doctor"]).wait_with_output().unwrap();
    assert_eq!(code(&output), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_announces_in_its_answers_is_found_with_the_dates() {
    let server = SmallServer::start(|_, target| {
        let headers: &[&str] = if target.contains("/pullrequests") {
            &[
                "content-type: application/json",
                "Deprecation: @1767225600",
                "Sunset: Wed, 31 Mar 2027 23:59:59 GMT",
            ]
        } else {
            &["content-type: application/json"]
        };
        let repository = r#"{"uuid": "{1}", "full_name": "acme/rocket", "slug": "rocket",
            "name": "rocket", "links": {}}"#;
        let body = match target.split('?').next() {
            Some(path) if path.ends_with("/acme/rocket") => repository,
            _ => r#"{"values": []}"#,
        };
        answer(200, headers, body.as_bytes())
    })
    .await;
    let endpoint = format!("{}2.0/", server.endpoint);
    let text = format!(
        "{}token_expires = \"2020-01-31\"\n",
        configuration(&endpoint, "[\"acme/rocket\"]")
    );
    let lake = Lake::with(Sqlite, &text).await.unwrap();
    lake.sync(How::default()).await;
    let output = lake.start(&["doctor", "--json"]).wait_with_output();
    let said = String::from_utf8(output.unwrap().stdout).unwrap();
    let findings = said.lines().map(|line| {
        let finding: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| finding[name].as_str().unwrap_or_default().to_owned();
        (text("code"), text("what"))
    });
    let findings: BTreeMap<String, String> = findings.collect();
    let goes = &findings["ENDPOINT_GOES"];
    assert!(goes.contains("pullrequests"), "{goes}");
    assert!(
        goes.ends_with("is deprecated on 2026-01-01 and removed on 2027-03-31"),
        "{goes}"
    );
    assert_eq!(findings["TOKEN_EXPIRES"], "its token expired on 2020-01-31");
}

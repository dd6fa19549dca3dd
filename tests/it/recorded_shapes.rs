//! What real answers hold and made-up ones rarely do, from raw rows to domain rows.

use std::path::PathBuf;

use headwater::exit::Exit;
use headwater_simulator::Habits;
use headwater_store::query::Cell;
use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;
use serde_json::{Value, json};

use crate::lake::{ALL, How, Lake, configuration, ended_output, headwater, tiny};

/// Nothing is asked of it: rows are imported.
fn offline() -> String {
    let rules = "[scope_config.default]\ndeployment_pattern = \"(?i)deploy\"\n\
                 commit_statuses = true\npull_request_sizes = true\n\n";
    format!("{rules}{}", configuration("http://127.0.0.1:9/2.0/", ALL))
}

/// Writes items with the keys of their parents, and the time at which each was received.
fn write(lake: &Lake, items: &[(Value, Value, &str)]) -> PathBuf {
    let path = lake.folder().join("rows.csv");
    let mut file = csv::Writer::from_path(&path).unwrap();
    file.write_record(["params", "data", "input", "created_at"])
        .unwrap();
    for (parent, item, at) in items {
        let params = r#"{"ConnectionId":1,"FullName":"acme/rocket"}"#;
        let input = match parent {
            Value::Null => String::new(),
            parent => json!({"BitbucketId": parent}).to_string(),
        };
        let record = [params, &item.to_string(), &input, at];
        file.write_record(record).unwrap();
    }
    file.flush().unwrap();
    path
}

fn import_at(lake: &Lake, stream: &str, items: &[(Value, Value, &str)]) {
    let path = write(lake, items);
    let table = format!("_raw_bitbucket_api_{stream}");
    ended_output(lake.start(&["raw", "import", &table, path.to_str().unwrap()]));
}

fn import(lake: &Lake, stream: &str, items: &[(Value, Value)]) {
    let items = items.iter().cloned();
    let items: Vec<_> = items.map(|(parent, item)| (parent, item, "")).collect();
    import_at(lake, stream, &items);
}

fn transform(lake: &Lake) {
    ended_output(lake.start(&["transform"]));
}

async fn texts(lake: &Lake, sql: &str) -> Vec<String> {
    let answer = lake.ask(sql).await;
    let text = |cell: &Cell| match cell {
        Cell::Null => "null".to_owned(),
        Cell::Integer(number) => number.to_string(),
        Cell::Real(number) => number.to_string(),
        Cell::Text(text) => text.clone(),
    };
    let row = |row: &Vec<Cell>| row.iter().map(text).collect::<Vec<_>>().join(" | ");
    answer.rows.iter().map(row).collect()
}

/// An account that has a UUID and nothing else to tell it.
fn team(number: u8) -> Value {
    json!({"type": "team", "uuid": format!("{{t-{number}}}"), "display_name": format!("Team {number}")})
}

fn pull_request(number: u8, author: &Value) -> Value {
    json!({
        "id": number, "title": format!("PR {number}"), "state": "OPEN", "author": author,
        "created_on": "2024-03-01T10:00:00.1Z", "updated_on": "2024-03-02T10:00:00Z",
    })
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn accounts_without_an_account_id_are_told_apart_also_in_tables_that_are_there(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(lake) = Lake::with(on, &offline()).await else {
        return;
    };
    let vote =
        |user: Value| json!({"user": user, "role": "REVIEWER", "approved": true, "state": null});
    let mut first = pull_request(1, &team(1));
    first["participants"] = json!([vote(team(2)), vote(team(3)), vote(team(1))]);
    let ann = json!({"account_id": "ann", "uuid": "{u}", "display_name": "Ann"});
    let items = [(Value::Null, first), (Value::Null, pull_request(2, &ann))];
    import(&lake, "pull_requests", &items);
    transform(&lake);
    let authors = "SELECT author_id FROM pull_requests ORDER BY id";
    let reviewers = "SELECT reviewer_id FROM pull_request_reviewers ORDER BY reviewer_id";
    let accounts = "SELECT id, full_name FROM accounts ORDER BY id";
    let expected = |id: &str| format!("bitbucket:BitbucketAccount:1:{id}");
    let found = [
        texts(&lake, authors).await,
        texts(&lake, reviewers).await,
        texts(&lake, accounts).await,
    ];
    assert_eq!(found[0], ["{t-1}", "ann"].map(expected));
    assert_eq!(found[1], ["{t-2}", "{t-3}"].map(expected));
    let names = [
        ("ann", "Ann"),
        ("{t-1}", "Team 1"),
        ("{t-2}", "Team 2"),
        ("{t-3}", "Team 3"),
    ];
    let names = names.map(|(id, name)| format!("{} | {name}", expected(id)));
    assert_eq!(found[2], names);
    // As an older version left them: what it knew no id of is nobody.
    lake.execute("UPDATE _tool_bitbucket_pull_requests SET author_id = '' WHERE number = 1")
        .await;
    lake.execute("DELETE FROM _tool_bitbucket_pr_reviewers")
        .await;
    lake.execute(
        "UPDATE _headwater_checkpoints SET rules = 'v2' WHERE step = 'extract:pull_requests'",
    )
    .await;
    transform(&lake);
    let again = [
        texts(&lake, authors).await,
        texts(&lake, reviewers).await,
        texts(&lake, accounts).await,
    ];
    assert_eq!(again, found);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_the_same_in_whatever_order_its_items_were_received(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let person = |name: &str, picture: &str| json!({"account_id": "ann", "display_name": name, "links": {"avatar": {"href": picture}}});
    let mut found = Vec::new();
    for times in [
        [
            "2026-01-01 10:00:00.000",
            "2026-01-02 10:00:00.000",
            "2026-01-03 10:00:00.000",
        ],
        [
            "2026-01-03 10:00:00.000",
            "2026-01-02 10:00:00.000",
            "2026-01-01 10:00:00.000",
        ],
    ] {
        let Some(lake) = Lake::with(on, &offline()).await else {
            return;
        };
        let mut older = pull_request(1, &person("Ann", "https://a/list.png"));
        older["updated_on"] = json!("2024-01-01T10:00:00Z");
        let newer = pull_request(2, &person("Ann B", ""));
        // No list of issues and none of pull requests describes people like the other.
        let issue = json!({
            "id": 7, "reporter": person("Ann (issues)", "https://a/issues.png"),
            "updated_on": "2024-02-01T10:00:00Z",
        });
        let items = [
            (Value::Null, older, times[0]),
            (Value::Null, newer, times[1]),
        ];
        import_at(&lake, "pull_requests", &items);
        import_at(&lake, "issues", &[(Value::Null, issue, times[2])]);
        transform(&lake);
        found.push(texts(&lake, "SELECT full_name, avatar_url FROM accounts").await);
    }
    assert_eq!(found[0], ["Ann B | https://a/issues.png"]);
    assert_eq!(found[0], found[1]);
}

fn deployment(number: u8, environment: &Value) -> Value {
    json!({
        "uuid": format!("{{d-{number}}}"), "environment": environment,
        "step": {"uuid": format!("{{s-{number}}}")},
        "release": {
            "pipeline": {"uuid": format!("{{p-{number}}}")}, "name": format!("#{number}"),
            "commit": {"hash": "00aa"}, "created_on": "2024-03-01T10:00:00Z",
        },
        "state": {"name": "COMPLETED", "status": {"name": "SUCCESSFUL"}},
    })
}

fn environment(uuid: &str, name: &str, kind: &str) -> Value {
    json!({"uuid": uuid, "name": name, "environment_type": {"name": kind}})
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn deployments_follow_the_environments_that_they_name_by_uuid(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(lake) = Lake::with(on, &offline()).await else {
        return;
    };
    let stub = |uuid: &str| json!({"type": "deployment_environment", "uuid": uuid});
    let items = [
        (Value::Null, deployment(1, &stub("{e-1}"))),
        (Value::Null, deployment(2, &stub("{e-2}"))),
        (
            Value::Null,
            deployment(3, &environment("{e-3}", "live", "Production")),
        ),
    ];
    import(&lake, "deployments", &items);
    let step = json!({
        "uuid": "{s-1}", "name": "Roll out", "pipeline": {"uuid": "{p-1}"},
        "started_on": "2024-03-01T10:01:00Z",
        "state": {"name": "COMPLETED", "result": {"name": "SUCCESSFUL"}},
    });
    import(&lake, "pipeline_steps", &[("{p-1}".into(), step)]);
    transform(&lake);
    let told = "SELECT name, environment, original_environment FROM cicd_deployments ORDER BY name";
    let tasks = "SELECT environment FROM cicd_tasks";
    assert_eq!(
        texts(&lake, told).await,
        ["#1 |  | ", "#2 |  | ", "#3 | PRODUCTION | live"]
    );
    let status = ended_output(lake.start(&["status", "--steps", "--format", "csv"]));
    let count = status
        .lines()
        .find(|line| line.contains("without an environment"));
    assert!(count.is_some_and(|line| line.contains(",2,")), "{status}");
    // The list of environments comes later, one of them is renamed, and one goes.
    let list = [
        (Value::Null, environment("{e-1}", "eu", "Production")),
        (Value::Null, environment("{e-2}", "qa", "Staging")),
    ];
    import(&lake, "environments", &list);
    transform(&lake);
    assert_eq!(
        texts(&lake, told).await,
        [
            "#1 | PRODUCTION | eu",
            "#2 | STAGING | qa",
            "#3 | PRODUCTION | live"
        ]
    );
    assert_eq!(texts(&lake, tasks).await, ["PRODUCTION"]);
    let renamed = environment("{e-1}", "test bench", "Test");
    import(&lake, "environments", &[(Value::Null, renamed)]);
    transform(&lake);
    assert_eq!(
        texts(&lake, told).await,
        [
            "#1 | TESTING | test bench",
            "#2 | STAGING | qa",
            "#3 | PRODUCTION | live"
        ]
    );
    assert_eq!(texts(&lake, tasks).await, ["TESTING"]);
    let explained = ended_output(lake.start(&[
        "explain",
        "deployment",
        "bitbucket:BitbucketDeployment:1:{d-1}",
    ]));
    assert!(explained.contains("test bench"), "{explained}");
    let status = ended_output(lake.start(&["status", "--steps", "--format", "csv"]));
    assert!(!status.contains("without an environment"), "{status}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_of_a_pipeline_that_waits_is_there_and_stays_what_it_was(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(lake) = Lake::with(on, &offline()).await else {
        return;
    };
    let pipeline = |state: &Value| {
        json!({
            "uuid": "{p-1}", "build_number": 1, "created_on": "2024-03-01T10:00:00Z",
            "target": {"type": "pipeline_pullrequest_target", "source": "feature/nozzle",
                       "commit": {"hash": "00aa"}},
            "state": state,
        })
    };
    let step = |uuid: &str, name: &str, state: &Value| {
        json!({
            "uuid": uuid, "name": name, "pipeline": {"uuid": "{p-1}"}, "state": state,
            "started_on": state["result"].is_object().then_some("2024-03-01T10:01:00Z"),
            "completed_on": state["result"].is_object().then_some("2024-03-01T10:02:00Z"),
        })
    };
    let done = json!({"name": "COMPLETED", "result": {"name": "SUCCESSFUL"}});
    let paused = json!({"name": "IN_PROGRESS", "stage": {"name": "PAUSED"}});
    import(&lake, "pipelines", &[(Value::Null, pipeline(&paused))]);
    let steps = [
        ("{p-1}".into(), step("{s-1}", "Deploy to production", &done)),
        (
            "{p-1}".into(),
            step("{s-2}", "Roll back", &json!({"name": "PENDING"})),
        ),
    ];
    import(&lake, "pipeline_steps", &steps);
    transform(&lake);
    let told = "SELECT result, environment, finished_date FROM cicd_deployments";
    let deployed = ["SUCCESS | PRODUCTION | 2024-03-01T10:02:00.000+00:00"];
    assert_eq!(texts(&lake, told).await, deployed);
    let branch = "SELECT branch FROM cicd_pipeline_commits";
    assert_eq!(texts(&lake, branch).await, ["feature/nozzle"]);
    // Somebody stops what waited; that was deployed all the same.
    let stopped = json!({"name": "COMPLETED", "result": {
        "name": "STOPPED", "terminator": {"type": "user", "uuid": "{u}"}}});
    import(&lake, "pipelines", &[(Value::Null, pipeline(&stopped))]);
    transform(&lake);
    assert_eq!(texts(&lake, told).await, deployed);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_closed_pull_request_has_its_dates_its_events_and_its_size(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(lake) = Lake::with(on, &offline()).await else {
        return;
    };
    let closed = |number: u8, state: &str| {
        let mut closed = pull_request(number, &json!({"account_id": "ann"}));
        closed["state"] = json!(state);
        closed["closed_on"] = json!("2024-03-02T10:00:00.5Z");
        closed["closed_by"] = team(9);
        (Value::Null, closed)
    };
    let items = [
        closed(1, "MERGED"),
        closed(2, "DECLINED"),
        closed(3, "OPEN"),
    ];
    import(&lake, "pull_requests", &items);
    let update = |at: &str| {
        let update = json!({
            "state": "OPEN", "title": "PR 3", "changes": {}, "date": at,
            "author": {"account_id": "ann", "uuid": "{u}"},
        });
        let nulls = json!({"update": update, "approval": null, "comment": null});
        (json!(3), nulls)
    };
    let log = [
        update("2024-03-01T10:00:00.624Z"),
        update("2024-03-01T10:00:00.73Z"),
    ];
    import(&lake, "pull_request_activities", &log);
    let long = "x/".repeat(300);
    let file = |path: &str, added: u8| {
        let path = json!({"path": format!("{long}{path}")});
        (
            json!(1),
            json!({"status": "modified", "old": path, "new": path,
                          "lines_added": added, "lines_removed": 1}),
        )
    };
    import(
        &lake,
        "pull_request_diffstats",
        &[file("a", 3), file("b", 4)],
    );
    transform(&lake);
    let dates = "SELECT status, merged_date, closed_date, merged_by_name FROM pull_requests \
                 ORDER BY pull_request_key";
    let at = "2024-03-02T10:00:00.500+00:00";
    assert_eq!(
        texts(&lake, dates).await,
        [
            format!("MERGED | {at} | {at} | Team 9"),
            format!("CLOSED | null | {at} | "),
            "OPEN | null | null | ".to_owned(),
        ]
    );
    let sizes = "SELECT additions, deletions, changed_files FROM pull_requests \
                 ORDER BY pull_request_key";
    assert_eq!(
        texts(&lake, sizes).await,
        ["7 | 2 | 2", "null | null | null", "null | null | null"]
    );
    let events = "SELECT kind FROM pull_request_events WHERE pull_request_id LIKE '%:3'";
    assert_eq!(texts(&lake, events).await, ["created"]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_the_assignee_is_one_entry_of_the_change_log(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(lake) = Lake::with(on, &offline()).await else {
        return;
    };
    let change = json!({
        "id": 91, "created_on": "2022-08-14T06:20:01Z", "user": {"account_id": "cem"},
        "changes": {
            "assignee": {"old": null, "new": "Bob"},
            "assignee_account_id": {"old": null, "new": "557058:bob"},
        },
    });
    import(&lake, "issue_changes", &[(json!(7), change)]);
    transform(&lake);
    let log = "SELECT field_name, original_to_value, from_value, to_value FROM issue_changelogs";
    assert_eq!(
        texts(&lake, log).await,
        ["assignee | 557058:bob |  | bitbucket:BitbucketAccount:1:557058:bob"]
    );
    let bob = "SELECT full_name FROM accounts WHERE id LIKE '%bob'";
    assert_eq!(texts(&lake, bob).await, ["Bob"]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_status_without_a_commit_or_a_ref_is_kept(#[values(Sqlite, Postgres, MariaDb)] on: On) {
    let Some(lake) = Lake::with(on, &offline()).await else {
        return;
    };
    let items = [
        (
            json!(3),
            json!({"key": "lint", "state": "FAILED", "refname": null}),
        ),
        (
            json!(3),
            json!({"key": "lint", "state": "SUCCESSFUL", "commit": {"hash": "00aa"}}),
        ),
    ];
    import(&lake, "pull_request_statuses", &items);
    transform(&lake);
    let told = "SELECT commit_sha, state FROM _tool_bitbucket_pull_request_statuses \
                ORDER BY commit_sha";
    assert_eq!(texts(&lake, told).await, [" | FAILED", "00aa | SUCCESSFUL"]);
    assert_eq!(
        lake.number("SELECT COUNT(*) FROM _headwater_dead_letters")
            .await,
        0
    );
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn sizes_environments_and_closing_times_come_from_the_lists(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let simulator = tiny().await;
    simulator.world().set_habits(Habits {
        creation_is_logged_twice: true,
        ..Habits::default()
    });
    let sizes = "[scope_config.default]\npull_request_sizes = true\n\n";
    let text = format!("{sizes}{}", configuration(&simulator.endpoint(), ALL));
    let Some(lake) = Lake::with(on, &text).await else {
        return;
    };
    let (slug, ann) = {
        let mut world = simulator.world();
        let (slug, ann) = (world.repositories()[0].slug.clone(), world.users()[0].id);
        let made = world.create_pull_request(&slug, Some(ann), "Nozzle", "");
        let id = made.unwrap().pull_request.unwrap();
        world.push_commits(&slug, id, ann, 120).unwrap();
        world.decline(&slug, id, ann, "no").unwrap();
        (slug, ann)
    };
    let (exit, _) = lake.sync(How::default()).await;
    let why = "SELECT stage, stream, state, message FROM _headwater_steps WHERE state <> 'success'";
    let letters = "SELECT stream, item, path, message FROM _headwater_dead_letters";
    assert_eq!(
        exit,
        Exit::Ok,
        "{:?} {:?}",
        texts(&lake, why).await,
        texts(&lake, letters).await
    );
    let unknown = "SELECT COUNT(*) FROM pull_requests WHERE changed_files IS NULL";
    assert_eq!(lake.number(unknown).await, 0);
    // Two pages of files, of which some have paths that are no keys.
    let many = "SELECT COUNT(*) FROM pull_requests WHERE changed_files = 121 AND additions > 121";
    assert_eq!(lake.number(many).await, 1);
    let nowhere = "SELECT COUNT(*) FROM cicd_deployments WHERE environment = ''";
    assert_eq!(lake.number(nowhere).await, 0);
    assert!(lake.number("SELECT COUNT(*) FROM cicd_deployments").await > 0);
    let repeated = "SELECT COUNT(*) FROM pull_request_events AS e JOIN pull_requests AS p \
                    ON p.id = e.pull_request_id WHERE p.title = 'Nozzle'";
    // Created, pushed to, declined.
    assert_eq!(lake.number(repeated).await, 3);
    let endless = "SELECT COUNT(*) FROM _tool_bitbucket_pull_requests \
                   WHERE state <> 'OPEN' AND closed_at IS NULL";
    assert_eq!(lake.number(endless).await, 0);
    // An account is closed: everywhere it is called by its UUID.
    let ann = {
        let mut world = simulator.world();
        let id = world.user(ann).unwrap().account_id.clone();
        world.close_account(ann).unwrap();
        world.edit_repository(&slug, Some("Closed"), None).unwrap();
        id
    };
    assert_eq!(lake.sync(How { full: true }).await.0, Exit::Ok);
    let left = format!("SELECT COUNT(*) FROM accounts WHERE id LIKE '%{ann}'");
    assert_eq!(lake.number(&left).await, 0);
    let fresh = Lake::with(Sqlite, &text).await.unwrap();
    assert_eq!(fresh.sync(How::default()).await.0, Exit::Ok);
    lake.assert_equals(&fresh).await;
}

#[test]
fn rows_under_a_name_that_is_none_of_their_scope_are_refused_with_their_line() {
    let folder = tempfile::tempdir().unwrap();
    for (stream, name, good) in [
        ("pull_requests", "rocket", "acme/rocket"),
        ("workspace_members", "acme/rocket", "acme"),
    ] {
        let line = |name: &str| {
            let params = json!({"ConnectionId": 1, "FullName": name});
            json!({"params": params, "data": {"id": 1, "user": {"uuid": "{u}"}}}).to_string()
        };
        let path = folder.path().join("rows.jsonl");
        std::fs::write(&path, format!("{}\n{}\n", line(good), line(name))).unwrap();
        let table = format!("_raw_bitbucket_api_{stream}");
        let refused = headwater(folder.path(), &["raw", "import", &table, "rows.jsonl"]);
        let said = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(2), "{said}");
        assert!(said.contains("rows.jsonl:2: params"), "{said}");
        assert!(!folder.path().join("headwater.db").exists());
    }
}

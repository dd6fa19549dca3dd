//! Short commit hashes: full where the repository has the commit, short where it has not, whatever
//! the order in which rows came.

use headwater::exit::Exit;
use headwater_simulator::{GitChange, Simulator};
use headwater_store::query::Cell;
use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;
use serde_json::{Value, json};

use crate::lake::{ALL, How, Lake, configuration, ended_output};
use crate::rules::{company, under};

const SHORT: &str = "aaaaaaaaaaaa";

/// A full hash that begins with the short one.
fn full(last: char) -> String {
    format!("{SHORT}{}", last.to_string().repeat(28))
}

/// Nothing is asked of it: rows are imported.
pub(crate) fn offline() -> String {
    configuration("http://127.0.0.1:9/2.0/", ALL)
}

pub(crate) fn import(lake: &Lake, stream: &str, items: &[Value]) {
    let path = lake.folder().join("rows.csv");
    let mut file = csv::Writer::from_path(&path).unwrap();
    file.write_record(["params", "data"]).unwrap();
    for item in items {
        let params = r#"{"ConnectionId":1,"FullName":"acme/rocket"}"#;
        file.write_record([params, &item.to_string()]).unwrap();
    }
    file.flush().unwrap();
    let table = format!("_raw_bitbucket_api_{stream}");
    ended_output(lake.start(&["raw", "import", &table, path.to_str().unwrap()]));
}

/// What names the short hash: a pull request, and two deployments of one pipeline each.
fn import_namers(lake: &Lake) {
    let commit = json!({"hash": SHORT});
    let pull_request = json!({
        "id": 12, "state": "MERGED", "merge_commit": commit,
        "source": {"commit": {"hash": "bbbbbbbbbbbb"}}, "destination": {"commit": commit},
    });
    import(lake, "pull_requests", &[pull_request]);
    let pipeline = |uuid: &str, hash: &str| {
        json!({
            "uuid": uuid, "build_number": 7, "target": {"ref_name": "main", "commit": {"hash": hash}},
            "state": {"name": "COMPLETED", "result": {"name": "SUCCESSFUL"}},
        })
    };
    import(
        lake,
        "pipelines",
        &[pipeline("{p}", SHORT), pipeline("{q}", "cccccccccccc")],
    );
    let deployment = |uuid: &str, of: &str, hash: &str, minute: u8| {
        json!({
            "uuid": uuid, "environment": {"name": "prod"},
            "release": {"pipeline": {"uuid": of}, "commit": {"hash": hash}},
            "state": {
                "name": "COMPLETED", "status": {"name": "SUCCESSFUL"},
                "completed_on": format!("2026-03-02T10:{minute:02}:00Z"),
            },
        })
    };
    import(
        lake,
        "deployments",
        &[
            deployment("{d}", "{p}", SHORT, 30),
            deployment("{e}", "{q}", "cccccccccccc", 10),
        ],
    );
}

fn commit(hash: &str, parent: &str) -> Value {
    json!({"hash": hash, "message": "m", "parents": [{"hash": parent}]})
}

fn older() -> String {
    "c".repeat(40)
}

pub(crate) async fn texts(lake: &Lake, sql: &str) -> Vec<String> {
    let rows = lake.ask(sql).await.rows;
    let text = |cell: &Cell| match cell {
        Cell::Text(text) => text.clone(),
        other => panic!("{sql} gave {other:?}"),
    };
    rows.iter().map(|row| text(&row[0])).collect()
}

/// The commit that every row names, wherever the short hash was given.
async fn named(lake: &Lake) -> String {
    let mut found = Vec::new();
    for sql in [
        "SELECT merge_commit_sha FROM pull_requests",
        "SELECT base_commit_sha FROM pull_requests",
        "SELECT commit_sha FROM cicd_pipeline_commits WHERE pipeline_id LIKE '%{p}'",
        "SELECT commit_sha FROM cicd_deployment_commits WHERE id LIKE '%{d}'",
    ] {
        found.extend(texts(lake, sql).await);
    }
    assert_eq!(found.len(), 4, "{found:?}");
    found.dedup();
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

/// Hashes of each kind that the steps of a `transform` reported: unknown, ambiguous.
fn transformed(lake: &Lake) -> (u64, u64) {
    let told = ended_output(lake.start(&["transform", "--json"]));
    let events = told.lines().map(|line| serde_json::from_str(line).unwrap());
    let of = |event: &Value, name: &str| event[name].as_u64().unwrap_or_default();
    let counts = events.map(|event: Value| {
        let unknown = of(&event, "unknown_hashes");
        (unknown, of(&event, "ambiguous_hashes"))
    });
    counts.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
}

async fn states(lake: &Lake) -> Vec<String> {
    texts(
        lake,
        "SELECT state FROM short_hashes ORDER BY step, row_key, short_sha",
    )
    .await
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_hash_is_full_while_one_commit_begins_with_it_whenever_that_arrives(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(lake) = Lake::with(on, &offline()).await else {
        return;
    };
    import_namers(&lake);
    assert_eq!(transformed(&lake), (6, 0), "no commit is there");
    assert_eq!(named(&lake).await, SHORT);
    assert_eq!(transformed(&lake), (0, 0), "nothing was converted again");

    import(
        &lake,
        "commits",
        &[
            commit(&full('1'), &older()),
            commit(&older(), &"d".repeat(40)),
        ],
    );
    assert_eq!(transformed(&lake), (1, 0), "the head is still unknown");
    assert_eq!(named(&lake).await, full('1'));
    let tool = "SELECT merge_commit_sha FROM _tool_bitbucket_pull_requests";
    assert_eq!(texts(&lake, tool).await, [SHORT], "as the API said");
    let diffs = "SELECT state FROM commits_diff_pairs WHERE kind = 'DEPLOYMENT'";
    assert_ne!(texts(&lake, diffs).await, ["MISSING"]);
    let brought = "SELECT commit_sha FROM commits_diffs";
    assert_eq!(texts(&lake, brought).await, [full('1')]);

    import(&lake, "commits", &[commit(&full('2'), &full('1'))]);
    assert_eq!(transformed(&lake), (1, 3), "two begin alike now");
    assert_eq!(named(&lake).await, SHORT);
    assert_eq!(texts(&lake, diffs).await, ["MISSING"]);
    let expected = [
        "AMBIGUOUS",
        "FULL",
        "AMBIGUOUS",
        "FULL",
        "AMBIGUOUS",
        "UNKNOWN",
    ];
    assert_eq!(states(&lake).await, expected);

    let at_once = Lake::with(on, &offline()).await.unwrap();
    let all = [
        commit(&full('2'), &full('1')),
        commit(&full('1'), &older()),
        commit(&older(), &"d".repeat(40)),
    ];
    import(&at_once, "commits", &all);
    import_namers(&at_once);
    transformed(&at_once);
    assert_eq!(lake.differences(&at_once).await, []);
}

const MERGED: &str = "SELECT COUNT(*) FROM pull_requests WHERE merge_commit_sha <> ''";
const RESOLVED: &str = "SELECT COUNT(*) FROM pull_requests AS pr JOIN repo_commits AS held \
                        ON held.repo_id = pr.base_repo_id AND held.commit_sha = pr.merge_commit_sha";

fn force_push(simulator: &Simulator) {
    let slug = simulator.world().repositories()[0].slug.clone();
    let change = GitChange::ForcePush { drop: 3, count: 1 };
    simulator.world().change_git(&slug, &change).unwrap();
}

#[rstest]
#[case::by_the_api(Sqlite, false)]
#[case::by_git(Sqlite, true)]
#[case::by_git(Postgres, true)]
#[case::by_the_api(MariaDb, false)]
#[tokio::test(flavor = "multi_thread")]
async fn a_hash_is_short_again_when_a_forced_push_takes_its_commit_away(
    #[case] on: On,
    #[case] by_git: bool,
) {
    let simulator = company().await;
    let mut rules = under(&simulator, "deployment_pattern = \"(?i)deploy\"");
    if by_git {
        let git = format!(
            "git.enabled = true\ngit.url = \"{}\"\n",
            simulator.git_url()
        );
        rules = rules.replace("\n[scope_config", &format!("{git}\n[scope_config"));
    }
    let Some(lake) = Lake::with(on, &rules).await else {
        return;
    };
    assert_eq!(lake.sync(How::default()).await.0, Exit::Ok);
    let merged = lake.number(MERGED).await;
    assert!(merged > 0, "the company merges");
    assert_eq!(lake.number(RESOLVED).await, merged);
    force_push(&simulator);
    assert_eq!(lake.sync(How::default()).await.0, Exit::Ok);
    let lost = merged - lake.number(RESOLVED).await;
    assert!((1..=3).contains(&lost), "{lost} of {merged} are lost");
    let fresh = Lake::with(on, &rules).await.unwrap();
    fresh.sync(How::default()).await;
    assert_eq!(lake.differences(&fresh).await, []);
    let (_, run) = lake.sync(How::default()).await;
    assert_eq!((run.written, run.removed), (0, 0), "{run:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn hashes_become_full_when_commits_are_collected_later_and_only_their_rows_are_written() {
    let simulator = company().await;
    let review = under(&simulator, "entities = [\"code-review\"]");
    let both = under(&simulator, "entities = [\"code-review\", \"code\"]");
    let mut lake = Lake::with(Sqlite, &review).await.unwrap();
    lake.sync(How::default()).await;
    let merged = lake.number(MERGED).await;
    assert_eq!(lake.number(RESOLVED).await, 0);
    let unknown = "SELECT COUNT(*) FROM short_hashes WHERE state = 'UNKNOWN'";
    assert!(lake.number(unknown).await >= merged);
    lake.execute("UPDATE pull_requests SET updated_at = '2000-01-01 00:00:00'")
        .await;
    lake.configure(&both);
    lake.sync(How::default()).await;
    assert_eq!(lake.number(RESOLVED).await, merged);
    let written = "SELECT COUNT(*) FROM pull_requests WHERE updated_at > '2001'";
    let changed =
        "SELECT COUNT(DISTINCT row_key || repo_id) FROM short_hashes WHERE state = 'FULL'";
    assert_eq!(lake.number(written).await, lake.number(changed).await);
    let fresh = Lake::with(Sqlite, &both).await.unwrap();
    fresh.sync(How::default()).await;
    assert_eq!(lake.differences(&fresh).await, []);
}

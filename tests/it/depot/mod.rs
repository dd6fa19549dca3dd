//! A second source beside Bitbucket Cloud: declared in these tests, with an API that speaks
//! another dialect, through all three stages, on all databases.

mod server;
mod source;

use headwater::exit::Exit;
use headwater::sources::Sources;
use headwater::sources::bitbucket::bitbucket;
use headwater_store::compare::tables_equal;
use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;

use crate::lake::{How, Lake, configuration, tiny};
use server::{Server, pull_request};
use source::{TABLES, depot};

/// A lake of everything in a depot, after the connections of other sources.
async fn lake(on: On, depots: &Server, others: &str) -> Option<Lake> {
    lake_of(on, depots, others, "ops/repos/*").await
}

async fn lake_of(on: On, depots: &Server, others: &str, scope: &str) -> Option<Lake> {
    let text = format!(
        "{others}\n[[connection]]\nid = 2\nname = \"depot\"\nkind = \"bitbucket-data-center\"\n\
         endpoint = \"{}\"\nauth.kind = \"access-token\"\nauth.token = \"depot-token\"\n\
         requests_per_second = 1000\nburst = 1000\nscopes = [\"{scope}\"]\n",
        depots.server.endpoint
    );
    let mut lake = Lake::with(on, &text).await?;
    lake.sources = Sources::of(vec![bitbucket(), depot()]);
    for (table, like) in TABLES {
        let sql = match on {
            Postgres => format!("CREATE TABLE {table} (LIKE {like} INCLUDING ALL)"),
            MariaDb => format!("CREATE TABLE {table} LIKE {like}"),
            Sqlite => {
                let sql = format!(
                    "SELECT group_concat(sql, ';') FROM sqlite_master WHERE tbl_name = '{like}'"
                );
                let made = lake.ask(&sql).await.rows[0][0].clone();
                let headwater_store::query::Cell::Text(sql) = made else {
                    panic!("{like}: {made:?}");
                };
                sql.replace(like, table)
            }
        };
        lake.execute(&sql).await;
    }
    Some(lake)
}

/// Rows of a query, cells joined by a blank.
async fn rows(lake: &Lake, sql: &str) -> Vec<String> {
    let answer = lake.ask(sql).await;
    let shown = |cell: &headwater_store::query::Cell| match cell {
        headwater_store::query::Cell::Text(text) => text.clone(),
        headwater_store::query::Cell::Integer(number) => number.to_string(),
        other => format!("{other:?}"),
    };
    let rows = answer.rows.iter();
    rows.map(|row| row.iter().map(shown).collect::<Vec<_>>().join(" "))
        .collect()
}

const CHANGES: &str =
    "SELECT id, status, author_id FROM pull_requests WHERE id LIKE 'depot:%' ORDER BY id";

/// Fails unless a first sync into an empty lake gives the same tables.
async fn assert_equals_a_first_sync(on: On, lake: &Lake, depots: &Server, others: &str) {
    let fresh = self::lake(on, depots, others).await.unwrap();
    assert_eq!(fresh.sync(How::default()).await.0, Exit::Ok);
    let tables = lake.sources.tables();
    let differences = tables_equal(&lake.store, &fresh.store, &tables, 20).await;
    let shown: Vec<String> = differences
        .unwrap()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert!(shown.is_empty(), "{shown:#?}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_source_with_another_dialect_is_collected_beside_bitbucket_cloud_in_one_run(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let (cloud, depots) = (tiny().await, Server::start().await);
    let others = configuration(&cloud.endpoint(), crate::lake::ALL);
    let Some(lake) = lake(on, &depots, &others).await else {
        return;
    };
    depots.stock().pull_requests[3] = pull_request(4, "MERGED");
    let (exit, first) = lake.sync(How::default()).await;
    assert_eq!(exit, Exit::Ok, "{first:?}");
    assert_eq!(
        rows(&lake, CHANGES).await,
        [
            "depot:Change:2:ops/repos/pump:1 OPEN depot:Person:2:bob",
            "depot:Change:2:ops/repos/pump:2 OPEN depot:Person:2:ann",
            "depot:Change:2:ops/repos/pump:3 OPEN depot:Person:2:bob",
            "depot:Change:2:ops/repos/pump:4 MERGED depot:Person:2:ann",
            "depot:Change:2:ops/repos/pump:5 OPEN depot:Person:2:bob",
        ]
    );
    let people = "SELECT id, full_name FROM accounts WHERE id LIKE 'depot:%' ORDER BY id";
    let expected = ["depot:Person:2:ann ANN", "depot:Person:2:bob BOB"];
    assert_eq!(rows(&lake, people).await, expected);
    let closed = "SELECT COUNT(*) FROM pull_requests AS pr JOIN repos ON repos.id = pr.base_repo_id \
                  WHERE repos.id = 'depot:Repo:2:ops/repos/pump' AND closed_date > pr.created_date";
    assert_eq!(lake.number(closed).await, 1);
    for table in ["repos", "pull_requests", "accounts"] {
        let of_cloud = format!("SELECT COUNT(*) FROM {table} WHERE id LIKE 'bitbucket:%:1:%'");
        assert!(lake.number(&of_cloud).await > 0, "{table}");
    }
    let (exit, second) = lake.sync(How::default()).await;
    assert_eq!((exit, second.written, second.removed), (Exit::Ok, 0, 0));

    // One changes, one goes, one comes.
    depots.stock().pull_requests[1] = pull_request(2, "MERGED");
    depots.stock().pull_requests.remove(2);
    depots.stock().pull_requests.push(pull_request(6, "OPEN"));
    assert_eq!(lake.sync(How::default()).await.0, Exit::Ok);
    assert_eq!(rows(&lake, CHANGES).await.len(), 5);
    assert_equals_a_first_sync(on, &lake, &depots, &others).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_no_page_counts_is_read_until_nothing_was_missed() {
    let depots = Server::start().await;
    let lake = lake(Sqlite, &depots, "").await.unwrap();
    // The third one moves to the page that has been read.
    depots.stock().goes_after_first_page = Some(1);
    assert_eq!(lake.sync(How::default()).await.0, Exit::Ok);
    let number = "SELECT pull_request_key FROM pull_requests ORDER BY id";
    // What was met in a reading is gone when a whole walk does not meet it.
    assert_eq!(rows(&lake, number).await, ["1", "2", "3", "4", "5"]);
    assert_eq!(lake.sync(How::default()).await.0, Exit::Ok);
    assert_eq!(rows(&lake, number).await, ["2", "3", "4", "5"]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn rows_of_a_repository_follow_its_new_name_under_the_ids_of_their_source(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let depots = Server::start().await;
    let Some(lake) = lake(on, &depots, "").await else {
        return;
    };
    assert_eq!(lake.sync(How::default()).await.0, Exit::Ok);
    depots.stock().slug = "pumps";
    assert_eq!(lake.sync(How::default()).await.0, Exit::Ok);
    let ids = rows(&lake, CHANGES).await;
    assert_eq!(ids.len(), 5);
    let is_renamed = |row: &String| row.starts_with("depot:Change:2:ops/repos/pumps:");
    assert!(ids.iter().all(is_renamed), "{ids:#?}");
    assert_equals_a_first_sync(on, &lake, &depots, "").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_are_read_and_weighed_as_the_dialect_says() {
    for (status, exception, expected) in [
        (
            401,
            "IncorrectPasswordAuthenticationException",
            "check the token of the depot",
        ),
        (
            401,
            "AuthorisationException",
            "not permitted (403: Not here)",
        ),
    ] {
        let depots = Server::start().await;
        let lake = lake_of(Sqlite, &depots, "", "ops/repos/pump")
            .await
            .unwrap();
        depots.stock().refuses = Some((status, exception));
        let (exit, summary) = lake.sync(How::default()).await;
        assert_eq!(exit, Exit::Credentials, "{exception}: {summary:?}");
        let said = "SELECT message FROM _headwater_steps WHERE state = 'failed'";
        let said = rows(&lake, said).await;
        assert!(said.iter().any(|line| line.contains(expected)), "{said:?}");
    }
}

//! Pages of rows are bounded by their bytes: a row may be as long as an answer.

use headwater_domain::Table;
use headwater_domain::tool::bitbucket::pull_request;
use headwater_store::raw::NewItem;
use headwater_store::rows_in_pages::PAGE_BYTES;
use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;
use sea_orm::ConnectionTrait as _;

use crate::temp_store::{RAW, TempStore, item, rocket};

#[rstest]
#[tokio::test]
async fn as_many_rows_are_read_in_one_go_as_fit(#[values(Sqlite, Postgres, MariaDb)] on: On) {
    let Some(store) = TempStore::on(on).await else {
        return;
    };
    let third = usize::try_from(PAGE_BYTES).unwrap() / 3;
    let long = "x".repeat(third);
    for (at, key) in (1..).zip(["a", "b", "c", "d"]) {
        let item = NewItem {
            content_hash: key.to_owned(),
            ..item("", key, &long)
        };
        store.collect(at, vec![item]).await;
    }
    store
        .collect(5, vec![item("", "e", "1"), item("", "f", "1")])
        .await;
    let mut position = (0, 0);
    let mut pages = Vec::new();
    let mut ids = Vec::new();
    loop {
        let page = store.changed_items(&rocket(), RAW, position, 512).await;
        let page = page.unwrap();
        let Some(last) = page.last() else {
            break;
        };
        position = (last.changed_seq, last.id);
        ids.extend(page.iter().map(|row| row.id));
        pages.push(page.into_iter().map(|row| row.key).collect::<String>());
    }
    assert_eq!(pages, ["abc", "def"]);
    assert_eq!(store.fitting_ids(RAW, &ids).await.unwrap(), 3);
    assert_eq!(store.fitting_ids(RAW, &ids[3..]).await.unwrap(), 3);
    let exported = store.rows_to_export(RAW, None, 0, 512).await.unwrap();
    assert_eq!(exported.len(), 3);
}

#[rstest]
#[tokio::test]
async fn as_many_keys_are_converted_in_one_go_as_fit(#[values(Sqlite, Postgres, MariaDb)] on: On) {
    let Some(store) = TempStore::on(on).await else {
        return;
    };
    let half = PAGE_BYTES / 2 + 1;
    for number in 1..=3 {
        let description = match on {
            Sqlite => format!("printf('%.*c', {half}, 'x')"),
            _ => format!("REPEAT('x', {half})"),
        };
        let text = format!(
            "INSERT INTO _tool_bitbucket_pull_requests \
             (connection_id, repo_id, bitbucket_id, changed_seq, description) \
             VALUES (1, '{}', {number}, 1, {description})",
            rocket().full_name
        );
        store.connection().execute_unprepared(&text).await.unwrap();
    }
    let table = Table::of::<pull_request::Entity>();
    let tables = [(table, "bitbucket_id")];
    let keys = ["1", "2", "3"].map(str::to_owned);
    let fitting = store.fitting_keys(&rocket(), &tables, &keys).await.unwrap();
    assert_eq!(fitting, 1);
    let unknown = ["7", "8"].map(str::to_owned);
    let fitting = store.fitting_keys(&rocket(), &tables, &unknown).await;
    assert_eq!(fitting.unwrap(), 2);
}

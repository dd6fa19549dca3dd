//! A comparison finds one wrong cell in any table, and nothing where nothing counts.

use std::collections::BTreeSet;

use headwater_domain::Table;
use headwater_domain::code::{
    pull_request, pull_request_comment, pull_request_commit, pull_request_event,
    pull_request_reviewer, repo,
};
use headwater_domain::crossdomain::account;
use headwater_domain::devops::cicd_scope;
use headwater_domain::ticket::board;
use headwater_domain::tool::bitbucket as tool;
use headwater_store::compare::{Difference, EXCLUDED_COLUMNS, SHARED_TABLES, Tables, tables_equal};
use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use proptest::prelude::*;

use crate::temp_store::{TempStore, columns_of};
use rstest::rstest;

const RAW_TABLES: [&str; 5] = [
    "_raw_bitbucket_api_repositories",
    "_raw_bitbucket_api_pull_requests",
    "_raw_bitbucket_api_pull_request_activities",
    "_raw_bitbucket_api_pull_request_comments",
    "_raw_bitbucket_api_pull_request_commits",
];

/// Every tool and domain table.
fn row_tables() -> Vec<&'static Table> {
    vec![
        Table::of::<tool::repository::Entity>(),
        Table::of::<tool::account::Entity>(),
        Table::of::<headwater_domain::headwater::account_mention::Entity>(),
        Table::of::<tool::pull_request::Entity>(),
        Table::of::<tool::pull_request_activity::Entity>(),
        Table::of::<tool::pull_request_comment::Entity>(),
        Table::of::<tool::pull_request_commit::Entity>(),
        Table::of::<tool::pull_request_reviewer::Entity>(),
        Table::of::<repo::Entity>(),
        Table::of::<board::Entity>(),
        Table::of::<cicd_scope::Entity>(),
        Table::of::<account::Entity>(),
        Table::of::<pull_request::Entity>(),
        Table::of::<pull_request_comment::Entity>(),
        Table::of::<pull_request_commit::Entity>(),
        Table::of::<pull_request_event::Entity>(),
        Table::of::<pull_request_reviewer::Entity>(),
    ]
}

/// The tables to compare, each with the columns of its key.
fn all_tables() -> Vec<(Tables, String, Vec<String>)> {
    let raw = RAW_TABLES.map(|name| {
        let keys = ["params", "parent", "item_key"].map(str::to_owned);
        let tables = Tables {
            raw: vec![name.to_owned()],
            rows: Vec::new(),
        };
        (tables, name.to_owned(), keys.to_vec())
    });
    let rows = row_tables().into_iter().map(|table| {
        let keys = table.columns.iter().filter(|column| column.key);
        let keys = keys.map(|column| column.name.clone()).collect();
        let tables = Tables {
            raw: Vec::new(),
            rows: vec![table],
        };
        (tables, table.name.to_owned(), keys)
    });
    raw.into_iter().chain(rows).collect()
}

/// A column as the database has it.
struct Column {
    name: String,
    kind: String,
}

impl Column {
    /// A value as SQL that differs from row to row and between variants.
    fn literal(&self, row: usize, variant: &str) -> String {
        let kind = self.kind.to_lowercase();
        let number = format!("{}{row}", 1 + variant.len());
        let bytes = format!("0{row}{:02}", variant.len());
        // SQLite stores times as text of a fixed width.
        let is_text_of_time = kind == "text" && (self.name.ends_with("_at") || is_time(&self.name));
        match kind.as_str() {
            "boolean" => if variant.is_empty() { "true" } else { "false" }.to_owned(),
            "tinyint" => i32::from(variant.is_empty()).to_string(),
            kind if kind.contains("int") => number,
            "bytea" => format!("'\\x{bytes}'"),
            kind if kind.contains("blob") => format!("x'{bytes}'"),
            kind if is_text_of_time || kind.starts_with("timestamp") => {
                format!("'2026-03-{:02}T10:00:0{row}.000+00:00'", 1 + variant.len())
            }
            "datetime" => format!("'2026-03-{:02} 10:00:0{row}.000'", 1 + variant.len()),
            _ => format!("'{} {row}{variant}'", self.name),
        }
    }
}

fn is_time(name: &str) -> bool {
    name.ends_with("_date") || name.ends_with("_on") || name == "at"
}

async fn columns(store: &TempStore, table: &str) -> Vec<Column> {
    let rows = store.rows(&columns_of(store.database.on, table)).await;
    let split = |row: String| {
        let (name, kind) = row.split_once(" | ").unwrap();
        Column {
            name: name.to_owned(),
            kind: kind.to_owned(),
        }
    };
    rows.into_iter().map(split).collect()
}

async fn fill(store: &TempStore, table: &str, columns: &[Column]) {
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    for row in 1..=3 {
        let values: Vec<String> = columns
            .iter()
            .map(|column| column.literal(row, ""))
            .collect();
        let sql = format!(
            "INSERT INTO {table} ({}) VALUES ({})",
            names.join(", "),
            values.join(", ")
        );
        store.execute(&sql).await;
    }
}

async fn differences(left: &TempStore, right: &TempStore, tables: &Tables) -> Vec<Difference> {
    tables_equal(left, right, tables, 100).await.unwrap()
}

/// What must be found when this column of one row differs: names of columns, or two halves.
fn expected(table: &str, column: &str, keys: &[String]) -> usize {
    let origin = ["_raw_data_params", "_raw_data_table"].contains(&column);
    // A raw table's id is a surrogate of its own.
    let surrogate = table.starts_with("_raw_") && column == "id";
    let shared = SHARED_TABLES.contains(&table) && origin;
    if EXCLUDED_COLUMNS.contains(&column) || surrogate || shared {
        0
    } else if keys.iter().any(|key| key == column) {
        2
    } else {
        1
    }
}

#[rstest]
#[tokio::test]
async fn one_wrong_cell_in_any_column_of_any_table_is_found_and_named(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let (Some(left), Some(right)) = (TempStore::on(on).await, TempStore::on(on).await) else {
        return;
    };
    let mut checked = 0;
    for (tables, table, keys) in all_tables() {
        let columns = columns(&left, &table).await;
        assert!(!columns.is_empty(), "{table} is there");
        fill(&left, &table, &columns).await;
        fill(&right, &table, &columns).await;
        assert_eq!(differences(&left, &right, &tables).await, [], "{table}");
        for column in &columns {
            let name = &column.name;
            let set = |variant| {
                let value = column.literal(2, variant);
                let this = columns[0].literal(2, "");
                let other = columns[0].literal(2, "x");
                let id = &columns[0].name;
                format!("UPDATE {table} SET {name} = {value} WHERE {id} IN ({this}, {other})")
            };
            right.execute(&set("x")).await;
            let found = differences(&left, &right, &tables).await;
            let wanted = expected(&table, name, &keys);
            assert_eq!(found.len(), wanted, "{table}.{name}: {found:?}");
            match found.as_slice() {
                [cell] => {
                    let cell = cell.cell.as_ref().unwrap();
                    assert_eq!(&cell.0, name, "{table}");
                    assert_ne!(cell.1, cell.2, "{table}.{name}");
                }
                rows => assert!(rows.iter().all(|row| row.cell.is_none()), "{table}.{name}"),
            }
            assert!(found.iter().all(|found| found.table == table));
            right.execute(&set("")).await;
            checked += 1;
        }
        assert_eq!(
            differences(&left, &right, &tables).await,
            [],
            "{table} is whole again"
        );
    }
    assert!(checked > 250, "only {checked} columns");
}

#[rstest]
#[tokio::test]
async fn null_differs_from_empty_and_from_zero(#[values(Sqlite, Postgres, MariaDb)] on: On) {
    let (Some(left), Some(right)) = (TempStore::on(on).await, TempStore::on(on).await) else {
        return;
    };
    let table = Table::of::<repo::Entity>();
    let tables = Tables {
        raw: Vec::new(),
        rows: vec![table],
    };
    let columns = columns(&left, table.name).await;
    for store in [&left, &right] {
        fill(store, table.name, &columns).await;
    }
    for (column, value) in [("name", "''"), ("deleted", "false")] {
        left.execute(&format!("UPDATE repos SET {column} = {value}"))
            .await;
        right
            .execute(&format!("UPDATE repos SET {column} = NULL"))
            .await;
        assert_eq!(
            differences(&left, &right, &tables).await.len(),
            3,
            "{column}"
        );
        right
            .execute(&format!("UPDATE repos SET {column} = {value}"))
            .await;
    }
}

#[rstest]
#[tokio::test]
async fn the_list_of_differences_reads_as_sentences_and_ends_at_its_limit(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let (Some(left), Some(right)) = (TempStore::on(on).await, TempStore::on(on).await) else {
        return;
    };
    let tables = Tables {
        raw: Vec::new(),
        rows: vec![Table::of::<repo::Entity>()],
    };
    left.execute("INSERT INTO repos (id, name) VALUES ('a', 'here'), ('b', ''), ('d', '')")
        .await;
    right
        .execute("INSERT INTO repos (id, name) VALUES ('a', 'there'), ('c', ''), ('d', '')")
        .await;
    let found = differences(&left, &right, &tables).await;
    let shown: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "repos a: name is 'here' here and 'there' there",
            "repos b: only here",
            "repos c: only there"
        ]
    );
    for limit in [1, 2] {
        let found = tables_equal(&left, &right, &tables, limit).await.unwrap();
        assert_eq!(found.len(), limit);
    }
}

#[rstest]
#[tokio::test]
async fn a_difference_far_behind_the_first_page_is_found(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let (Some(left), Some(right)) = (TempStore::on(on).await, TempStore::on(on).await) else {
        return;
    };
    let tables = Tables {
        raw: Vec::new(),
        rows: vec![Table::of::<tool::pull_request::Entity>()],
    };
    for store in [&left, &right] {
        let rows: Vec<String> = (1..=1203)
            .map(|i| format!("(1, 'a/b', {i}, {i})"))
            .collect();
        let sql = format!(
            "INSERT INTO _tool_bitbucket_pull_requests \
             (connection_id, repo_id, bitbucket_id, changed_seq) VALUES {}",
            rows.join(", ")
        );
        store.execute(&sql).await;
    }
    assert_eq!(differences(&left, &right, &tables).await, []);
    right
        .execute("DELETE FROM _tool_bitbucket_pull_requests WHERE bitbucket_id = 500")
        .await;
    right
        .execute("UPDATE _tool_bitbucket_pull_requests SET title = 'x' WHERE bitbucket_id = 1201")
        .await;
    let found = differences(&left, &right, &tables).await;
    let keys: Vec<&str> = found.iter().map(|found| found.key.as_str()).collect();
    assert_eq!(keys, ["1 a/b 500", "1 a/b 1201"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn rows_on_one_side_are_the_symmetric_difference_of_the_keys(
        left in prop::collection::btree_set("[a-cA-C0-2äÖ🚀 ]{0,3}", 0..12),
        right in prop::collection::btree_set("[a-cA-C0-2äÖ🚀 ]{0,3}", 0..12),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let stores = (TempStore::new().await, TempStore::new().await);
            let tables = Tables {
                raw: Vec::new(),
                rows: vec![Table::of::<repo::Entity>()],
            };
            for (store, keys) in [(&stores.0, &left), (&stores.1, &right)] {
                for key in keys {
                    store.execute(&format!("INSERT INTO repos (id) VALUES ('{key}')")).await;
                }
            }
            let found = differences(&stores.0, &stores.1, &tables).await;
            let side = |only_left| -> BTreeSet<String> {
                let rows = found.iter().filter(|found| found.only_left == only_left);
                rows.map(|found| found.key.clone()).collect()
            };
            assert_eq!(side(true), left.difference(&right).cloned().collect());
            assert_eq!(side(false), right.difference(&left).cloned().collect());
        });
    }
}

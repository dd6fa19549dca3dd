//! One list of one stream: its good items, and what is beside them when it is hostile.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use headwater::source::StreamEntry;
use headwater_collectors::{Endpoint, Paging};
use headwater_domain::table::Layer;
use headwater_simulator::{Fault, Simulator};
use headwater_store::compare::Difference;
use headwater_store::query::Cell;
use serde_json::Value;

use crate::lake::Lake;

/// How many different payloads of a stream are spoilt.
const SEEDS: usize = 4;

pub(super) struct Target {
    pub(super) stream: &'static str,
    pub(super) endpoint: Endpoint,
    raw_table: String,
    tables: Vec<&'static str>,
    /// Path of the list, `/2.0/...`.
    path: String,
    /// `workspace/slug:12` of the items' parent, or its UUID, as domain ids have it; none without
    /// a parent.
    parent: Option<String>,
    /// Keys of the good items, of all lists.
    known: BTreeSet<String>,
    /// The list's items in peace, as received.
    pub(super) good: Vec<String>,
    /// Payloads of different forms to be spoilt.
    pub(super) seeds: Vec<Value>,
    /// Some good items of this stream make no rows of their own.
    pub(super) some_make_no_rows: bool,
}

impl Target {
    /// The stream's longest list.
    pub(super) async fn of(entry: &StreamEntry, lake: &Lake) -> Self {
        let collection = &entry.collection;
        let table = &collection.raw_table;
        let longest = format!(
            "SELECT url, parent, params FROM {table} GROUP BY url, parent, params \
             ORDER BY COUNT(*) DESC, url LIMIT 1"
        );
        let longest = texts(lake, &longest).await.remove(0);
        let single = collection.endpoint.paging == Paging::Single;
        let items =
            format!("SELECT item_key, CAST(data AS TEXT), url, parent FROM {table} ORDER BY id");
        let items = texts(lake, &items).await;
        let here = items.iter().filter(|row| single || row[2] == longest[0]);
        let good: Vec<String> = here.map(|row| row[1].clone()).collect();
        assert!(good.len() > 1, "{table} has no list with neighbours");
        let url = url::Url::parse(&longest[0]).unwrap();
        let params: Value = serde_json::from_str(&longest[2]).unwrap();
        let full_name = params.as_object().unwrap().values().find_map(Value::as_str);
        let target = Self {
            stream: collection.stream,
            endpoint: collection.endpoint,
            raw_table: table.clone(),
            tables: entry
                .extraction
                .tables
                .iter()
                .map(|table| table.name)
                .collect(),
            path: if single {
                "/2.0/repositories/acme".to_owned()
            } else {
                url.path().to_owned()
            },
            parent: collection
                .parent
                .is_some()
                .then(|| in_domain_ids(full_name.unwrap(), &longest[1])),
            known: items.iter().map(|row| row[0].clone()).collect(),
            seeds: seeds(items.iter().map(|row| row[1].as_str()), table),
            good,
            some_make_no_rows: false,
        };
        let all = texts(lake, &format!("SELECT CAST(id AS TEXT) FROM {table}")).await;
        Self {
            some_make_no_rows: target.extracted(lake).await.len() < all.len(),
            ..target
        }
    }

    /// Lets the simulator answer with these items among the good ones. Lists that were not asked for
    /// in peace are empty.
    pub(super) fn serve(
        &self,
        simulator: &Simulator,
        known_paths: &BTreeSet<String>,
        hostile: &[Vec<u8>],
    ) {
        let good: Vec<&[u8]> = self.good.iter().map(String::as_bytes).collect();
        let (before, after) = good.split_at(good.len() / 2);
        let hostile = hostile.iter().map(Vec::as_slice);
        let all = before
            .iter()
            .copied()
            .chain(hostile)
            .chain(after.iter().copied());
        let values = all.collect::<Vec<_>>().join(b",".as_slice());
        let page = [b"{\"pagelen\": 50, \"values\": [", values.as_slice(), b"]}"].concat();
        let (page, path) = (Bytes::from(page), self.path.clone());
        let known_paths = known_paths.clone();
        let json = |body: Bytes| Some(Fault::Body(body, "application/json".to_owned()));
        simulator.set_faults(Some(Arc::new(move |request| {
            if request.path == path {
                json(page.clone())
            } else if known_paths.contains(&request.path) {
                None
            } else {
                json(Bytes::from_static(b"{\"values\": []}"))
            }
        })));
    }

    /// True for the key of an item that some list has in peace too.
    pub(super) fn is_known(&self, key: &str) -> bool {
        self.known.contains(key)
    }

    /// True for what a repository is found by: without it, it belongs to no repository.
    pub(super) fn names_the_scope(&self, place: &[String]) -> bool {
        self.endpoint.paging == Paging::Single && place.first().is_some_and(|p| p == "full_name")
    }

    /// True for a row that a hostile item may change though it is another's: accounts, domain rows
    /// of its parent, and what a tag or deployment that lands adds by being its neighbours'
    /// predecessor.
    pub(super) fn may_change(&self, found: &Difference) -> bool {
        let of_parent = |parent: &String| {
            Layer::of(&found.table) == Layer::Domain && found.key.contains(parent.as_str())
        };
        is_comparison(found)
            || found.cell.is_some()
                && (super::is_shared(&found.table) || self.parent.as_ref().is_some_and(of_parent))
    }

    /// Ids of the raw rows that were not there in peace, by key.
    pub(super) async fn raw_rows(&self, lake: &Lake) -> BTreeMap<String, i64> {
        let sql = format!("SELECT item_key, CAST(id AS TEXT) FROM {}", self.raw_table);
        let rows = texts(lake, &sql).await.into_iter();
        let rows = rows.map(|row| (row[0].clone(), row[1].parse().unwrap()));
        rows.filter(|(key, _)| !self.known.contains(key)).collect()
    }

    /// Ids of the raw rows that became tool rows.
    pub(super) async fn extracted(&self, lake: &Lake) -> BTreeSet<i64> {
        let mut ids = BTreeSet::new();
        for table in &self.tables {
            let sql = format!(
                "SELECT DISTINCT CAST(_raw_data_id AS TEXT) FROM {table} \
                 WHERE _raw_data_table = '{}'",
                self.raw_table
            );
            let rows = texts(lake, &sql).await;
            ids.extend(rows.iter().map(|row| row[0].parse::<i64>().unwrap()));
        }
        ids
    }
}

/// How ids of domain rows name an item: numbers are a repository's own, UUIDs are shared.
fn in_domain_ids(full_name: &str, key: &str) -> String {
    if key.starts_with('{') {
        key.to_owned()
    } else {
        format!("{full_name}:{key}")
    }
}

/// The payload as an item of its own: another number, hash, name and time than all others.
pub(super) fn with_identity(seed: &Value, number: usize) -> Value {
    let mut payload = seed.clone();
    let id = 1_000_000 + number;
    let time = 1_700_000_000 + i64::try_from(number).unwrap();
    let time = chrono::DateTime::from_timestamp(time, 0)
        .unwrap()
        .to_rfc3339();
    let Some(members) = payload.as_object_mut() else {
        return payload;
    };
    // A membership is its member's.
    let kind = |kind: &str| members.get("type").is_some_and(|it| it == kind);
    let (is_membership, is_file) = (kind("workspace_membership"), kind("diffstat"));
    for (name, value) in members {
        match name.as_str() {
            "new" | "old" if is_file => set(value, "path", format!("hostile-{id}").into()),
            "id" => *value = id.into(),
            "hash" => *value = format!("{id:040x}").into(),
            "name" => *value = format!("hostile-{id}").into(),
            "key" => *value = format!("HOSTILE-{id}").into(),
            "user" if is_membership => {
                set(value, "uuid", format!("{{hostile-{id}}}").into());
                set(value, "account_id", format!("hostile-{id}").into());
            }
            "uuid" => *value = format!("{{hostile-{id}}}").into(),
            "full_name" => *value = format!("acme/hostile-{id}").into(),
            "comment" => set(value, "id", id.into()),
            "update" | "approval" | "changes_requested" => {
                set(value, "date", time.clone().into());
            }
            _ => {}
        }
    }
    payload
}

/// Recordings of other things, as items of a list.
pub(super) fn foreign_items() -> Vec<Vec<u8>> {
    let recorded = recorded_payloads();
    let items = recorded.iter().enumerate();
    items
        .map(|(number, payload)| {
            let payload = with_identity(payload, 500_000 + number);
            payload.to_string().into_bytes()
        })
        .collect()
}

fn set(object: &mut Value, name: &str, value: Value) {
    if let Some(members) = object.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
}

/// True for places that keys are made of.
pub(super) fn is_key(place: &[String]) -> bool {
    let names = [
        "id",
        "uuid",
        "account_id",
        "hash",
        "date",
        "state",
        "full_name",
        "path",
    ];
    place
        .last()
        .is_some_and(|last| names.contains(&last.as_str()))
        && place.len() <= 4
}

/// What a client makes of bytes that are not quite JSON before it takes them apart.
pub(super) fn mended(item: &[u8]) -> String {
    let text = String::from_utf8_lossy(item);
    if !text.contains(|character| character < ' ') {
        return text.into_owned();
    }
    let escape = |character: char| match character {
        '\0'..' ' => format!("\\u{:04x}", u32::from(character)),
        other => other.to_string(),
    };
    text.chars().map(escape).collect()
}

/// Payloads that differ in the members they have: of the simulator, and of the recordings.
fn seeds<'a>(items: impl Iterator<Item = &'a str>, raw_table: &str) -> Vec<Value> {
    let mut seeds = different(items.map(str::to_owned), SEEDS);
    seeds.extend(different(recorded_rows(raw_table).into_iter(), 2));
    seeds
}

fn different(items: impl Iterator<Item = String>, most: usize) -> Vec<Value> {
    let mut forms = BTreeSet::new();
    let payloads = items.filter_map(|item| serde_json::from_str::<Value>(&item).ok());
    let new = payloads.filter(|payload| {
        let members = payload
            .as_object()
            .map(|map| map.keys().cloned().collect::<Vec<_>>());
        forms.insert(members)
    });
    new.take(most).collect()
}

/// Items of the same stream as the real service once sent them.
fn recorded_rows(raw_table: &str) -> Vec<String> {
    let file = format!("../shared/oracle/bitbucket/raw/{raw_table}.csv");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let Ok(mut reader) = csv::Reader::from_path(&file) else {
        println!("no recordings of {raw_table} beside the checkout");
        return Vec::new();
    };
    let data = reader
        .headers()
        .unwrap()
        .iter()
        .position(|name| name == "data")
        .unwrap();
    reader
        .records()
        .map(|row| row.unwrap()[data].to_owned())
        .collect()
}

/// Objects of any kind that the real service once sent.
fn recorded_payloads() -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/fixtures/rest/cloud");
    let Ok(files) = std::fs::read_dir(folder) else {
        println!("no fixtures beside the checkout");
        return Vec::new();
    };
    let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    paths.sort();
    let texts = paths
        .iter()
        .filter_map(|path| std::fs::read_to_string(path).ok());
    let documents = texts.filter_map(|text| serde_json::from_str::<Value>(&text).ok());
    let items = documents.flat_map(|document| match document.get("values") {
        Some(Value::Array(values)) => values.clone(),
        _ => vec![document],
    });
    items.collect()
}

async fn texts(lake: &Lake, sql: &str) -> Vec<Vec<String>> {
    let rows = lake.ask(sql).await.rows;
    let text = |cell: &Cell| match cell {
        Cell::Text(text) => text.clone(),
        other => panic!("{sql} gave {other:?}"),
    };
    rows.iter()
        .map(|row| row.iter().map(text).collect())
        .collect()
}

/// True for what a tag or deployment is compared with, which another one that lands between the
/// two changes rightly; and for the commits that pull requests became, which any commit may be.
fn is_comparison(found: &Difference) -> bool {
    let predecessor = "prev_success_deployment_commit_id";
    let column = found.cell.as_ref().map(|(column, _, _)| column.as_str());
    match found.table.as_str() {
        "cicd_deployment_commits" => column == Some(predecessor),
        table => [
            "commits_diff_pairs",
            "commits_diffs",
            "ref_commits",
            "refs_issues_diffs",
            "_tool_refdiff_finished_commits_diffs",
            "pull_request_merges",
            "unlinked_pull_requests",
        ]
        .contains(&table),
    }
}

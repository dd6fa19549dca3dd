//! Hostile payloads, from the page to the domain tables: the item is stored, and then converted
//! or a dead letter; its neighbours land as if it were not there; nothing panics.
//!
//! Every stream of the registry is tried, so a new one needs no line here. Seeds are what the
//! simulator sends and, where they are beside the checkout, recordings of the real service.

mod mutations;
mod nesting;
mod target;
mod widths;

use std::collections::BTreeSet;

use headwater::exit::Exit;
use headwater::source::StreamEntry;
use headwater::sources::bitbucket::bitbucket;
use headwater_collectors::Paging;
use headwater_simulator::{Change, Habits, Options, Simulator, Size};
use headwater_store::compare::{Difference, SHARED_TABLES};
use headwater_store::query::Cell;
use headwater_testing::On;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::Value;

use crate::lake::{ALL, How as Sync, Lake, with_everything};
use mutations::{How, Mutation, deep, other_type, places, spoil, tokens};
use target::{Target, foreign_items, is_key, mended, with_identity};
use widths::width_question;

/// Hostile items in one list; repositories are scopes, each with lists of its own.
const AT_ONCE: usize = 400;
const REPOSITORIES_AT_ONCE: usize = 60;

/// A simulated company, and what a sync makes of it while no item is hostile.
struct Company {
    simulator: Simulator,
    lake: Lake,
    known_paths: BTreeSet<String>,
    /// How many rows have a text beyond its width, over all tables.
    width_question: String,
}

/// Gives issues comments and changes, and repositories tags.
fn fill_trackers_and_git(simulator: &Simulator) {
    let mut world = simulator.world();
    let mut random = StdRng::seed_from_u64(1);
    world.set_habits(Habits {
        git_share: 0.7,
        ..Habits::default()
    });
    for _ in 0..900 {
        let change = world.propose(&mut random);
        if matches!(change, Change::Git { .. } | Change::Tracker { .. }) {
            // What is refused leaves the world as it was.
            let _ = world.apply(&change);
        }
    }
}

/// An empty lake that collects all streams, also those that have to be asked for.
async fn lake_with_sizes(simulator: &Simulator) -> Lake {
    let text = with_everything(&simulator.endpoint(), ALL);
    let rules = "commit_statuses = true\npull_request_sizes = true\n";
    let text = text.replacen("commit_statuses = true\n", rules, 1);
    Lake::with(On::Sqlite, &text).await.unwrap()
}

impl Company {
    async fn new() -> Self {
        let size = Size {
            comments_per_pull_request: 5.0,
            verdicts_per_pull_request: 2.0,
            ..Size::tiny()
        };
        let options = Options {
            size,
            trackers: Some(3),
            ..Options::default()
        };
        let simulator = Simulator::start(options).await.unwrap();
        fill_trackers_and_git(&simulator);
        let lake = lake_with_sizes(&simulator).await;
        let (exit, _) = lake.sync(Sync::default()).await;
        assert_eq!(exit, Exit::Ok);
        let requests = simulator.take_requests().into_iter();
        Self {
            known_paths: requests.map(|request| request.path).collect(),
            width_question: width_question(&lake).await,
            simulator,
            lake,
        }
    }

    /// Syncs with these items among the good ones, and checks what became of all of them.
    async fn disturb(&self, target: &Target, hostile: &[Vec<u8>]) {
        target.serve(&self.simulator, &self.known_paths, hostile);
        let lake = lake_with_sizes(&self.simulator).await;
        let (exit, _) = lake.sync(Sync::default()).await;
        assert!(matches!(exit, Exit::Ok | Exit::Partial), "{exit:?}");
        self.check_neighbours(target, &lake).await;
        self.check_widths(&lake).await;
        let letters = check_items(target, hostile, &lake).await;
        assert_eq!(exit == Exit::Partial, !letters.is_empty(), "{letters:?}");

        let (again, summary) = lake.sync(Sync { full: true }).await;
        assert_eq!(again, exit, "a second run ends like the first one");
        assert_eq!(
            (summary.written, summary.removed),
            (0, 0),
            "a second run is stable"
        );
        assert_eq!(Letter::all(&lake).await, letters);
        self.simulator.set_faults(None);
    }

    /// SQLite takes text of any length; on a server such a row would have been an error.
    async fn check_widths(&self, lake: &Lake) {
        let question = &self.width_question;
        assert_eq!(lake.number(question).await, 0, "{question}");
    }

    /// What was there in peace must be there now, and just so.
    async fn check_neighbours(&self, target: &Target, lake: &Lake) {
        let tables = bitbucket().tables();
        let differences = headwater_store::compare::tables_equal(
            &self.lake.store,
            &lake.store,
            &tables,
            usize::MAX,
        );
        let harm = differences.await.unwrap().into_iter().filter(|found| {
            let added = found.cell.is_none() && !found.only_left;
            !added && !target.may_change(found)
        });
        let harm: Vec<String> = harm.map(|found: Difference| found.to_string()).collect();
        assert!(harm.is_empty(), "{}: {harm:#?}", target.stream);
    }
}

/// A dead letter without its times and attempts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Letter {
    stage: String,
    stream: String,
    raw_id: Option<i64>,
    path: String,
    message: String,
}

impl Letter {
    async fn all(lake: &Lake) -> BTreeSet<Self> {
        let sql = "SELECT stage, stream, raw_id, path, message, item FROM _headwater_dead_letters";
        let rows = lake.ask(sql).await.rows;
        let text = |cell: &Cell| match cell {
            Cell::Text(text) => text.clone(),
            other => panic!("no text: {other:?}"),
        };
        let letters = rows.iter().map(|row| {
            assert!(text(&row[5]).chars().count() <= 255, "{row:?}");
            Self {
                stage: text(&row[0]),
                stream: text(&row[1]),
                raw_id: match row[2] {
                    Cell::Integer(id) => Some(id),
                    _ => None,
                },
                path: text(&row[3]),
                // The item itself distinguishes letters without a raw row.
                message: format!("{} {}", text(&row[5]), text(&row[4])),
            }
        });
        letters.collect()
    }
}

/// Every item is a raw row or a dead letter; every raw row became rows or is a dead letter.
async fn check_items(target: &Target, hostile: &[Vec<u8>], lake: &Lake) -> BTreeSet<Letter> {
    let letters = Letter::all(lake).await;
    for letter in &letters {
        assert_eq!(letter.stream, target.stream, "{letter:?}");
        assert!(
            !letter.path.is_empty() && letter.message.contains(' '),
            "{letter:?}"
        );
        assert_eq!(
            letter.raw_id.is_none(),
            letter.stage == "collect",
            "{letter:?}"
        );
    }
    let (mut keys, mut keyless) = (BTreeSet::new(), BTreeSet::new());
    for item in hostile {
        let item = mended(item);
        match target.endpoint.key_of(item.as_bytes()) {
            Some(key) => keys.insert(key),
            None => keyless.insert(item),
        };
    }
    let stored = target.raw_rows(lake).await;
    for key in &keys {
        let shown: String = key.chars().take(60).collect();
        assert!(
            stored.contains_key(key) || target.is_known(key),
            "{}: {shown} is not stored",
            target.stream
        );
    }
    let collected = letters.iter().filter(|letter| letter.stage == "collect");
    assert_eq!(collected.count(), keyless.len(), "{}", target.stream);
    let extracted = target.extracted(lake).await;
    let dead: BTreeSet<i64> = letters.iter().filter_map(|letter| letter.raw_id).collect();
    for (key, id) in &stored {
        let shown: String = key.chars().take(60).collect();
        match (dead.contains(id), extracted.contains(id)) {
            (true, true) => panic!("{}: {shown} is dead and has rows", target.stream),
            (false, false) if !target.some_make_no_rows => {
                panic!("{}: {shown} is nothing", target.stream)
            }
            _ => {}
        }
    }
    letters
}

/// All streams, but for the one item that a workspace is: it has no neighbours to be harmed.
fn streams() -> Vec<StreamEntry> {
    let has_neighbours = |entry: &StreamEntry| {
        let collection = &entry.collection;
        let is_single = collection.endpoint.paging == Paging::Single;
        !(collection.of_workspace && is_single)
    };
    bitbucket()
        .streams
        .into_iter()
        .filter(has_neighbours)
        .collect()
}

/// Every place of a payload null, missing and of another type; other ways take turns.
fn each_place_spoilt(seed: &Value) -> Vec<Mutation> {
    let others = tokens();
    let mut mutations = Vec::new();
    for (number, place) in places(seed).into_iter().enumerate() {
        let value = seed.pointer(&format!("/{}", place.join("/")));
        let other = value.map_or("[]", other_type);
        let deep_value = deep("[", "]", 200);
        let hows = [
            How::token("null"),
            How::Missing,
            How::token(other),
            How::Token(others[number % others.len()].clone()),
            if number % 2 == 0 {
                How::Twice
            } else {
                How::Beside(deep_value)
            },
        ];
        mutations.extend(hows.map(|how| Mutation {
            place: place.clone(),
            how,
        }));
    }
    mutations
}

/// Not more than so many, from all over the list: places and ways to spoil them repeat in it.
fn some_of(all: Vec<Vec<u8>>, most: usize) -> Vec<Vec<u8>> {
    let length = all.len();
    let spread = all.into_iter().enumerate();
    // A large prime, so that what is left out follows no pattern of the list.
    let kept = spread.filter(|(number, _)| number * 7919 % length < most);
    kept.map(|(_, item)| item).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payload_spoilt_in_any_one_place_harms_only_itself() {
    let company = Company::new().await;
    for entry in streams() {
        let target = Target::of(&entry, &company.lake).await;
        let mut hostile = Vec::new();
        let mut spoilt_places = BTreeSet::new();
        for seed in &target.seeds {
            let mut spoilt = each_place_spoilt(seed);
            spoilt.retain(|mutation| !target.names_the_scope(&mutation.place));
            // Payloads have most of their places in common.
            spoilt.retain(|mutation| !spoilt_places.contains(&mutation.place));
            spoilt_places.extend(spoilt.iter().map(|mutation| mutation.place.clone()));
            for mutation in spoilt {
                let payload = with_identity(seed, hostile.len());
                hostile.push(spoil(&payload, &[mutation]));
            }
        }
        let mut at_once = AT_ONCE;
        if target.endpoint.paging == Paging::Single {
            // Each of them is a scope to be synced.
            hostile = some_of(hostile, 2 * REPOSITORIES_AT_ONCE);
            at_once = REPOSITORIES_AT_ONCE;
        } else {
            let whole = [
                "null",
                "12",
                "[]",
                r#""text""#,
                "{}",
                r#"{"error": {"message": "x"}}"#,
            ];
            hostile.extend(whole.map(|item| item.as_bytes().to_vec()));
            hostile.extend(foreign_items());
        }
        for group in hostile.chunks(at_once) {
            company.disturb(&target, group).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_token_in_every_identifying_place_harms_only_itself() {
    let company = Company::new().await;
    for entry in streams() {
        let target = Target::of(&entry, &company.lake).await;
        let mut hostile = Vec::new();
        for seed in &target.seeds {
            let keys = places(seed).into_iter().filter(|place| is_key(place));
            for place in keys.filter(|place| !target.names_the_scope(place)) {
                for token in tokens() {
                    let payload = with_identity(seed, hostile.len());
                    let place = place.clone();
                    let how = How::Token(token);
                    hostile.push(spoil(&payload, &[Mutation { place, how }]));
                }
            }
        }
        let single = target.endpoint.paging == Paging::Single;
        let most = if single {
            REPOSITORIES_AT_ONCE
        } else {
            AT_ONCE
        };
        let hostile = some_of(hostile, most);
        company.disturb(&target, &hostile).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_neighbours_number_spelt_differently_never_takes_its_place() {
    let company = Company::new().await;
    for entry in streams() {
        let target = Target::of(&entry, &company.lake).await;
        let good: Value = serde_json::from_str(&target.good[0]).unwrap();
        let Some(id) = good.get("id").and_then(Value::as_i64) else {
            continue;
        };
        let spellings = [
            format!("\" {id} \""),
            format!("\"0{id}\""),
            format!("\"+{id}\""),
            format!("{id}.0"),
            format!("{id}e0"),
            format!("\"{id}\\u0000\""),
        ];
        let hostile = spellings.map(|spelling| {
            let place = vec!["id".to_owned()];
            let how = How::token(spelling);
            spoil(&good, &[Mutation { place, how }])
        });
        company.disturb(&target, &hostile).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_with_an_impossible_name_is_left_out_and_the_others_land() {
    let company = Company::new().await;
    let entry = streams().remove(0);
    let target = Target::of(&entry, &company.lake).await;
    let names = [
        "acme/..",
        "acme/../../user",
        "acme/",
        "acme/a?b",
        "acme/a\\u0000b",
        "acme/a\\nb",
        "/",
        "",
    ];
    let mut hostile: Vec<String> = names.map(|name| format!("\"{name}\"")).into();
    hostile.push(format!("\"acme/{}\"", "🚀".repeat(60)));
    hostile.extend(tokens().iter().map(|token| mended(token)));
    let hostile = hostile.into_iter().enumerate().map(|(number, name)| {
        let payload = with_identity(&target.seeds[0], number);
        let place = vec!["full_name".to_owned()];
        let how = How::token(name);
        spoil(&payload, &[Mutation { place, how }])
    });
    let hostile: Vec<Vec<u8>> = hostile.collect();
    target.serve(&company.simulator, &company.known_paths, &hostile);
    let lake = lake_with_sizes(&company.simulator).await;
    let (exit, _) = lake.sync(Sync::default()).await;
    assert_eq!(exit, Exit::Ok);
    company.check_widths(&lake).await;
    company.check_neighbours(&target, &lake).await;
    assert!(target.raw_rows(&lake).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_megabytes_of_text_are_stored_cut_or_refused() {
    let company = Company::new().await;
    let text = format!("\"{}\"", "é".repeat(5 << 20));
    for (stream, place) in [
        ("pull_requests", "title"),
        ("pull_requests", "author/display_name"),
        ("pull_requests", "author/account_id"),
        ("pull_request_comments", "id"),
        ("pull_request_comments", "content/raw"),
        ("pull_request_commits", "hash"),
    ] {
        let source = bitbucket();
        let target = Target::of(source.find(stream).unwrap(), &company.lake).await;
        let place: Vec<String> = place.split('/').map(str::to_owned).collect();
        let pointer = format!("/{}", place.join("/"));
        let seed = target
            .seeds
            .iter()
            .find(|seed| seed.pointer(&pointer).is_some());
        let payload = with_identity(seed.unwrap(), 1);
        let how = How::token(text.clone());
        company
            .disturb(&target, &[spoil(&payload, &[Mutation { place, how }])])
            .await;
    }
}

#[test]
fn payloads_spoilt_at_random_harm_only_themselves() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let company = runtime.block_on(Company::new());
    let tokens = tokens();
    let how = prop_oneof![
        1 => Just(How::Missing),
        1 => Just(How::Twice),
        1 => prop::sample::select(tokens.clone()).prop_map(How::Beside),
        4 => prop::sample::select(tokens).prop_map(How::Token),
    ];
    let spoilt_place = (any::<prop::sample::Index>(), how);
    let item = (
        any::<prop::sample::Index>(),
        prop::collection::vec(spoilt_place, 1..5),
    );
    let items = prop::collection::vec(item, 1..40);
    let mut runner = TestRunner::new(Config {
        cases: 6,
        max_shrink_iters: 100,
        failure_persistence: None,
        ..Config::default()
    });
    for entry in streams() {
        let target = runtime.block_on(Target::of(&entry, &company.lake));
        let tried = runner.run(&items, |items| {
            let hostile: Vec<Vec<u8>> = items
                .iter()
                .enumerate()
                .map(|(number, (seed, spoilt))| {
                    let payload = with_identity(seed.get(&target.seeds), number);
                    let mut all = places(&payload);
                    all.retain(|place| !target.names_the_scope(place));
                    let mutations = spoilt.iter().map(|(place, how)| Mutation {
                        place: place.get(&all).clone(),
                        how: how.clone(),
                    });
                    spoil(&payload, &mutations.collect::<Vec<_>>())
                })
                .collect();
            runtime.block_on(company.disturb(&target, &hostile));
            Ok(())
        });
        tried.unwrap_or_else(|error| panic!("{}: {error}", target.stream));
    }
}

/// Tables of which a hostile item may change rows: accounts are merged from all items.
fn is_shared(table: &str) -> bool {
    SHARED_TABLES.contains(&table)
}

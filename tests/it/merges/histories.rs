//! Whatever happened to a repository and its pull requests, their links are those of a fresh
//! database.

mod rows;
mod world;

use std::collections::HashMap;
use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use headwater::config::DatabaseAddress;
use headwater_converters::bitbucket::PullRequestSizes;
use headwater_converters::merges::{self, Change, Patches, Unnamed};
use headwater_converters::{Derivation, Task};
use headwater_domain::code::{pull_request, pull_request_commit, pull_request_merge};
use headwater_domain::id::bitbucket as id;
use headwater_domain::merges::SizeOfChange;
use headwater_domain::tool::bitbucket::pull_request_size;
use headwater_domain::{Row as _, Scope};
use headwater_store::compare::{Tables, tables_equal};
use headwater_store::{StepContext, Store};
use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use headwater_testing::TestDatabase;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rstest::rstest;
use tokio_util::sync::CancellationToken;

use rows::{replace, repo_id, scope, time, write};
use world::{Event, World, sha};

/// Says what commits change as the world has it; a range has the name of its head.
struct Contents(Vec<u8>, u8);

impl Patches for Contents {
    fn namer(&self) -> String {
        format!("version {}", self.1)
    }

    fn names<'a>(
        &'a self,
        changes: &'a [Change],
    ) -> BoxFuture<'a, Result<HashMap<Change, String>, Unnamed>> {
        let name = |change: &Change| {
            let number = usize::from_str_radix(&change.0[8..], 16).unwrap();
            let patch = self.0[number];
            // Some commits change nothing.
            let namer = self.1;
            (patch > 0).then(|| (change.clone(), format!("{namer:02x}{patch:038x}")))
        };
        let named = changes.iter().filter_map(name).collect();
        async move { Ok(named) }.boxed()
    }

    fn sizes<'a>(
        &'a self,
        changes: &'a [Change],
    ) -> BoxFuture<'a, Result<HashMap<Change, SizeOfChange>, Unnamed>> {
        let size = |change: &Change| {
            let size = SizeOfChange {
                files: i64::try_from(change.0.len()).unwrap(),
                ..SizeOfChange::default()
            };
            (change.clone(), size)
        };
        let sizes = changes.iter().map(size).collect();
        async move { Ok(sizes) }.boxed()
    }
}

/// Counts sizes if anything changed that they follow from; true if so.
async fn size(store: &Store, world: &World) -> bool {
    let cancel = CancellationToken::new();
    let context = StepContext {
        now: time(1),
        cancel: &cancel,
        progress: &|_| {},
    };
    let contents = Contents(Vec::new(), world.version);
    let (scope, repo_id, rules) = (scope(), repo_id(), Arc::default());
    let projects = headwater_metrics::stored::Projects::default();
    let task = Task {
        store,
        scope: &scope,
        ids: &id::IDS,
        repo_id: &repo_id,
        rules: &rules,
        projects: &projects,
        patches: world.has_files.then_some(&contents as &dyn Patches),
        context: &context,
    };
    let sizes = Derivation::of::<PullRequestSizes>();
    let is_stale = sizes.is_stale(&task).await.unwrap();
    if is_stale {
        sizes.run(&task).await.unwrap();
    }
    is_stale
}

async fn link(store: &Store, world: &World) -> merges::Outcome {
    let cancel = CancellationToken::new();
    let context = StepContext {
        now: time(1),
        cancel: &cancel,
        progress: &|_| {},
    };
    let named = world.commits.iter().map(|it| it.patch).collect();
    let contents = Contents(named, world.version);
    let patches: Option<&dyn Patches> = world.has_files.then_some(&contents);
    let scope = scope();
    merges::run(store, &scope, (&id::IDS, &repo_id()), patches, &context)
        .await
        .unwrap()
}

struct Opened {
    store: Store,
    _database: TestDatabase,
}

async fn opened(on: On) -> Option<Opened> {
    let database = Box::pin(TestDatabase::migrated(on)).await?;
    let address = DatabaseAddress::parse(&database.address).unwrap();
    let store = Box::pin(headwater::database::open(&address)).await.unwrap();
    store.register(&scope(), time(0)).await.unwrap();
    Some(Opened {
        store,
        _database: database,
    })
}

/// Each event says whether links are made then.
async fn assert_same_as_fresh(on: On, has_files: bool, events: &[(Event, bool)]) {
    let mut world = World::new(has_files);
    let Some(lived) = opened(on).await else {
        return;
    };
    write(&lived.store, &world).await;
    link(&lived.store, &world).await;
    size(&lived.store, &world).await;
    for (event, links) in events {
        world.happen(event);
        write(&lived.store, &world).await;
        if *links {
            link(&lived.store, &world).await;
            size(&lived.store, &world).await;
        }
    }
    link(&lived.store, &world).await;
    size(&lived.store, &world).await;
    let fresh = opened(on).await.unwrap();
    write(&fresh.store, &world).await;
    let first = link(&fresh.store, &world).await;
    size(&fresh.store, &world).await;
    let mut tables = Tables {
        raw: Vec::new(),
        rows: merges::tables(),
    };
    tables.rows.push(pull_request_size::Model::table());
    let different = tables_equal(&lived.store, &fresh.store, &tables, 20)
        .await
        .unwrap();
    let shown: Vec<String> = different.iter().map(ToString::to_string).collect();
    assert!(shown.is_empty(), "here: lived, there: fresh\n{shown:#?}");
    let merged = world.pull_requests.values();
    let merged = merged.filter(|it| it.is_merged && it.is_ours);
    assert_eq!(first.items, merged.count() as u64);
    // Written again, nothing differs and nothing is looked at.
    write(&fresh.store, &world).await;
    let again = link(&fresh.store, &world).await;
    assert_eq!(again, merges::Outcome::default());
    assert!(!size(&fresh.store, &world).await);
    for opened in [lived, fresh] {
        opened.store.close().await.unwrap();
    }
}

fn events() -> impl Strategy<Value = Vec<(Event, bool)>> {
    let place = 0..1000usize;
    let parents = prop::collection::vec(place.clone(), 1..3);
    let merge = prop::option::weighted(0.4, place.clone());
    let merged = (
        0..8i64,
        place.clone(),
        0..4usize,
        merge,
        any::<bool>(),
        0..4u8,
    );
    let corrected = (place.clone(), prop::collection::vec(0..1000usize, 0..3));
    let event = prop_oneof![
        6 => (parents, 0..5u8, 0..8i64, 0..4u8)
            .prop_map(|(parents, author, number, patch)| {
                Event::Commit(parents, author, number, patch)
            }),
        2 => (0..4u8, place).prop_map(|(name, commit)| Event::Branch(name, commit)),
        1 => (0..4u8).prop_map(Event::DeleteBranch),
        5 => merged.prop_map(|(number, head, own, merge, short, base)| {
            Event::Merged(number, head, own, merge, short, base)
        }),
        1 => (0..8i64).prop_map(Event::Reopened),
        1 => (0..8i64).prop_map(Event::Deleted),
        1 => any::<bool>().prop_map(Event::Files),
        1 => (0..8usize).prop_map(Event::Range),
        1 => Just(Event::Upgrade),
        1 => corrected.prop_map(|(commit, parents)| Event::Corrected(commit, parents)),
        1 => (0..8i64, any::<bool>()).prop_map(|(number, ours)| Event::Destined(number, ours)),
    ];
    prop::collection::vec((event, prop::bool::weighted(0.7)), 1..20)
}

#[rstest]
#[test]
fn a_repository_that_lived_has_the_links_of_a_fresh_one(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let cases = if on == Sqlite { 8 } else { 3 };
    let mut runner = TestRunner::new(Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 60,
        ..Config::default()
    });
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let outcome = runner.run(&(any::<bool>(), events()), |(has_files, events)| {
        runtime.block_on(assert_same_as_fresh(on, has_files, &events));
        Ok(())
    });
    outcome.unwrap();
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn only_pull_requests_are_looked_at_that_a_change_concerns(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(Opened { store, _database }) = opened(on).await else {
        return;
    };
    let mut world = World::new(false);
    let merged = |number, head, merge, base| Event::Merged(number, head, 0, merge, true, base);
    // The first three have merge commits, the fourth is on the main branch as it was, and of the
    // others nothing is there.
    for number in 0..3 {
        world.happen(&merged(number, 900, Some(3), 0));
    }
    world.happen(&merged(3, 2, None, 0));
    for number in 4..8 {
        world.happen(&merged(number, 900, None, 0));
    }
    world.pull_requests.values_mut().for_each(|it| {
        it.own.retain(|commit| *commit == 2);
        if it.own.is_empty() {
            it.head = 900;
        }
    });
    write(&store, &world).await;
    assert_eq!(link(&store, &world).await.items, 8);

    // A commit on top that says no number concerns only the one that hangs on the branch.
    world.happen(&Event::Commit(vec![3], 0, 0, 0));
    world.pull_requests.remove(&0);
    write(&store, &world).await;
    let outcome = link(&store, &world).await;
    assert_eq!(outcome.items, 1);
    // The commits of its merge: that commit and two more.
    assert_eq!((outcome.changes.written, outcome.changes.removed), (0, 3));

    // One that says a number, that one too.
    world.happen(&Event::Commit(vec![4], 0, 5, 0));
    write(&store, &world).await;
    let outcome = link(&store, &world).await;
    assert_eq!((outcome.items, outcome.changes.written), (2, 1));
    assert_eq!(outcome.unlinked, 0);

    // A pull request that changed is looked at alone; one without a change is not.
    world.pull_requests.get_mut(&6).unwrap().merge = Some(5);
    write(&store, &world).await;
    assert_eq!(link(&store, &world).await.items, 1);
    assert_eq!(link(&store, &world).await, merges::Outcome::default());
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn when_a_history_goes_on_below_its_end_all_are_looked_at() {
    let Opened { store, _database } = opened(Sqlite).await.unwrap();
    let mut world = World::new(false);
    // Of the merge and its commits, the oldest commit is not collected.
    world.first = 2;
    world.happen(&Event::Merged(5, 3, 0, Some(3), false, 0));
    let merged = world.pull_requests.get_mut(&5).unwrap();
    (merged.head, merged.own) = (900, Vec::new());
    write(&store, &world).await;
    link(&store, &world).await;
    let merge = id::pull_request(&scope(), 5);
    assert_eq!(store.merges_of(&merge).await.unwrap().len(), 2);

    world.first = 0;
    write(&store, &world).await;
    assert_eq!(link(&store, &world).await.items, 1);
    assert_eq!(store.merges_of(&merge).await.unwrap().len(), 3);
    store.close().await.unwrap();
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_a_fork_has_too_leaves_the_fork_s_links_alone(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(Opened { store, _database }) = opened(on).await else {
        return;
    };
    let mut world = World::new(false);
    world.happen(&Event::Merged(5, 3, 0, Some(3), false, 0));
    write(&store, &world).await;
    link(&store, &world).await;

    // Of the fork, with the commit that comes to the repository next.
    let fork = Scope::new(1, "acme/fork");
    store.register(&fork, time(0)).await.unwrap();
    let (merged, owner) = (id::pull_request(&fork, 1), id::repository(1, "acme/fork"));
    let ids = || vec![merged.clone()];
    let mut page = store.begin(&fork, time(0)).await.unwrap();
    let row = pull_request::Model {
        id: merged.clone(),
        base_repo_id: owner.clone(),
        status: "MERGED".to_owned(),
        pull_request_key: 1,
        merge_commit_sha: sha(4),
        head_commit_sha: sha(4),
        ..pull_request::Model::default()
    };
    replace(&mut page, ("id", ids()), vec![row]).await;
    let own = pull_request_commit::Model {
        pull_request_id: merged.clone(),
        commit_sha: sha(4),
        ..pull_request_commit::Model::default()
    };
    replace(&mut page, ("pull_request_id", ids()), vec![own]).await;
    let linked = pull_request_merge::Model {
        pull_request_id: merged.clone(),
        commit_sha: sha(4),
        repo_id: owner,
        ..pull_request_merge::Model::default()
    };
    replace(&mut page, ("pull_request_id", ids()), vec![linked]).await;
    page.commit().await.unwrap();

    world.happen(&Event::Commit(vec![3], 0, 0, 0));
    write(&store, &world).await;
    assert_eq!(link(&store, &world).await, merges::Outcome::default());
    assert_eq!(store.merges_of(&merged).await.unwrap().len(), 1);
    store.close().await.unwrap();
}

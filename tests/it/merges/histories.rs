//! Whatever happened to a repository and its pull requests, their links are those of a fresh
//! database.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use headwater::config::DatabaseAddress;
use headwater_converters::bitbucket::PullRequestSizes;
use headwater_converters::merges::{self, Change, Patches, Unnamed};
use headwater_converters::{Derivation, Task};
use headwater_domain::code::{
    commit, commit_parent, git_ref, pull_request, pull_request_commit, pull_request_merge,
    repo_commit,
};
use headwater_domain::id::bitbucket as id;
use headwater_domain::merges::SizeOfChange;
use headwater_domain::tool::bitbucket::{
    pull_request as tool, pull_request_commit as tool_commit, pull_request_size,
};
use headwater_domain::{Origin, Row, Rows, Scope, Stream as _};
use headwater_store::compare::{Tables, tables_equal};
use headwater_store::{Owner, Replacement, StepContext, Store, Transaction};
use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use headwater_testing::TestDatabase;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rstest::rstest;
use tokio_util::sync::CancellationToken;

/// One thing that happens. Numbers choose among what is there.
#[derive(Clone, Debug)]
enum Event {
    /// A commit on any commits, by one of few authors, which says any number and changes one of
    /// few things.
    Commit(Vec<usize>, u8, i64, u8),
    /// A branch set, or moved, to a commit.
    Branch(u8, usize),
    DeleteBranch(u8),
    /// A pull request: its number, head, how many commits are its own, its merge commit if it is
    /// given, the digits of its hash, and its destination.
    Merged(i64, usize, usize, Option<usize>, bool, u8),
    Reopened(i64),
    Deleted(i64),
    /// Contents of commits are read from now on, or no more.
    Files(bool),
    /// Only commits from this one on are collected, or more or fewer of them than before.
    Range(usize),
    /// By another program, which calls everything otherwise.
    Upgrade,
    /// The source gave a commit the wrong parents before.
    Corrected(usize, Vec<usize>),
}

#[derive(Clone, Debug)]
struct Commit {
    parents: Vec<usize>,
    author: u8,
    number: i64,
    patch: u8,
}

#[derive(Clone, Debug)]
struct PullRequest {
    is_merged: bool,
    head: usize,
    own: Vec<usize>,
    merge: Option<usize>,
    short: bool,
    base: u8,
}

#[derive(Clone, Debug)]
struct World {
    commits: Vec<Commit>,
    branches: BTreeMap<u8, usize>,
    pull_requests: BTreeMap<i64, PullRequest>,
    has_files: bool,
    version: u8,
    /// Commits before this one are not collected.
    first: usize,
}

fn sha(number: usize) -> String {
    format!(
        "{:08x}{:032x}",
        number.wrapping_mul(0x9e37_79b9) & 0xffff_ffff,
        number
    )
}

impl World {
    fn new(has_files: bool) -> Self {
        let commit = |parents: &[usize]| Commit {
            parents: parents.to_vec(),
            author: 0,
            number: 0,
            patch: 0,
        };
        Self {
            commits: vec![commit(&[]), commit(&[0]), commit(&[1]), commit(&[0, 2])],
            branches: BTreeMap::from([(0, 3)]),
            pull_requests: BTreeMap::new(),
            has_files,
            version: 0,
            first: 0,
        }
    }

    fn happen(&mut self, event: &Event) {
        let count = self.commits.len();
        match event {
            Event::Commit(parents, author, number, patch) => {
                let parents: BTreeSet<usize> = parents.iter().map(|p| p % count).collect();
                let parents: Vec<usize> = parents.into_iter().rev().collect();
                self.commits.push(Commit {
                    parents,
                    author: *author,
                    number: *number,
                    patch: *patch,
                });
                self.branches.insert(author % 3, count);
            }
            Event::Branch(name, commit) => {
                self.branches.insert(*name, commit % count);
            }
            Event::DeleteBranch(name) => {
                self.branches.remove(name);
            }
            Event::Merged(number, head, own, merge, short, base) => {
                let head = head % count;
                let mut commits = vec![head];
                while commits.len() <= *own {
                    let last = commits[commits.len() - 1];
                    let Some(parent) = self.commits[last].parents.first() else {
                        break;
                    };
                    commits.push(*parent);
                }
                let merged = PullRequest {
                    is_merged: true,
                    head,
                    own: commits,
                    merge: merge.map(|merge| merge % (count + 2)),
                    short: *short,
                    base: *base,
                };
                self.pull_requests.insert(*number, merged);
            }
            Event::Reopened(number) => {
                if let Some(found) = self.pull_requests.get_mut(number) {
                    found.is_merged = false;
                }
            }
            Event::Deleted(number) => {
                self.pull_requests.remove(number);
            }
            Event::Files(has) => self.has_files = *has,
            Event::Range(first) => self.first = first % count,
            Event::Upgrade => self.version += 1,
            Event::Corrected(commit, parents) => {
                let commit = commit % count;
                if commit > 0 {
                    // A commit comes after its parents, whichever these are.
                    let parents: BTreeSet<usize> = parents.iter().map(|p| p % commit).collect();
                    self.commits[commit].parents = parents.into_iter().rev().collect();
                }
            }
        }
    }

    fn held(&self) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        let mut left: Vec<usize> = self.branches.values().copied().collect();
        while let Some(commit) = left.pop() {
            if found.insert(commit) {
                left.extend(&self.commits[commit].parents);
            }
        }
        found.retain(|commit| *commit >= self.first);
        found
    }
}

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

fn time(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000 + second, 0).unwrap()
}

fn scope() -> Scope {
    Scope::new(1, "acme/rocket")
}

fn repo_id() -> String {
    id::repository(1, "acme/rocket")
}

/// Makes a table hold these rows, and what it held before and is not among them no more.
async fn replace<R: Row>(
    page: &mut Transaction<'_>,
    (column, owners): (&'static str, Vec<String>),
    made: Vec<R>,
) {
    let mut rows = Rows::default();
    rows.from_origin(Origin {
        params: scope().params(),
        table: "test".to_owned(),
        id: 0,
    });
    for row in made {
        rows.push(row);
    }
    let replacement = Replacement {
        table: R::table(),
        owner: Owner::Column {
            name: column,
            values: owners,
            connection_id: None,
        },
        rows: rows.take(R::table()),
        first: false,
    };
    page.replace(replacement).await.unwrap();
}

/// Writes what the stages before would have written.
async fn write(store: &Store, world: &World) {
    let (scope, repo) = (scope(), repo_id());
    let own = || vec![repo.clone()];
    let held = world.held();
    let mut page = store.begin(&scope, time(0)).await.unwrap();
    let refs = world.branches.iter().map(|(name, commit)| git_ref::Model {
        id: id::git_ref(&repo, &format!("b{name}")),
        repo_id: repo.clone(),
        name: format!("b{name}"),
        commit_sha: sha(*commit),
        is_default: *name == 0,
        ref_type: "BRANCH".to_owned(),
        ..git_ref::Model::default()
    });
    replace(&mut page, ("repo_id", own()), refs.collect()).await;
    let all = || (0..world.commits.len()).map(sha).collect();
    let made = held.iter().map(|number| {
        let commit = &world.commits[*number];
        commit::Model {
            sha: sha(*number),
            message: format!("Topic (#{})\n\nmore", commit.number),
            author_email: format!("{}@example.org", commit.author),
            authored_date: Some(time(i64::from(commit.author) / 2)),
            committed_date: Some(time(i64::try_from(*number).unwrap())),
            ..commit::Model::default()
        }
    });
    replace(&mut page, ("sha", all()), made.collect()).await;
    let parents = held.iter().flat_map(|commit| {
        let parents = (0..).zip(&world.commits[*commit].parents);
        parents.map(|(order, parent)| commit_parent::Model {
            commit_sha: sha(*commit),
            parent_commit_sha: sha(*parent),
            parent_order: order,
        })
    });
    replace(&mut page, ("commit_sha", all()), parents.collect()).await;
    // As conversions and git's reading do: who has the commits comes after their parents.
    let commits = held.iter().map(|commit| repo_commit::Model {
        repo_id: repo.clone(),
        commit_sha: sha(*commit),
        ..repo_commit::Model::default()
    });
    replace(&mut page, ("repo_id", own()), commits.collect()).await;
    write_pull_requests(&mut page, world).await;
    page.commit().await.unwrap();
}

async fn write_pull_requests(page: &mut Transaction<'_>, world: &World) {
    let (scope, repo) = (scope(), repo_id());
    let found = world.pull_requests.iter();
    let rows = found.map(|(number, found)| {
        let digits = if found.short { 12 } else { 40 };
        let merge = found.merge.map(|merge| sha(merge)[..digits].to_owned());
        pull_request::Model {
            id: id::pull_request(&scope, *number),
            base_repo_id: repo.clone(),
            status: if found.is_merged { "MERGED" } else { "OPEN" }.to_owned(),
            pull_request_key: *number,
            base_ref: format!("b{}", found.base),
            merge_commit_sha: merge.unwrap_or_default(),
            head_commit_sha: sha(found.head)[..digits].to_owned(),
            created_date: Some(time(*number)),
            ..pull_request::Model::default()
        }
    });
    replace(page, ("base_repo_id", vec![repo.clone()]), rows.collect()).await;
    let numbers = (0..10).map(|number| id::pull_request(&scope, number));
    let own = world.pull_requests.iter().flat_map(|(number, found)| {
        let id = id::pull_request(&scope, *number);
        found
            .own
            .iter()
            .map(move |commit| pull_request_commit::Model {
                pull_request_id: id.clone(),
                commit_sha: sha(*commit),
                ..pull_request_commit::Model::default()
            })
    });
    replace(page, ("pull_request_id", numbers.collect()), own.collect()).await;
    write_tool_rows(page, world).await;
}

/// The tool rows that those of the domain would have been made of; sizes follow from them.
async fn write_tool_rows(page: &mut Transaction<'_>, world: &World) {
    let scope = scope();
    let key = |number: &i64| (scope.connection_id, scope.full_name.clone(), *number);
    let (mut requests, mut commits) = (Rows::default(), Rows::default());
    for (number, found) in &world.pull_requests {
        let origin = |table| Origin {
            params: scope.params(),
            table,
            id: *number,
        };
        let digits = if found.short { 12 } else { 40 };
        let merge = found.merge.map(|merge| sha(merge)[..digits].to_owned());
        let (connection_id, repo_id, bitbucket_id) = key(number);
        requests.from_origin(origin(tool::PullRequests::raw_table()));
        requests.push(tool::Model {
            connection_id,
            repo_id,
            bitbucket_id,
            state: if found.is_merged { "MERGED" } else { "OPEN" }.to_owned(),
            head_commit_sha: sha(found.head)[..digits].to_owned(),
            merge_commit_sha: merge.unwrap_or_default(),
            ..tool::Model::default()
        });
        commits.from_origin(origin(tool_commit::PullRequestCommits::raw_table()));
        for commit in &found.own {
            let (connection_id, repo_id, pull_request_id) = key(number);
            commits.push(tool_commit::Model {
                connection_id,
                repo_id,
                pull_request_id,
                commit_sha: sha(*commit),
                ..tool_commit::Model::default()
            });
        }
    }
    for (table, raw_table, mut rows) in [
        (
            tool::Model::table(),
            tool::PullRequests::raw_table(),
            requests,
        ),
        (
            tool_commit::Model::table(),
            tool_commit::PullRequestCommits::raw_table(),
            commits,
        ),
    ] {
        let replacement = Replacement {
            table,
            owner: Owner::RawRows {
                table: raw_table,
                ids: (0..10).collect(),
            },
            rows: rows.take(table),
            first: false,
        };
        page.replace(replacement).await.unwrap();
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
    let merged = world.pull_requests.values().filter(|it| it.is_merged);
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

//! Whatever happened to two repositories that share commits, their pairs are those of a fresh
//! database.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use headwater::config::DatabaseAddress;
use headwater_converters::diffs;
use headwater_converters::rules::Rules;
use headwater_domain::code::{commit, commit_parent, git_ref, repo_commit};
use headwater_domain::crossdomain::project_mapping;
use headwater_domain::devops::{cicd_deployment, cicd_deployment_commit};
use headwater_domain::id::bitbucket as id;
use headwater_domain::tags::TagRules;
use headwater_domain::{Origin, Row, Rows, Scope};
use headwater_metrics::stored::Projects;
use headwater_store::compare::{Tables, tables_equal};
use headwater_store::{Owner, Replacement, StepContext, Store, Transaction};
use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use headwater_testing::TestDatabase;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use regex::Regex;
use rstest::rstest;
use tokio_util::sync::CancellationToken;

/// One thing that happens to a repository. Numbers choose among what is there.
#[derive(Clone, Debug)]
enum Event {
    /// A commit on any commits of either repository.
    Commit(Vec<usize>),
    /// A tag set, or moved, to a commit.
    Tag(u8, usize),
    DeleteTag(u8),
    /// The main branch moves to any commit: what nothing else holds is lost.
    Move(usize),
    Deploy(u8, usize),
    Undeploy(u8),
    Limit(usize),
    /// A shallow repository gets all its history.
    Deepen,
    /// The source gave a commit the wrong parents before.
    Corrected(usize, Vec<usize>),
}

/// A commit by its number.
fn sha(number: usize) -> String {
    format!(
        "{:08x}{:032x}",
        number.wrapping_mul(0x9e37_79b9) & 0xffff_ffff,
        number
    )
}

#[derive(Clone, Debug)]
struct Repository {
    scope: Scope,
    main: usize,
    tags: BTreeMap<u8, usize>,
    deployments: BTreeMap<u8, usize>,
    limit: usize,
    /// Commits below this number are not fetched.
    shallow: usize,
}

#[derive(Clone, Debug)]
struct World {
    parents: Vec<Vec<usize>>,
    repositories: Vec<Repository>,
}

impl World {
    fn new(shallow: [usize; 2]) -> Self {
        let repository = |(name, shallow): (&str, usize)| Repository {
            scope: Scope::new(1, name),
            main: 4,
            tags: BTreeMap::new(),
            deployments: BTreeMap::new(),
            limit: 10,
            shallow,
        };
        let names = ["acme/base", "acme/fork"].into_iter().zip(shallow);
        Self {
            parents: vec![vec![], vec![0], vec![1], vec![2, 0], vec![3]],
            repositories: names.map(repository).collect(),
        }
    }

    fn happen(&mut self, place: usize, event: &Event) {
        let count = self.parents.len();
        let repository = &mut self.repositories[place];
        match event {
            Event::Commit(parents) => {
                let parents: BTreeSet<usize> = parents.iter().map(|p| p % count).collect();
                self.parents.push(parents.into_iter().rev().collect());
                repository.main = count;
            }
            Event::Tag(name, commit) => {
                repository.tags.insert(*name, commit % count);
            }
            Event::DeleteTag(name) => {
                repository.tags.remove(name);
            }
            Event::Move(commit) => repository.main = commit % count,
            Event::Deploy(number, commit) => {
                repository.deployments.insert(*number, commit % count);
            }
            Event::Undeploy(number) => {
                repository.deployments.remove(number);
            }
            Event::Limit(limit) => repository.limit = *limit,
            Event::Deepen => repository.shallow = 0,
            Event::Corrected(commit, parents) => {
                let commit = commit % count;
                if commit > 0 {
                    // A commit comes after its parents, whichever these are.
                    let parents: BTreeSet<usize> = parents.iter().map(|p| p % commit).collect();
                    self.parents[commit] = parents.into_iter().rev().collect();
                }
            }
        }
    }

    fn reachable(&self, from: impl IntoIterator<Item = usize>) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        let mut left: Vec<usize> = from.into_iter().collect();
        while let Some(commit) = left.pop() {
            if found.insert(commit) {
                left.extend(&self.parents[commit]);
            }
        }
        found
    }

    /// The commits that a repository has: of branch and tags, not of what was deployed once.
    fn held(&self, repository: &Repository) -> BTreeSet<usize> {
        let tips = repository.tags.values().copied();
        let mut held = self.reachable(tips.chain([repository.main]));
        held.retain(|commit| *commit >= repository.shallow);
        held
    }
}

fn rules(repository: &Repository) -> Rules {
    Rules {
        tags: TagRules {
            pattern: Regex::new("^v").ok(),
            limit: repository.limit,
            pairs: vec![("v1.0.0".to_owned(), "main".to_owned())],
            ..TagRules::default()
        },
        ..Rules::default()
    }
}

/// Of one repository most tags are releases, in one of its two projects.
fn projects() -> Projects {
    let released = headwater_metrics::Rules {
        release_tags: Regex::new("^v[1-9]").ok(),
        ..headwater_metrics::Rules::default()
    };
    Projects::of([("released".to_owned(), released)])
}

fn time(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000 + second, 0).unwrap()
}

fn repo_id(scope: &Scope) -> String {
    id::repository(scope.connection_id, &scope.full_name)
}

async fn replace<R: Row>(
    page: &mut Transaction<'_>,
    scope: &Scope,
    column: &'static str,
    made: Vec<R>,
) {
    replace_of(page, scope, (column, vec![repo_id(scope)]), made).await;
}

async fn replace_of<R: Row>(
    page: &mut Transaction<'_>,
    scope: &Scope,
    (name, values): (&'static str, Vec<String>),
    made: Vec<R>,
) {
    let owner = Owner::Column {
        name,
        values,
        connection_id: None,
    };
    replace_owned(page, scope, owner, made).await;
}

async fn replace_within<R: Row>(
    page: &mut Transaction<'_>,
    scope: &Scope,
    (condition, values): (&str, Vec<sea_orm::Value>),
    made: Vec<R>,
) {
    let condition = condition.to_owned();
    replace_owned(page, scope, Owner::Within { condition, values }, made).await;
}

async fn replace_owned<R: Row>(
    page: &mut Transaction<'_>,
    scope: &Scope,
    owner: Owner,
    made: Vec<R>,
) {
    let mut rows = Rows::default();
    rows.from_origin(Origin {
        params: scope.params(),
        table: "test".to_owned(),
        id: 0,
    });
    for row in made {
        rows.push(row);
    }
    let replacement = Replacement {
        table: R::table(),
        owner,
        rows: rows.take(R::table()),
        first: false,
    };
    page.replace(replacement).await.unwrap();
}

/// Writes what the stages before would have written.
async fn write(store: &Store, world: &World, place: usize) {
    let repository = &world.repositories[place];
    let scope = &repository.scope;
    let repo = repo_id(scope);
    let held = world.held(repository);
    let mut page = store.begin(scope, time(0)).await.unwrap();
    let git_ref = |name: String, commit: usize, kind: &str| git_ref::Model {
        id: id::git_ref(&repo, &name),
        repo_id: repo.clone(),
        name,
        commit_sha: sha(commit),
        ref_type: kind.to_owned(),
        ..git_ref::Model::default()
    };
    let tags = repository.tags.iter();
    let tags = tags.map(|(n, commit)| git_ref::Model {
        // Some tags do not say when they were made.
        created_date: (*n < 4).then(|| time(i64::from(*n))),
        ..git_ref(format!("refs/tags/v{n}.0.0"), *commit, "TAG")
    });
    let main = git_ref("main".to_owned(), repository.main, "BRANCH");
    replace(&mut page, scope, "repo_id", tags.chain([main]).collect()).await;
    let commits = held.iter().map(|commit| repo_commit::Model {
        repo_id: repo.clone(),
        commit_sha: sha(*commit),
        ..repo_commit::Model::default()
    });
    replace(&mut page, scope, "repo_id", commits.collect()).await;
    let own: Vec<String> = held.iter().map(|commit| sha(*commit)).collect();
    let described = held.iter().map(|number| commit::Model {
        sha: sha(*number),
        committed_date: i64::try_from(*number).ok().map(time),
        ..commit::Model::default()
    });
    replace_of(&mut page, scope, ("sha", own.clone()), described.collect()).await;
    let parents = held.iter().flat_map(|commit| {
        let parents = (0..).zip(&world.parents[*commit]);
        parents.map(|(order, parent)| commit_parent::Model {
            commit_sha: sha(*commit),
            parent_commit_sha: sha(*parent),
            parent_order: order,
        })
    });
    // Those of a commit are shared by all repositories that have it.
    replace_of(&mut page, scope, ("commit_sha", own), parents.collect()).await;
    let deployments =
        repository
            .deployments
            .iter()
            .map(|(number, commit)| cicd_deployment_commit::Model {
                id: format!("{}:{number}", scope.full_name),
                cicd_scope_id: repo.clone(),
                commit_sha: sha(*commit),
                result: if number % 4 == 3 {
                    "FAILURE"
                } else {
                    "SUCCESS"
                }
                .to_owned(),
                environment: "PRODUCTION".to_owned(),
                repo_url: "https://example.org".to_owned(),
                finished_date: Some(time(i64::from(number / 2))),
                ..cicd_deployment_commit::Model::default()
            });
    let own = (
        "cicd_scope_id = ? AND subtask_name = ''",
        vec![repo.clone().into()],
    );
    replace_within(&mut page, scope, own, deployments.collect()).await;
    page.commit().await.unwrap();
}

/// Runs the step where something changed. Returns whether it had anything to look at.
async fn compare(store: &Store, repository: &Repository) -> bool {
    let cancel = CancellationToken::new();
    let context = StepContext {
        now: time(1),
        cancel: &cancel,
        progress: &|_| {},
    };
    let (scope, rules) = (&repository.scope, rules(repository));
    let (repo, projects) = (repo_id(scope), projects());
    let stale = diffs::is_stale(store, (scope, &repo), (&rules, &projects))
        .await
        .unwrap();
    let done = diffs::run(store, (scope, &repo), (&rules, &projects), &context).await;
    done.unwrap();
    stale
}

async fn settle(store: &Store, world: &World) {
    for round in 0.. {
        let mut any = false;
        for repository in &world.repositories {
            any |= compare(store, repository).await;
        }
        if !any {
            return;
        }
        assert!(round < 4, "repositories keep waking each other");
    }
}

struct Opened {
    store: Store,
    _database: TestDatabase,
}

async fn opened(on: On, world: &World) -> Option<Opened> {
    let database = Box::pin(TestDatabase::migrated(on)).await?;
    let address = DatabaseAddress::parse(&database.address).unwrap();
    let store = Box::pin(headwater::database::open(&address)).await.unwrap();
    for repository in &world.repositories {
        store.register(&repository.scope, time(0)).await.unwrap();
    }
    let scope = Scope::everywhere();
    let mut page = store.begin(&scope, time(0)).await.unwrap();
    let mapped = ["released", "other"].map(|name| project_mapping::Model {
        project_name: name.to_owned(),
        table: "cicd_scopes".to_owned(),
        row_id: repo_id(&world.repositories[0].scope),
    });
    replace_within(&mut page, &scope, ("1 = 1", Vec::new()), mapped.into()).await;
    page.commit().await.unwrap();
    Some(Opened {
        store,
        _database: database,
    })
}

/// Every pair of which all is known has the commits that sets say.
async fn assert_counts(store: &Store, world: &World) {
    for repository in &world.repositories {
        let held = world.held(repository);
        let number = |text: &str| (0..world.parents.len()).find(|n| sha(*n) == text).unwrap();
        for pair in store
            .diff_pairs_of(&repo_id(&repository.scope))
            .await
            .unwrap()
        {
            let (new, old) = (number(&pair.new_commit_sha), number(&pair.old_commit_sha));
            let has_both = held.contains(&new) && held.contains(&old);
            assert_eq!(pair.state == "MISSING", !has_both, "{pair:?}");
            if pair.state == "COMPLETE" {
                let found = world
                    .reachable([new])
                    .difference(&world.reachable([old]))
                    .count();
                assert_eq!(pair.commits, i64::try_from(found).unwrap(), "{pair:?}");
            }
        }
    }
}

async fn assert_same_as_fresh(on: On, shallow: [usize; 2], events: &[(usize, Event)]) {
    let mut world = World::new(shallow);
    let Some(lived) = opened(on, &world).await else {
        return;
    };
    for place in 0..2 {
        write(&lived.store, &world, place).await;
        compare(&lived.store, &world.repositories[place]).await;
    }
    for (place, event) in events {
        world.happen(*place, event);
        write(&lived.store, &world, *place).await;
        if matches!(event, Event::Corrected(..)) {
            // Whoever has the commit is given its parents anew.
            write(&lived.store, &world, 1 - *place).await;
        }
        compare(&lived.store, &world.repositories[*place]).await;
    }
    settle(&lived.store, &world).await;
    let fresh = opened(on, &world).await.unwrap();
    for place in 0..2 {
        write(&fresh.store, &world, place).await;
    }
    settle(&fresh.store, &world).await;
    let mut tables = Tables {
        raw: Vec::new(),
        rows: diffs::tables(),
    };
    tables.rows.push(cicd_deployment::Model::table());
    tables.rows.push(cicd_deployment_commit::Model::table());
    let different = tables_equal(&lived.store, &fresh.store, &tables, 20)
        .await
        .unwrap();
    let shown: Vec<String> = different.iter().map(ToString::to_string).collect();
    assert!(shown.is_empty(), "here: lived, there: fresh\n{shown:#?}");
    assert_counts(&lived.store, &world).await;
    for opened in [lived, fresh] {
        opened.store.close().await.unwrap();
    }
}

fn events() -> impl Strategy<Value = Vec<(usize, Event)>> {
    let any = 0..1000usize;
    let event = prop_oneof![
        3 => prop::collection::vec(any.clone(), 1..3).prop_map(Event::Commit),
        4 => (0..5u8, any.clone()).prop_map(|(name, commit)| Event::Tag(name, commit)),
        1 => (0..5u8).prop_map(Event::DeleteTag),
        2 => any.clone().prop_map(Event::Move),
        4 => (0..8u8, any).prop_map(|(number, commit)| Event::Deploy(number, commit)),
        1 => (0..8u8).prop_map(Event::Undeploy),
        1 => (1..4usize).prop_map(Event::Limit),
        1 => Just(Event::Deepen),
        1 => (0..1000usize, prop::collection::vec(0..1000usize, 0..3))
            .prop_map(|(commit, parents)| Event::Corrected(commit, parents)),
    ];
    prop::collection::vec((0..2usize, event), 1..16)
}

#[rstest]
#[test]
fn repositories_that_lived_equal_fresh_ones(#[values(Sqlite, Postgres, MariaDb)] on: On) {
    let cases = if on == Sqlite { 16 } else { 4 };
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
    let shallow = prop::sample::select(vec![[0, 0], [0, 3], [3, 0], [3, 2]]);
    let outcome = runner.run(&(shallow, events()), |(shallow, events)| {
        runtime.block_on(assert_same_as_fresh(on, shallow, &events));
        Ok(())
    });
    outcome.unwrap();
}

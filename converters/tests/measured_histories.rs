//! Whatever happened to the rows of projects and to their rules, what is measured is what a fresh
//! database with the same rows measures.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by failing"
)]

#[path = "measured_histories/world.rs"]
mod world;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use headwater_converters::imported_deployments::ImportedDeployments;
use headwater_converters::project_metrics::ProjectMetrics;
use headwater_converters::{Derivation, Task};
use headwater_domain::devops::{cicd_deployment, cicd_deployment_commit};
use headwater_domain::id::bitbucket::IDS;
use headwater_domain::metrics::{
    project_deployment, project_incident_deployment_relationship, project_pr_metric,
    project_recovery, unlinked_incident,
};
use headwater_domain::ticket::{incident, incident_assignee};
use headwater_domain::{Row as _, Scope};
use headwater_store::compare::{Tables, tables_equal};
use headwater_store::{Changes, StepContext, Store};
use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use headwater_testing::TestStore;
use tokio_util::sync::CancellationToken;

use world::World;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

/// What is derived over all scopes, in its order.
fn derivations() -> [Derivation; 2] {
    [
        Derivation::of::<ImportedDeployments>(),
        Derivation::of::<ProjectMetrics>(),
    ]
}

/// The store, noting what changes make stale.
fn following(store: &Store) -> Store {
    let declared = derivations().into_iter().map(|it| it.declared);
    store.following(declared.collect())
}

/// Measures as the end of a run does.
async fn derive(store: &Store, world: &World) -> Changes {
    let cancel = CancellationToken::new();
    let context = StepContext {
        now: now(),
        cancel: &cancel,
        progress: &|_| (),
    };
    let (scope, rules, projects) = (Scope::everywhere(), Arc::default(), world.projects());
    let task = Task {
        store,
        scope: &scope,
        ids: &IDS,
        repo_id: "",
        rules: &rules,
        projects: &projects,
        patches: None,
        context: &context,
    };
    let mut changes = Changes::default();
    for derivation in derivations() {
        if derivation.is_stale(&task).await.unwrap() {
            changes += derivation.run(&task).await.unwrap().changes;
        }
    }
    changes
}

fn compared() -> Tables {
    Tables {
        raw: Vec::new(),
        rows: vec![
            project_pr_metric::Model::table(),
            project_deployment::Model::table(),
            project_recovery::Model::table(),
            project_incident_deployment_relationship::Model::table(),
            unlinked_incident::Model::table(),
            incident::Model::table(),
            incident_assignee::Model::table(),
            cicd_deployment::Model::table(),
            cicd_deployment_commit::Model::table(),
        ],
    }
}

async fn compare(on: On, lived: &Store, world: &World, place: &str) {
    let fresh = TestStore::on(on).await.unwrap();
    let store = following(&fresh.store);
    world.write(&store).await;
    derive(&store, world).await;
    let differences = tables_equal(lived, &store, &compared(), 20).await.unwrap();
    let shown: Vec<String> = differences.iter().map(ToString::to_string).collect();
    assert!(shown.is_empty(), "{place}:\n{}", shown.join("\n"));
}

/// Forgets what was computed: the next computation looks at everything.
async fn forget(lived: &TestStore) {
    let checkpoints = "DELETE FROM _headwater_checkpoints WHERE step LIKE 'convert:%'";
    lived.execute(checkpoints).await;
}

async fn play(on: On, seeds: std::ops::RangeInclusive<u64>, steps: usize) {
    for seed in seeds {
        let Some(lived) = TestStore::on(on).await else {
            return;
        };
        let store = following(&lived.store);
        let mut world = World::of(seed);
        world.write(&store).await;
        derive(&store, &world).await;
        let mut happened = Vec::new();
        for _ in 0..steps {
            // Mostly one thing alone, so that what does not follow it is not hidden by the rest.
            for _ in 0..=world.dice(4) / 3 {
                happened.push(world.happen());
            }
            world.write(&store).await;
            derive(&store, &world).await;
            forget(&lived).await;
            let again = derive(&store, &world).await;
            let wrong = again.written + again.removed;
            let latest = &happened[happened.len().saturating_sub(3)..];
            assert_eq!(
                wrong, 0,
                "{on:?}, seed {seed}: rows were not renewed after {latest:#?}"
            );
        }
        let place = format!("{on:?}, seed {seed}, after {happened:#?}");
        compare(on, &store, &world, &place).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_measured_after_any_history_is_what_a_fresh_sqlite_file_measures() {
    play(Sqlite, 1..=4, 60).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_measured_after_any_history_is_what_a_fresh_postgres_measures() {
    play(Postgres, 21..=21, 40).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_measured_after_any_history_is_what_a_fresh_mariadb_measures() {
    play(MariaDb, 31..=31, 40).await;
}

//! Repositories that are called something else from now on.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use headwater::exit::Exit;
use headwater::plan::Depth;
use headwater_simulator::{Habits, Simulator};
use headwater_store::query::Cell;
use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;
use tokio_util::sync::CancellationToken;

use crate::lake::{ALL, How, Lake, tiny};

/// Slugs of the first two repositories.
fn slugs(simulator: &Simulator) -> (String, String) {
    let world = simulator.world();
    let slug = |place: usize| world.repositories()[place].slug.clone();
    (slug(0), slug(1))
}

impl Lake {
    async fn texts(&self, sql: &str) -> Vec<String> {
        let answer = self.ask(sql).await;
        let text = |row: &Vec<Cell>| match &row[0] {
            Cell::Text(text) => text.clone(),
            other => format!("{other:?}"),
        };
        answer.rows.iter().map(text).collect()
    }

    async fn names(&self) -> Vec<String> {
        let sql = "SELECT full_name FROM _headwater_scopes WHERE full_name LIKE '%/%' \
                   ORDER BY full_name";
        self.texts(sql).await
    }

    /// Syncs, reads all lists again, and compares with a first sync of these scopes.
    async fn assert_follows(&self, simulator: &Simulator, scopes: &str) {
        let (exit, _) = self.sync(How::default()).await;
        assert_eq!(exit, Exit::Ok);
        let (exit, _) = self.reconcile(Depth::Lists).await;
        assert_eq!(exit, Exit::Ok);
        let fresh = Lake::with_scopes(simulator, scopes).await;
        assert_eq!(fresh.sync(How::default()).await.0, Exit::Ok);
        let differences = self.differences(&fresh).await;
        let shown: Vec<String> = differences.iter().map(ToString::to_string).collect();
        assert!(shown.is_empty(), "{shown:#?}");
    }

    /// Every text in the database that holds a name, but for payloads and what is noted of names.
    async fn places_of(&self, name: &str) -> BTreeSet<String> {
        let columns = "SELECT m.name || '.' || c.name FROM sqlite_master m, \
                       pragma_table_info(m.name) c WHERE m.type = 'table' \
                       AND c.type NOT IN ('INTEGER', 'bigint', 'boolean', 'blob')";
        let mut found = BTreeSet::new();
        for place in self.texts(columns).await {
            let (table, column) = place.split_once('.').unwrap();
            // Payloads are as they were received until they are read again.
            let is_told = column.ends_with("url") && !table.starts_with("_raw_");
            let is_history = ["aliases", "leases", "steps"]
                .iter()
                .any(|it| table.ends_with(it));
            if is_told || is_history || column == "data" {
                continue;
            }
            let sql = format!(
                "SELECT COUNT(*) FROM {table} WHERE \"{column}\" = '{name}' \
                 OR \"{column}\" LIKE '%:{name}' OR \"{column}\" LIKE '%:{name}:%' \
                 OR \"{column}\" LIKE '%\"{name}\"%' OR \"{column}\" LIKE '%/{name}' \
                 OR \"{column}\" LIKE '%/{name}/%'"
            );
            if self.number(&sql).await > 0 {
                found.insert(place);
            }
        }
        found
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_renamed_repository_keeps_its_rows_under_its_new_name(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let simulator = tiny().await;
    let Some(lake) = Lake::on(on, &simulator, ALL).await else {
        return;
    };
    lake.sync(How::default()).await;
    let (slug, _) = slugs(&simulator);
    let first_ids = "SELECT MIN(id) FROM _raw_bitbucket_api_pull_requests";
    let before = lake.number(first_ids).await;
    let created = "SELECT COUNT(*) FROM pull_requests";
    let pull_requests = lake.number(created).await;
    simulator
        .world()
        .rename_repository(&slug, "Fresh Name")
        .unwrap();
    let (exit, _) = lake.sync(How::default()).await;
    assert_eq!(exit, Exit::Ok);
    assert!(lake.names().await.contains(&"acme/fresh-name".to_owned()));
    assert!(!lake.names().await.contains(&format!("acme/{slug}")));
    assert_eq!(lake.number(first_ids).await, before, "rows are the same");
    assert_eq!(lake.number(created).await, pull_requests);
    let aliases = "SELECT former_name || ' ' || full_name FROM _headwater_scope_aliases";
    if on != MariaDb {
        assert_eq!(
            lake.texts(aliases).await,
            [format!("acme/{slug} acme/fresh-name")]
        );
    }
    lake.assert_follows(&simulator, ALL).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_rename_only_payloads_hold_the_old_name() {
    let simulator = tiny().await;
    let lake = Lake::with_scopes(&simulator, ALL).await;
    lake.sync(How::default()).await;
    let (slug, _) = slugs(&simulator);
    let old = format!("acme/{slug}");
    assert!(
        lake.places_of(&old).await.len() > 40,
        "the search finds names"
    );
    simulator
        .world()
        .rename_repository(&slug, "Fresh Name")
        .unwrap();
    lake.sync(How::default()).await;
    assert_eq!(lake.places_of(&old).await, BTreeSet::new());
    lake.assert_follows(&simulator, ALL).await;
    assert_eq!(lake.places_of(&old).await, BTreeSet::new());
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn repositories_that_exchange_their_names_are_not_mixed(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let simulator = tiny().await;
    let Some(lake) = Lake::on(on, &simulator, ALL).await else {
        return;
    };
    lake.sync(How::default()).await;
    let (slug, other) = slugs(&simulator);
    simulator.world().swap_repositories(&slug, &other).unwrap();
    lake.assert_follows(&simulator, ALL).await;
    // And back again.
    simulator.world().swap_repositories(&slug, &other).unwrap();
    lake.assert_follows(&simulator, ALL).await;
}

#[rstest]
#[case::that_answers(true)]
#[case::that_does_not(false)]
#[tokio::test(flavor = "multi_thread")]
async fn a_repository_named_in_full_is_followed_to_a_name(#[case] former_names_answer: bool) {
    let simulator = tiny().await;
    let (slug, other) = slugs(&simulator);
    let scopes = format!(r#"["acme/{slug}", "acme/{other}"]"#);
    let lake = Lake::with_scopes(&simulator, &scopes).await;
    lake.sync(How::default()).await;
    let habits = Habits {
        former_names_answer: true,
        ..Habits::default()
    };
    simulator.world().set_habits(habits);
    simulator
        .world()
        .rename_repository(&slug, "Fresh Name")
        .unwrap();
    lake.assert_follows(&simulator, &scopes).await;
    let mut names = ["acme/fresh-name".to_owned(), format!("acme/{other}")];
    names.sort();
    assert_eq!(lake.names().await, names);

    // Later the old name may lead nowhere: what it led to is remembered.
    simulator.world().set_habits(Habits {
        former_names_answer,
        ..Habits::default()
    });
    let _ = simulator.take_requests();
    let (exit, _) = lake.sync(How::default()).await;
    assert_eq!((exit, lake.names().await), (Exit::Ok, names.to_vec()));

    // Another repository takes the old name: it belongs to that one from now on, and the rows are not mixed.
    simulator.world().rename_repository(&other, &slug).unwrap();
    let (exit, _) = lake.sync(How::default()).await;
    assert_eq!(exit, Exit::Ok);
    let mut names = ["acme/fresh-name".to_owned(), format!("acme/{slug}")];
    names.sort();
    assert_eq!(lake.names().await, names);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_in_full_that_are_exchanged_cost_no_request_more() {
    let simulator = tiny().await;
    let (slug, other) = slugs(&simulator);
    let scopes = format!(r#"["acme/{slug}", "acme/{other}"]"#);
    let lake = Lake::with_scopes(&simulator, &scopes).await;
    lake.sync(How::default()).await;
    simulator.world().swap_repositories(&slug, &other).unwrap();
    let _ = simulator.take_requests();
    let (exit, summary) = lake.sync(How::default()).await;
    let requests = simulator.take_requests();
    assert_eq!((exit, summary.requests), (Exit::Ok, requests.len() as u64));
    let single = |slug: &str| {
        let path = format!("/2.0/repositories/acme/{slug}");
        requests
            .iter()
            .filter(|request| request.path == path)
            .count()
    };
    assert_eq!((single(&slug), single(&other)), (1, 1));
    lake.assert_follows(&simulator, &scopes).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_that_is_gone_gives_its_name_up_and_keeps_its_rows() {
    let simulator = tiny().await;
    let lake = Lake::with_scopes(&simulator, ALL).await;
    lake.sync(How::default()).await;
    let (slug, other) = slugs(&simulator);
    let uuid = simulator.world().repository(&slug).unwrap().uuid.clone();
    simulator.world().delete_repository(&slug).unwrap();
    simulator.world().rename_repository(&other, &slug).unwrap();
    let (exit, _) = lake.sync(How::default()).await;
    assert_eq!(exit, Exit::Ok);
    let names = lake.names().await;
    assert!(names.contains(&format!("acme/{uuid}")), "{names:?}");
    let rows = |name: &str| {
        format!("SELECT COUNT(*) FROM pull_requests WHERE base_repo_id LIKE '%:acme/{name}'")
    };
    assert_eq!(lake.number(&rows(&uuid)).await, 5);
    assert_eq!(lake.number(&rows(&slug)).await, 5);
    let gone = "SELECT full_name FROM _headwater_scopes WHERE source_gone_at IS NOT NULL";
    assert_eq!(lake.texts(gone).await, [format!("acme/{uuid}")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rename_that_is_interrupted_leaves_one_name_or_the_other() {
    let simulator = tiny().await;
    let lake = Lake::with_scopes(&simulator, ALL).await;
    lake.sync(How::default()).await;
    let (slug, other) = slugs(&simulator);
    simulator.world().swap_repositories(&slug, &other).unwrap();
    let names = lake.names().await;
    // The last thing that a rename does in its transaction.
    lake.execute(
        "CREATE TRIGGER no_alias BEFORE INSERT ON _headwater_scope_aliases \
         BEGIN SELECT RAISE(ABORT, 'the power went off'); END",
    )
    .await;
    let failed = lake
        .try_sync(How::default(), CancellationToken::new())
        .await;
    assert!(failed.is_err());
    assert_eq!(lake.names().await, names);
    let owner = format!(
        "SELECT COUNT(*) FROM _tool_bitbucket_repos WHERE bitbucket_id = 'acme/{slug}' \
         AND name LIKE '%'"
    );
    assert_eq!(lake.number(&owner).await, 1);
    lake.execute("DROP TRIGGER no_alias").await;
    lake.assert_follows(&simulator, ALL).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rename_waits_for_a_process_that_works_on_the_repository() {
    use headwater_domain::Scope;
    use headwater_store::leases::{Claim, Taken};

    let simulator = tiny().await;
    let lake = Lake::with_scopes(&simulator, ALL).await;
    lake.sync(How::default()).await;
    let (slug, _) = slugs(&simulator);
    let scope = Scope::new(1, format!("acme/{slug}"));
    let other = lake.opened_again().await;
    let taken = other.lease_scope(&scope, &Claim::default()).await.unwrap();
    assert!(matches!(taken, Taken::Ours(_)));
    simulator
        .world()
        .rename_repository(&slug, "Fresh Name")
        .unwrap();
    let asked = Arc::new(AtomicBool::new(false));
    let noted = Arc::clone(&asked);
    simulator.set_faults(Some(Arc::new(move |request| {
        noted.fetch_or(request.path.contains("fresh-name/"), Ordering::SeqCst);
        None
    })));
    let (exit, _) = lake.sync(How::default()).await;
    assert_eq!(exit, Exit::Leased);
    assert!(
        !asked.load(Ordering::SeqCst),
        "nothing is collected under the new name"
    );
    assert!(lake.names().await.contains(&scope.full_name));
    drop(taken);
    simulator.set_faults(None);
    let Taken::Ours(lease) = ({
        let mut again = other.lease_scope(&scope, &Claim::default()).await.unwrap();
        while matches!(again, Taken::Held(_)) {
            tokio::task::yield_now().await;
            again = other.lease_scope(&scope, &Claim::default()).await.unwrap();
        }
        again
    }) else {
        unreachable!("the loop ends with a lease")
    };
    lease.release().await.unwrap();
    lake.assert_follows(&simulator, ALL).await;
}

//! What is derived from domain rows: one file for a derivation, and one line where the source is
//! listed.

mod lead_times;

use headwater::exit::Exit;
use headwater::source::Source;
use headwater::sources::bitbucket::bitbucket;
use headwater_domain::code::pull_request;
use headwater_domain::{Origin, Rows, Scope, Table};
use headwater_store::derivations::{Input, Written};
use headwater_store::{Owner, Replacement, Store};
use rstest::rstest;

use crate::lake::{ALL, How, Lake, tiny};
use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use lead_times::{LeadTimes, project_repository};

fn source() -> Source {
    bitbucket().computed::<LeadTimes>()
}

/// What the derivation is to have, counted anew by the database.
const EXPECTED: &str = "SELECT repositories.project, COUNT(prs.id) FROM test_project_repositories AS \
                        repositories JOIN pull_requests AS prs \
                        ON prs.base_repo_id = repositories.repo_id AND prs.status = 'MERGED' \
                        GROUP BY repositories.project ORDER BY 1";
const DERIVED: &str = "SELECT project, merged FROM test_projects ORDER BY project";

async fn assert_as_counted(lake: &Lake, when: &str) -> Vec<String> {
    let shown = |answer: crate::lake::Answer| -> Vec<String> {
        answer.rows.iter().map(|row| format!("{row:?}")).collect()
    };
    let derived = shown(lake.ask(DERIVED).await);
    assert_eq!(derived, shown(lake.ask(EXPECTED).await), "{when}");
    derived
}

/// Puts repositories into a project, and no others.
async fn assign(store: &Store, scope: &Scope, name: &str, repositories: &[String]) {
    let mut rows = Rows::default();
    rows.from_origin(Origin::default());
    for repo_id in repositories {
        rows.push(project_repository::Model {
            project: name.to_owned(),
            repo_id: repo_id.clone(),
        });
    }
    let table = Table::of::<project_repository::Entity>();
    let mut page = store.begin(scope, chrono::Utc::now()).await.unwrap();
    let replacement = Replacement {
        table,
        owner: Owner::Column {
            name: "project",
            values: vec![name.to_owned()],
            connection_id: None,
        },
        rows: rows.take(table),
        first: false,
    };
    page.replace(replacement).await.unwrap();
    page.commit().await.unwrap();
}

async fn repositories(lake: &Lake) -> Vec<String> {
    let answer = lake.ask("SELECT id FROM repos ORDER BY id").await;
    let ids = answer.rows.iter().map(|row| match &row[0] {
        headwater_store::query::Cell::Text(id) => id.clone(),
        other => panic!("{other:?}"),
    });
    ids.collect()
}

/// Steps of the derivation that were logged.
async fn runs(lake: &Lake) -> usize {
    lake.number("SELECT COUNT(*) FROM _headwater_steps WHERE stream = 'lead_times'")
        .await
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_derivation_over_projects_follows_changes_of_any_repository_and_removals(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let simulator = tiny().await;
    let Some(mut lake) = Lake::on(on, &simulator, ALL).await else {
        return;
    };
    for table in lead_times::TABLES {
        lake.execute(table).await;
    }
    lake.store = source().followed_by(&lake.store);
    let synced = lake.sync_with(source(), How::default()).await;
    assert_eq!(synced.0, Exit::Ok);
    assert!(
        assert_as_counted(&lake, "without projects")
            .await
            .is_empty()
    );
    // The repositories come into projects, one project spans two of them.
    let ids = repositories(&lake).await;
    assert!(ids.len() > 2, "{ids:?}");
    let scope = Scope::new(1, "acme/anvil");
    let scope = lake
        .store
        .scopes()
        .await
        .unwrap()
        .first()
        .map_or(scope, |it| it.scope.clone());
    assign(&lake.store, &scope, "both", &ids[..2]).await;
    assign(&lake.store, &scope, "one", &ids[1..2]).await;
    lake.sync_with(source(), How::default()).await;
    let before = assert_as_counted(&lake, "after projects came").await;
    assert_eq!(before.len(), 2, "{before:?}");
    // Nothing changed: nothing is looked at.
    let done = runs(&lake).await;
    lake.sync_with(source(), How::default()).await;
    assert_eq!(runs(&lake).await, done, "nothing changed");
    // A pull request of one repository concerns both projects.
    let slug = ids[1].rsplit('/').next().unwrap().to_owned();
    let merged = lake
        .number(&format!(
            "SELECT MIN(pull_request_key) FROM pull_requests WHERE base_repo_id = '{}' \
             AND status = 'MERGED'",
            ids[1]
        ))
        .await;
    let gone = simulator
        .world()
        .delete_pull_request(&slug, u64::try_from(merged).unwrap());
    assert!(gone.is_ok());
    lake.sync_with(source(), How { full: true }).await;
    let after = assert_as_counted(&lake, "after a removal").await;
    assert_ne!(before, after);
    assert_eq!(runs(&lake).await, done + 1);
    // A repository leaves a project, and a project goes.
    assign(&lake.store, &scope, "both", &ids[..1]).await;
    assign(&lake.store, &scope, "one", &[]).await;
    lake.sync_with(source(), How::default()).await;
    let left = assert_as_counted(&lake, "after a project went").await;
    assert!(left.len() < 2, "{left:?}");
}

/// Reads what another one writes, which reads what this one writes.
struct Chicken;
struct Egg;

macro_rules! waits_for {
    ($name:ident, $text:literal, $reads:path, $writes:path) => {
        impl headwater_converters::Compute for $name {
            const NAME: &'static str = $text;
            const NEEDS: &'static [&'static [&'static str]] = &[];

            fn reads() -> Vec<Input> {
                vec![Input::key::<$reads>("id")]
            }

            fn writes() -> Vec<Written> {
                vec![Written::by::<$writes>("id")]
            }

            fn compute<'a>(
                _: &'a Store,
                _: &'a [String],
                _: &'a mut Rows,
            ) -> futures::future::BoxFuture<'a, Result<(), headwater_store::StoreError>> {
                Box::pin(async { Ok(()) })
            }
        }
    };
}

waits_for!(
    Chicken,
    "chicken",
    pull_request::Entity,
    lead_times::project::Entity
);
waits_for!(
    Egg,
    "egg",
    lead_times::project::Entity,
    pull_request::Entity
);

#[tokio::test(flavor = "multi_thread")]
async fn a_circle_does_not_start() {
    let simulator = tiny().await;
    let lake = Lake::beside(&simulator).await;
    let before = simulator.request_count();
    let source = bitbucket().computed::<Chicken>().computed::<Egg>();
    let failure = lake
        .try_sync_with(source, How::default())
        .await
        .unwrap_err();
    assert_eq!(failure.exit, Exit::Failed);
    let shown = format!("{failure:#?}");
    for name in ["chicken", "egg"] {
        assert!(shown.contains(name), "{shown}");
    }
    assert!(
        !shown.contains("diffs"),
        "only those of the circle: {shown}"
    );
    assert_eq!(lake.number("SELECT COUNT(*) FROM _headwater_runs").await, 0);
    // Names of repositories are resolved before; no stream is collected.
    let asked = simulator
        .requests()
        .split_off(usize::try_from(before).unwrap());
    assert!(
        asked.iter().all(|it| !it.path.contains("pullrequests")),
        "{asked:?}"
    );
}

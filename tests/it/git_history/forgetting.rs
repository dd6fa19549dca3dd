//! Repositories that git alone reads, or whose connection is not configured any more, leave what
//! others have in common with them.

use headwater_git::fixture::Repository;
use headwater_store::compare::tables_equal;
use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;
use tempfile::TempDir;

use super::{plain_configuration, texts, widget};
use crate::lake::{How, Lake, code, headwater};

/// A repository, and one that was cloned from it before it went on.
fn with_fork() -> (Repository, TempDir) {
    let mut source = widget();
    let fork = tempfile::tempdir().unwrap();
    let folder = fork.path().display().to_string();
    source.git(&["clone", "--quiet", "--mirror", ".", &folder]);
    source.commit("main", "five", &[("d.txt", "1\n")]);
    source.git(&["tag", "v2", "main"]);
    (source, fork)
}

fn forget(lake: &Lake, name: &str) {
    let output = headwater(lake.folder(), &["scopes", "forget", name]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(code(&output), 0, "{name}: {said}");
}

/// Fails unless a lake equals one that is filled now as this configuration says.
async fn assert_equals(lake: &Lake, on: On, configuration: &str) {
    let fresh = Lake::with(on, configuration).await.unwrap();
    fresh.sync(How::default()).await;
    let tables = headwater::sources::bitbucket::bitbucket().tables();
    let differences = tables_equal(&lake.store, &fresh.store, &tables, 20).await;
    let differences = differences.unwrap();
    let shown: Vec<String> = differences.iter().map(ToString::to_string).collect();
    assert!(
        shown.is_empty(),
        "here: forgotten, there: never read\n{shown:#?}"
    );
    let remembered = "SELECT full_name FROM _headwater_scopes WHERE full_name <> '' ORDER BY 1";
    assert_eq!(
        texts(lake, remembered).await,
        texts(&fresh, remembered).await
    );
}

fn mirrors_of(lake: &Lake) -> usize {
    let mut open = vec![lake.folder().to_owned()];
    let mut found = 0;
    while let Some(folder) = open.pop() {
        found += usize::from(folder.join("HEAD").is_file());
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            if entry.path().is_dir() {
                open.push(entry.path());
            }
        }
    }
    found
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn commits_that_a_fork_has_too_stay_with_it(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
    #[values("widget", "fork")] forgotten: &str,
) {
    let (source, fork) = with_fork();
    let urls = [
        ("tools/widget", source.path().display().to_string()),
        ("tools/fork", fork.path().display().to_string()),
    ];
    let urls = urls.each_ref().map(|(name, url)| (*name, url.as_str()));
    let Some(lake) = Lake::with(on, &plain_configuration(&urls)).await else {
        return;
    };
    lake.sync(How::default()).await;
    assert_eq!(mirrors_of(&lake), 2);
    forget(&lake, &format!("plain:tools/{forgotten}"));
    assert_eq!(mirrors_of(&lake), 1);
    let other: Vec<_> = urls
        .into_iter()
        .filter(|(name, _)| !name.ends_with(forgotten))
        .collect();
    assert_equals(&lake, on, &plain_configuration(&other)).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_repository_whose_connection_is_not_configured_any_more_is_forgotten_like_others(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let (source, fork) = with_fork();
    let first = plain_configuration(&[("tools/widget", &source.path().display().to_string())]);
    let second = plain_configuration(&[("tools/fork", &fork.path().display().to_string())])
        .replace("id = 9", "id = 10")
        .replace("\"plain\"", "\"other\"");
    let Some(mut lake) = Lake::with(on, &format!("{first}\n{second}")).await else {
        return;
    };
    lake.sync(How::default()).await;
    lake.configure(&second);
    forget(&lake, "9:tools/widget");
    assert_equals(&lake, on, &second).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn all_of_a_connection_with_an_api_that_is_not_configured_any_more_can_be_forgotten(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let simulator = crate::lake::tiny().await;
    let first = crate::lake::configuration(&simulator.endpoint(), crate::lake::ALL);
    let second = first
        .replace("id = 1\n", "id = 2\n")
        .replace("\"acme-cloud\"", "\"other\"");
    let Some(mut lake) = Lake::with(on, &format!("{first}\n{second}")).await else {
        return;
    };
    lake.sync(How::default()).await;
    lake.configure(&second);
    let of_first = "SELECT full_name FROM _headwater_scopes WHERE connection_id = 1 ORDER BY 1";
    for name in texts(&lake, of_first).await {
        forget(&lake, &format!("1:{name}"));
    }
    assert_equals(&lake, on, &second).await;
}

//! The commits in the ranges of tags in a repository without an API, as the program says it.

use std::collections::BTreeSet;
use std::path::Path;

use headwater::exit::Exit;
use headwater_git::fixture::Repository;
use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;
use serde_json::Value;

use super::{lake_of, plain_configuration, widget};
use crate::lake::{How, headwater, stdout};

fn run(folder: &Path, arguments: &[&str]) -> String {
    stdout(&headwater(folder, arguments))
}

fn parsed(folder: &Path, arguments: &[&str]) -> Value {
    serde_json::from_str(&run(folder, arguments)).unwrap()
}

/// Releases on a main branch and on one for fixes, which do not descend from each other.
fn releases() -> Repository {
    let mut source = Repository::new();
    source.commit("main", "one", &[("a.txt", "1\n")]);
    source.git(&["tag", "v1.0.0-rc1", "main"]);
    source.commit("main", "two (#2)", &[("a.txt", "2\n")]);
    source.git(&["tag", "-a", "v1.0.0", "-m", "Release", "main"]);
    source.git(&["branch", "fixes", "main"]);
    source.commit("main", "three", &[("b.txt", "1\n")]);
    source.commit("fixes", "a fix", &[("c.txt", "1\n")]);
    source.git(&["tag", "v1.0.1", "fixes"]);
    source.merge("main", &["fixes"], "back", &[]);
    source.commit("main", "four", &[("a.txt", "4\n")]);
    source.git(&["tag", "-a", "v1.1.0", "-m", "Release", "main"]);
    source.git(&["tag", "nightly", "main"]);
    source
}

/// Fails unless the program and the tables say of each pair what git says.
fn assert_as_git(folder: &Path, source: &Repository, pairs: &[(&str, &str)]) {
    for (new, old) in pairs {
        let list = source.git(&["rev-list", new, &format!("^{old}")]);
        let expected: BTreeSet<&str> = list.lines().collect();
        let range = format!("{old}..{new}");
        let brought = parsed(
            folder,
            &["diff", "tools/widget", &range, "--format", "json"],
        );
        let commits = brought["commits"].as_array().unwrap();
        let commits: Vec<&str> = commits.iter().map(|it| it.as_str().unwrap()).collect();
        assert_eq!(commits.len(), expected.len(), "{range}: {brought}");
        let told: BTreeSet<&str> = commits.into_iter().collect();
        assert_eq!(told, expected, "{range}");
        let sql = format!(
            "SELECT brought.commit_sha FROM commits_diffs AS brought \
             JOIN refs AS new ON new.commit_sha = brought.new_commit_sha \
             JOIN refs AS old ON old.commit_sha = brought.old_commit_sha \
             WHERE new.name LIKE '%{new}' AND old.name LIKE '%{old}' ORDER BY sorting_index"
        );
        let rows = run(folder, &["query", &sql, "--format", "csv"]);
        let rows: BTreeSet<&str> = rows.lines().skip(1).collect();
        assert_eq!(rows, expected, "{range} in commits_diffs");
    }
}

#[test]
fn tags_of_a_repository_without_an_api_bring_what_git_says() {
    let mut source = releases();
    let folder = tempfile::tempdir().unwrap();
    let url = source.path().display().to_string();
    let config = plain_configuration(&[("tools/widget", &url)]);
    let config = format!("{config}\n[scope_config.default]\ntags_pattern = \"^v|^nightly$\"\n");
    let folder = folder.path();
    std::fs::write(folder.join("headwater.toml"), config).unwrap();
    run(folder, &["sync"]);
    let shown = run(folder, &["tags", "plain:tools/widget"]);
    let places = ["v1.1.0", "v1.0.1", "v1.0.0", "v1.0.0-rc1"].map(|tag| shown.find(tag));
    assert!(places.is_sorted() && places[0].is_some(), "{shown}");
    assert!(shown.contains("nightly"), "{shown}");
    assert_as_git(
        folder,
        &source,
        &[
            ("v1.1.0", "v1.0.1"),
            ("v1.0.1", "v1.0.0"),
            ("v1.0.0", "v1.0.0-rc1"),
        ],
    );

    // A tag that moved, one that is gone, and one more.
    source.commit("main", "five", &[("a.txt", "5\n")]);
    source.git(&["tag", "--force", "v1.1.0", "main"]);
    source.git(&["tag", "--delete", "v1.0.1"]);
    source.commit("main", "six", &[("a.txt", "6\n")]);
    source.git(&["tag", "v2.0.0", "main"]);
    run(folder, &["sync"]);
    assert_as_git(
        folder,
        &source,
        &[
            ("v2.0.0", "v1.1.0"),
            ("v1.1.0", "v1.0.0"),
            ("v1.0.0", "v1.0.0-rc1"),
        ],
    );
    let gone = headwater(folder, &["diff", "tools/widget", "v1.0.0..v1.0.1"]);
    assert_eq!(gone.status.code(), Some(2));
    assert!(run(folder, &["verify"]).contains("equal to a fresh first sync"));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn tags_are_compared_again_when_something_came_and_not_otherwise(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let mut source = widget();
    let Some(lake) = lake_of(on, source.path()).await else {
        return;
    };
    let compared = async || {
        assert_eq!(lake.sync(How::default()).await.0, Exit::Ok);
        lake.number("SELECT COUNT(*) FROM _headwater_steps WHERE stream = 'diffs'")
            .await
    };
    assert_eq!(compared().await, 1);
    assert_eq!(compared().await, 1, "nothing came");
    source.git(&["tag", "v2", "main"]);
    assert_eq!(compared().await, 2, "a tag came");
    source.commit("main", "five", &[("a.txt", "5\n")]);
    assert_eq!(compared().await, 3, "a commit came");
    source.git(&["update-ref", "refs/heads/main", "main~1"]);
    assert_eq!(compared().await, 4, "a commit went");
    assert_eq!(compared().await, 4, "nothing went");
}

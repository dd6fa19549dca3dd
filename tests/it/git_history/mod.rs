//! Git history from end to end: repositories on paths and behind a simulated Bitbucket, to tables.

mod damaged;
mod ending;
mod forgetting;
mod hostile;
mod odd_refs;
mod owner;
mod plain;
mod releases;
mod secrets;
mod servers;

use std::path::Path;

use headwater::exit::Exit;
use headwater_git::fixture::Repository;
use headwater_store::query::Cell;
use headwater_testing::On;

use crate::lake::{How, Lake};

/// What a connection of kind `git` with these repositories says.
fn plain_configuration(urls: &[(&str, &str)]) -> String {
    let urls: Vec<String> = urls
        .iter()
        .map(|(name, url)| format!("\"{name}\" = \"{url}\""))
        .collect();
    format!(
        "[[connection]]\nid = 9\nname = \"plain\"\nkind = \"git\"\nauth.kind = \"none\"\n\
         git.urls = {{ {} }}\n",
        urls.join(", ")
    )
}

/// A repository with branches, a merge and two tags.
fn widget() -> Repository {
    let mut source = Repository::new();
    source.commit("main", "one", &[("a.txt", "1\n2\n"), ("b.txt", "1\n")]);
    source.commit("main", "two", &[("a.txt", "1\n2\n3\n")]);
    source.git(&["branch", "feature/x", "main"]);
    source.commit("feature/x", "three", &[("c.txt", "1\n")]);
    source.commit("main", "four", &[("b.txt", "")]);
    source.merge("main", &["feature/x"], "merge", &[]);
    source.git(&["tag", "light", "main~1"]);
    source.git(&["tag", "-a", "v1", "-m", "Release one", "main"]);
    source
}

/// A lake that reads one repository on a path.
async fn lake_of(on: On, source: &Path) -> Option<Lake> {
    let url = source.display().to_string();
    Lake::with(on, &plain_configuration(&[("tools/widget", &url)])).await
}

/// The texts of a query's only column.
pub(crate) async fn texts(lake: &Lake, sql: &str) -> Vec<String> {
    let answer = lake.ask(sql).await;
    let text = |row: &Vec<Cell>| match &row[0] {
        Cell::Text(text) => text.clone(),
        other => format!("{other:?}"),
    };
    answer.rows.iter().map(text).collect()
}

/// Commits of the repository as the tables have them, in the order of their names.
async fn stored_commits(lake: &Lake) -> Vec<String> {
    texts(
        lake,
        "SELECT commit_sha FROM repo_commits ORDER BY commit_sha",
    )
    .await
}

/// Commits of the repository as git has them.
fn commits_of(source: &Repository) -> Vec<String> {
    let list = source.git(&["rev-list", "--all"]);
    let mut commits: Vec<String> = list.lines().map(str::to_owned).collect();
    commits.sort();
    commits
}

/// Fails unless a lake equals another one that is filled now, once, under the same configuration.
pub(crate) async fn assert_equals_fresh(on: On, lake: &Lake, configuration: &str) {
    let fresh = Lake::with(on, configuration).await.unwrap();
    assert_eq!(fresh.sync(How::default()).await.0, Exit::Ok);
    let differences = lake.differences(&fresh).await;
    let shown: Vec<String> = differences.iter().map(ToString::to_string).collect();
    assert!(
        shown.is_empty(),
        "here: step by step, there: at once\n{shown:#?}"
    );
}

/// Files below a folder that only an unfinished clone or fetch leaves.
fn leftovers(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let is_left = [
                "tmp_",
                "incoming",
                "outgoing",
                ".lock",
                "unfinished",
                "child",
                ".new",
            ]
            .iter()
            .any(|part| name.contains(part));
            if is_left {
                found.push(entry.path().display().to_string());
            } else if entry.path().is_dir() {
                open.push(entry.path());
            }
        }
    }
    found
}

//! Asking remotes.

use super::{at_path, git, go_on};
use crate::fixture::Repository;
use crate::{GitErrorKind, Head, RefName};

#[tokio::test]
async fn branches_tags_and_head_are_told() {
    let mut source = Repository::new();
    let first = source.commit("main", "one", &[("a", "1")]);
    source.commit("side", "two", &[("b", "1")]);
    source.git(&["tag", "light", "main"]);
    source.git(&["tag", "-a", "-m", "heavy", "heavy", "main"]);
    source.git(&["update-ref", "refs/pull-requests/1/from", "main"]);
    let advertised = git()
        .await
        .ls_remote(&at_path(source.path()), &go_on())
        .await
        .unwrap();
    let main = RefName::parse("refs/heads/main").unwrap();
    assert_eq!(advertised.head, Head::Branch(main.clone()));
    assert_eq!(advertised.refs[&main].as_str(), first);
    let heavy = &advertised.refs[&RefName::parse("refs/tags/heavy").unwrap()];
    assert_eq!(Some(heavy.to_string()), source.resolve("refs/tags/heavy"));
    assert_eq!(advertised.refs.len(), 4);
}

#[tokio::test]
async fn an_empty_repository_has_nothing_and_a_detached_head_is_a_commit() {
    let mut source = Repository::new();
    let git = git().await;
    let advertised = git
        .ls_remote(&at_path(source.path()), &go_on())
        .await
        .unwrap();
    assert!(advertised.refs.is_empty() && advertised.head == Head::Unborn);
    let commit = source.commit("main", "one", &[]);
    std::fs::write(source.path().join("HEAD"), &commit).unwrap();
    let advertised = git
        .ls_remote(&at_path(source.path()), &go_on())
        .await
        .unwrap();
    assert_eq!(advertised.head, Head::Detached(commit.parse().unwrap()));
}

#[tokio::test]
async fn a_repository_that_is_not_there_is_not_found() {
    let folder = tempfile::tempdir().unwrap();
    let error = git()
        .await
        .ls_remote(&at_path(&folder.path().join("x.git")), &go_on())
        .await;
    let error = error.unwrap_err();
    assert_eq!(error.kind, GitErrorKind::NotFound, "{error}");
}

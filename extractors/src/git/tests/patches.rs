//! What commits change, by name.

use std::fmt::Write as _;

use headwater_git::Git;
use headwater_git::fixture::Repository;
use tokio_util::sync::CancellationToken;

use super::super::{Change, ExtractError, GitSource, patch_ids};

async fn names(
    source: &Repository,
    changes: &[Change],
    cancel: &CancellationToken,
) -> Result<Vec<Option<String>>, ExtractError> {
    let source = GitSource {
        repo_id: "git:Repo:9:tools/widget",
        mirror: source.path(),
        git: &Git::find(None).await.unwrap(),
    };
    let named = patch_ids(&source, "tools/widget", changes, cancel).await?;
    Ok(changes.iter().map(|it| named.get(it).cloned()).collect())
}

fn of(commit: &str) -> Change {
    (commit.to_owned(), None)
}

/// A path with quotes and a line feed, as `git fast-import` reads it.
const ODD: &str = r#""b \"x\"\n""#;

/// Main with a file, and commits of several branches by what they do.
struct Made {
    source: Repository,
    base: String,
    one: String,
    two: String,
}

fn made() -> Made {
    let mut source = Repository::new();
    let base = source.commit("main", "base", &[("a", "1\n2\n3\n"), ("raw", "\0one")]);
    source.git(&["branch", "topic", "main"]);
    let one = source.commit("topic", "one", &[("a", "1\n2\n3\n4\n")]);
    let two = source.commit("topic", "two", &[(ODD, "new\n")]);
    Made {
        source,
        base,
        one,
        two,
    }
}

#[tokio::test]
async fn equal_changes_have_one_name_wherever_they_were_made() {
    let mut made = made();
    let source = &mut made.source;
    let between = source.commit("main", "between", &[("c", "c\n")]);
    let copy = source.commit("main", "copy", &[("a", "1\n2\n3\n4\n")]);
    let other = source.commit("main", "other", &[("a", "1\n2\n3\n4\n5\n")]);
    source.git(&["branch", "squashed", &between]);
    let both = [("a", "1\n2\n3\n4\n"), (ODD, "new\n")];
    let squash = source.commit("squashed", "squash", &both);
    let empty = source.commit("squashed", "empty", &[]);
    let all = (made.two.clone(), Some(made.base.clone()));
    let asked = [
        of(&made.one),
        of(&copy),
        of(&other),
        of(&squash),
        all,
        of(&made.two),
        of(&empty),
        of(&made.base),
    ];
    let cancel = CancellationToken::new();
    let found = names(source, &asked, &cancel).await.unwrap();
    assert!(found[0].is_some());
    assert_eq!(found[0], found[1], "a copy");
    assert_ne!(found[0], found[2], "another change");
    assert_eq!(found[3], found[4], "a squash changes what all do");
    assert_ne!(found[4], found[5], "all is more than the last one");
    assert_eq!(found[6], None, "nothing is changed");
    assert!(found[7].is_some(), "a root has changes too");
    assert_eq!(names(source, &[], &cancel).await.unwrap(), []);
}

#[tokio::test]
async fn binary_files_are_told_apart_by_what_is_in_them() {
    let mut made = made();
    let source = &mut made.source;
    for branch in ["x", "y", "z"] {
        source.git(&["branch", branch, &made.base]);
    }
    let x = source.commit("x", "binary", &[("raw", "\0two")]);
    let y = source.commit("y", "binary", &[("raw", "\0three")]);
    source.commit("z", "before", &[("d", "d\n")]);
    let z = source.commit("z", "binary", &[("raw", "\0two")]);
    let cancel = CancellationToken::new();
    let found = names(source, &[of(&x), of(&y), of(&z)], &cancel).await;
    let found = found.unwrap();
    assert!(found[0].is_some());
    assert_ne!(found[0], found[1]);
    assert_eq!(found[0], found[2]);
}

#[tokio::test]
async fn many_changes_are_named_in_batches_and_a_cancelled_run_ends() {
    let mut source = Repository::new();
    let mut stream = String::new();
    for number in 0..600 {
        let content = format!("{number}\n");
        let _ = write!(
            stream,
            "commit refs/heads/main\ncommitter A <a@example.org> {} +0000\ndata 1\nx\n\
             M 100644 inline f{number}\ndata {}\n{content}\n",
            1_700_000_000 + number,
            content.len()
        );
    }
    source.import(stream.as_bytes());
    source.commit("main", "last", &[("last", "1\n")]);
    let list = source.git(&["rev-list", "main"]);
    let asked: Vec<Change> = list.lines().map(of).collect();
    let cancel = CancellationToken::new();
    let found = names(&source, &asked, &cancel).await.unwrap();
    assert_eq!(found.len(), 601);
    assert!(found.iter().all(Option::is_some));
    cancel.cancel();
    let ended = names(&source, &asked, &cancel).await;
    assert!(matches!(ended, Err(ExtractError::Cancelled)));
}

//! Connections of kind `git`, and what becomes of a repository over time.

use std::fmt::Write as _;

use headwater::exit::Exit;
use headwater_git::fixture::Repository;
use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;

use super::{
    assert_equals_fresh, commits_of, lake_of, leftovers, plain_configuration, stored_commits,
    texts, widget,
};
use crate::lake::{How, Lake, headwater, stdout};

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_repository_on_a_path_becomes_rows(#[values(Sqlite, Postgres, MariaDb)] on: On) {
    let source = widget();
    let Some(lake) = lake_of(on, source.path()).await else {
        return;
    };
    assert_eq!(lake.sync(How::default()).await.0, Exit::Ok);
    assert_eq!(stored_commits(&lake).await, commits_of(&source));
    let refs = "SELECT id FROM refs ORDER BY id";
    let id = "git:Repo:9:tools/widget";
    let expected = ["feature/x", "main", "refs/tags/light", "refs/tags/v1"];
    assert_eq!(
        texts(&lake, refs).await,
        expected.map(|name| format!("{id}:{name}"))
    );
    assert_eq!(texts(&lake, "SELECT id FROM repos").await, [id]);
    let url = texts(&lake, "SELECT url FROM repos").await;
    assert_eq!(url, [source.path().display().to_string()]);
    let parents = "SELECT COUNT(*) FROM commit_parents";
    let lines = source.git(&["rev-list", "--all", "--parents"]);
    let all: usize = lines.lines().map(|line| line.split(' ').count() - 1).sum();
    assert_eq!(lake.number(parents).await, all);
    assert_eq!(
        lake.number("SELECT COUNT(*) FROM commit_files").await,
        0,
        "not asked for"
    );
}

/// Something that happens to a repository.
type Change = fn(&mut Repository);

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn whatever_happens_to_a_repository_the_next_run_equals_a_fresh_one(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let mut source = widget();
    let url = source.path().display().to_string();
    let configuration = plain_configuration(&[("tools/widget", &url)]);
    let Some(lake) = Lake::with(on, &configuration).await else {
        return;
    };
    assert_eq!(lake.sync(How::default()).await.0, Exit::Ok);
    let changes: [(&str, Change); 7] = [
        ("new commits", |it| {
            it.commit("main", "five", &[("a.txt", "5\n")]);
            it.commit("feature/x", "six", &[("c.txt", "6\n")]);
        }),
        ("a forced push", |it| {
            it.git(&["update-ref", "refs/heads/main", "main~2"]);
            it.commit("main", "instead", &[("a.txt", "7\n")]);
        }),
        ("a deleted branch", |it| {
            it.git(&["update-ref", "-d", "refs/heads/feature/x"]);
        }),
        ("a moved tag", |it| {
            it.git(&["tag", "-f", "-a", "v1", "-m", "Release one again", "main~1"]);
            it.git(&["tag", "-f", "light", "main"]);
        }),
        ("a deleted tag", |it| {
            it.git(&["tag", "-d", "light"]);
        }),
        ("another default branch", |it| {
            it.git(&["branch", "trunk", "main~1"]);
            it.git(&["symbolic-ref", "HEAD", "refs/heads/trunk"]);
        }),
        ("a rewritten history", |it| {
            for name in ["main", "trunk"] {
                it.git(&["update-ref", "-d", &format!("refs/heads/{name}")]);
            }
            it.git(&["tag", "-d", "v1"]);
            it.commit("main", "another beginning", &[("z.txt", "1\n")]);
        }),
    ];
    for (what, change) in changes {
        change(&mut source);
        assert_eq!(lake.sync(How::default()).await.0, Exit::Ok, "{what}");
        assert_eq!(stored_commits(&lake).await, commits_of(&source), "{what}");
        assert_equals_fresh(on, &lake, &configuration).await;
        let (exit, run) = lake.sync(How::default()).await;
        assert_eq!((exit, run.written, run.removed), (Exit::Ok, 0, 0), "{what}");
        assert_eq!(
            run.requests, 1,
            "{what}: an unchanged repository costs one ls-remote"
        );
    }
    assert_eq!(leftovers(lake.folder()), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_repository_is_no_failure_and_fills_later() {
    let mut source = Repository::new();
    let lake = lake_of(Sqlite, source.path()).await.unwrap();
    assert_eq!(lake.sync(How::default()).await.0, Exit::Ok);
    assert_eq!(lake.number("SELECT COUNT(*) FROM repos").await, 1);
    assert_eq!(lake.number("SELECT COUNT(*) FROM refs").await, 0);
    source.commit("main", "one", &[("a.txt", "1\n")]);
    assert_eq!(lake.sync(How::default()).await.0, Exit::Ok);
    assert_eq!(stored_commits(&lake).await, commits_of(&source));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vanished_repository_keeps_its_rows_and_comes_back() {
    let source = widget();
    let lake = lake_of(Sqlite, source.path()).await.unwrap();
    assert_eq!(lake.sync(How::default()).await.0, Exit::Ok);
    let aside = source.path().with_extension("aside");
    std::fs::rename(source.path(), &aside).unwrap();
    let (exit, run) = lake.sync(How::default()).await;
    assert_eq!((exit, run.written, run.removed), (Exit::Credentials, 0, 0));
    assert_eq!(stored_commits(&lake).await.len(), 5);
    let gone = "SELECT COUNT(*) FROM _headwater_scopes WHERE source_gone_at IS NOT NULL";
    assert_eq!(lake.number(gone).await, 1);
    std::fs::rename(&aside, source.path()).unwrap();
    assert_eq!(lake.sync(How::default()).await.0, Exit::Ok);
    assert_eq!(lake.number(gone).await, 0);
    assert_eq!(stored_commits(&lake).await, commits_of(&source));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn line_counts_come_and_go_with_the_configuration(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let source = widget();
    let url = source.path().display().to_string();
    let without = plain_configuration(&[("tools/widget", &url)]);
    let with = format!("{without}\n[scope_config.default]\nline_counts = true\n");
    let Some(mut lake) = Lake::with(on, &without).await else {
        return;
    };
    assert_eq!(lake.sync(How::default()).await.0, Exit::Ok);
    let lines = "SELECT SUM(additions) + SUM(deletions) FROM commits";
    let files = "SELECT COUNT(*) FROM commit_files";
    assert_eq!(lake.number(files).await, 0);
    lake.configure(&with);
    assert_eq!(lake.sync(How::default()).await.0, Exit::Ok);
    let mut counted = 0;
    let mut listed = 0;
    let log = source.git(&["log", "--all", "--numstat", "--format="]);
    for line in log.lines().filter(|line| !line.is_empty()) {
        let mut words = line.split('\t');
        counted += words.next().unwrap().parse::<usize>().unwrap();
        counted += words.next().unwrap().parse::<usize>().unwrap();
        listed += 1;
    }
    let sum = texts(&lake, lines).await[0].replace(|c: char| !c.is_ascii_digit(), "");
    assert_eq!(sum, counted.to_string());
    assert_eq!(lake.number(files).await, listed);
    assert_equals_fresh(on, &lake, &with).await;
    lake.configure(&without);
    assert_eq!(lake.sync(How::default()).await.0, Exit::Ok);
    assert_eq!(lake.number(files).await, 0);
    assert_equals_fresh(on, &lake, &without).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quota_that_is_too_small_says_so_and_a_larger_one_mends_it() {
    let mut source = widget();
    let numbers = (0..600_000_u32).map(|number| number.wrapping_mul(2_654_435_761));
    let noise = numbers.fold(String::new(), |mut noise, number| {
        let _ = write!(noise, "{number:x}");
        noise
    });
    source.commit("main", "large", &[("noise.txt", &noise)]);
    let url = source.path().display().to_string();
    let rules = "\n[scope_config.default]\nline_counts = true\n";
    let large = format!("{}{rules}", plain_configuration(&[("tools/widget", &url)]));
    // A first sync of which the mirror does not fit.
    let mut lake = Lake::with(Sqlite, &format!("[git]\nquota = \"1 MB\"\n\n{large}"))
        .await
        .unwrap();
    let (exit, _) = lake.sync(How::default()).await;
    assert_eq!(
        exit,
        Exit::Failed,
        "the mirror does not fit into a megabyte"
    );
    assert_eq!(
        stored_commits(&lake).await.len(),
        0,
        "nothing, rather than half"
    );
    let told = texts(&lake, "SELECT message FROM _headwater_steps")
        .await
        .join("\n");
    assert!(told.contains("git.quota"), "{told}");
    assert_eq!(leftovers(lake.folder()), [""; 0]);
    lake.configure(&large);
    assert_eq!(lake.sync(How::default()).await.0, Exit::Ok);
    assert_equals_fresh(Sqlite, &lake, &large).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_works_on_a_path_alone() {
    let source = widget();
    let url = source.path().display().to_string();
    let folder = tempfile::tempdir().unwrap();
    // As the documents show it.
    let config = format!(
        "[[connection]]\nid = 9\nname = \"plain\"\nkind = \"git\"\nauth.kind = \"none\"\n\
         scopes = [\"tools/widget\"]\ngit.urls = {{ \"tools/widget\" = \"{url}\" }}   # a path\n\
         scope_config = \"default\"\n"
    );
    std::fs::write(folder.path().join("headwater.toml"), config).unwrap();
    let run = |arguments: &[&str]| stdout(&headwater(folder.path(), arguments));
    assert!(run(&["connection", "test"]).contains("plain: ok (git can read tools/widget)"));
    assert!(run(&["scopes", "plain"]).contains("tools/widget"));
    for scope in ["tools/widget", "plain:tools/widget"] {
        run(&["sync", scope]);
        run(&["transform", scope]);
    }
    let status = run(&["status", "--steps", "plain:tools/widget"]);
    assert!(
        status.contains("extract") && status.contains("git"),
        "{status}"
    );
    let count = [
        "query",
        "SELECT COUNT(*) AS commits FROM repo_commits",
        "--format",
        "csv",
    ];
    assert_eq!(run(&count).trim(), "commits\n5");
    assert!(run(&["verify"]).contains("equal to a fresh first sync"));
    run(&["reconcile"]);
    // Without a network, and without the source.
    std::fs::rename(source.path(), source.path().with_extension("aside")).unwrap();
    run(&["transform"]);
    assert_eq!(run(&count).trim(), "commits\n5");
    let gone = headwater(folder.path(), &["sync"]);
    assert_eq!(gone.status.code(), Some(4));
    let tested = headwater(folder.path(), &["connection", "test"]);
    assert_eq!(tested.status.code(), Some(4));
    let said = String::from_utf8_lossy(&tested.stdout).into_owned();
    assert!(said.contains("plain: no_resources"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn git_that_is_not_there_is_a_mistake_of_the_configuration() {
    let source = widget();
    let url = source.path().display().to_string();
    let config = plain_configuration(&[("tools/widget", &url)]);
    let folder = tempfile::tempdir().unwrap();
    let config = format!("[git]\nprogram = \"no-such-git\"\n\n{config}");
    std::fs::write(folder.path().join("headwater.toml"), config).unwrap();
    let output = headwater(folder.path(), &["sync"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(
        said.contains("no-such-git") && said.contains("install git"),
        "{said}"
    );
}

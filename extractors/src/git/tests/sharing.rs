//! Commits that several repositories have, people, and dates.

use std::path::PathBuf;

use headwater_domain::id::bitbucket::IDS;
use headwater_git::fixture::{Repository, run};
use regex::Regex;
use tempfile::TempDir;

use super::super::{ApiAccounts, Authors};
use super::lake::Lake;
use crate::bitbucket::ACCOUNTS;

/// A repository and a fork of it with a commit of its own.
fn forked() -> (Repository, TempDir, PathBuf) {
    let mut repository = Repository::new();
    for number in 0..5 {
        repository.commit(
            "main",
            &format!("{number}"),
            &[("a", &format!("{number}\n"))],
        );
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fork.git");
    let arguments = ["clone", "--quiet", "--bare", "--no-local"];
    let paths = [repository.path().to_str().unwrap(), path.to_str().unwrap()];
    run(folder.path(), &[&arguments[..], &paths[..]].concat(), b"");
    let stream = b"commit refs/heads/main\ncommitter Fork <fork@example.com> 1800000000 +0000\n\
                   data 5\nfork\nfrom refs/heads/main^0\nM 100644 inline f\ndata 2\nf\n\n";
    run(&path, &["fast-import", "--quiet"], stream);
    (repository, folder, path)
}

const COUNTED: &str = "SELECT COUNT(*) FROM commits WHERE additions > 0";

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_goes_with_the_last_repository_that_has_it() {
    let (repository, _folder, fork) = forked();
    let lake = Lake::new().await;
    lake.read_as("tools/widget", repository.path())
        .await
        .unwrap();
    lake.read_as("tools/zfork", &fork).await.unwrap();
    assert_eq!(lake.cell("SELECT COUNT(*) FROM commits").await, "6");
    assert_eq!(lake.cell("SELECT COUNT(*) FROM repo_commits").await, "11");
    repository.git(&["update-ref", "-d", "refs/heads/main"]);
    lake.read_as("tools/widget", repository.path())
        .await
        .unwrap();
    assert_eq!(lake.cell("SELECT COUNT(*) FROM commits").await, "6");
    assert_eq!(lake.cell("SELECT COUNT(*) FROM commit_files").await, "6");
    run(&fork, &["update-ref", "-d", "refs/heads/main"], b"");
    lake.read_as("tools/zfork", &fork).await.unwrap();
    for table in [
        "commits",
        "commit_parents",
        "commit_files",
        "repo_commits",
        "accounts",
    ] {
        assert_eq!(
            lake.cell(&format!("SELECT COUNT(*) FROM {table}")).await,
            "0",
            "{table}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_stay_counted_while_one_repository_counts_them() {
    let (repository, _folder, fork) = forked();
    let mut lake = Lake::new().await;
    lake.read_as("tools/widget", repository.path())
        .await
        .unwrap();
    lake.line_counts = false;
    lake.read_as("tools/zfork", &fork).await.unwrap();
    assert_eq!(
        lake.cell(COUNTED).await,
        "5",
        "the fork's own is not counted"
    );
    assert_eq!(lake.cell("SELECT COUNT(*) FROM commit_files").await, "5");
    // Now the other way round: whoever counts no more leaves the counts of the other.
    lake.line_counts = true;
    lake.read_as("tools/zfork", &fork).await.unwrap();
    assert_eq!(lake.cell(COUNTED).await, "6");
    lake.line_counts = false;
    lake.read_as("tools/widget", repository.path())
        .await
        .unwrap();
    assert_eq!(lake.cell(COUNTED).await, "6");
    lake.read_as("tools/zfork", &fork).await.unwrap();
    assert_eq!(lake.cell(COUNTED).await, "0");
    assert_eq!(lake.cell("SELECT COUNT(*) FROM commit_files").await, "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mailmap_of_head_is_honoured_and_its_change_is_followed() {
    let lake = Lake::new().await;
    let mut repository = Repository::new();
    repository.commit("main", "first", &[("a", "1\n")]);
    let names = "SELECT DISTINCT author_name, author_email, author_id FROM commits";
    lake.read(repository.path()).await;
    assert_eq!(
        lake.rows(names).await,
        ["Ada Example ada@example.com ada@example.com"]
    );
    let map = "Ada Lovelace <ada@lovelace.example> <ada@example.com>\n";
    repository.commit("main", "map", &[(".mailmap", map)]);
    assert!(lake.read(repository.path()).await.anew);
    let mapped = "Ada Lovelace ada@lovelace.example ada@lovelace.example";
    assert_eq!(lake.rows(names).await, [mapped]);
    let accounts = "SELECT id, email, full_name FROM accounts";
    assert_eq!(
        lake.rows(accounts).await,
        ["ada@lovelace.example ada@lovelace.example Ada Lovelace"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fork_with_another_mailmap_leaves_shared_commits_to_the_first() {
    let (mut repository, _folder, fork) = forked();
    let map = "Ada Lovelace <ada@example.com>\n";
    let first = repository.resolve("main").unwrap();
    repository.commit("main", "map", &[(".mailmap", map)]);
    let names = "SELECT DISTINCT author_name FROM commits WHERE author_email = 'ada@example.com'";
    for order in [
        ["tools/widget", "tools/zfork"],
        ["tools/zfork", "tools/widget"],
    ] {
        let lake = Lake::new().await;
        for name in order {
            let mirror = if name == "tools/widget" {
                repository.path()
            } else {
                &fork
            };
            lake.read_as(name, mirror).await.unwrap();
        }
        assert_eq!(lake.rows(names).await, ["Ada Lovelace"], "{order:?}");
    }
    // What the first has no more is the other's to write.
    let lake = Lake::new().await;
    lake.read_as("tools/widget", repository.path())
        .await
        .unwrap();
    lake.read_as("tools/zfork", &fork).await.unwrap();
    repository.git(&["update-ref", "-d", "refs/heads/main"]);
    lake.read_as("tools/widget", repository.path())
        .await
        .unwrap();
    assert!(lake.read_as("tools/zfork", &fork).await.unwrap().anew);
    assert_eq!(lake.rows(names).await, ["Ada Example"], "{first}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_has_the_name_of_its_newest_commit_and_may_be_a_bot() {
    let mut lake = Lake::new().await;
    let repository = Repository::new();
    let commit = |name: &str, date: u64| {
        let from = repository
            .resolve("main")
            .map(|from| format!("from {from}\n"));
        let stream = format!(
            "commit refs/heads/main\ncommitter {name} <x@example.com> {date} +0000\n\
             data 1\nx\n{}\n",
            from.unwrap_or_default()
        );
        repository.import(stream.as_bytes());
    };
    commit("Old", 1_600_000_000);
    commit("New", 1_600_000_100);
    commit("Older", 1_500_000_000);
    let accounts = "SELECT id, full_name, is_bot FROM accounts";
    lake.read(repository.path()).await;
    assert_eq!(lake.rows(accounts).await, ["x@example.com New 0"]);
    commit("Release Bot", 1_600_000_200);
    lake.configured.bot_pattern = Some(Regex::new("(?i)bot$").unwrap());
    lake.read(repository.path()).await;
    assert_eq!(lake.rows(accounts).await, ["x@example.com Release Bot 1"]);
    repository.git(&["update-ref", "refs/heads/main", "main~1"]);
    lake.read(repository.path()).await;
    assert_eq!(lake.rows(accounts).await, ["x@example.com New 0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_commits_are_rows_all_the_same() {
    let lake = Lake::new().await;
    let repository = Repository::new();
    let tree = String::from_utf8(run(repository.path(), &["mktree"], b"")).unwrap();
    let tree = tree.trim();
    let commit = |author: &[u8], encoding: &str, message: &[u8]| {
        let mut object = format!("tree {tree}\n").into_bytes();
        for role in ["author", "committer"] {
            object.extend(role.bytes());
            object.push(b' ');
            object.extend(author);
            object.push(b'\n');
        }
        object.extend(encoding.bytes());
        object.push(b'\n');
        object.extend(message);
        let arguments = [
            "hash-object",
            "-t",
            "commit",
            "-w",
            "--literally",
            "--stdin",
        ];
        let sha = String::from_utf8(run(repository.path(), &arguments, &object)).unwrap();
        let sha = sha.trim().to_owned();
        repository.git(&["update-ref", &format!("refs/heads/{sha}"), &sha]);
        sha
    };
    let odd: [(&[u8], &str, &[u8]); 9] = [
        (b"A <a@b> 253402300800 +0000", "", b"too late"),
        (b"A <a@b> -62135596800 +0000", "", b"year one"),
        (b"A <a@b> 99999999999999999999999 +0000", "", b"no number"),
        (b"A <a@b> 1 +9999", "", b"odd zone"),
        (b"A <a@b>", "", b"no date"),
        (b"nobody", "", b"no address"),
        (
            b"Caf\xe9 <a@b> 2 +0000",
            "encoding ISO-8859-1\n",
            b"caf\xe9",
        ),
        (b"Caf\xe9 <a@b> 3 +0000", "", b"\xff\xfe not UTF-8"),
        (b"N\x00ul <a@b> 4 +0000", "", b"with\x00nul"),
    ];
    let shas: Vec<String> = odd
        .iter()
        .map(|(author, encoding, message)| commit(author, encoding, message))
        .collect();
    let outcome = lake.read(repository.path()).await;
    assert_eq!(outcome.commits, 9);
    assert!(outcome.odd_dates >= 8, "{outcome:?}");
    let commits = lake.rows("SELECT sha FROM commits").await;
    assert!(shas.iter().all(|sha| commits.contains(sha)));
    let shown = "SELECT author_name, message FROM commits \
                 WHERE author_name LIKE 'Caf%' ORDER BY authored_date";
    assert_eq!(
        lake.rows(shown).await,
        ["Café café", "Caf\u{fffd} \u{fffd}\u{fffd} not UTF-8"]
    );
    lake.assert_fresh(repository.path(), "hostile commits")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn authors_are_joined_to_accounts_by_address_and_again_when_more_are_known() {
    let mut lake = Lake::new().await;
    lake.authors = Authors::Accounts(ApiAccounts {
        ids: &IDS,
        addresses: ACCOUNTS.addresses,
    });
    let mut repository = Repository::new();
    repository.commit("main", "first", &[("a", "1\n")]);
    let ids = "SELECT DISTINCT author_id, committer_id FROM commits";
    lake.read(repository.path()).await;
    assert_eq!(lake.rows(ids).await, ["ada@example.com ada@example.com"]);
    assert_eq!(lake.cell("SELECT COUNT(*) FROM accounts").await, "0");
    lake.tell_account("ada@example.com", "ada").await;
    let outcome = lake.read(repository.path()).await;
    assert_eq!(outcome.commits, 0, "no commit is read for that");
    let joined = "bitbucket:BitbucketAccount:9:ada bitbucket:BitbucketAccount:9:ada";
    assert_eq!(lake.rows(ids).await, [joined]);
    repository.commit("main", "second", &[]);
    lake.read(repository.path()).await;
    assert_eq!(lake.rows(ids).await, [joined]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_only_the_api_tells_of_any_more_is_converted_again() {
    let lake = Lake::new().await;
    let mut repository = Repository::new();
    let sha = repository.commit("main", "first", &[("a", "1\n")]);
    lake.read(repository.path()).await;
    let params = r#"{"ConnectionId":1,"FullName":"acme/rocket"}"#;
    lake.execute(&format!(
        "INSERT INTO repo_commits (repo_id, commit_sha, source_id, _raw_data_params, \
         _raw_data_table) VALUES ('bitbucket:BitbucketRepo:1:acme/rocket', '{sha}', 'x', \
         '{params}', '_raw_bitbucket_api_commits')"
    ))
    .await;
    let by_git = |lake: &Lake| {
        let store = lake.store.clone();
        let keys = vec![sha.clone()];
        async move { store.commits_held_by_git(&keys).await.unwrap().len() }
    };
    assert_eq!(by_git(&lake).await, 1, "its row is git's to write");
    repository.git(&["update-ref", "-d", "refs/heads/main"]);
    lake.read(repository.path()).await;
    assert_eq!(by_git(&lake).await, 0);
    let work = "SELECT params, step, row_key FROM _headwater_work";
    assert_eq!(
        lake.rows(work).await,
        [format!("{params} convert:commits {sha}")]
    );
    assert_eq!(lake.cell(COUNTED).await, "0", "the API counts no lines");
    assert_eq!(lake.cell("SELECT COUNT(*) FROM commits").await, "1");
}

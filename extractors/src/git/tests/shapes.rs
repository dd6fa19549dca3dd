//! Histories of every shape: the tables say what git says.

use std::path::Path;

use headwater_git::fixture::Repository;
use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;

use super::lake::{Lake, git_text};

/// Lines that differ by number.
fn lines(numbers: std::ops::Range<u32>) -> String {
    let lines: Vec<String> = numbers.map(|number| format!("line {number}\n")).collect();
    lines.concat()
}

/// Branches, an octopus, criss-cross merges and several roots.
fn branchy() -> Repository {
    let mut repository = Repository::new();
    repository.commit("main", "first", &[("a.rs", &lines(0..20)), ("b.rs", "b\n")]);
    for branch in ["one", "two", "three"] {
        repository.git(&["branch", branch, "main"]);
        repository.commit(branch, "on a branch", &[(&format!("{branch}.rs"), "x\n")]);
    }
    repository.merge(
        "main",
        &["one", "two", "three"],
        "octopus",
        &[("a.rs", &lines(3..25))],
    );
    repository.git(&["branch", "cross", "main"]);
    repository.commit("main", "left", &[("left", "1\n")]);
    repository.commit("cross", "right", &[("right", "1\n")]);
    let (left, right) = (
        repository.resolve("main").unwrap(),
        repository.resolve("cross").unwrap(),
    );
    repository.merge("main", &[&right], "criss", &[]);
    repository.merge("cross", &[&left], "cross", &[]);
    repository.commit("island", "another root", &[("island", "1\n")]);
    repository.merge("main", &["island"], "meets another root", &[]);
    repository.commit("main", "empty", &[]);
    repository.commit("main", "last", &[("b.rs", "")]);
    repository
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn branches_octopuses_criss_crosses_and_roots_are_as_git_says(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(lake) = Lake::on(on).await else {
        return;
    };
    let repository = branchy();
    let outcome = lake.read(repository.path()).await;
    lake.assert_as_git(repository.path()).await;
    assert!(
        outcome.anew && outcome.gone == 0 && outcome.odd_dates == 0,
        "{outcome:?}"
    );
    let again = lake.read(repository.path()).await;
    assert_eq!(
        (again.commits, again.changes.written),
        (0, 0),
        "nothing is new"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_project_s_own_history_is_as_git_says() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folder = tempfile::tempdir().unwrap();
    let clone = folder.path().join("own.git");
    let Ok(here) = here.canonicalize() else {
        return;
    };
    if !here.join(".git").exists() {
        println!("skipped: this is no clone");
        return;
    }
    let clone_name = clone.to_str().unwrap();
    let arguments = [
        "clone",
        "--quiet",
        "--bare",
        here.to_str().unwrap(),
        clone_name,
    ];
    headwater_git::fixture::run(folder.path(), &arguments, b"");
    let lake = Lake::new().await;
    lake.read(&clone).await;
    lake.assert_as_git(&clone).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn renames_modes_links_submodules_binaries_and_odd_paths_count_as_git_log_counts() {
    let repository = Repository::new();
    let commit = |message: &str, changes: &[u8]| {
        let mut stream = b"commit refs/heads/main\n".to_vec();
        stream.extend(b"committer Ada <ada@example.com> 1700000000 +0000\n");
        stream.extend(format!("data {}\n{message}\n", message.len()).bytes());
        if repository.resolve("main").is_some() {
            stream.extend(b"from refs/heads/main^0\n");
        }
        stream.extend(changes);
        stream.extend(b"\n");
        repository.import(&stream);
    };
    let inline = |mode: &str, path: &str, content: &[u8]| {
        let mut change = format!("M {mode} inline {path}\ndata {}\n", content.len()).into_bytes();
        change.extend(content);
        change.push(b'\n');
        change
    };
    let many = lines(0..40);
    commit(
        "begin",
        &[
            inline("100644", "moved from here", many.as_bytes()),
            inline("120000", "link", b"moved from here"),
            inline("100644", "\"a\\tb \\\"c\\\"\\nd\"", b"odd\n"),
            inline("100644", "\"caf\\351\"", b"latin\n"),
            inline("100644", "binary", b"\0\x01\x02"),
            b"M 160000 1111111111111111111111111111111111111111 module\n".to_vec(),
        ]
        .concat(),
    );
    commit(
        "rename",
        &[
            b"R \"moved from here\" moved\n".to_vec(),
            inline("100644", "moved", &many.as_bytes()[7..]),
        ]
        .concat(),
    );
    commit("mode", &inline("100755", "moved", &many.as_bytes()[7..]));
    commit("link", &inline("120000", "link", b"moved"));
    commit(
        "module",
        b"M 160000 2222222222222222222222222222222222222222 module\n",
    );
    commit("binary", &inline("100644", "binary", b"\0\x03\x04"));
    commit("gone", b"D link\nD binary\nD module\n");
    let lake = Lake::new().await;
    lake.read(repository.path()).await;
    lake.assert_as_git(repository.path()).await;
    let paths = "SELECT file_path FROM commit_files JOIN commits ON sha = commit_sha \
                 WHERE message LIKE 'rename%' OR message LIKE 'begin%' ORDER BY file_path";
    assert_eq!(
        lake.rows(paths).await,
        [
            "a\tb \"c\"\nd",
            "binary",
            "caf\u{fffd}",
            "link",
            "module",
            "moved",
            "moved from here"
        ]
    );
    // SHA-256 of `moved`, by another program.
    let id = "SELECT DISTINCT substr(id, 41) FROM commit_files WHERE file_path = 'moved'";
    assert_eq!(
        lake.cell(id).await,
        ":5edd1832df25e2f1a72585c0ee55c1e585e7f4902eb1d15f7abf1c71c1b296ae"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_without_commits_has_no_rows() {
    let lake = Lake::new().await;
    let repository = Repository::new();
    let outcome = lake.read(repository.path()).await;
    assert_eq!((outcome.commits, outcome.changes.written), (0, 0));
    assert_eq!(lake.cell("SELECT COUNT(*) FROM refs").await, "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unborn_head_is_no_branch_and_a_detached_one_is_read() {
    let lake = Lake::new().await;
    let mut repository = Repository::new();
    let first = repository.commit("side", "first", &[("a", "1\n")]);
    lake.read(repository.path()).await;
    let refs = "SELECT name, is_default FROM refs ORDER BY name";
    assert_eq!(lake.rows(refs).await, ["side 0"]);
    let second = repository.commit("side", "second", &[]);
    repository.git(&["update-ref", "--no-deref", "HEAD", &second]);
    repository.git(&["update-ref", "refs/heads/side", &first]);
    lake.read(repository.path()).await;
    assert_eq!(lake.cell("SELECT COUNT(*) FROM repo_commits").await, "2");
    assert_eq!(lake.rows(refs).await, ["side 0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn refs_tell_the_default_branch_and_what_tags_stand_on() {
    let lake = Lake::new().await;
    let mut repository = Repository::new();
    let sha = repository.commit("main", "first", &[("a", "1\n")]);
    repository.git(&["branch", "feature/x"]);
    repository.git(&["tag", "light"]);
    repository.git(&["tag", "no-commit", &format!("{sha}^{{tree}}")]);
    repository.git(&["update-ref", "refs/notes/x", &sha]);
    repository.import(
        b"tag v1\nfrom refs/heads/main^0\ntagger Ada <a@b> 1600000000 +0200\ndata 3\none\n",
    );
    let v1 = repository.resolve("v1").unwrap();
    repository.import(
        format!("tag v2\nfrom {v1}\ntagger Ada <a@b> 1600000060 +0200\ndata 3\ntwo\n").as_bytes(),
    );
    lake.read(repository.path()).await;
    let refs = "SELECT id, is_default, ref_type, name, created_date FROM refs ORDER BY id";
    assert_eq!(
        lake.rows(refs).await,
        [
            "git:Repo:9:tools/widget:feature/x 0 BRANCH feature/x null",
            "git:Repo:9:tools/widget:main 1 BRANCH main null",
            "git:Repo:9:tools/widget:refs/tags/light 0 TAG refs/tags/light null",
            "git:Repo:9:tools/widget:refs/tags/v1 0 TAG refs/tags/v1 2020-09-13T12:26:40.000+00:00",
            "git:Repo:9:tools/widget:refs/tags/v2 0 TAG refs/tags/v2 2020-09-13T12:27:40.000+00:00",
        ]
    );
    assert_eq!(lake.cell("SELECT DISTINCT commit_sha FROM refs").await, sha);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_graph_alone_is_enough_without_line_counts() {
    let mut repository = branchy();
    repository.commit("main", "map", &[(".mailmap", "Ada <ada@example.com>\n")]);
    repository.git(&["config", "uploadpack.allowFilter", "true"]);
    for filter in ["--filter=tree:0", "--filter=blob:none"] {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("file://{}", repository.path().display());
        let arguments = ["clone", "--quiet", "--bare", filter, &url, "graph.git"];
        headwater_git::fixture::run(folder.path(), &arguments, b"");
        let mirror = folder.path().join("graph.git");
        let mut lake = Lake::new().await;
        lake.line_counts = false;
        lake.read(&mirror).await;
        let parents = "SELECT COUNT(*) FROM commit_parents";
        let expected = git_text(&mirror, &["rev-list", "--all", "--parents"]);
        let expected = expected.split_whitespace().count() - expected.lines().count();
        assert_eq!(lake.cell(parents).await, expected.to_string(), "{filter}");
        // The file is not there, and nothing is fetched for it.
        let names = "SELECT DISTINCT author_name FROM commits";
        assert_eq!(lake.rows(names).await, ["Ada Example"], "{filter}");
        lake.line_counts = true;
        let error = lake.read_as("tools/widget", &mirror).await.unwrap_err();
        assert!(error.to_string().contains("tools/widget"), "{error}");
        assert_eq!(lake.cell(parents).await, expected.to_string(), "rows stay");
    }
}

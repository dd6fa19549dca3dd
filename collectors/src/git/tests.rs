//! Mirrors of small repositories on this machine: after whatever happened, a mirror equals a
//! fresh clone and nothing temporary stays.

mod damage;
mod following;
mod odd_refs;
mod room;
mod web;

use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::DateTime;
use headwater_git::fixture::{Repository, run};
use headwater_git::{Git, Paths, Remote, RemoteUrl};
use tokio_util::sync::CancellationToken;

use super::{Depth, FetchedMirror, MirrorError, Mirrors, Task, folder_name};

const SCOPE: &str = "tools/Widget";
const PLENTY: u64 = 1 << 30;

/// A source, and a folder for mirrors.
struct MirrorCase {
    source: Repository,
    folder: tempfile::TempDir,
    git: Git,
}

impl MirrorCase {
    async fn new() -> Self {
        Self {
            source: Repository::new(),
            folder: tempfile::tempdir().unwrap(),
            git: Git::find(None).await.unwrap(),
        }
    }

    /// A source with two branches, tags of both kinds and a merge.
    async fn with_history() -> Self {
        let mut this = Self::new().await;
        this.source
            .commit("main", "one", &[("a", "1"), ("folder/b", "2")]);
        this.source.commit("side", "two", &[("c", "3")]);
        this.source.merge("main", &["side"], "three", &[("a", "4")]);
        this.source.git(&["tag", "light", "side"]);
        this.source
            .git(&["tag", "-a", "-m", "heavy", "heavy", "main"]);
        this
    }

    fn mirrors(&self, quota: u64) -> Mirrors {
        let folder = self.folder.path().join("mirrors");
        Mirrors::new(self.git.clone(), folder, quota)
    }

    fn task(&self, depth: Depth) -> Task {
        let path = self.source.path().to_str().unwrap();
        let url = RemoteUrl::parse(path, Paths::Allowed).unwrap();
        task(SCOPE, Remote::new(url), depth)
    }

    async fn try_collect(&self, depth: Depth) -> Result<FetchedMirror, MirrorError> {
        self.mirrors(PLENTY)
            .collect(&self.task(depth), &go_on())
            .await
    }

    async fn collect(&self, depth: Depth) -> FetchedMirror {
        self.try_collect(depth).await.unwrap()
    }

    /// Collects, and asserts that the mirror equals a fresh one and the source.
    async fn collect_like_fresh(&self, depth: Depth) -> FetchedMirror {
        let outcome = self.collect(depth).await;
        self.is_like_fresh(&outcome.mirror.path(), depth).await;
        outcome
    }

    async fn is_like_fresh(&self, mirror: &Path, depth: Depth) {
        let elsewhere = tempfile::tempdir().unwrap();
        let fresh = Mirrors::new(self.git.clone(), elsewhere.path().to_owned(), PLENTY);
        let fresh = fresh.collect(&self.task(depth), &go_on()).await.unwrap();
        assert_eq!(content(mirror, depth), content(&fresh.mirror.path(), depth));
        assert_eq!(refs(mirror), refs(self.source.path()));
        nothing_temporary_stays(self.folder.path());
    }

    /// The folder of the scope.
    fn place(&self) -> PathBuf {
        self.folder
            .path()
            .join("mirrors")
            .join(folder_name(9, SCOPE))
    }
}

fn task(scope: &str, remote: Remote, depth: Depth) -> Task {
    Task {
        connection_id: 9,
        connection: "plain".to_owned(),
        scope: scope.to_owned(),
        remote,
        depth,
        now: DateTime::from_timestamp(1_800_000_000, 0).unwrap(),
        watch: None,
    }
}

fn go_on() -> CancellationToken {
    CancellationToken::new()
}

/// Branches, tags and HEAD.
fn refs(repository: &Path) -> String {
    let list = ["for-each-ref", "refs/heads", "refs/tags"];
    let head = std::fs::read_to_string(repository.join("HEAD")).unwrap();
    String::from_utf8(run(repository, &list, b"")).unwrap() + &head
}

/// Refs and everything that can be reached from them.
fn content(mirror: &Path, depth: Depth) -> (String, String) {
    let walk: &[&str] = match depth {
        Depth::Graph => &["rev-list", "--all", "--parents"],
        Depth::Full => &["rev-list", "--all", "--objects"],
    };
    let walk = String::from_utf8(run(mirror, walk, b"")).unwrap();
    (refs(mirror), walk)
}

fn nothing_temporary_stays(folder: &Path) {
    for file in files(folder) {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let path = file.to_string_lossy();
        let temporary = ["tmp_", ".tmp-", "unfinished", "child", "distrusted"];
        assert!(
            !temporary.iter().any(|start| name.starts_with(start)),
            "{path}"
        );
        let endings = [".lock", ".keep", ".new"];
        assert!(!endings.iter().any(|end| name.ends_with(end)), "{path}");
        assert!(
            !path.contains("incoming") && !path.contains("outgoing"),
            "{path}"
        );
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.extend(files(&entry.path()));
        } else {
            found.push(entry.path());
        }
    }
    found
}

/// Looks until it is so.
async fn until(mut so: impl FnMut() -> bool) {
    while !so() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

//! A database of a test's own, and what git says to compare it with.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, Utc};
use headwater_domain::crossdomain::account;
use headwater_domain::rules::Rules;
use headwater_domain::{Scope, Table};
use headwater_git::Git;
use headwater_git::fixture::run as git_run;
use headwater_store::StepContext;
use headwater_store::compare::{Tables, tables_equal};
use headwater_testing::{On, TestStore};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::super::{Authors, ExtractError, GitRules, GitSource, HistoryRead, run, tables};

/// A migrated database, and how histories are read into it.
pub(super) struct Lake {
    pub(super) store: TestStore,
    git: Git,
    pub(super) line_counts: bool,
    pub(super) authors: Authors,
    pub(super) configured: Rules,
}

/// How a run ends.
#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    /// By itself.
    Whole,
    /// It is cancelled after so many parts.
    Cancelled(u64),
    /// It is killed after so many parts, with what it did not commit.
    Killed(u64),
}

impl Lake {
    pub(super) async fn new() -> Self {
        Self::on(On::Sqlite).await.unwrap()
    }

    /// None where tests have no such server.
    pub(super) async fn on(on: On) -> Option<Self> {
        Some(Self {
            store: Box::pin(TestStore::on(on)).await?,
            git: Git::find(None).await.unwrap(),
            line_counts: true,
            authors: Authors::Addresses,
            configured: Rules::default(),
        })
    }

    /// Reads a repository as `widget`.
    pub(super) async fn read(&self, mirror: &Path) -> HistoryRead {
        self.read_as("tools/widget", mirror).await.unwrap()
    }

    pub(super) async fn read_as(
        &self,
        name: &str,
        mirror: &Path,
    ) -> Result<HistoryRead, ExtractError> {
        let read = self.read_until(name, mirror, End::Whole).await;
        read.unwrap()
    }

    /// None when it was killed.
    pub(super) async fn read_until(
        &self,
        name: &str,
        mirror: &Path,
        end: End,
    ) -> Option<Result<HistoryRead, ExtractError>> {
        let scope = Scope::new(9, name);
        self.store.register(&scope, now()).await.unwrap();
        let cancel = CancellationToken::new();
        let (batches, killed) = (AtomicU64::new(0), Notify::new());
        let progress = |_: u64| {
            let done = batches.fetch_add(1, Ordering::Relaxed) + 1;
            match end {
                End::Cancelled(after) if done == after => cancel.cancel(),
                End::Killed(after) if done == after => killed.notify_one(),
                _ => {}
            }
        };
        let context = StepContext {
            now: now(),
            cancel: &cancel,
            progress: &progress,
        };
        let repo_id = format!("git:Repo:9:{name}");
        let source = GitSource {
            repo_id: &repo_id,
            mirror,
            git: &self.git,
        };
        let rules = GitRules {
            line_counts: self.line_counts,
            authors: self.authors,
            configured: &self.configured,
        };
        let reading = run(&self.store, &scope, &source, &rules, &context);
        tokio::select! {
            biased;
            () = killed.notified() => None,
            done = reading => Some(done),
        }
    }

    /// Adds a commit of a pull request, of which Bitbucket knows the author.
    pub(super) async fn tell_account(&self, email: &str, account: &str) {
        let sql = format!(
            "INSERT INTO _tool_bitbucket_pull_request_commits (connection_id, repo_id, \
             pull_request_id, commit_sha, commit_author_email, commit_author_id, changed_seq) \
             VALUES (9, 'tools/widget', 1, '00', '{email}', '{account}', 1)"
        );
        self.execute(&sql).await;
    }

    /// Changes the database behind the store's back.
    pub(super) async fn execute(&self, sql: &str) {
        self.store.execute(sql).await;
    }

    /// Rows of a query, cells joined by a blank.
    pub(super) async fn rows(&self, sql: &str) -> Vec<String> {
        self.store.rows(sql, " ").await
    }

    /// The one cell of a query.
    pub(super) async fn cell(&self, sql: &str) -> String {
        self.rows(sql).await.join("\n")
    }

    /// Compares all tables with another database's.
    pub(super) async fn assert_same(&self, other: &Self, when: &str) {
        let mut rows = tables();
        rows.push(Table::of::<account::Entity>());
        let tables = Tables {
            raw: Vec::new(),
            rows,
        };
        let differences = tables_equal(&self.store, &other.store, &tables, 10).await;
        let differences = differences.unwrap();
        let shown: Vec<String> = differences.iter().map(ToString::to_string).collect();
        assert!(shown.is_empty(), "{when}:\n{}", shown.join("\n"));
    }

    /// Compares with a database that reads the repository for the first time.
    pub(super) async fn assert_fresh(&self, mirror: &Path, when: &str) {
        let mut fresh = Self::new().await;
        fresh.line_counts = self.line_counts;
        fresh.read(mirror).await;
        self.assert_same(&fresh, when).await;
    }

    /// As [`Lake::assert_as_git`], unless HEAD names a commit that no ref leads to.
    pub(super) async fn assert_as_git_where_reachable(&self, mirror: &Path) {
        if !git_text(mirror, &["for-each-ref"]).is_empty() {
            self.assert_as_git(mirror).await;
        }
    }

    /// Compares commits, parents, files and lines with what git says of all refs.
    pub(super) async fn assert_as_git(&self, mirror: &Path) {
        let parents = "SELECT commit_sha, parent_commit_sha, parent_order FROM commit_parents";
        assert_eq!(
            sorted(self.rows(parents).await),
            git_parents(mirror),
            "parents"
        );
        let mut commits = BTreeMap::new();
        for line in self
            .rows("SELECT sha, additions, deletions FROM commits")
            .await
        {
            let (sha, lines) = line.split_once(' ').unwrap();
            commits.insert(sha.to_owned(), format!("{lines} 0 0 0"));
        }
        let files = "SELECT commit_sha, COUNT(*), CAST(SUM(additions) AS CHAR(20)), \
                     CAST(SUM(deletions) AS CHAR(20)) FROM commit_files GROUP BY commit_sha";
        for line in self.rows(files).await {
            let (sha, files) = line.split_once(' ').unwrap();
            let commit = commits.get_mut(sha).unwrap();
            let lines = commit.strip_suffix(" 0 0 0").unwrap();
            let batches: Vec<&str> = files.split_whitespace().collect();
            *commit = format!("{lines} {}", batches.join(" "));
        }
        let expected = git_lines(mirror);
        assert_eq!(commits.len(), expected.len(), "commits");
        for (sha, expected) in expected {
            assert_eq!(commits.get(&sha), Some(&expected), "{sha}");
        }
        let held = self.rows("SELECT commit_sha FROM repo_commits").await;
        let shas: Vec<String> = commits.into_keys().collect();
        assert_eq!(sorted(held), shas, "repo_commits");
    }
}

/// `commit parent place` for each parent; one that is named twice has its first place.
fn git_parents(mirror: &Path) -> Vec<String> {
    let printed = git_text(mirror, &["rev-list", "--all", "--parents"]);
    let mut parents = Vec::new();
    for line in printed.lines() {
        let hashes: Vec<&str> = line.split(' ').collect();
        for (place, parent) in hashes[1..].iter().enumerate() {
            if !hashes[1..=place].contains(parent) {
                parents.push(format!("{} {parent} {place}", hashes[0]));
            }
        }
    }
    sorted(parents)
}

/// Commits with `additions deletions files additions deletions`, the latter summed over files.
fn git_lines(mirror: &Path) -> BTreeMap<String, String> {
    let printed = git_text(mirror, &["log", "--all", "--numstat", "--format=commit %H"]);
    let mut counts: BTreeMap<String, (i64, i64, i64)> = BTreeMap::new();
    let mut current = String::new();
    for line in printed.lines().filter(|line| !line.is_empty()) {
        if let Some(sha) = line.strip_prefix("commit ") {
            sha.clone_into(&mut current);
            counts.insert(current.clone(), (0, 0, 0));
            continue;
        }
        let count = counts.get_mut(&current).unwrap();
        let mut batches = line.split('\t');
        count.0 += 1;
        count.1 += batches.next().unwrap().parse::<i64>().unwrap_or_default();
        count.2 += batches.next().unwrap().parse::<i64>().unwrap_or_default();
    }
    let shown = counts.into_iter();
    shown
        .map(|(sha, (files, more, less))| (sha, format!("{more} {less} {files} {more} {less}")))
        .collect()
}

pub(super) fn git_text(mirror: &Path, arguments: &[&str]) -> String {
    let printed = git_run(mirror, arguments, b"");
    String::from_utf8_lossy(&printed).into_owned()
}

fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.sort();
    lines
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).unwrap()
}

//! What changes in a mirror is followed: the tables are those of a first reading, whatever was
//! read before and however that ended.

use headwater_git::fixture::Repository;
use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use proptest::prelude::*;
use rstest::rstest;

use super::super::ExtractError;
use super::lake::{End, Lake};

/// A change of a repository. Numbers choose among what there is.
#[derive(Clone, Debug)]
enum Change {
    Commit {
        branch: u8,
        file: u8,
        author: u8,
    },
    Merge {
        into: u8,
        from: u8,
    },
    ForcePush {
        branch: u8,
        back: u8,
    },
    Delete {
        branch: u8,
    },
    Tag {
        name: u8,
        branch: u8,
        annotated: bool,
    },
    Untag {
        name: u8,
    },
    Head {
        branch: u8,
    },
    Mailmap {
        name: u8,
    },
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        6 => (0..3u8, 0..4u8, 0..3u8)
            .prop_map(|(branch, file, author)| Change::Commit { branch, file, author }),
        2 => (0..3u8, 0..3u8).prop_map(|(into, from)| Change::Merge { into, from }),
        2 => (0..3u8, 1..5u8).prop_map(|(branch, back)| Change::ForcePush { branch, back }),
        1 => (0..3u8).prop_map(|branch| Change::Delete { branch }),
        2 => (0..3u8, 0..3u8, any::<bool>())
            .prop_map(|(name, branch, annotated)| Change::Tag { name, branch, annotated }),
        1 => (0..3u8).prop_map(|name| Change::Untag { name }),
        1 => (0..3u8).prop_map(|branch| Change::Head { branch }),
        1 => (0..3u8).prop_map(|name| Change::Mailmap { name }),
    ]
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![
        Just(End::Whole),
        (1..4u64).prop_map(End::Cancelled),
        (1..4u64).prop_map(End::Killed),
    ]
}

/// A repository that changes, with a date that goes on.
struct Changing {
    repository: Repository,
    date: u64,
}

impl Changing {
    fn new() -> Self {
        Self {
            repository: Repository::new(),
            date: 1_700_000_000,
        }
    }

    fn put(&mut self, branch: u8, author: u8, change: &str) {
        self.date += 60;
        let date = self.date;
        // A new branch begins at the head of another, or has a root of its own.
        let name = format!("refs/heads/b{branch}");
        let from = ["b0", "b1", "b2"]
            .iter()
            .find_map(|other| self.repository.resolve(other));
        let from = self
            .repository
            .resolve(&name)
            .or(from.filter(|_| branch < 2));
        let from = from
            .map(|from| format!("from {from}\n"))
            .unwrap_or_default();
        let stream = format!(
            "commit {name}\nauthor Person {date} <p{author}@example.com> {date} +0000\n\
             committer C <c@example.com> {date} +0000\ndata 5\nword\n\n{from}{change}\n"
        );
        self.repository.import(stream.as_bytes());
    }

    fn apply(&mut self, change: &Change) {
        let exists = |branch: u8| self.repository.resolve(&format!("refs/heads/b{branch}"));
        match *change {
            Change::Commit {
                branch,
                file,
                author,
            } => {
                let content = format!("{}\n", self.date).repeat(usize::from(file) + 1);
                let length = content.len();
                let file = format!("M 100644 inline f{file}\ndata {length}\n{content}\n");
                self.put(branch, author, &file);
            }
            Change::Merge { into, from } => {
                if let (Some(_), Some(other)) = (exists(into), exists(from)) {
                    self.put(into, 0, &format!("merge {other}\n"));
                }
            }
            Change::ForcePush { branch, back } => {
                let old = self.repository.resolve(&format!("b{branch}~{back}"));
                if let Some(old) = old {
                    let name = format!("refs/heads/b{branch}");
                    self.repository.git(&["update-ref", &name, &old]);
                }
            }
            Change::Delete { branch } => {
                if exists(branch).is_some() {
                    let name = format!("refs/heads/b{branch}");
                    self.repository.git(&["update-ref", "-d", &name]);
                }
            }
            Change::Tag {
                name,
                branch,
                annotated,
            } => {
                if exists(branch).is_some() {
                    self.tag(name, branch, annotated);
                }
            }
            Change::Untag { name } => {
                let name = format!("refs/tags/v{name}");
                if self.repository.resolve(&name).is_some() {
                    self.repository.git(&["update-ref", "-d", &name]);
                }
            }
            Change::Head { branch } => {
                let name = format!("refs/heads/b{branch}");
                self.repository.git(&["symbolic-ref", "HEAD", &name]);
            }
            Change::Mailmap { name } => {
                let map = format!("Mapped {name} <mapped@example.com> <p0@example.com>\n");
                let length = map.len();
                self.put(
                    0,
                    1,
                    &format!("M 100644 inline .mailmap\ndata {length}\n{map}\n"),
                );
            }
        }
    }

    fn tag(&mut self, name: u8, branch: u8, annotated: bool) {
        self.date += 60;
        let date = self.date;
        let (name, branch) = (format!("v{name}"), format!("refs/heads/b{branch}"));
        if annotated {
            let stream = format!(
                "tag {name}\nfrom {branch}^0\ntagger T <t@example.com> {date} +0000\ndata 1\nx\n"
            );
            self.repository.import(stream.as_bytes());
        } else {
            let name = format!("refs/tags/{name}");
            self.repository.git(&["update-ref", &name, &branch]);
        }
    }
}

/// Changes between readings, with how each reading ends and whether it counts lines.
fn steps(most: usize) -> impl Strategy<Value = Vec<(Vec<Change>, End, bool)>> {
    let changes = prop::collection::vec(change(), 1..9);
    let counts = prop::bool::weighted(0.8);
    prop::collection::vec((changes, end(), counts), 1..most)
}

async fn follow(lake: &mut Lake, steps: &[(Vec<Change>, End, bool)]) {
    let mut changing = Changing::new();
    for (number, (changes, end, counts)) in steps.iter().enumerate() {
        for change in changes {
            changing.apply(change);
        }
        lake.line_counts = *counts;
        let mirror = changing.repository.path();
        let done = lake.read_until("tools/widget", mirror, *end).await;
        if let Some(Err(error)) = &done {
            assert!(matches!(error, ExtractError::Cancelled), "{error:?}");
        }
        if !matches!(done, Some(Ok(_))) && number + 1 < steps.len() {
            // The next reading goes on from here, after further changes.
            continue;
        }
        lake.read(mirror).await;
        lake.assert_fresh(mirror, &format!("after step {number}: {steps:?}"))
            .await;
        if *counts {
            lake.assert_as_git_where_reachable(mirror).await;
        }
    }
}

fn in_runtime(future: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(future);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, max_shrink_iters: 40, ..ProptestConfig::default() })]

    #[test]
    fn however_a_repository_changes_the_tables_are_those_of_a_first_reading(steps in steps(6)) {
        in_runtime(async {
            let mut lake = Lake::new().await;
            follow(&mut lake, &steps).await;
        });
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn changes_are_followed_on_every_database(#[values(Sqlite, Postgres, MariaDb)] on: On) {
    let Some(mut lake) = Lake::on(on).await else {
        return;
    };
    let commit = |branch, file| Change::Commit {
        branch,
        file,
        author: branch,
    };
    let many: Vec<Change> = (0..12)
        .map(|number| commit(number % 3, number % 4))
        .collect();
    let steps = [
        (many.clone(), End::Killed(2), true),
        (
            vec![
                Change::ForcePush { branch: 0, back: 2 },
                Change::Tag {
                    name: 1,
                    branch: 1,
                    annotated: true,
                },
                commit(0, 1),
            ],
            End::Cancelled(1),
            true,
        ),
        (
            vec![Change::Delete { branch: 2 }, Change::Mailmap { name: 1 }],
            End::Whole,
            true,
        ),
        (vec![commit(1, 2)], End::Whole, false),
        (vec![Change::Delete { branch: 0 }], End::Whole, false),
    ];
    follow(&mut lake, &steps).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_new_is_read_and_only_what_is_gone_is_removed() {
    let lake = Lake::new().await;
    let mut repository = Repository::new();
    for number in 0..20 {
        repository.commit(
            "main",
            &format!("{number}"),
            &[("a", &format!("{number}\n"))],
        );
    }
    assert_eq!(lake.read(repository.path()).await.commits, 20);
    repository.commit("main", "new", &[("a", "new\n")]);
    let outcome = lake.read(repository.path()).await;
    assert_eq!((outcome.commits, outcome.gone, outcome.anew), (1, 0, false));
    let old = repository.resolve("main~3").unwrap();
    repository.git(&["update-ref", "refs/heads/main", &old]);
    repository.commit("main", "instead", &[]);
    let outcome = lake.read(repository.path()).await;
    assert_eq!((outcome.commits, outcome.gone, outcome.anew), (1, 3, false));
    lake.assert_fresh(repository.path(), "after a force-push")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_clone_that_lacks_what_was_read_is_read_anew() {
    let lake = Lake::new().await;
    let mut repository = Repository::new();
    repository.commit("main", "kept", &[("a", "1\n")]);
    repository.commit("gone", "not cloned", &[("b", "1\n")]);
    lake.read(repository.path()).await;
    repository.git(&["update-ref", "-d", "refs/heads/gone"]);
    let folder = tempfile::tempdir().unwrap();
    let clone = folder.path().join("clone.git");
    let arguments = ["clone", "--quiet", "--bare", "--no-local"];
    let paths = [repository.path().to_str().unwrap(), clone.to_str().unwrap()];
    headwater_git::fixture::run(folder.path(), &[&arguments[..], &paths[..]].concat(), b"");
    let outcome = lake.read(&clone).await;
    assert!(outcome.anew && outcome.gone == 1, "{outcome:?}");
    lake.assert_fresh(&clone, "after cloning again").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_mirror_there_is_an_error_and_the_rows_stay() {
    let lake = Lake::new().await;
    let mut repository = Repository::new();
    repository.commit("main", "first", &[("a", "1\n")]);
    lake.read(repository.path()).await;
    let nowhere = repository.path().join("nowhere");
    let error = lake.read_as("tools/widget", &nowhere).await.unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("tools/widget") && text.contains("headwater sync"),
        "{text}"
    );
    assert_eq!(lake.cell("SELECT COUNT(*) FROM commits").await, "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shallow_repository_has_parents_that_it_lacks_and_is_read_anew_when_it_is_deepened() {
    let lake = Lake::new().await;
    let mut repository = Repository::new();
    for number in 0..6 {
        repository.commit(
            "main",
            &format!("{number}"),
            &[("a", &format!("{number}\n"))],
        );
    }
    let folder = tempfile::tempdir().unwrap();
    let url = format!("file://{}", repository.path().display());
    let arguments = [
        "clone",
        "--quiet",
        "--bare",
        "--depth=2",
        &url,
        "shallow.git",
    ];
    headwater_git::fixture::run(folder.path(), &arguments, b"");
    let shallow = folder.path().join("shallow.git");
    let outcome = lake.read(&shallow).await;
    assert_eq!((outcome.commits, outcome.boundary), (2, 1));
    let dangling = "SELECT COUNT(*) FROM commit_parents LEFT JOIN repo_commits \
                    ON commit_sha = parent_commit_sha WHERE source_id IS NULL";
    let dangling = dangling.replace("ON commit_sha", "ON repo_commits.commit_sha");
    assert_eq!(lake.cell(&dangling).await, "1");
    assert_eq!(lake.cell("SELECT boundary FROM _headwater_git").await, "1");
    headwater_git::fixture::run(&shallow, &["fetch", "--quiet", "--unshallow"], b"");
    let outcome = lake.read(&shallow).await;
    assert!(outcome.anew && outcome.commits == 6, "{outcome:?}");
    assert_eq!(lake.cell(&dangling).await, "0");
    lake.assert_as_git(&shallow).await;
}

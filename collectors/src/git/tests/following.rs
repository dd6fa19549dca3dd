//! A mirror follows its source.

use headwater_git::Head;

use super::super::Notice;
use super::*;

/// What may happen to a source between two runs.
type Change = (&'static str, fn(&mut Repository));

const CHANGES: &[Change] = &[
    ("a new commit", |source| {
        source.commit("main", "more", &[("d", "5")]);
    }),
    ("a forced push", |source| {
        source.git(&["update-ref", "refs/heads/main", "refs/heads/side"]);
        source.commit("main", "instead", &[("e", "6")]);
    }),
    ("a deleted branch", |source| {
        source.git(&["update-ref", "-d", "refs/heads/side"]);
    }),
    ("a moved tag", |source| {
        source.git(&["tag", "-f", "light", "main"]);
    }),
    ("a deleted tag", |source| {
        source.git(&["tag", "-d", "heavy"]);
    }),
    ("a renamed default branch", |source| {
        source.git(&["branch", "-m", "main", "trunk"]);
    }),
    ("another default branch", |source| {
        source.git(&["symbolic-ref", "HEAD", "refs/heads/side"]);
    }),
    ("a rewritten history", |source| {
        for name in [
            "refs/heads/main",
            "refs/heads/side",
            "refs/tags/light",
            "refs/tags/heavy",
        ] {
            source.git(&["update-ref", "-d", name]);
        }
        source.commit("main", "a new beginning", &[("z", "9")]);
    }),
    ("a branch where a folder of branches was", |source| {
        source.git(&["branch", "-m", "side", "topic/one"]);
    }),
    ("a folder of branches where a branch was", |source| {
        source.git(&["branch", "-m", "side", "other"]);
        source.git(&["branch", "side/one", "main"]);
    }),
    ("branches with odd names", |source| {
        for name in [
            "refs/heads/tmp_x",
            "refs/heads/incoming-1/x",
            "refs/heads/-x",
            "refs/heads/a.keep",
        ] {
            source.git(&["update-ref", name, "refs/heads/main"]);
        }
    }),
    ("everything deleted", |source| {
        for name in [
            "refs/heads/main",
            "refs/heads/side",
            "refs/tags/light",
            "refs/tags/heavy",
        ] {
            source.git(&["update-ref", "-d", name]);
        }
    }),
];

#[tokio::test]
async fn after_each_change_the_mirror_equals_a_fresh_clone() {
    for (what, change) in CHANGES {
        for depth in [Depth::Graph, Depth::Full] {
            let mut now = MirrorCase::with_history().await;
            assert!(now.collect(depth).await.cloned);
            change(&mut now.source);
            let outcome = now.collect(depth).await;
            assert!(outcome.moved && !outcome.cloned, "{what}: {outcome:?}");
            if *what == "everything deleted" {
                assert!(outcome.mirror.refs(&go_on()).await.unwrap().refs.is_empty());
                continue;
            }
            now.is_like_fresh(&outcome.mirror.path(), depth).await;
            assert_eq!(outcome.notices, [], "{what}");
            drop(outcome);
            let again = now.collect(depth).await;
            assert!(!again.moved && again.requests == 1, "{what}: {again:?}");
        }
    }
}

#[tokio::test]
async fn an_unchanged_repository_costs_one_ls_remote_and_writes_no_objects() {
    let now = MirrorCase::with_history().await;
    let first = now.collect_like_fresh(Depth::Graph).await;
    assert!(first.moved && first.cloned);
    drop(first);
    let before = files(&now.place().join("mirror.git/objects"));
    let outcome = now.collect(Depth::Graph).await;
    assert!(!outcome.moved && !outcome.cloned);
    assert_eq!(outcome.requests, 1);
    assert_eq!(files(&now.place().join("mirror.git/objects")), before);
}

#[tokio::test]
async fn a_graph_holds_no_file_but_the_mailmap_and_full_depth_brings_the_rest() {
    let mut now = MirrorCase::with_history().await;
    now.source.commit(
        "main",
        "names",
        &[
            (".mailmap", "Ada <ada@example.com>"),
            ("secret.rs", "source code"),
        ],
    );
    let graph = now.collect_like_fresh(Depth::Graph).await;
    let blobs = |mirror: &Path| {
        let all = [
            "cat-file",
            "--batch-all-objects",
            "--batch-check=%(objecttype)",
        ];
        let all = String::from_utf8(run(mirror, &all, b"")).unwrap();
        all.lines().filter(|line| *line == "blob").count()
    };
    assert_eq!(blobs(&graph.mirror.path()), 1);
    let mailmap = graph
        .mirror
        .command()
        .args(["cat-file", "blob", "HEAD:.mailmap"]);
    let mailmap = mailmap.output(1000, &go_on()).await.unwrap();
    assert_eq!(mailmap, b"Ada <ada@example.com>");
    assert_eq!(graph.mirror.depth(), Depth::Graph);
    drop(graph);

    let full = now.collect_like_fresh(Depth::Full).await;
    assert!(full.cloned && full.moved && full.mirror.depth() == Depth::Full);
    assert!(blobs(&full.mirror.path()) > 5);
    drop(full);

    let kept = now.collect(Depth::Graph).await;
    assert!(!kept.cloned && kept.mirror.depth() == Depth::Full);
}

#[tokio::test]
async fn an_empty_repository_is_a_mirror_without_refs_and_gets_its_first_commit_later() {
    let mut now = MirrorCase::new().await;
    let empty = now.collect(Depth::Graph).await;
    let refs = empty.mirror.refs(&go_on()).await.unwrap();
    assert!(refs.refs.is_empty() && refs.head == Head::Unborn);
    drop(empty);
    let again = now.collect(Depth::Graph).await;
    assert!(!again.moved && again.requests == 1);
    drop(again);
    now.source.commit("main", "one", &[("a", "1")]);
    assert!(now.collect_like_fresh(Depth::Graph).await.moved);
}

#[tokio::test]
async fn a_detached_head_and_an_unborn_one_are_followed() {
    let mut now = MirrorCase::with_history().await;
    now.collect(Depth::Graph).await;
    let lost = now.source.commit("lost", "on no branch", &[("x", "1")]);
    now.source.git(&["update-ref", "-d", "refs/heads/lost"]);
    std::fs::write(now.source.path().join("HEAD"), &lost).unwrap();
    let detached = now.collect(Depth::Graph).await;
    let head = detached.mirror.refs(&go_on()).await.unwrap().head;
    assert_eq!(head, Head::Detached(lost.parse().unwrap()));
    let walk = content(&detached.mirror.path(), Depth::Graph).1;
    assert!(walk.contains(&lost));
    drop(detached);

    now.source
        .git(&["symbolic-ref", "HEAD", "refs/heads/nothing"]);
    let unborn = now.collect(Depth::Graph).await;
    assert!(unborn.moved);
    assert_eq!(
        unborn.mirror.refs(&go_on()).await.unwrap().head,
        Head::Unborn
    );
    drop(unborn);
    assert!(!now.collect(Depth::Graph).await.moved);
}

#[tokio::test]
async fn a_shallow_source_is_told_and_what_it_gains_later_is_fetched() {
    let mut whole = Repository::new();
    for number in ["1", "2", "3", "4"] {
        whole.commit("main", number, &[("a", number)]);
    }
    let mut now = MirrorCase::new().await;
    let origin = format!("file://{}", whole.path().display());
    now.source.git(&[
        "fetch",
        "--quiet",
        "--depth=2",
        &origin,
        "+refs/heads/*:refs/heads/*",
    ]);
    let outcome = now.collect(Depth::Graph).await;
    assert_eq!(outcome.notices, [Notice::Shallow(1)]);
    let edge = now.source.resolve("main~1").unwrap();
    assert_eq!(outcome.mirror.shallow(), [edge.parse().unwrap()]);
    drop(outcome);

    // Nothing moved, so this costs a fetch besides.
    let outcome = now.collect(Depth::Graph).await;
    assert!(!outcome.moved && outcome.requests == 2);
    drop(outcome);

    now.source.git(&[
        "fetch",
        "--quiet",
        "--unshallow",
        &origin,
        "+refs/heads/*:refs/heads/*",
    ]);
    let outcome = now.collect_like_fresh(Depth::Graph).await;
    assert!(outcome.moved && outcome.mirror.shallow().is_empty() && outcome.notices.is_empty());
    drop(outcome);
    now.source.commit("main", "5", &[]);
    now.collect_like_fresh(Depth::Graph).await;
}

#[tokio::test]
async fn a_vanished_source_is_a_failure_that_says_so_and_its_mirror_stays() {
    let now = MirrorCase::with_history().await;
    now.collect(Depth::Graph).await;
    let before = content(&now.place().join("mirror.git"), Depth::Graph);
    let hidden = now.source.path().with_extension("hidden");
    std::fs::rename(now.source.path(), &hidden).unwrap();
    let error = now.try_collect(Depth::Graph).await.unwrap_err();
    let text = error.to_string();
    assert!(
        matches!(error.kind, super::super::MirrorErrorKind::Gone(_)),
        "{text}"
    );
    for word in ["tools/Widget", "plain", "is not there", "stay as they are"] {
        assert!(text.contains(word), "{word}: {text}");
    }
    let mirrors = now.mirrors(PLENTY);
    let time = now.task(Depth::Graph).now;
    let mirror = mirrors.read(9, "plain", SCOPE, time, &go_on()).await;
    let mirror = mirror.unwrap().unwrap();
    assert_eq!(content(&mirror.path(), Depth::Graph), before);
    drop(mirror);
    std::fs::rename(&hidden, now.source.path()).unwrap();
    assert!(!now.collect_like_fresh(Depth::Graph).await.moved);
}

#[tokio::test]
async fn many_fetches_leave_few_packs() {
    let mut now = MirrorCase::new().await;
    for number in 0..45 {
        now.source
            .commit("main", &number.to_string(), &[("a", &number.to_string())]);
        now.collect(Depth::Full).await;
    }
    let packs = files(&now.place().join("mirror.git/objects/pack"));
    assert!(packs.len() < 60, "{}", packs.len());
    now.collect_like_fresh(Depth::Full).await;
}

#[tokio::test]
async fn sources_with_sha256_are_mirrored_and_a_change_of_the_hash_clones_again() {
    let mut now = MirrorCase::with_history().await;
    now.collect(Depth::Graph).await;
    std::fs::remove_dir_all(now.source.path()).unwrap();
    let parent = now.source.path().parent().unwrap().to_owned();
    let init = [
        "init",
        "--quiet",
        "--bare",
        "--object-format=sha256",
        "--initial-branch=main",
        "source.git",
    ];
    run(&parent, &init, b"");
    now.source.commit("main", "one", &[("a", "1")]);
    let outcome = now.collect_like_fresh(Depth::Graph).await;
    assert!(outcome.cloned);
    drop(outcome);
    assert!(!now.collect(Depth::Graph).await.moved);
}

#[test]
fn folders_of_mirrors_are_safe_names_and_differ_where_scopes_differ() {
    let long = format!("group/{}", "x".repeat(300));
    let scopes = [
        "a/b",
        "A/b",
        "a-b",
        "a/../b",
        "..",
        "../../etc/passwd",
        "a\\b",
        "con",
        "größe/ß",
        "a\0b",
        "",
        &long,
    ];
    let mut seen = std::collections::BTreeSet::new();
    for scope in scopes {
        for connection in [1, 11] {
            let name = folder_name(connection, scope);
            let safe = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            assert!(name.chars().all(safe) && name.len() < 110, "{name}");
            assert!(seen.insert(name), "{scope:?}");
        }
    }
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_may_look_into_the_folder_of_mirrors() {
    use std::os::unix::fs::PermissionsExt as _;
    let now = MirrorCase::with_history().await;
    drop(now.collect(Depth::Graph).await);
    for folder in [now.folder.path().join("mirrors"), now.place()] {
        let mode = std::fs::metadata(&folder).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{}", folder.display());
    }
}

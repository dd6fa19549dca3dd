//! Mirrors that were interrupted or damaged are mended by the next run.

use super::super::{MirrorErrorKind, Notice};
use super::*;

fn packs(now: &MirrorCase, ending: &str) -> Vec<PathBuf> {
    let mut packs = files(&now.place().join("mirror.git/objects/pack"));
    packs.retain(|path| path.extension().is_some_and(|found| found == ending));
    packs
}

fn is_cloned_again(outcome: &FetchedMirror) {
    assert!(outcome.cloned, "{outcome:?}");
    let told = |notice: &Notice| matches!(notice, Notice::ClonedAgain(_));
    assert!(outcome.notices.iter().any(told), "{outcome:?}");
}

/// What may be wrong with a mirror.
type Damage = (&'static str, fn(&MirrorCase));

const DAMAGES: &[Damage] = &[
    ("a truncated pack", |now| {
        let pack = &packs(now, "pack")[0];
        let content = std::fs::read(pack).unwrap();
        std::fs::remove_file(pack).unwrap();
        std::fs::write(pack, &content[..content.len() / 2]).unwrap();
    }),
    ("an empty pack", |now| {
        let pack = &packs(now, "pack")[0];
        std::fs::remove_file(pack).unwrap();
        std::fs::write(pack, "").unwrap();
    }),
    ("a pack that is gone", |now| {
        std::fs::remove_file(&packs(now, "pack")[0]).unwrap();
    }),
    ("an index that is gone", |now| {
        std::fs::remove_file(&packs(now, "idx")[0]).unwrap();
    }),
    ("all objects gone", |now| {
        std::fs::remove_dir_all(now.place().join("mirror.git/objects/pack")).unwrap();
    }),
    ("no state", |now| {
        std::fs::remove_file(now.place().join("mirror.git/headwater.json")).unwrap();
    }),
    ("state that is no state", |now| {
        std::fs::write(now.place().join("mirror.git/headwater.json"), "{").unwrap();
    }),
    ("no HEAD", |now| {
        std::fs::remove_file(now.place().join("mirror.git/HEAD")).unwrap();
    }),
    ("a broken configuration", |now| {
        std::fs::write(now.place().join("mirror.git/config"), "[core\n").unwrap();
    }),
    ("a ref to nothing", |now| {
        std::fs::write(
            now.place().join("mirror.git/refs/heads/main"),
            "0".repeat(39) + "1\n",
        )
        .unwrap();
    }),
    ("packed refs that are cut", |now| {
        std::fs::write(
            now.place().join("mirror.git/packed-refs"),
            "# pack-refs with: peeled\n0123",
        )
        .unwrap();
    }),
    ("a mark of distrust", |now| {
        std::fs::write(now.place().join("distrusted"), "bad zlib stream").unwrap();
    }),
];

#[tokio::test]
async fn a_damaged_mirror_is_cloned_again() {
    for (what, damage) in DAMAGES {
        let mut now = MirrorCase::with_history().await;
        now.collect(Depth::Full).await;
        damage(&now);
        now.source.commit("main", "meanwhile", &[("d", what)]);
        let outcome = now.collect_like_fresh(Depth::Full).await;
        assert!(outcome.cloned, "{what}: {outcome:?}");
        is_cloned_again(&outcome);
    }
}

#[tokio::test]
async fn a_mirror_that_extraction_distrusts_is_not_read_until_it_is_cloned_again() {
    let now = MirrorCase::with_history().await;
    let outcome = now.collect(Depth::Graph).await;
    outcome.mirror.distrust("bad object");
    drop(outcome);
    let mirrors = now.mirrors(PLENTY);
    let time = now.task(Depth::Graph).now;
    assert!(
        mirrors
            .read(9, "plain", SCOPE, time, &go_on())
            .await
            .unwrap()
            .is_none()
    );
    is_cloned_again(&now.collect_like_fresh(Depth::Graph).await);
    assert!(
        mirrors
            .read(9, "plain", SCOPE, time, &go_on())
            .await
            .unwrap()
            .is_some()
    );
}

#[tokio::test]
async fn what_a_killed_git_leaves_behind_is_removed() {
    let now = MirrorCase::with_history().await;
    now.collect(Depth::Graph).await;
    let mirror = now.place().join("mirror.git");
    for left in [
        "objects/pack/tmp_pack_aBc",
        "objects/pack/.tmp-1-pack-x.pack",
        "objects/pack/pack-1.keep",
        "packed-refs.lock",
        "packed-refs.new",
        "refs/heads/main.lock",
        "HEAD.lock",
        "config.lock",
        "shallow.lock",
        "headwater.json.77.new",
        "objects/incoming-x/pack/a",
        "objects/tmp_objdir-y/b",
        "../incoming.git/HEAD",
        "../outgoing.git/objects/c",
        "../unfinished",
    ] {
        let path = mirror.join(left);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "left behind").unwrap();
    }
    let outcome = now.collect_like_fresh(Depth::Graph).await;
    assert!(!outcome.cloned && !outcome.moved, "{outcome:?}");
}

#[tokio::test]
async fn an_interrupted_fetch_is_looked_through_and_cloned_again_if_it_left_damage() {
    for damaged in [false, true] {
        let mut now = MirrorCase::with_history().await;
        now.collect(Depth::Full).await;
        let mirror = now.place().join("mirror.git");
        if damaged {
            // Refs and packs look well, and a file within is missing.
            let blob = now.source.resolve("main:a").unwrap();
            let objects = run(&mirror, &["rev-list", "--objects", "--all"], b"");
            let objects = String::from_utf8(objects).unwrap();
            let kept: Vec<&str> = objects
                .lines()
                .filter_map(|line| line.split(' ').next())
                .collect();
            let kept = kept
                .into_iter()
                .filter(|id| *id != blob)
                .collect::<Vec<_>>()
                .join("\n");
            let old = packs(&now, "pack")
                .into_iter()
                .chain(packs(&now, "idx"))
                .collect::<Vec<_>>();
            run(
                &mirror,
                &["pack-objects", "objects/pack/pack"],
                (kept + "\n").as_bytes(),
            );
            for file in &old {
                std::fs::remove_file(file).unwrap();
            }
        }
        std::fs::write(now.place().join("unfinished"), "").unwrap();
        now.source.commit("main", "meanwhile", &[]);
        let outcome = now.collect_like_fresh(Depth::Full).await;
        assert_eq!(outcome.cloned, damaged, "{outcome:?}");
    }
}

#[tokio::test]
async fn a_mirror_that_somebody_changes_is_waited_for_and_named() {
    let now = MirrorCase::with_history().await;
    let held = now.collect(Depth::Graph).await;
    let mut mirrors = now.mirrors(PLENTY);
    mirrors.patience = Duration::from_millis(20);
    let error = mirrors
        .collect(&now.task(Depth::Graph), &go_on())
        .await
        .unwrap_err();
    assert!(matches!(error.kind, MirrorErrorKind::InUse(_)), "{error}");
    let time = now.task(Depth::Graph).now;
    let reader = mirrors
        .read(9, "plain", SCOPE, time, &go_on())
        .await
        .unwrap();
    assert!(reader.is_some(), "readers do not exclude each other");
    drop((held, reader));
    now.collect_like_fresh(Depth::Graph).await;
}

#[tokio::test]
async fn a_cancelled_collection_is_no_failure_of_the_mirror() {
    let now = MirrorCase::with_history().await;
    let cancel = go_on();
    cancel.cancel();
    let error = now
        .mirrors(PLENTY)
        .collect(&now.task(Depth::Graph), &cancel)
        .await
        .unwrap_err();
    assert!(matches!(error.kind, MirrorErrorKind::Cancelled), "{error}");
    now.collect_like_fresh(Depth::Graph).await;
}

//! The quota.

use super::super::{MirrorErrorKind, Notice};
use super::*;

/// Three sources of about a megabyte each.
fn large(seed: u64) -> Repository {
    let mut source = Repository::new();
    // Numbers that do not compress.
    let mut state = seed;
    let mut noise = String::new();
    while noise.len() < 1_000_000 {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        noise.extend((state >> 33..).take(1).map(|number| format!("{number:x}")));
    }
    source.commit("main", "noise", &[("noise", &noise)]);
    source
}

fn of(source: &Repository, scope: &str, seconds: i64) -> Task {
    let path = source.path().to_str().unwrap();
    let url = RemoteUrl::parse(path, Paths::Allowed).unwrap();
    let now = DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap();
    Task {
        now,
        ..task(scope, Remote::new(url), Depth::Full)
    }
}

#[tokio::test]
async fn the_least_recently_used_mirror_makes_room_unless_it_is_in_use() {
    let now = MirrorCase::new().await;
    let sources = [large(1), large(2), large(3)];
    let one = now
        .mirrors(PLENTY)
        .collect(&of(&sources[0], "g/one", 0), &go_on())
        .await
        .unwrap();
    let size = one.bytes;
    assert!(size > 400_000, "{size}");
    drop(one);
    let mirrors = now.mirrors(size * 5 / 2);
    drop(
        mirrors
            .collect(&of(&sources[1], "g/two", 1), &go_on())
            .await
            .unwrap(),
    );
    // The first one is read, so that the second is the one that waited longest.
    let time = of(&sources[0], "g/one", 2).now;
    let read = mirrors
        .read(9, "plain", "g/one", time, &go_on())
        .await
        .unwrap()
        .unwrap();
    drop(read);
    let three = mirrors
        .collect(&of(&sources[2], "g/three", 3), &go_on())
        .await
        .unwrap();
    let evicted =
        |notice: &Notice| matches!(notice, Notice::Evicted { scope, .. } if scope == "g/two");
    assert!(three.notices.iter().any(evicted), "{:?}", three.notices);
    let left: Vec<String> = mirrors
        .uses()
        .into_iter()
        .map(|mirror| mirror.scope)
        .collect();
    assert_eq!(left, ["g/one", "g/three"]);

    // The third is in use, so the first goes though the third would be large enough.
    let two = mirrors
        .collect(&of(&sources[1], "g/two", 4), &go_on())
        .await
        .unwrap();
    let error = mirrors
        .collect(&of(&sources[0], "g/one", 5), &go_on())
        .await
        .unwrap_err();
    assert!(
        matches!(error.kind, MirrorErrorKind::NoRoom { .. }),
        "{error}"
    );
    assert!(error.to_string().contains("git.quota"), "{error}");
    drop((two, three));
    let total: u64 = mirrors.uses().iter().map(|mirror| mirror.bytes).sum();
    assert!(total <= mirrors.quota);
    nothing_temporary_stays(now.folder.path());
    drop(
        mirrors
            .collect(&of(&sources[0], "g/one", 6), &go_on())
            .await
            .unwrap(),
    );
}

#[tokio::test]
async fn a_repository_above_the_quota_is_an_error_that_says_what_to_do() {
    let now = MirrorCase::new().await;
    let source = large(4);
    let mirrors = now.mirrors(100_000);
    let error = mirrors
        .collect(&of(&source, "g/one", 0), &go_on())
        .await
        .unwrap_err();
    assert!(
        matches!(error.kind, MirrorErrorKind::TooLarge { .. }),
        "{error}"
    );
    let text = error.to_string();
    assert!(
        text.contains("raise git.quota") && text.contains("100000"),
        "{text}"
    );
    assert!(mirrors.uses().is_empty());
    nothing_temporary_stays(now.folder.path());
    // Without its files it fits.
    let task = Task {
        depth: Depth::Graph,
        ..of(&source, "g/one", 1)
    };
    let outcome = mirrors.collect(&task, &go_on()).await.unwrap();
    assert!(outcome.bytes < 100_000);
}

#[tokio::test]
async fn a_mirror_that_is_removed_is_cloned_again() {
    let now = MirrorCase::with_history().await;
    let held = now.collect(Depth::Graph).await;
    let mirrors = now.mirrors(PLENTY);
    assert!(!mirrors.remove(9, SCOPE).unwrap(), "it is in use");
    drop(held);
    assert!(mirrors.remove(9, SCOPE).unwrap());
    assert!(mirrors.uses().is_empty());
    assert!(now.collect_like_fresh(Depth::Graph).await.cloned);
}

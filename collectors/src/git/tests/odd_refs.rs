//! Refs that name anything, and refs that cannot be written.

use super::super::Notice;
use super::*;

#[tokio::test]
async fn every_kind_of_object_may_be_named_and_what_cannot_be_left_out_is_told() {
    for (object, is_fuller) in [
        ("main^{tree}", true),
        ("main~1^{tree}", true),
        ("main:folder", false),
        ("main:a", false),
    ] {
        for (way, heavy) in [("light", false), ("heavy", true)] {
            let case = format!("{way} {object}");
            let now = MirrorCase::with_history().await;
            let id = now.source.git(&["rev-parse", object]);
            if heavy {
                now.source.git(&["tag", "-a", "-m", "m", "odd", id.trim()]);
            } else {
                now.source.git(&["tag", "odd", id.trim()]);
            }
            let outcome = now.collect(Depth::Graph).await;
            let told = |notice: &Notice| matches!(notice, Notice::Fuller { .. });
            let is_told = outcome.notices.iter().any(told);
            assert!(
                is_told || heavy || !is_fuller,
                "{case}: {:?}",
                outcome.notices
            );
            assert_eq!(
                refs(&outcome.mirror.path()),
                refs(now.source.path()),
                "{case}"
            );
            drop(outcome);
            let again = now.collect(Depth::Graph).await;
            assert_eq!((again.requests, again.moved), (1, false), "{case}");
            assert_eq!(again.notices, [], "{case}: told once");
            drop(again);
            now.collect_like_fresh(Depth::Full).await;
        }
    }
}

#[tokio::test]
async fn a_tag_of_a_folder_that_comes_later_is_followed_at_the_cost_of_a_clone_at_most() {
    let mut now = MirrorCase::with_history().await;
    now.collect(Depth::Graph).await;
    let tree = now.source.git(&["rev-parse", "main^{tree}"]);
    now.source.git(&["tag", "odd", tree.trim()]);
    now.source.commit("main", "more", &[("d", "5")]);
    let outcome = now.collect(Depth::Graph).await;
    assert_eq!(refs(&outcome.mirror.path()), refs(now.source.path()));
    drop(outcome);
    now.source.commit("main", "yet more", &[("d", "6")]);
    let outcome = now.collect(Depth::Graph).await;
    assert!(!outcome.cloned, "{:?}", outcome.notices);
    nothing_temporary_stays(now.folder.path());
}

/// A branch of a folder, which git itself does not make.
fn branch_of_a_folder(now: &MirrorCase) {
    let tree = now.source.git(&["rev-parse", "main^{tree}"]);
    std::fs::write(now.source.path().join("refs/heads/odd"), tree).unwrap();
}

#[tokio::test]
async fn a_branch_that_git_does_not_write_is_left_out_until_it_moves() {
    for later in [false, true] {
        let mut now = MirrorCase::with_history().await;
        if later {
            now.collect(Depth::Full).await;
        }
        branch_of_a_folder(&now);
        let outcome = now.collect(Depth::Full).await;
        let names: Vec<&str> = outcome.left_out.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["refs/heads/odd"], "{later}");
        let held = refs(&outcome.mirror.path());
        assert!(
            held.contains("refs/heads/main") && !held.contains("odd"),
            "{held}"
        );
        drop(outcome);
        let again = now.collect(Depth::Full).await;
        assert_eq!((again.requests, again.left_out.len()), (1, 1), "{later}");
        drop(again);
        now.source.commit("main", "more", &[("d", "5")]);
        let main = now.source.resolve("main").unwrap();
        std::fs::write(now.source.path().join("refs/heads/odd"), main).unwrap();
        let outcome = now.collect(Depth::Full).await;
        assert_eq!(outcome.left_out, [], "{later}");
        assert_eq!(refs(&outcome.mirror.path()), refs(now.source.path()));
    }
}

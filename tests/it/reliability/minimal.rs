//! The smallest part of a script that still fails: steps are dropped while it does.

use std::future::Future;

/// What is left of a script.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Minimal {
    /// Steps, by their places in the whole script.
    pub(super) kept: Vec<usize>,
    /// How often the script was played.
    pub(super) plays: usize,
}

/// Drops chunks of a script of so many steps while `fails` says that it still fails: halves
/// first, then smaller ones, at last single steps. Ends after so many plays at the latest.
pub(super) async fn minimal<F, P>(steps: usize, most_plays: usize, mut fails: F) -> Minimal
where
    F: FnMut(Vec<usize>) -> P,
    P: Future<Output = bool>,
{
    let mut kept: Vec<usize> = (0..steps).collect();
    let mut plays = 0;
    let mut chunk = steps.div_ceil(2).max(1);
    loop {
        let before = kept.len();
        // From the end: what comes later depends on what was before, not the other way round.
        let mut end = kept.len();
        while end > 0 && plays < most_plays {
            let start = end.saturating_sub(chunk);
            let mut fewer = kept.clone();
            fewer.drain(start..end);
            plays += 1;
            if fails(fewer.clone()).await {
                kept = fewer;
            }
            end = start;
        }
        let is_done = chunk == 1 && kept.len() == before;
        if is_done || plays >= most_plays {
            return Minimal { kept, plays };
        }
        chunk = chunk.div_ceil(2);
    }
}

#[tokio::test]
async fn the_steps_that_matter_are_what_is_left() {
    for wanted in [vec![0], vec![199], vec![3, 77, 150], vec![40, 41, 42, 43]] {
        let fails = |kept: Vec<usize>| {
            let all = wanted.iter().all(|step| kept.contains(step));
            async move { all }
        };
        let found = minimal(200, 1000, fails).await;
        assert_eq!(found.kept, wanted);
        assert!(found.plays < 120, "{found:?}");
    }
}

#[tokio::test]
async fn the_number_of_plays_is_bounded() {
    let fails = |kept: Vec<usize>| async move { kept.contains(&5) && kept.contains(&150) };
    let found = minimal(200, 7, fails).await;
    assert_eq!(found.plays, 7);
    assert!(found.kept.len() < 200 && found.kept.contains(&5) && found.kept.contains(&150));
}

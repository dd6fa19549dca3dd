//! The first promise as a property: whatever happened before, the tables equal a first sync.

use std::fmt::Write as _;

use headwater::exit::Exit;
use headwater_simulator::{Change, Habits, Options, Simulator, Size, TrackerChange};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::lake::{How, Lake};

/// Changes in one script.
const STEPS: usize = 200;

/// A change after which tables can be equal: of a lost fork and of a vanished repository the rows
/// stay, which a first sync cannot know.
fn is_followed(change: &Change) -> bool {
    !matches!(
        change,
        Change::RemoveFork { .. } | Change::DeleteRepository { .. }
    )
}

/// A change that no list filtered by time of update shows.
fn needs_a_full_sync(change: &Change) -> bool {
    matches!(
        change,
        Change::DeletePullRequest { .. }
            | Change::RenameUser { .. }
            | Change::Tracker {
                change: TrackerChange::Delete { .. },
                ..
            }
    )
}

/// Runs a random script; the seed and the script are printed when the tables differ.
async fn tables_equal_a_first_sync_after(seed: u64, trackers: Option<usize>) {
    let options = Options {
        seed,
        size: Size::tiny(),
        trackers,
        ..Options::default()
    };
    let simulator = Simulator::start(options).await.unwrap();
    let lake = Lake::beside(&simulator).await;
    simulator.world().set_habits(Habits {
        git_share: 0.15,
        ..Habits::default()
    });
    let mut random = StdRng::seed_from_u64(seed);
    let mut script = format!("seed {seed}\n");
    let mut full = false;
    let mut steps = 0;
    while steps < STEPS {
        let change = {
            let mut world = simulator.world();
            let change = world.propose(&mut random);
            if !is_followed(&change) || world.apply(&change).is_err() {
                continue;
            }
            change
        };
        steps += 1;
        full |= needs_a_full_sync(&change);
        let _ = writeln!(script, "{steps}: {change:?}");
        if random.random_bool(0.08) {
            let (exit, _) = lake.sync(How::default()).await;
            assert_eq!(exit, Exit::Ok, "{script}");
            script.push_str("sync\n");
        }
    }
    let (exit, _) = lake.sync(How { full }).await;
    assert_eq!(exit, Exit::Ok, "{script}");
    let fresh = Lake::beside(&simulator).await;
    fresh.sync(How::default()).await;
    let differences = lake.differences(&fresh).await;
    let shown: Vec<String> = differences.iter().map(ToString::to_string).collect();
    assert!(shown.is_empty(), "{shown:#?}\n{script}");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_random_changes_with_syncs_between_the_tables_equal_a_first_sync() {
    let seeds = match std::env::var("HEADWATER_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
    {
        Some(seed) => vec![seed],
        None => vec![1, 2, 3],
    };
    for seed in seeds {
        tables_equal_a_first_sync_after(seed, None).await;
        tables_equal_a_first_sync_after(seed, Some(5)).await;
    }
}

//! `verify` beside a real process that syncs: what is still being written is no difference.

use std::process::Output;
use std::time::{Duration, Instant};

use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use rstest::rstest;

use super::installation::{Installation, Running};
use super::kill::Eye;
use super::worlds::several;

fn said(done: &Output) -> String {
    let (out, err) = (&done.stdout, &done.stderr);
    format!(
        "{}{}",
        String::from_utf8_lossy(out),
        String::from_utf8_lossy(err)
    )
}

/// A lease lasts a minute unless its process renews it, which one that is stopped does not.
const LEASED: Duration = Duration::from_secs(45);

/// Verifies while the sync stands still, at a few points one after the other; how often it was there
/// meanwhile.
async fn verified_beside(
    (installation, eye): (&Installation, &Eye),
    running: &Running,
    random: &mut StdRng,
) -> usize {
    let mut beside = 0;
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(random.random_range(5..160))).await;
        while running.stop() && eye.sees_a_write().await {
            // What waits for that lock is tried elsewhere.
            running.go_on();
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let stopped = Instant::now();
        let done = installation.run(&["verify"]).await;
        let shown = said(&done);
        let code = done.status.code();
        if stopped.elapsed() < LEASED {
            assert!(matches!(code, Some(0 | 7)), "{code:?}: {shown}");
        }
        if code == Some(7) {
            beside += 1;
            let named = format!("process {}", running.id);
            assert!(shown.contains(&named), "{named} is not named: {shown}");
        }
        running.go_on();
    }
    beside
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn beside_a_running_sync_verify_ends_with_0_or_7(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let simulator = several(5).await;
    let Some(installation) = Installation::new(on, &simulator).await else {
        return;
    };
    let made = installation.run(&["migrate"]).await;
    assert!(made.status.success());
    let eye = Eye::open(&installation).await;
    let mut random = StdRng::seed_from_u64(7);
    let running = Running::start(&installation, &["sync"]);
    // Until then nothing shows that it is there.
    while simulator.request_count() == 0 && !running.has_ended() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let beside = verified_beside((&installation, &eye), &running, &mut random).await;
    assert!(beside > 0, "no verification met the sync");
    let code = running.exit_code().await;
    assert_eq!(code, Some(0), "{}", running.said());
    let quiet = installation.run(&["verify"]).await;
    assert_eq!(quiet.status.code(), Some(0), "{}", said(&quiet));
}

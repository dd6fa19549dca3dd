//! A process that is held still in the middle of a transaction, and another one beside it.

use std::time::{Duration, Instant};

use headwater::config::DatabaseAddress;
use headwater_store::query::Cell;
use headwater_testing::On::{self, MariaDb, Postgres};
use rstest::rstest;

use super::installation::{Installation, Running};
use super::kill::Eye;
use super::worlds::small;
use crate::lake::Answer;

async fn has_leases(installation: &Installation) -> bool {
    let address = DatabaseAddress::parse(&installation.address).unwrap();
    let mut answer = Answer::default();
    let text = "SELECT COUNT(*) FROM _headwater_leases";
    headwater::database::query(&address, text, &mut answer)
        .await
        .unwrap();
    answer.rows[0][0] != Cell::Integer(0)
}

/// Holds a sync still while it writes; none if it ended before it was caught.
async fn frozen(installation: &Installation, eye: &Eye) -> Option<Running> {
    let running = Running::start(installation, &["sync", "--full"]);
    while running.stop() {
        // What it writes before that is of no repository.
        if eye.sees_a_write().await && has_leases(installation).await {
            return Some(running);
        }
        running.go_on();
        tokio::time::sleep(Duration::from_micros(500)).await;
    }
    None
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn beside_a_process_that_is_frozen_while_it_writes_another_one_ends_with_7(
    #[values(Postgres, MariaDb)] on: On,
) {
    let simulator = small(1).await;
    let Some(installation) = Installation::new(on, &simulator).await else {
        return;
    };
    let eye = Eye::open(&installation).await;
    // The first sync has the most to write.
    let running = frozen(&installation, &eye).await.unwrap();
    let began = Instant::now();
    let second = installation.run(&["sync"]).await;
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert_eq!(second.status.code(), Some(7), "{said}");
    assert!(
        began.elapsed() < Duration::from_secs(50),
        "{:?}",
        began.elapsed()
    );
    assert!(said.contains(&format!("process {}", running.id)), "{said}");
    running.go_on();
    while !running.has_ended() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let third = installation.run(&["sync"]).await;
    let said = String::from_utf8_lossy(&third.stderr).into_owned();
    assert_eq!(third.status.code(), Some(0), "{said}");
    installation.assert_equals_a_first_sync(&simulator).await;
}

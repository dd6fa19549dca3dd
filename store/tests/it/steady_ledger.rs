//! The ledger of requests beside a clock that is wrong, on each of the databases.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use headwater_store::ledger::{RequestQuota, Taken, Window};
use headwater_testing::{On, TestDatabase};
use rstest::rstest;

const LIMIT: u32 = 50;

/// As much as may go at once, of what is left.
fn all() -> RequestQuota<'static> {
    RequestQuota {
        credential: "me",
        requests: LIMIT,
        limit: LIMIT,
    }
}

#[rstest]
#[case::sqlite(On::Sqlite)]
#[case::postgres(On::Postgres)]
#[case::mariadb(On::MariaDb)]
#[tokio::test]
async fn a_clock_that_is_wrong_and_is_corrected_reopens_no_hour(#[case] on: On) {
    let Some(database) = TestDatabase::migrated(on).await else {
        return;
    };
    let right = Utc::now();
    let hours = TimeDelta::hours;
    // The first time that is told, and those that follow: jumps ahead, back, and corrections.
    for (first, others) in [
        (
            right,
            [
                hours(2),
                hours(0),
                hours(50),
                hours(-3),
                TimeDelta::minutes(62),
            ],
        ),
        (
            right + hours(2),
            [hours(-2), hours(0), hours(-1), hours(9000), hours(-2)],
        ),
        (
            right - hours(9000),
            [hours(9000), hours(0), hours(9002), hours(1), hours(5)],
        ),
    ] {
        let store = database.on.open(&database.address).await;
        let ledger = store.ledger(Window::HOUR).await.unwrap().in_steady_time();
        let credential = format!("me since {first}");
        let wanted = RequestQuota {
            credential: &credential,
            ..all()
        };
        let half = RequestQuota {
            requests: LIMIT / 2,
            ..wanted
        };
        let Taken::Granted(grant) = ledger.take(half, first).await.unwrap() else {
            panic!("nothing was granted");
        };
        assert_eq!(grant.requests, LIMIT / 2);
        assert!(grant.lasts <= Duration::from_mins(1));
        let mut granted = grant.requests;
        for skew in others {
            // Another process each time.
            let store = database.on.open(&database.address).await;
            let ledger = store.ledger(Window::HOUR).await.unwrap().in_steady_time();
            let told: DateTime<Utc> = first + skew;
            match ledger.take(wanted, told).await.unwrap() {
                Taken::Granted(grant) => granted += grant.requests,
                Taken::Exhausted(until) => {
                    let wait = until - told;
                    assert!(wait > hours(1) && wait < TimeDelta::minutes(63), "{wait}");
                }
            }
            let used = ledger.used(&credential, told).await.unwrap();
            assert_eq!(used, u64::from(LIMIT), "{on:?} at {told}");
            store.close().await.unwrap();
        }
        assert_eq!(granted, LIMIT, "{on:?} from {first}");
        store.close().await.unwrap();
    }
}

//! Two runs over one database: no repository is ever worked on twice at the same time.

use std::sync::Arc;

use headwater::exit::Exit;
use headwater_simulator::Fault;
use tokio_util::sync::CancellationToken;

use crate::lake::{self, How, Lake};

#[tokio::test(flavor = "multi_thread")]
async fn a_second_run_leaves_leased_repositories_alone_and_goes_on_when_they_are_free() {
    let simulator = lake::tiny().await;
    let lake = Lake::beside(&simulator).await;
    let hanging = |path: &str| path.ends_with("/pullrequests") || path.ends_with("/members");
    simulator.set_faults(Some(Arc::new(move |request| {
        hanging(&request.path).then_some(Fault::Hang)
    })));
    let cancel = CancellationToken::new();
    let first = lake.try_sync(How::default(), cancel.clone());
    let repositories = simulator.world().repositories().len();
    let second = async {
        // All leases are taken when all lists have been asked for: four at a time, at least.
        while simulator
            .requests()
            .iter()
            .filter(|r| hanging(&r.path))
            .count()
            < (repositories + 1).min(4)
        {
            tokio::task::yield_now().await;
        }
        let before = simulator.request_count();
        let other = lake.opened_again().await;
        let (exit, summary) = lake
            .try_sync_on(&other, How::default(), CancellationToken::new())
            .await
            .unwrap();
        assert_eq!(exit, Exit::Leased);
        assert_eq!(summary.scopes_failed, summary.scopes);
        assert_eq!(simulator.request_count(), before + 1, "the workspace");
        cancel.cancel();
    };
    let (first, ()) = tokio::join!(first, second);
    assert_eq!(first.unwrap().0, Exit::Cancelled);
    simulator.set_faults(None);
    let other = lake.opened_again().await;
    let done = lake.try_sync_on(&other, How::default(), CancellationToken::new());
    assert_eq!(done.await.unwrap().0, Exit::Ok);
    lake.assert_equals_a_first_sync(&simulator).await;
    let left = lake.number("SELECT COUNT(*) FROM _headwater_leases").await;
    assert_eq!(left, 0);
}

//! Issues: of servers that have a tracker, and of those that had one.

use headwater::exit::Exit;
use headwater_simulator::{Options, Simulator, Size};

use crate::lake::{How, Lake};

async fn with_trackers(issues: usize) -> Simulator {
    let options = Options {
        size: Size::tiny(),
        trackers: Some(issues),
        ..Options::default()
    };
    Simulator::start(options).await.unwrap()
}

/// Requests below `issues` since a number of requests.
fn asked(simulator: &Simulator, after: usize) -> Vec<String> {
    let requests = simulator.requests();
    let paths = requests.into_iter().skip(after).map(|request| request.path);
    paths.filter(|path| path.contains("/issues")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tracker_that_is_removed_is_asked_for_once_and_its_rows_stay() {
    let simulator = with_trackers(7).await;
    let lake = Lake::beside(&simulator).await;
    let (exit, _) = lake.sync(How::default()).await;
    assert_eq!(exit, Exit::Ok);
    let repositories = simulator.world().repositories().len();
    let issues = "SELECT COUNT(*) FROM issues";
    assert_eq!(lake.number(issues).await, 7 * repositories);
    assert_eq!(
        lake.number("SELECT COUNT(*) FROM board_issues").await,
        7 * repositories
    );
    simulator.world().close_trackers();
    for full in [false, true] {
        let before = simulator.requests().len();
        let (exit, _) = lake.sync(How { full }).await;
        assert_eq!(exit, Exit::Ok, "a tracker that is gone is no failure");
        let asked = asked(&simulator, before);
        assert_eq!(asked.len(), repositories, "{asked:?}");
        assert_eq!(lake.number(issues).await, 7 * repositories);
    }
    let told = "SELECT COUNT(*) FROM _headwater_steps WHERE stream = 'issues' \
                AND stage = 'collect' AND message LIKE '%no issue tracker%'";
    assert_eq!(lake.number(told).await, 2 * repositories, "once per run");
    lake.execute("DELETE FROM issues").await;
    lake.execute("DELETE FROM _headwater_checkpoints WHERE step LIKE 'convert:issues'")
        .await;
    lake.sync(How::default()).await;
    assert_eq!(
        lake.number(issues).await,
        7 * repositories,
        "stored raw rows still convert"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_without_trackers_is_no_failure() {
    for issues_status in [404, 410] {
        let options = Options {
            size: Size::tiny(),
            issues_status,
            ..Options::default()
        };
        let simulator = Simulator::start(options).await.unwrap();
        let lake = Lake::beside(&simulator).await;
        let (exit, _) = lake.sync(How::default()).await;
        assert_eq!(exit, Exit::Ok, "{issues_status}");
        let repositories = simulator.world().repositories().len();
        assert_eq!(asked(&simulator, 0).len(), repositories);
    }
}

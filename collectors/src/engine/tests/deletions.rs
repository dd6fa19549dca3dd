//! Items that a whole walk does not see.

use super::*;

#[tokio::test]
async fn a_deleted_pull_request_goes_with_its_children_once_a_request_for_it_says_so() {
    let (simulator, lake, slug) = simulated(5, 40).await;
    lake.collect::<PullRequests>().await.unwrap();
    lake.collect::<PullRequestComments>().await.unwrap();
    lake.collect::<PullRequestCommits>().await.unwrap();
    lake.collect::<PullRequestActivities>().await.unwrap();
    let commented = lake.rows::<PullRequestComments>().await[0].parent.clone();
    simulator
        .world()
        .delete_pull_request(&slug, commented.parse().unwrap())
        .unwrap();

    let partial = lake.collect::<PullRequests>().await.unwrap();
    assert_eq!(
        partial.removed, 0,
        "a walk over what changed knows nothing of the rest"
    );
    drop(simulator.take_requests());
    let full = lake.collect_all::<PullRequests>().await.unwrap();
    assert!(full.removed > 2, "{full:?}");
    let asked = targets(&simulator);
    let single = format!("/pullrequests/{commented}?fields=");
    assert!(
        asked.iter().any(|target| target.contains(&single)),
        "{asked:?}"
    );
    assert!(!lake.keys::<PullRequests>().await.contains(&commented));
    let mut parents: Vec<String> = Vec::new();
    parents.extend(
        lake.rows::<PullRequestComments>()
            .await
            .into_iter()
            .map(|row| row.parent),
    );
    parents.extend(
        lake.rows::<PullRequestCommits>()
            .await
            .into_iter()
            .map(|row| row.parent),
    );
    parents.extend(
        lake.rows::<PullRequestActivities>()
            .await
            .into_iter()
            .map(|row| row.parent),
    );
    assert!(!parents.is_empty() && !parents.contains(&commented));
    simulator.stop().await;
}

#[tokio::test]
async fn an_item_that_a_list_forgot_stays_while_a_request_for_it_finds_it() {
    for (status, stays) in [
        (200, true),
        (404, false),
        (410, false),
        (403, true),
        (503, true),
    ] {
        let server = SmallServer::start(move |number, target| {
            match (number, target.contains("pullrequests/2")) {
                (1, _) => ok(r#"{"values": [{"id": 1}, {"id": 2}]}"#),
                (_, false) => ok(r#"{"values": [{"id": 1}]}"#),
                (_, true) if status == 200 => ok(r#"{"id": 2, "title": "found"}"#),
                (_, true) => answer(status, &["retry-after: 0"], b""),
            }
        })
        .await;
        let lake = Lake::beside(&server).await;
        lake.collect_all::<PullRequests>().await.unwrap();
        let second = lake.collect_all::<PullRequests>().await;
        assert_eq!(
            second.is_ok(),
            [200, 404, 410].contains(&status),
            "{status}"
        );
        assert_eq!(
            lake.keys::<PullRequests>().await.len(),
            1 + usize::from(stays),
            "{status}"
        );
        if status == 200 {
            let rows = lake.rows::<PullRequests>().await;
            assert_eq!(rows[1].data, br#"{"id": 2, "title": "found"}"#);
        }
    }
}

#[tokio::test]
async fn a_removed_endpoint_removes_no_item() {
    let removed = br#"{"error": {"message": "CHANGE-2770 - Functionality has been deprecated"}}"#;
    let server = SmallServer::start(move |number, target| {
        match (number, target.contains("pullrequests/2")) {
            (1, _) => ok(r#"{"values": [{"id": 1}, {"id": 2}]}"#),
            (_, false) => ok(r#"{"values": [{"id": 1}]}"#),
            (_, true) => answer(410, &[], removed),
        }
    })
    .await;
    let lake = Lake::beside(&server).await;
    lake.collect_all::<PullRequests>().await.unwrap();
    let error = lake.collect_all::<PullRequests>().await.unwrap_err();
    assert!(error.kind.to_string().contains("CHANGE-2770"), "{error:?}");
    assert_eq!(lake.keys::<PullRequests>().await, ["1", "2"]);
}

//! Lists of children, one for each parent.

use super::*;

#[tokio::test]
async fn a_pull_request_without_comments_costs_no_request() {
    let (simulator, lake, _) = simulated(20, 10).await;
    lake.collect::<PullRequests>().await.unwrap();
    let commented = {
        let world = simulator.world();
        let pull_requests = world.repositories()[0].pull_requests.values();
        pull_requests
            .filter(|found| found.comment_count() > 0)
            .count()
    };
    assert!(
        (1..20).contains(&commented),
        "some have comments and some have none"
    );
    let comments = lake.collect::<PullRequestComments>().await.unwrap();
    assert_eq!(comments.requests, commented as u64);
    let commits = lake.collect::<PullRequestCommits>().await.unwrap();
    assert_eq!(commits.requests, 20, "nothing counts commits");
    let again = lake.collect::<PullRequestComments>().await.unwrap();
    assert_eq!((again.requests, again.items), (0, 0), "no parent changed");
    simulator.stop().await;
}

#[tokio::test]
async fn one_parent_that_fails_stays_pending_and_the_others_go_on() {
    // The first request is the list, five tries of the second parent fail.
    let (server, lake) = with_comments(3, |number, target| {
        if target.contains("/2/") && number <= 8 {
            unavailable(503)
        } else {
            ok(r#"{"values": [{"id": 7}]}"#)
        }
    })
    .await;
    let first = lake.collect::<PullRequestComments>().await.unwrap();
    assert_eq!((first.items, first.rejected), (2, 1));
    let letters = lake.store.dead_letters(&lake.scope).await.unwrap();
    assert_eq!(letters[0].letter.item, "2/");
    assert!(
        letters[0]
            .letter
            .path
            .ends_with("/pullrequests/2/comments?pagelen=100")
    );
    let asked = server.requests().len();
    let second = lake.collect::<PullRequestComments>().await.unwrap();
    assert_eq!((second.items, second.rejected, second.requests), (1, 0, 1));
    assert!(server.targets()[asked].contains("/2/"));
    assert_eq!(lake.store.dead_letter_count(&lake.scope).await.unwrap(), 0);
}

#[tokio::test]
async fn a_server_that_fails_for_every_parent_is_given_up_soon() {
    let (server, lake) = with_comments(50, |_, _| unavailable(500)).await;
    let error = lake.collect::<PullRequestComments>().await.unwrap_err();
    assert!(
        matches!(error.kind, CollectErrorKind::GaveUp { .. }),
        "{error:?}"
    );
    assert_eq!(error.kind.verdict(), Verdict::Fail);
    assert!(
        server.requests().len() < 1 + 5 * 50,
        "not every parent was tried to the end"
    );
}

#[tokio::test]
async fn refused_credentials_stop_the_walk_over_parents() {
    let (_server, lake) = with_comments(3, |_, _| answer(401, &[], b"")).await;
    let error = lake.collect::<PullRequestComments>().await.unwrap_err();
    assert_eq!(error.kind.verdict(), Verdict::Stop);
    assert_eq!(lake.store.dead_letter_count(&lake.scope).await.unwrap(), 0);
}

#[tokio::test]
async fn the_children_of_a_list_that_is_lost_stay() {
    let (_server, lake) = with_comments(2, |number, target| {
        if target.contains("/1/") && number > 4 {
            answer(404, &[], b"")
        } else {
            ok(r#"{"values": [{"id": 7}]}"#)
        }
    })
    .await;
    lake.collect::<PullRequestComments>().await.unwrap();
    assert_eq!(lake.rows::<PullRequestComments>().await.len(), 2);
    // Both the list and the lost one are asked for again, from the fifth request on.
    lake.collect_all::<PullRequests>().await.unwrap();
    let again = lake.collect_all::<PullRequestComments>().await.unwrap();
    assert_eq!((again.lost, again.removed), (1, 0));
    assert_eq!(lake.rows::<PullRequestComments>().await.len(), 2);
}

#[tokio::test]
async fn a_child_goes_only_when_a_second_walk_misses_it_too() {
    // Requests: list, comments; then comments of a full walk, and once more in doubt.
    for (fourth, left) in [
        (r#"{"values": [{"id": 7}]}"#, 1),
        (r#"{"values": [{"id": 7}, {"id": 8}]}"#, 2),
    ] {
        let (server, lake) = with_comments(1, move |number, _| match number {
            2 => ok(r#"{"values": [{"id": 7}, {"id": 8}]}"#),
            3 => ok(r#"{"values": [{"id": 7}]}"#),
            _ => ok(fourth),
        })
        .await;
        lake.collect::<PullRequestComments>().await.unwrap();
        assert_eq!(lake.rows::<PullRequestComments>().await.len(), 2);
        lake.collect_all::<PullRequestComments>().await.unwrap();
        assert_eq!(server.requests().len(), 4);
        assert_eq!(lake.rows::<PullRequestComments>().await.len(), left);
    }
}

#[tokio::test]
async fn a_doubt_that_cannot_be_settled_removes_nothing_and_leaves_the_parent_pending() {
    for status in [404, 503] {
        let (_server, lake) = with_comments(2, move |number, target| {
            match (number, target.contains("/1/")) {
                // One to three fill the store, four and five are the full walk, then come doubts.
                (4..=5, true) => ok(r#"{"values": [{"id": 7}]}"#),
                (6..=10, true) => answer(status, &["retry-after: 0"], b""),
                _ => ok(r#"{"values": [{"id": 7}, {"id": 8}]}"#),
            }
        })
        .await;
        lake.collect::<PullRequestComments>().await.unwrap();
        let full = lake.collect_all::<PullRequestComments>().await.unwrap();
        assert_eq!((full.removed, full.rejected), (0, 1), "{status}");
        assert_eq!(
            lake.rows::<PullRequestComments>().await.len(),
            4,
            "{status}"
        );
        let letters = lake.store.dead_letters(&lake.scope).await.unwrap();
        assert_eq!(letters[0].letter.item, "1/", "{status}");
    }
}

#[tokio::test]
async fn children_on_several_pages_are_complete_or_not_there_at_all() {
    for (status, expected) in [(200, 2), (404, 0), (503, 0)] {
        let (_server, lake) = with_comments(1, move |_, target| match target.contains("page=2") {
            false => ok(r#"{"values": [{"id": 7}], "next": "/2.0/1/comments?page=2"}"#),
            true if status == 200 => ok(r#"{"values": [{"id": 8}]}"#),
            true => answer(status, &["retry-after: 0"], b""),
        })
        .await;
        let outcome = lake.collect::<PullRequestComments>().await.unwrap();
        assert_eq!(outcome.rejected, u64::from(status != 200), "{status}");
        assert_eq!(outcome.lost, 0, "{status}");
        assert_eq!(
            lake.rows::<PullRequestComments>().await.len(),
            expected,
            "{status}"
        );
    }
}

//! A range that is read from its new end back.

use super::*;

fn back_to(second: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(second, 0)
}

/// What a round of a run asks for.
fn round(window: Option<i64>, older_only: bool) -> Range {
    Range {
        window: window.and_then(back_to),
        older_only,
        ..Range::default()
    }
}

/// A pull request that was last updated so many seconds after 1970-01-01 00:00.
fn pull_request(id: u64, second: i64) -> String {
    let updated = back_to(second).unwrap().to_rfc3339();
    format!(r#"{{"id": {id}, "updated_on": "{updated}", "comment_count": 1}}"#)
}

#[tokio::test]
async fn a_list_that_fits_one_page_is_complete_at_once_and_its_older_records_follow_in_their_window()
 {
    let server = SmallServer::start(|_, target| {
        if target.contains("/comments") {
            return ok(r#"{"values": [{"id": 7}]}"#);
        }
        let list = [pull_request(1, 9_000), pull_request(2, 5_000)].join(",");
        ok(&format!(r#"{{"size": 2, "values": [{list}]}}"#))
    })
    .await;
    let lake = Lake::beside(&server).await;
    let near = round(Some(8_000), false);
    lake.collect_range::<PullRequests>(near).await.unwrap();
    let state = lake.walk_state().await;
    assert!(state.complete && state.data_after.is_none(), "{state:?}");
    assert_eq!(lake.keys::<PullRequests>().await, ["1", "2"]);
    lake.collect_range::<PullRequestComments>(near)
        .await
        .unwrap();
    assert_eq!(lake.rows::<PullRequestComments>().await.len(), 1);
    assert_eq!(server.requests().len(), 2);

    // Windows between ask for nothing; the one that reaches further brings the other one's.
    for (range, requests) in [
        (round(Some(7_000), true), 2),
        (round(Some(4_000), true), 3),
        (round(None, true), 3),
    ] {
        lake.collect_range::<PullRequests>(range).await.unwrap();
        lake.collect_range::<PullRequestComments>(range)
            .await
            .unwrap();
        assert_eq!(server.requests().len(), requests, "{range:?}");
    }
    assert_eq!(lake.rows::<PullRequestComments>().await.len(), 2);
}

#[tokio::test]
async fn a_list_of_several_pages_is_read_window_by_window_and_goes_on_after_a_look_for_news() {
    let server = SmallServer::start(|number, _| {
        let next = r#""next": "/2.0/repositories/acme/rocket/pullrequests?page=2""#;
        let page = |size: u64, items: &[String], next: &str| {
            let items = items.join(",");
            ok(&format!(r#"{{"size": {size}, "values": [{items}]{next}}}"#))
        };
        let next = format!(", {next}");
        match number {
            1 => page(3, &[pull_request(1, 9_000)], &next),
            2 => page(1, &[pull_request(1, 9_000)], ""),
            3 => page(2, &[pull_request(2, 6_000)], &next),
            // The second page of the older part is not to be had.
            4 => answer(404, &[], b"{}"),
            5 => page(0, &[], ""),
            _ => page(2, &[pull_request(3, 5_000)], ""),
        }
    })
    .await;
    let lake = Lake::beside(&server).await;
    // The whole list has a second page, so that only the window is read.
    lake.collect_range::<PullRequests>(round(Some(8_000), false))
        .await
        .unwrap();
    assert_eq!(lake.walk_state().await.data_after, back_to(8_000));
    let targets = server.targets();
    assert!(!targets[0].contains("q="), "{targets:#?}");
    assert!(targets[1].contains("updated_on%3e%3d1970"), "{targets:#?}");
    assert_eq!(targets.len(), 2);

    let stopped = lake.collect_range::<PullRequests>(round(Some(4_000), true));
    stopped.await.unwrap_err();
    assert_eq!(lake.walk_state().await.data_after, back_to(8_000));
    // What is new is asked for first, then the page at which it was interrupted.
    lake.collect_range::<PullRequests>(round(Some(4_000), false))
        .await
        .unwrap();
    assert_eq!(lake.walk_state().await.data_after, back_to(4_000));
    let targets = server.targets();
    assert!(!targets[4].contains("updated_on%3c"), "news: {targets:#?}");
    assert!(targets[5].contains("page=2"), "{targets:#?}");
    assert_eq!(targets.len(), 6, "{targets:#?}");
    assert_eq!(lake.keys::<PullRequests>().await, ["1", "2", "3"]);
}

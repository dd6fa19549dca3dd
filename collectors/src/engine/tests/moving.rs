//! Lists that change between two of their pages, and letters that are tried again.

use std::sync::Mutex;

use headwater_simulator::World;

use super::*;

/// Changes the world once, when a request whose address contains this arrives.
fn when_asked(
    simulator: &Simulator,
    part: &'static str,
    change: impl FnOnce(&mut World) + Send + 'static,
) {
    let world = simulator.shared_world();
    let change = Mutex::new(Some(change));
    simulator.set_faults(Some(Arc::new(move |request| {
        let target = format!("{}?{}", request.path, request.query);
        if target.contains(part)
            && let Some(change) = change.lock().unwrap().take()
        {
            change(&mut world.lock().unwrap());
        }
        None
    })));
}

/// Every pull request that there is now, in the order of their numbers.
fn there(simulator: &Simulator) -> Vec<String> {
    let world = simulator.world();
    let pull_requests = &world.repositories()[0].pull_requests;
    pull_requests.keys().map(ToString::to_string).collect()
}

/// Numbers of the pull requests on the first page.
async fn first_page(lake: &Lake) -> Vec<u64> {
    let collection = Collection::of::<PullRequests>();
    let url = collection.list_url(lake.client.endpoint(), &lake.scope, "");
    let page = fetch(
        &lake.client,
        &CancellationToken::new(),
        &collection,
        &url.unwrap(),
    )
    .await
    .unwrap();
    let keys = page
        .items
        .items
        .iter()
        .map(|item| collection.endpoint.key.of(&item.0));
    keys.map(|key| key.unwrap().parse().unwrap()).collect()
}

#[tokio::test]
async fn an_item_that_moves_past_the_reader_of_a_first_walk_is_not_lost() {
    let (simulator, lake, slug) = simulated(170, 0).await;
    let gone = first_page(&lake).await[0];
    when_asked(&simulator, "page=2", move |world| {
        world.delete_pull_request(&slug, gone).unwrap();
    });
    lake.collect::<PullRequests>().await.unwrap();
    let mut stored = lake.keys::<PullRequests>().await;
    // It was seen before it went, and a first walk may keep it: reconciling removes it.
    stored.retain(|key| *key != gone.to_string());
    assert_eq!(stored, there(&simulator));
    simulator.stop().await;
}

#[tokio::test]
async fn an_item_that_goes_while_another_comes_does_not_hide_a_third() {
    // In the order of creation: 1 goes and 5 comes behind, so that the size stays and 3 moves up.
    let item = |id: u64| {
        let hour = if id == 5 { 15 } else { 9 };
        format!(r#"{{"id": {id}, "updated_on": "2026-09-21T{hour:02}:00:00+00:00"}}"#)
    };
    let server = SmallServer::start(move |number, target| {
        let (ids, next) = match (number, target.contains("page=2")) {
            (1, _) => ([1, 2], true),
            (_, true) => ([4, 5], false),
            (_, false) => ([2, 3], true),
        };
        let next = if next {
            r#", "next": "pullrequests?page=2""#
        } else {
            ""
        };
        let [one, two] = ids.map(item);
        let body = format!(r#"{{"values": [{one}, {two}], "size": 4{next}}}"#);
        let date = "date: Mon, 21 Sep 2026 14:00:00 GMT";
        answer(200, &[date], body.as_bytes())
    })
    .await;
    let lake = Lake::beside(&server).await;
    lake.collect::<PullRequests>().await.unwrap();
    assert_eq!(lake.keys::<PullRequests>().await, ["1", "2", "3", "4", "5"]);
    // 5 is still late in the second reading, and 3 is missing from the first one: a third one
    // shows that nothing else is.
    assert_eq!(server.requests().len(), 6);
}

#[tokio::test]
async fn a_list_that_stands_still_is_read_once() {
    let (simulator, lake, _) = simulated(170, 0).await;
    lake.collect::<PullRequests>().await.unwrap();
    assert_eq!(simulator.request_count(), 4);
    simulator.stop().await;
}

#[tokio::test]
async fn a_list_that_never_stands_still_is_no_success_and_the_watermark_waits() {
    let server = SmallServer::start(|number, target| {
        // Each page gives another size, and each reading has something new.
        let next = if target.contains("page=2") {
            String::new()
        } else {
            r#", "next": "pullrequests?page=2""#.to_owned()
        };
        ok(&format!(
            r#"{{"values": [{{"id": {number}}}], "size": {}{next}}}"#,
            1000 - number
        ))
    })
    .await;
    let lake = Lake::beside(&server).await;
    let error = lake.collect::<PullRequests>().await.unwrap_err();
    assert!(
        matches!(error.kind, CollectErrorKind::Restless(4)),
        "{error:?}"
    );
    assert_eq!(server.requests().len(), 8);
    let state = lake.walk_state().await;
    assert_eq!((state.since, state.complete), (None, false));
}

#[tokio::test]
async fn children_of_a_list_that_became_shorter_meanwhile_are_read_again() {
    let (server, lake) = with_comments(1, |number, target| {
        // Requests: list, page 1, page 2 (one less), and then again without a change.
        match (number, target.contains("page=2")) {
            (2, _) => ok(
                r#"{"values": [{"id": 1}, {"id": 2}], "size": 4, "next": "/2.0/1/comments?page=2"}"#,
            ),
            (_, false) => ok(
                r#"{"values": [{"id": 2}, {"id": 3}], "size": 3, "next": "/2.0/1/comments?page=2"}"#,
            ),
            (_, true) => ok(r#"{"values": [{"id": 4}], "size": 3}"#),
        }
    })
    .await;
    lake.collect::<PullRequestComments>().await.unwrap();
    assert_eq!(lake.keys::<PullRequestComments>().await, ["2", "3", "4"]);
    assert_eq!(server.requests().len(), 5);
}

#[tokio::test]
async fn a_dead_letter_of_a_list_is_tried_again_by_every_run_and_counts_its_attempts() {
    let server = SmallServer::start(|number, target| match number {
        1..=3 => {
            assert!(!target.contains("updated_on"), "{target}");
            ok(r#"{"values": [{"id": 1}, {"title": "no id"}]}"#)
        }
        _ => ok(r#"{"values": [{"id": 1}, {"id": 2}]}"#),
    })
    .await;
    let lake = Lake::beside(&server).await;
    for attempts in 1..=3 {
        let outcome = lake.collect::<PullRequests>().await.unwrap();
        assert_eq!(outcome.rejected, 1);
        let letters = lake.store.dead_letters(&lake.scope).await.unwrap();
        assert_eq!((letters.len(), letters[0].attempts), (1, attempts));
    }
    lake.collect::<PullRequests>().await.unwrap();
    assert_eq!(lake.store.dead_letter_count(&lake.scope).await.unwrap(), 0);
    assert_eq!(lake.keys::<PullRequests>().await, ["1", "2"]);
    lake.collect::<PullRequests>().await.unwrap();
    assert!(server.targets().pop().unwrap().contains("updated_on"));
}

#[tokio::test]
async fn dead_letters_of_children_are_tried_again_with_their_parents() {
    let long = format!(r#"{{"id": "{}"}}"#, "x".repeat(300));
    let broken = format!(r#"{{"values": [{{"id": 7}}, {long}]}}"#);
    // Requests: list, then the comments of two parents in each run.
    let (server, lake) = with_comments(2, move |number, target| {
        match (target.contains("/1/"), number) {
            (true, 2..=5) => ok(&broken),
            (false, 2..=5) => answer(403, &[], b""),
            _ => ok(r#"{"values": [{"id": 7}, {"id": 8}]}"#),
        }
    })
    .await;
    for attempts in 1..=2 {
        let outcome = lake.collect::<PullRequestComments>().await.unwrap();
        assert_eq!(outcome.rejected, 2);
        let letters = lake.store.dead_letters(&lake.scope).await.unwrap();
        let shown: Vec<_> = letters
            .iter()
            .map(|stored| (&stored.letter.item[..2], stored.attempts))
            .collect();
        assert_eq!(shown, [("1/", attempts), ("2/", attempts)]);
        assert!(
            letters[1].letter.path.starts_with("HTTP 403 http"),
            "{letters:?}"
        );
        // What could be read is there.
        assert_eq!(lake.keys::<PullRequestComments>().await, ["7"]);
    }
    assert_eq!(server.requests().len(), 5);
    let outcome = lake.collect::<PullRequestComments>().await.unwrap();
    assert_eq!((outcome.rejected, outcome.requests), (0, 2));
    assert_eq!(lake.store.dead_letter_count(&lake.scope).await.unwrap(), 0);
    let done = lake.collect::<PullRequestComments>().await.unwrap();
    assert_eq!(done.requests, 0);
}

#[tokio::test]
async fn a_cancelled_walk_over_parents_repeats_only_what_was_under_way() {
    for stop_at in [2, 30, 77] {
        let cancel = CancellationToken::new();
        let token = cancel.clone();
        let (server, lake) = with_comments(100, move |number, _| {
            if number == stop_at {
                token.cancel();
            }
            ok(r#"{"values": [{"id": 7}]}"#)
        })
        .await;
        let task = Task {
            store: &lake.store,
            scope: &lake.scope,
            client: lake.client.counted(),
            range: Range::default(),
            rules: &lake.rules,
            children: &[],
            read: &[],
            shared: &SharedLists::default(),
            parent: None,
            prefetched: None,
            now: now(),
            cancel,
            progress: &|_| {},
        };
        let collection = Collection::of::<PullRequestComments>();
        let stopped = run(&task, &collection).await.unwrap_err();
        assert!(matches!(stopped.kind, CollectErrorKind::Cancelled));
        let again = lake.collect::<PullRequestComments>().await.unwrap();
        assert_eq!(lake.rows::<PullRequestComments>().await.len(), 100);
        let asked = server.requests().len() - 1;
        let twice = asked - 100;
        assert!(twice <= task.client.concurrency(), "{twice} of {asked}");
        assert!(again.requests <= 100 - stop_at as u64 + 2 + 4, "{again:?}");
    }
}

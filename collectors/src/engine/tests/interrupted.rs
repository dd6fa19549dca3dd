//! Walks that are interrupted or cancelled.

use super::*;

#[tokio::test]
async fn an_interrupted_walk_goes_on_at_the_page_where_it_stopped() {
    let (simulator, lake, _) = simulated(120, 0).await;
    fail(&simulator, "page=3", 503);
    lake.collect::<PullRequests>().await.unwrap_err();
    let state = lake.walk_state().await;
    assert!(state.resume_at.unwrap().contains("page=3"));
    assert_eq!(
        (state.since, state.complete),
        (None, false),
        "the watermark waits"
    );
    assert_eq!(lake.keys::<PullRequests>().await.len(), 100);
    let began = state.resume_since;

    simulator.set_faults(None);
    drop(simulator.take_requests());
    let resumed = lake.collect::<PullRequests>().await.unwrap();
    assert_eq!(
        (resumed.items, resumed.written, resumed.removed),
        (20, 20, 0)
    );
    let targets = targets(&simulator);
    assert_eq!(targets.len(), 1);
    assert!(targets[0].contains("page=3"), "{targets:?}");
    assert_eq!(lake.keys::<PullRequests>().await.len(), 120);
    let state = lake.walk_state().await;
    assert_eq!(
        (state.since, state.complete, state.resume_at),
        (began, true, None)
    );
    simulator.stop().await;
}

#[tokio::test]
async fn a_walk_that_cannot_go_on_where_it_stopped_starts_over() {
    let (simulator, lake, slug) = simulated(120, 0).await;
    fail(&simulator, "page=3", 503);
    lake.collect::<PullRequests>().await.unwrap_err();
    simulator.set_faults(None);
    // The list becomes shorter: its third page is gone for good.
    for id in 1..=30 {
        simulator.world().delete_pull_request(&slug, id).unwrap();
    }
    drop(simulator.take_requests());
    lake.collect::<PullRequests>().await.unwrap();
    let lists = targets(&simulator)
        .into_iter()
        .filter(|target| target.contains("state=OPEN"));
    assert_eq!(
        lists.count(),
        3,
        "the lost page and then both that there are"
    );
    assert_eq!(lake.keys::<PullRequests>().await.len(), 90);
    assert!(lake.walk_state().await.complete);
    simulator.stop().await;
}

#[tokio::test]
async fn a_walk_stays_interrupted_while_the_server_is_down() {
    let (simulator, lake, _) = simulated(120, 0).await;
    fail(&simulator, "page=3", 503);
    for _ in 0..2 {
        lake.collect::<PullRequests>().await.unwrap_err();
        assert!(
            lake.walk_state()
                .await
                .resume_at
                .unwrap()
                .contains("page=3")
        );
    }
    simulator.stop().await;
}

#[tokio::test]
async fn a_cancelled_collection_ends_at_once_and_says_so() {
    for path in ["pullrequests?", "/comments"] {
        let server = SmallServer::start(move |_, target| {
            if target.contains(path) {
                None
            } else {
                ok(r#"{"values": [{"id": 1, "comment_count": 1}]}"#)
            }
        })
        .await;
        let lake = Lake::beside(&server).await;
        if path == "/comments" {
            lake.collect::<PullRequests>().await.unwrap();
        }
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
            cancel: CancellationToken::new(),
            progress: &|_| {},
        };
        let collection = match path {
            "/comments" => Collection::of::<PullRequestComments>(),
            _ => Collection::of::<PullRequests>(),
        };
        let before = server.requests().len();
        let cancelled = async {
            while server.requests().len() == before {
                tokio::task::yield_now().await;
            }
            task.cancel.cancel();
        };
        let both = async { tokio::join!(run(&task, &collection), cancelled).0 };
        let error = timeout(Duration::from_secs(5), both)
            .await
            .unwrap()
            .unwrap_err();
        assert!(
            matches!(error.kind, CollectErrorKind::Cancelled),
            "{path}: {error:?}"
        );
        assert_eq!(error.kind.verdict(), Verdict::Stop);
        assert_eq!(lake.store.dead_letter_count(&lake.scope).await.unwrap(), 0);
    }
}

//! Answers and lists without end are refused, each with its address, and nothing is skipped in
//! silence.

use super::*;

/// A page with so many tiny items.
fn tiny(items: usize) -> Option<Vec<u8>> {
    let items: Vec<String> = (1..=items).map(|id| format!(r#"{{"id":{id}}}"#)).collect();
    ok(&format!(r#"{{"values":[{}]}}"#, items.join(",")))
}

#[tokio::test]
async fn a_page_with_far_more_items_than_were_asked_for_is_refused_with_its_address() {
    let server = SmallServer::start(|_, _| tiny(10_001)).await;
    let lake = Lake::beside(&server).await;
    let error = lake.collect::<PullRequests>().await.unwrap_err();
    let said = format!("{error}: {}", error.kind);
    assert!(said.contains("more than 10000 items on one page"), "{said}");
    assert!(
        said.contains("/repositories/acme/rocket/pullrequests"),
        "{said}"
    );
    assert_eq!(lake.keys::<PullRequests>().await, Vec::<String>::new());
    assert_eq!(lake.walk_state().await.walk, 0, "the list is read again");
    let server = SmallServer::start(|_, _| tiny(10_000)).await;
    let lake = Lake::beside(&server).await;
    lake.collect::<PullRequests>().await.unwrap();
    assert_eq!(lake.keys::<PullRequests>().await.len(), 10_000);
}

#[tokio::test]
async fn a_list_of_children_is_refused_before_it_fills_the_memory() {
    // Each page is small, has new items, and there is always another one.
    let (server, lake) = with_comments(2, |number, target| {
        if target.contains("/2/") {
            return ok(r#"{"values": [{"id": 1}]}"#);
        }
        let text = "x".repeat(1 << 20);
        ok(&format!(
            r#"{{"values": [{{"id": {number}, "text": "{text}"}}], "next": "{}"}}"#,
            "PLACE/repositories/acme/rocket/pullrequests/1/comments?page=PAGE"
                .replace("PLACE", "/2.0")
                .replace("PAGE", &number.to_string())
        ))
    })
    .await;
    let lake = Lake {
        client: Client::new(Settings {
            largest_answer: 2 << 20,
            ..settings(&server.endpoint)
        })
        .unwrap(),
        ..lake
    };
    let outcome = lake.collect::<PullRequestComments>().await.unwrap();
    assert_eq!(
        lake.keys::<PullRequestComments>().await,
        ["1"],
        "of the other one"
    );
    assert_eq!(outcome.rejected, 1);
    let letters = lake.store.dead_letters(&lake.scope).await.unwrap();
    let letter = &letters[0].letter;
    let said = format!("{} {}", letter.path, letter.message);
    assert!(said.contains("max_answer_mib"), "{said}");
    assert!(said.contains("/pullrequests/1/comments"), "{said}");
    assert!(server.targets().len() < 20, "{}", server.targets().len());
}

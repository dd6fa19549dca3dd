//! Pages, filters and orders.

use std::collections::BTreeSet;

use headwater_simulator::{Options, Simulator, SourceRepository, State};
use serde_json::Value;

use crate::client::{first, get, ids, json, start, walk};

const ALL: &str = "state=OPEN&state=MERGED&state=DECLINED&state=SUPERSEDED";

#[tokio::test]
async fn page_lengths_have_limits() {
    let simulator = start(super::worlds::small()).await;
    let slug = first(&simulator);
    let repository = format!("repositories/acme/{slug}");
    for (path, most) in [
        (format!("{repository}/pullrequests"), 50),
        (format!("{repository}/pullrequests/activity"), 50),
        (format!("{repository}/pullrequests/1/activity"), 50),
        (format!("{repository}/pullrequests/1/comments"), 100),
        (format!("{repository}/pullrequests/2/statuses"), 100),
        ("repositories/acme".to_owned(), 100),
    ] {
        assert_eq!(json(&simulator, &path).await["pagelen"], 10, "{path}");
        assert_eq!(
            json(&simulator, &format!("{path}?pagelen={most}")).await["pagelen"],
            most
        );
        for wrong in [(most + 1).to_string(), "0".to_owned(), "x".to_owned()] {
            let response = get(&simulator, &format!("{path}?pagelen={wrong}")).await;
            assert_eq!(
                (response.status, response.message().as_str()),
                (400, "Invalid pagelen")
            );
        }
        for wrong in ["0", "999", "x"] {
            let response = get(&simulator, &format!("{path}?page={wrong}")).await;
            assert_eq!(
                (response.status, response.message().as_str()),
                (400, "Invalid page")
            );
        }
    }
}

#[tokio::test]
async fn following_next_yields_every_pull_request_once() {
    let simulator = start(super::worlds::small()).await;
    let slug = first(&simulator);
    let path = format!("repositories/acme/{slug}/pullrequests?{ALL}&pagelen=7");
    let values = walk(&simulator, &path).await;
    let found: BTreeSet<u64> = ids(&values).into_iter().collect();
    assert_eq!(found.len(), values.len());
    let expected: BTreeSet<u64> = simulator
        .world()
        .repository(&slug)
        .unwrap()
        .pull_requests
        .keys()
        .copied()
        .collect();
    assert_eq!(found, expected);

    let second = json(&simulator, &format!("{path}&page=2")).await;
    assert_eq!(second["page"], 2);
    assert_eq!(second["size"], values.len());
    let previous = second["previous"].as_str().unwrap();
    assert_eq!(
        ids(json(&simulator, previous).await["values"]
            .as_array()
            .unwrap()),
        ids(&values[..7])
    );
    assert!(
        second["next"]
            .as_str()
            .unwrap()
            .starts_with(&simulator.endpoint())
    );
}

#[tokio::test]
async fn open_ones_are_listed_unless_states_are_named() {
    let simulator = start(super::worlds::small()).await;
    let slug = first(&simulator);
    let path = format!("repositories/acme/{slug}/pullrequests");
    let states = |values: &[Value]| -> BTreeSet<String> {
        values
            .iter()
            .map(|value| value["state"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        states(&walk(&simulator, &path).await),
        BTreeSet::from(["OPEN".to_owned()])
    );
    let two = walk(&simulator, &format!("{path}?state=MERGED&state=DECLINED")).await;
    assert_eq!(
        states(&two),
        BTreeSet::from(["MERGED".to_owned(), "DECLINED".to_owned()])
    );
    let filtered = walk(&simulator, &format!("{path}?q=state%3D%22MERGED%22")).await;
    assert_eq!(states(&filtered), BTreeSet::from(["MERGED".to_owned()]));
    let everything = walk(&simulator, &format!("{path}?state=all")).await;
    assert_eq!(
        everything.len(),
        walk(&simulator, &format!("{path}?{ALL}")).await.len()
    );
    assert_eq!(
        get(&simulator, &format!("{path}?state=WEIRD")).await.status,
        400
    );
}

#[tokio::test]
async fn q_selects_by_update() {
    let simulator = start(super::worlds::small()).await;
    let slug = first(&simulator);
    let path = format!("repositories/acme/{slug}/pullrequests?{ALL}&pagelen=50");
    let since = simulator.world().now();
    let someone = simulator.world().users()[0].id;
    for id in [3, 5] {
        simulator
            .world()
            .comment(&slug, id, Some(someone), "Still relevant?", None)
            .unwrap();
    }
    let text = since.format("%Y-%m-%dT%H:%M:%S%.6fZ");
    let newer = walk(&simulator, &format!("{path}&q=updated_on%3E%3D{text}")).await;
    assert_eq!(ids(&newer), [5, 3]);
    let one = walk(
        &simulator,
        &format!("{path}&q=updated_on%3E%22{text}%22%20AND%20id%20%3C%204"),
    )
    .await;
    assert_eq!(ids(&one), [3]);

    let named = json(
        &simulator,
        &format!("repositories/acme?q=full_name%3D%22acme%2F{slug}%22"),
    )
    .await;
    assert_eq!(named["size"], 1);
}

#[tokio::test]
async fn sort_orders_and_mistakes_are_refused() {
    let simulator = start(super::worlds::small()).await;
    let path = format!(
        "repositories/acme/{}/pullrequests?{ALL}&pagelen=50",
        first(&simulator)
    );
    let up = ids(&walk(&simulator, &format!("{path}&sort=created_on")).await);
    assert!(up.is_sorted());
    let mut down = ids(&walk(&simulator, &format!("{path}&sort=-id")).await);
    down.reverse();
    assert_eq!(up, down);
    let usual = walk(&simulator, &path).await;
    assert!(usual.is_sorted_by(|left, right| left["updated_on"].as_str() >= right["updated_on"].as_str()));
    for (wrong, message) in [
        ("sort=nonsense", "Invalid sort attribute"),
        ("q=nonsense%3D1", "Invalid field \"nonsense\" in query"),
        (
            "q=updated_on%3E%3D2026-03-02T09:00:00+00:00",
            "Invalid query",
        ),
    ] {
        let response = get(&simulator, &format!("{path}&{wrong}")).await;
        assert_eq!(response.status, 400);
        assert!(
            response.message().starts_with(message),
            "{}",
            response.message()
        );
    }
}

#[tokio::test]
async fn commits_are_paged_by_cursor() {
    let simulator = start(super::worlds::small()).await;
    let slug = first(&simulator);
    let (id, someone) = {
        let world = simulator.world();
        let repository = world.repository(&slug).unwrap();
        let open = repository
            .pull_requests
            .values()
            .find(|found| found.state == State::Open);
        (open.unwrap().id, world.users()[0].id)
    };
    simulator
        .world()
        .push_commits(&slug, id, someone, 70)
        .unwrap();
    let path = format!("repositories/acme/{slug}/pullrequests/{id}/commits");
    let page = json(&simulator, &path).await;
    assert_eq!(
        (
            page["pagelen"].as_u64(),
            page["values"].as_array().unwrap().len()
        ),
        (Some(30), 30)
    );
    assert!(page.get("size").is_none() && page.get("page").is_none());
    let next = page["next"].as_str().unwrap();
    assert!(next.contains("ctx=") && !next.contains("page="));

    let hashes: Vec<String> = walk(&simulator, &path)
        .await
        .iter()
        .map(|commit| commit["hash"].as_str().unwrap().to_owned())
        .collect();
    let expected: Vec<String> = simulator
        .world()
        .pull_request(&slug, id)
        .unwrap()
        .commits
        .iter()
        .rev()
        .map(|commit| commit.hash.to_string())
        .collect();
    assert_eq!(hashes, expected);

    simulator
        .world()
        .rewrite_commits(&slug, id, someone, 1)
        .unwrap();
    assert_eq!(get(&simulator, next).await.status, 400);
    assert_eq!(walk(&simulator, &path).await.len(), 1);
}

#[tokio::test]
async fn commits_of_a_deleted_fork_are_gone() {
    let simulator = start(super::worlds::small()).await;
    let place = simulator
        .world()
        .repositories()
        .iter()
        .find_map(|repository| {
            let mut all = repository.pull_requests.values();
            let forked = all.find(|found| matches!(found.source, SourceRepository::Fork(_)))?;
            Some((repository.slug.clone(), forked.id))
        });
    let (slug, id) = place.unwrap();
    simulator.world().remove_fork(&slug, id).unwrap();
    let path = format!("repositories/acme/{slug}/pullrequests/{id}");
    assert_eq!(
        json(&simulator, &path).await["source"]["repository"],
        Value::Null
    );
    assert_eq!(
        get(&simulator, &format!("{path}/commits")).await.status,
        404
    );
}

#[tokio::test]
async fn reported_quirks_can_be_switched_on() {
    let options = Options {
        size: super::worlds::small(),
        activity_by_cursor: true,
        sorted_states_limit: Some(10),
        issues_status: 404,
        ..Options::default()
    };
    let simulator = Simulator::start(options).await.unwrap();
    let repository = format!("repositories/acme/{}", first(&simulator));
    let activity = format!("{repository}/pullrequests/activity");
    let page = json(&simulator, &activity).await;
    assert!(page.get("size").is_none() && page["next"].as_str().unwrap().contains("ctx="));
    let entries: usize = {
        let world = simulator.world();
        let all = world.repositories()[0].pull_requests.values();
        all.map(|found| found.activity.len()).sum()
    };
    assert_eq!(walk(&simulator, &activity).await.len(), entries);

    let sorted = format!("{repository}/pullrequests?sort=id");
    assert_eq!(
        get(&simulator, &format!("{sorted}&state=OPEN"))
            .await
            .status,
        200
    );
    assert_eq!(
        get(&simulator, &format!("{sorted}&{ALL}")).await.status,
        500
    );
    assert_eq!(
        get(&simulator, &format!("{repository}/issues"))
            .await
            .status,
        404
    );
}

//! What documents contain.

use serde_json::Value;

use headwater_simulator::Size;

use crate::client::{first, get, json, start, walk};

async fn all_pull_requests(simulator: &headwater_simulator::Simulator, fields: &str) -> Vec<Value> {
    let mut all = Vec::new();
    for repository in walk(simulator, "repositories/acme").await {
        let name = repository["full_name"].as_str().unwrap();
        let path = format!("repositories/{name}/pullrequests?state=all&pagelen=50&fields={fields}");
        all.extend(walk(simulator, &path).await);
    }
    all
}

#[tokio::test]
async fn participants_come_only_when_asked_for() {
    let simulator = start(super::worlds::small()).await;
    let plain = all_pull_requests(&simulator, "").await;
    assert!(
        plain
            .iter()
            .all(|it| it.get("participants").is_none() && it.get("reviewers").is_none())
    );
    let fuller = all_pull_requests(&simulator, "%2Bvalues.participants,%2Bvalues.reviewers").await;
    assert_eq!(plain.len(), fuller.len());
    assert!(
        fuller
            .iter()
            .all(|it| it["participants"].is_array() && it["reviewers"].is_array())
    );
    assert!(
        fuller
            .iter()
            .any(|it| it["participants"][0]["state"] == "approved")
    );

    let path = format!("repositories/acme/{}/pullrequests/1", first(&simulator));
    assert!(json(&simulator, &path).await["participants"].is_array());
    assert_eq!(
        json(&simulator, &format!("{path}?fields=id,author.uuid"))
            .await
            .as_object()
            .unwrap()
            .len(),
        2
    );
}

#[tokio::test]
async fn fields_must_name_next_or_paging_ends() {
    let simulator = start(super::worlds::small()).await;
    let path = format!(
        "repositories/acme/{}/pullrequests?state=all",
        first(&simulator)
    );
    let page = json(&simulator, &format!("{path}&fields=values.id")).await;
    assert_eq!(page.as_object().unwrap().len(), 1);
    assert_eq!(page["values"][0].as_object().unwrap().len(), 1);
    assert_eq!(
        walk(&simulator, &format!("{path}&fields=values.id,next"))
            .await
            .len(),
        40
    );
}

#[tokio::test]
async fn pull_requests_look_like_recorded_ones() {
    let simulator = start(Size {
        pull_requests_per_repository: 120,
        ..super::worlds::small()
    })
    .await;
    let all = all_pull_requests(&simulator, "").await;
    let mut bytes = 0;
    for it in &all {
        bytes += it.to_string().len();
        let closed = it["state"] != "OPEN";
        assert_eq!(it["closed_by"].is_object(), closed);
        assert_eq!(it["merge_commit"].is_object(), it["state"] == "MERGED");
        assert_eq!(it["source"]["commit"]["hash"].as_str().unwrap().len(), 12);
        assert_eq!(it["summary"]["raw"], it["description"]);
        let time = it["created_on"].as_str().unwrap();
        assert!(time.len() == 32 && time.ends_with("+00:00"), "{time}");
    }
    let mean = bytes / all.len();
    assert!((5_000..10_000).contains(&mean), "{mean} bytes on average");
    assert!(all.iter().any(|it| it["author"].is_null()));
    assert!(all.iter().any(|it| it["source"]["repository"].is_null()));
    assert!(
        all.iter()
            .any(|it| !it["title"].as_str().unwrap().is_ascii())
    );
    assert!(all.iter().any(|it| it["description"] == ""));
    assert!(all.iter().any(|it| it["comment_count"] == 0));
}

#[tokio::test]
async fn comments_look_like_recorded_ones() {
    let simulator = start(super::worlds::small()).await;
    let mut all = Vec::new();
    for it in all_pull_requests(&simulator, "").await {
        let path = it["links"]["comments"]["href"].as_str().unwrap().to_owned();
        let path = path.strip_prefix("https://api.bitbucket.org/2.0/").unwrap();
        let comments = walk(&simulator, &format!("{path}?pagelen=100")).await;
        let left = comments
            .iter()
            .filter(|comment| comment["deleted"] == false)
            .count();
        assert_eq!(it["comment_count"], left);
        assert!(
            comments
                .iter()
                .all(|comment| comment["pullrequest"]["id"] == it["id"])
        );
        if let Some(one) = comments.first() {
            assert_eq!(
                &json(&simulator, &format!("{path}/{}", one["id"])).await,
                one
            );
        }
        all.extend(comments);
    }
    assert!(all.iter().any(|it| it["user"].is_null()));
    assert!(all.iter().any(|it| it["deleted"] == true));
    assert!(all.iter().any(|it| it["inline"]["path"].is_string()));
    assert!(all.iter().any(|it| it["parent"]["id"].is_u64()));
}

#[tokio::test]
async fn activity_tells_the_whole_story_newest_first() {
    let simulator = start(super::worlds::small()).await;
    let path = format!(
        "repositories/acme/{}/pullrequests/activity?pagelen=50",
        first(&simulator)
    );
    let entries = walk(&simulator, &path).await;
    let mut dates = Vec::new();
    for entry in &entries {
        let kinds = ["comment", "update", "approval", "changes_requested"];
        let present: Vec<&str> = kinds
            .into_iter()
            .filter(|kind| entry.get(kind).is_some())
            .collect();
        assert_eq!(present.len(), 1, "{entry}");
        assert_eq!(entry.as_object().unwrap().len(), 2);
        let inner = &entry[present[0]];
        dates.push(
            inner
                .get("date")
                .unwrap_or(&inner["created_on"])
                .as_str()
                .unwrap()
                .to_owned(),
        );
    }
    assert!(dates.is_sorted_by(|left, right| left >= right));

    let path = format!(
        "repositories/acme/{}/pullrequests/1/activity?pagelen=50",
        first(&simulator)
    );
    let entries = walk(&simulator, &path).await;
    let created = &entries.last().unwrap()["update"];
    assert_eq!(
        (
            created["state"].as_str(),
            created["changes"].to_string().as_str()
        ),
        (Some("OPEN"), "{}")
    );
}

#[tokio::test]
async fn cached_documents_follow_changes() {
    let simulator = start(super::worlds::small()).await;
    let slug = first(&simulator);
    let path = format!("repositories/acme/{slug}/pullrequests/1");
    let before = json(&simulator, &path).await;
    assert_eq!(get(&simulator, &path).await.json(), before);
    let author = {
        let mut world = simulator.world();
        let author = world.pull_request(&slug, 1).unwrap().author.unwrap();
        world.rename_user(author, "Someone Else").unwrap();
        author
    };
    let renamed = json(&simulator, &path).await;
    assert_eq!(renamed["author"]["display_name"], "Someone Else");
    assert_eq!(renamed["updated_on"], before["updated_on"]);
    simulator
        .world()
        .edit_pull_request(&slug, 1, author, Some("新しい題"), None)
        .unwrap();
    let edited = json(&simulator, &path).await;
    assert_eq!(edited["title"], "新しい題");
    assert!(edited["updated_on"].as_str() > before["updated_on"].as_str());
}

#[tokio::test]
async fn deployments_name_their_environment_only_when_asked_for() {
    let simulator = start(super::worlds::small()).await;
    let list = format!("repositories/acme/{}/deployments/", first(&simulator));
    let stubs = walk(&simulator, &list).await;
    assert!(!stubs.is_empty());
    for stub in &stubs {
        let environment = stub["environment"].as_object().unwrap();
        assert_eq!(environment.len(), 2, "{stub}");
        assert!(environment["uuid"].is_string());
    }
    let asked = walk(
        &simulator,
        &format!("{list}?fields=%2Bvalues.environment.name"),
    )
    .await;
    assert_eq!(asked.len(), stubs.len());
    for (whole, stub) in asked.iter().zip(&stubs) {
        assert!(whole["environment"]["environment_type"]["name"].is_string());
        assert_eq!(whole["environment"]["uuid"], stub["environment"]["uuid"]);
    }
    let one = format!("{list}{}", stubs[0]["uuid"].as_str().unwrap());
    let one = one.replace('{', "%7B").replace('}', "%7D");
    assert_eq!(json(&simulator, &one).await, stubs[0]);
    let one = format!("{one}?fields=%2Benvironment.name");
    assert_eq!(json(&simulator, &one).await, asked[0]);
}

#[tokio::test]
async fn a_closed_account_has_a_uuid_and_no_account_id() {
    let simulator = start(super::worlds::small()).await;
    let (path, uuid) = {
        let mut world = simulator.world();
        let user = world.users()[0].clone();
        let slug = world.repositories()[0].slug.clone();
        let made = world.create_pull_request(&slug, Some(user.id), "Last one", "");
        let id = made.unwrap().pull_request.unwrap();
        world.close_account(user.id).unwrap();
        (
            format!("repositories/acme/{slug}/pullrequests/{id}"),
            user.uuid,
        )
    };
    let author = json(&simulator, &path).await["author"].take();
    assert_eq!(author["uuid"], uuid.as_str());
    assert!(author.get("account_id").is_none(), "{author}");
    assert_eq!(author["display_name"], "Former user");
}

#[tokio::test]
async fn changed_files_are_behind_a_redirect() {
    let simulator = start(super::worlds::small()).await;
    let path = format!(
        "repositories/acme/{}/pullrequests/1/diffstat",
        first(&simulator)
    );
    let response = get(&simulator, &path).await;
    assert_eq!(response.status, 302);
    let headers = response.headers.to_lowercase();
    let location = headers
        .lines()
        .find_map(|line| line.strip_prefix("location: "));
    let (_, target) = location.unwrap().split_once("/2.0/").unwrap();
    let files = json(&simulator, target.trim()).await;
    let first = &files["values"][0];
    assert_eq!(first["type"], "diffstat", "{files}");
    assert!(first["lines_added"].is_u64() && first["lines_removed"].is_u64());
}

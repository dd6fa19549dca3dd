//! The life of one pull request, as a client sees it.

use headwater_simulator::{Inline, Simulator, Size, UserId};
use serde_json::{Value, json as literal};

use crate::client::{first, get, json, start, walk};

struct Scene {
    simulator: Simulator,
    slug: String,
    id: u64,
    users: Vec<UserId>,
}

impl Scene {
    async fn new() -> Scene {
        let simulator = start(Size::tiny()).await;
        let slug = first(&simulator);
        let users: Vec<UserId> = simulator
            .world()
            .users()
            .iter()
            .map(|user| user.id)
            .collect();
        let created =
            simulator
                .world()
                .create_pull_request(&slug, Some(users[0]), "A title", "A *text*");
        let id = created.unwrap().pull_request.unwrap();
        Scene {
            simulator,
            slug,
            id,
            users,
        }
    }

    fn path(&self, rest: &str) -> String {
        format!(
            "repositories/acme/{}/pullrequests/{}{rest}",
            self.slug, self.id
        )
    }

    async fn read(&self) -> Value {
        json(&self.simulator, &self.path("")).await
    }

    async fn latest_activity(&self) -> Value {
        walk(&self.simulator, &self.path("/activity")).await[0].clone()
    }
}

#[tokio::test]
async fn merging_and_declining_are_updates() {
    let scene = Scene::new().await;
    scene
        .simulator
        .world()
        .merge(&scene.slug, scene.id, scene.users[1])
        .unwrap();
    let read = scene.read().await;
    assert_eq!(read["state"], "MERGED");
    assert_eq!(read["merge_commit"]["hash"].as_str().unwrap().len(), 12);
    assert_eq!(read["merge_commit"].get("date"), None);
    let entry = scene.latest_activity().await;
    assert_eq!(entry["update"]["state"], "MERGED");
    assert_eq!(
        entry["update"]["changes"],
        literal!({"status": {"old": "open", "new": "fulfilled"}})
    );
    assert_eq!(entry["update"]["author"], read["closed_by"]);
    assert_eq!(entry["update"]["date"], read["updated_on"]);

    let scene = Scene::new().await;
    scene
        .simulator
        .world()
        .decline(&scene.slug, scene.id, scene.users[1], "Not now")
        .unwrap();
    let read = scene.read().await;
    assert_eq!(
        (read["state"].as_str(), read["reason"].as_str()),
        (Some("DECLINED"), Some("Not now"))
    );
}

#[tokio::test]
async fn an_approval_taken_back_leaves_no_trace() {
    let scene = Scene::new().await;
    let reviewer = scene.users[2];
    let part = |read: &Value, uuid: &str| {
        let parts = read["participants"].as_array().unwrap();
        parts
            .iter()
            .find(|part| part["user"]["uuid"] == uuid)
            .cloned()
            .unwrap()
    };
    let uuid = scene.simulator.world().user(reviewer).unwrap().uuid.clone();

    scene
        .simulator
        .world()
        .approve(&scene.slug, scene.id, reviewer)
        .unwrap();
    assert_eq!(part(&scene.read().await, &uuid)["approved"], true);
    assert_eq!(
        scene.latest_activity().await["approval"]["user"]["uuid"],
        uuid
    );

    scene
        .simulator
        .world()
        .unapprove(&scene.slug, scene.id, reviewer)
        .unwrap();
    let after = part(&scene.read().await, &uuid);
    assert_eq!(
        (&after["approved"], &after["state"]),
        (&literal!(false), &Value::Null)
    );
    assert!(scene.latest_activity().await.get("approval").is_none());

    scene
        .simulator
        .world()
        .request_changes(&scene.slug, scene.id, reviewer)
        .unwrap();
    assert_eq!(
        part(&scene.read().await, &uuid)["state"],
        "changes_requested"
    );
    assert_eq!(
        scene.latest_activity().await["changes_requested"]["user"]["uuid"],
        uuid
    );
}

#[tokio::test]
async fn comments_are_written_answered_edited_and_deleted() {
    let scene = Scene::new().await;
    let (slug, id, by) = (scene.slug.as_str(), scene.id, Some(scene.users[1]));
    let inline = Inline {
        path: "src/main.rs".to_owned(),
        from: None,
        to: Some(7),
    };
    let asked = scene
        .simulator
        .world()
        .comment(slug, id, by, "Why?", Some(inline))
        .unwrap();
    let asked = asked.comment.unwrap();
    let answered = scene
        .simulator
        .world()
        .reply(slug, id, by, asked, "Because.")
        .unwrap();
    let answered = answered.comment.unwrap();
    scene
        .simulator
        .world()
        .edit_comment(slug, id, answered, "Because of `x`.")
        .unwrap();

    let comments = walk(&scene.simulator, &scene.path("/comments")).await;
    assert_eq!(
        comments[0]["inline"],
        literal!({"path": "src/main.rs", "to": 7})
    );
    assert_eq!(comments[1]["parent"]["id"], asked);
    assert_eq!(
        comments[1]["content"]["html"],
        "<p>Because of <code>x</code>.</p>"
    );
    assert!(comments[1]["updated_on"].as_str() > comments[1]["created_on"].as_str());
    assert_eq!(scene.read().await["comment_count"], 2);

    // The first one is answered, so it can only become a marker.
    scene
        .simulator
        .world()
        .delete_comment(slug, id, asked, true)
        .unwrap();
    scene
        .simulator
        .world()
        .delete_comment(slug, id, answered, true)
        .unwrap();
    let comments = walk(&scene.simulator, &scene.path("/comments")).await;
    assert_eq!(comments.len(), 1);
    assert_eq!(
        (&comments[0]["deleted"], &comments[0]["content"]["raw"]),
        (&literal!(true), &literal!(""))
    );
    assert_eq!(scene.read().await["comment_count"], 0);
}

#[tokio::test]
async fn pushes_move_the_head() {
    let scene = Scene::new().await;
    scene
        .simulator
        .world()
        .push_commits(&scene.slug, scene.id, scene.users[0], 2)
        .unwrap();
    let commits = walk(&scene.simulator, &scene.path("/commits")).await;
    assert_eq!(commits.len(), 3);
    let head = commits[0]["hash"].as_str().unwrap().to_owned();
    let read = scene.read().await;
    assert_eq!(read["source"]["commit"]["hash"], head[..12]);
    assert_eq!(commits[0]["parents"][0]["hash"], commits[1]["hash"]);
    assert_eq!(
        scene.latest_activity().await["update"]["source"],
        read["source"]
    );
}

#[tokio::test]
async fn deleted_things_answer_404() {
    let scene = Scene::new().await;
    let list = format!("repositories/acme/{}/pullrequests", scene.slug);
    scene
        .simulator
        .world()
        .delete_pull_request(&scene.slug, scene.id)
        .unwrap();
    assert_eq!(get(&scene.simulator, &scene.path("")).await.status, 404);
    let listed = walk(&scene.simulator, &format!("{list}?state=all")).await;
    assert!(listed.iter().all(|it| it["id"] != scene.id));

    scene
        .simulator
        .world()
        .rename_repository(&scene.slug, "Fresh Name")
        .unwrap();
    assert_eq!(get(&scene.simulator, &list).await.status, 404);
    let listed = walk(
        &scene.simulator,
        "repositories/acme/fresh-name/pullrequests?state=all",
    )
    .await;
    assert_eq!(
        listed[0]["destination"]["repository"]["full_name"],
        "acme/fresh-name"
    );

    scene
        .simulator
        .world()
        .delete_repository("fresh-name")
        .unwrap();
    assert_eq!(
        get(&scene.simulator, "repositories/acme/fresh-name")
            .await
            .status,
        404
    );
}

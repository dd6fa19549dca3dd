//! Who may read, and what is gone.

use headwater_simulator::{Credentials, Options, Simulator, Size};

use crate::client::{PERSON, TOKEN, first, get, json, send, start};

const REFUSED: &str = "Token is invalid, expired, or not supported for this endpoint.";

#[tokio::test]
async fn only_known_credentials_are_let_in() {
    let simulator = start(Size::tiny()).await;
    for (header, status) in [
        (format!("Authorization: {PERSON}\r\n"), 200),
        (format!("Authorization: {TOKEN}\r\n"), 200),
        (String::new(), 401),
        ("Authorization: Bearer wrong\r\n".to_owned(), 401),
        ("Authorization: Basic YTpi\r\n".to_owned(), 401),
        (
            format!("Authorization: {}\r\n", TOKEN.replace("Bearer", "Basic")),
            401,
        ),
    ] {
        let response = send(&simulator, "/2.0/repositories/acme", &header)
            .await
            .unwrap();
        assert_eq!(response.status, status, "{header}");
        if status == 401 {
            assert_eq!(response.message(), REFUSED);
        }
    }
}

#[tokio::test]
async fn access_tokens_have_no_user() {
    let simulator = start(Size::tiny()).await;
    let me = json(&simulator, "user").await;
    assert_eq!(me["uuid"], simulator.world().users()[0].uuid);
    assert_eq!(
        json(&simulator, "user/workspaces").await["values"][0]["workspace"]["slug"],
        "acme"
    );
    let header = format!("Authorization: {TOKEN}\r\n");
    assert_eq!(
        send(&simulator, "/2.0/user", &header).await.unwrap().status,
        403
    );
}

#[tokio::test]
async fn strangers_see_public_repositories_only() {
    let credentials = Credentials {
        anonymous: true,
        ..Credentials::default()
    };
    let options = Options {
        credentials,
        size: Size::default(),
        ..Options::default()
    };
    let simulator = Simulator::start(options).await.unwrap();
    let listed = send(&simulator, "/2.0/repositories/acme?pagelen=100", "")
        .await
        .unwrap()
        .json();
    let listed = listed["values"].as_array().unwrap().clone();
    assert!(
        !listed.is_empty()
            && listed
                .iter()
                .all(|repository| repository["is_private"] == false)
    );

    let private = {
        let world = simulator.world();
        let private = world
            .repositories()
            .iter()
            .find(|repository| repository.is_private);
        private.unwrap().slug.clone()
    };
    let path = format!("/2.0/repositories/acme/{private}");
    assert_eq!(send(&simulator, &path, "").await.unwrap().status, 404);
    assert_eq!(send(&simulator, "/2.0/user", "").await.unwrap().status, 401);
}

#[tokio::test]
async fn retired_endpoints_answer_410() {
    let simulator = start(Size::tiny()).await;
    for path in [
        "repositories",
        "repositories/",
        "workspaces",
        "user/permissions/workspaces",
        "user/permissions/repositories",
    ] {
        let response = get(&simulator, path).await;
        assert_eq!(response.status, 410, "{path}");
        assert_eq!(
            response.message(),
            "CHANGE-2770 - Functionality has been deprecated"
        );
    }
    let issues = format!("repositories/acme/{}/issues", first(&simulator));
    assert_eq!(get(&simulator, &issues).await.status, 410);
}

#[tokio::test]
async fn unknown_things_answer_404() {
    let simulator = start(Size::tiny()).await;
    let slug = first(&simulator);
    for path in [
        "nonsense".to_owned(),
        "repositories/other".to_owned(),
        "repositories/acme/nothing".to_owned(),
        format!("repositories/acme/{slug}/pullrequests/999"),
        format!("repositories/acme/{slug}/pullrequests/x"),
        format!("repositories/acme/{slug}/pullrequests/1/comments/1"),
        format!("repositories/acme/{slug}/pullrequests/1/nonsense"),
    ] {
        let response = get(&simulator, &path).await;
        assert_eq!(response.status, 404, "{path}");
        assert!(!response.message().is_empty());
    }
}

#[tokio::test]
async fn repositories_answer_to_slug_and_uuid() {
    let simulator = start(Size::tiny()).await;
    let slug = first(&simulator);
    let by_slug = json(&simulator, &format!("repositories/acme/{slug}")).await;
    let uuid = by_slug["uuid"]
        .as_str()
        .unwrap()
        .replace('{', "%7B")
        .replace('}', "%7D");
    assert_eq!(
        json(&simulator, &format!("repositories/acme/{uuid}/")).await,
        by_slug
    );
}

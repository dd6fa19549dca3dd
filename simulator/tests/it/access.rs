//! Who may read, and what is gone.

use std::time::Duration;

use headwater_simulator::{Consumer, Credentials, ListedWorkspace, Options, Simulator, Size};

use crate::client::{PERSON, TOKEN, first, get, json, post, send, start, walk};

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

async fn start_with(credentials: Credentials) -> Simulator {
    let options = Options {
        credentials,
        size: Size::tiny(),
        ..Options::default()
    };
    Simulator::start(options).await.unwrap()
}

#[tokio::test]
async fn scopes_of_api_tokens_include_nothing_else_and_classic_ones_do() {
    let scopes = |token: &str, scope: &str| (token.to_owned(), vec![scope.to_owned()]);
    let simulator = start_with(Credentials {
        scopes: vec![
            scopes("api-token", "read:pullrequest:bitbucket"),
            scopes("access-token", "pullrequest"),
        ],
        ..Credentials::default()
    })
    .await;
    let repository = format!("/2.0/repositories/acme/{}", first(&simulator));
    let pull_requests = format!("{repository}/pullrequests");
    for (header, target, status) in [
        (PERSON, &repository, 403),
        (PERSON, &pull_requests, 200),
        (TOKEN, &repository, 200),
        (TOKEN, &pull_requests, 200),
    ] {
        let header = format!("Authorization: {header}\r\n");
        let response = send(&simulator, target, &header).await.unwrap();
        assert_eq!(response.status, status, "{header} {target}");
        assert!(response.headers.contains("x-oauth-scopes: "));
        if status == 403 {
            let detail = &response.json()["error"]["detail"];
            assert_eq!(detail["required"][0], "read:repository:bitbucket");
            assert_eq!(detail["granted"][0], "read:pullrequest:bitbucket");
            let needed = "x-accepted-oauth-scopes: read:repository:bitbucket";
            assert!(response.headers.contains(needed), "{}", response.headers);
        }
    }
}

#[tokio::test]
async fn consumers_get_tokens_that_end() {
    let lasting = Consumer::new("lasting", "secret");
    let spent = Consumer {
        requests: Some(1),
        ..Consumer::new("spent", "secret")
    };
    let over = Consumer {
        lifetime: Duration::ZERO,
        ..Consumer::new("over", "secret")
    };
    let simulator = start_with(Credentials {
        consumers: vec![lasting, spent, over],
        ..Credentials::default()
    })
    .await;
    // `lasting:secret`, `spent:secret` and `over:secret` in Base64.
    for (login, statuses) in [
        ("bGFzdGluZzpzZWNyZXQ=", [200, 200]),
        ("c3BlbnQ6c2VjcmV0", [200, 401]),
        ("b3ZlcjpzZWNyZXQ=", [401, 401]),
    ] {
        let form = "grant_type=client_credentials";
        let granted = post(&simulator, login, form).await;
        assert_eq!(granted.status, 200);
        let token = granted.json()["access_token"].as_str().unwrap().to_owned();
        let header = format!("Authorization: Bearer {token}\r\n");
        for status in statuses {
            let response = send(&simulator, "/2.0/user", &header).await.unwrap();
            assert_eq!(response.status, status, "{login}");
            assert_eq!(status == 401, response.json()["error"].is_object());
        }
    }
    let wrong = post(
        &simulator,
        "d3Jvbmc6d3Jvbmc=",
        "grant_type=client_credentials",
    )
    .await;
    assert_eq!(
        (wrong.status, &wrong.json()["error"]),
        (400, &"unauthorized_client".into())
    );
    let wrong = post(&simulator, "c3BlbnQ6c2VjcmV0", "grant_type=password").await;
    assert_eq!(
        (wrong.status, &wrong.json()["error"]),
        (400, &"unsupported_grant_type".into())
    );
}

#[tokio::test]
async fn app_passwords_and_expired_tokens_are_refused() {
    let simulator = start_with(Credentials {
        // `a:b`, as above.
        app_passwords: vec![("a".to_owned(), "b".to_owned())],
        expired: vec!["access-token".to_owned()],
        ..Credentials::default()
    })
    .await;
    let basic = "Authorization: Basic YTpi\r\n";
    let response = send(&simulator, "/2.0/user", basic).await.unwrap();
    assert_eq!(response.status, 401);
    assert!(response.message().contains("CHANGE-3222"));
    let bearer = format!("Authorization: {TOKEN}\r\n");
    let response = send(&simulator, "/2.0/repositories/acme", &bearer)
        .await
        .unwrap();
    assert_eq!(
        (response.status, response.message().as_str()),
        (401, REFUSED)
    );
}

#[tokio::test]
async fn further_workspaces_are_listed() {
    let listed = ListedWorkspace {
        archived_every: Some(2),
        fork_every: Some(100),
        ..ListedWorkspace::new("large", 250)
    };
    let options = Options {
        size: Size::tiny(),
        listed_workspaces: vec![listed],
        ..Options::default()
    };
    let simulator = Simulator::start(options).await.unwrap();
    let workspaces = walk(&simulator, "user/workspaces?pagelen=1").await;
    let slugs: Vec<&serde_json::Value> =
        workspaces.iter().map(|w| &w["workspace"]["slug"]).collect();
    assert_eq!(slugs, ["acme", "large"]);
    let repositories = walk(&simulator, "repositories/large?pagelen=100").await;
    assert_eq!(repositories.len(), 250);
    let with = |member: &str| {
        let has = |repository: &&serde_json::Value| {
            repository[member] == true || repository[member].is_object()
        };
        repositories.iter().filter(has).count()
    };
    assert_eq!((with("archived"), with("parent")), (125, 2));
    let one = json(&simulator, "repositories/large/repository-7").await;
    assert_eq!(one, repositories[6]);
    let none = json(&simulator, "repositories/large/repository-7/pullrequests").await;
    assert_eq!(none["size"], 0);
    for missing in [
        "repository-0",
        "repository-251",
        "x",
        "repository-7/nonsense",
    ] {
        let path = format!("repositories/large/{missing}");
        assert_eq!(get(&simulator, &path).await.status, 404, "{missing}");
    }
}

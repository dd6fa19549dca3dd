use std::io::Write as _;

use headwater_testing::small_server::{SmallServer, answer, ok, unavailable};
use tokio::time::timeout;

use super::*;
use crate::error::CollectError;
use crate::error::CollectErrorKind;
use crate::error::Verdict;

/// A small largest answer.
const MAX_BODY: usize = 1 << 20;

const TOKEN: &str = "s3cr3t-t0ken";

fn settings(endpoint: &Url) -> Settings {
    Settings {
        connection: "acme".to_owned(),
        endpoint: endpoint.clone(),
        dialect: crate::bitbucket::DIALECT,
        auth: Auth::Bearer {
            token: TOKEN.into(),
        },
        rate_limiter: RateLimiter::per_hour(1_000_000_000, chrono::Utc::now),
        refusal: Refusal::default(),
        concurrency: 4,
        largest_answer: MAX_BODY,
        connect_timeout: Duration::from_secs(5),
        read_timeout: Duration::from_secs(5),
        total_timeout: Duration::from_secs(10),
        proxy: None,
        authorities: Vec::new(),
    }
}

fn client(server: &SmallServer) -> Client {
    Client::new(settings(&server.endpoint)).unwrap()
}

/// Reads the text at a path below the endpoint.
async fn get(client: &Client, path: &str) -> Result<String, RequestError> {
    let url = client.endpoint().join(path).unwrap();
    let read = |answer: Answer| Ok(String::from_utf8_lossy(&answer.body).into_owned());
    client.get(&url, &CancellationToken::new(), read).await
}

/// What the client makes of one status that never changes, and how often it asked.
async fn refused(status: u16, body: &'static str) -> (Kind, usize) {
    let server =
        SmallServer::start(move |_, _| answer(status, &["retry-after: 0"], body.as_bytes())).await;
    let error = get(&client(&server), "x").await.unwrap_err();
    (error.kind, server.requests().len())
}

#[tokio::test]
async fn credentials_go_into_the_authorization_header() {
    let server = SmallServer::start(|_, _| ok("{}")).await;
    let basic = Auth::Basic {
        user: "me@acme.example".to_owned(),
        password: "pass".into(),
    };
    let bearer = settings(&server.endpoint).auth;
    for (auth, expected) in [
        (bearer, Some("authorization: bearer s3cr3t-t0ken")),
        (
            basic,
            Some("authorization: basic bwvaywntzs5legftcgxlonbhc3m="),
        ),
        (Auth::None, None),
    ] {
        let client = Client::new(Settings {
            auth,
            ..settings(&server.endpoint)
        });
        get(&client.unwrap(), "x").await.unwrap();
        let request = server.requests().pop().unwrap();
        match expected {
            Some(header) => assert!(request.contains(header), "{request}"),
            None => assert!(!request.contains("authorization"), "{request}"),
        }
    }
}

#[tokio::test]
async fn refused_credentials_stop_everything_at_the_first_answer() {
    let (kind, requests) = refused(401, r#"{"error": {"message": "Token is expired"}}"#).await;
    assert_eq!((kind.verdict(), requests), (Verdict::Stop, 1));
    let message = kind.to_string();
    assert!(
        message.starts_with("the credentials were refused (401: Token is expired)"),
        "{message}"
    );
}

#[tokio::test]
async fn refused_credentials_are_not_sent_by_other_clients_either() {
    let server = SmallServer::start(|_, _| answer(401, &[], b"")).await;
    let refusal = Refusal::default();
    let client = || {
        let settings = Settings {
            refusal: refusal.clone(),
            ..settings(&server.endpoint)
        };
        Client::new(settings).unwrap()
    };
    let (first, second) = (client(), client());
    for client in [&first, &second, &client()] {
        let error = get(client, "x").await.unwrap_err();
        assert!(matches!(error.kind, Kind::Unauthorized { .. }), "{error}");
    }
    assert_eq!(server.requests().len(), 1);
    assert_eq!((first.requests(), second.requests()), (1, 0));
    // Other credentials, or the same ones at another server, are another matter.
    get(&self::client(&server), "x").await.unwrap_err();
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn nothing_is_sent_after_the_credentials_were_refused() {
    let server = SmallServer::start(|number, _| match number {
        1 | 2 => ok("there"),
        _ => answer(401, &[], br#"{"error": {"message": "Token is expired"}}"#),
    })
    .await;
    let client = client(&server);
    for _ in 0..2 {
        get(&client, "x").await.unwrap();
    }
    for _ in 0..5 {
        let error = get(&client.counted(), "x").await.unwrap_err();
        let Kind::Unauthorized { message, .. } = &error.kind else {
            panic!("{error}");
        };
        assert_eq!(message, ": Token is expired");
    }
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn a_token_without_a_user_may_ask_for_anything_else() {
    let server = SmallServer::start(|_, target| match target {
        "/2.0/user/workspaces" => answer(401, &[], b""),
        _ => ok("there"),
    })
    .await;
    let client = client(&server);
    get(&client, "user/workspaces").await.unwrap_err();
    assert_eq!(get(&client, "repositories/acme").await.unwrap(), "there");
}

#[tokio::test]
async fn a_removed_endpoint_is_named_with_its_change_and_what_replaces_it() {
    let body = r#"{"type": "error", "error": {"message": "CHANGE-2770 - Functionality has been deprecated",
        "data": {"announcement_url": "https://x.example/changelog#CHANGE-2770"}}}"#;
    let server = SmallServer::start(move |_, _| answer(410, &[], body.as_bytes())).await;
    let error = get(&client(&server), "workspaces?pagelen=100").await;
    let error = error.unwrap_err();
    let Kind::Gone {
        change,
        replacement,
        ..
    } = &error.kind
    else {
        panic!("{error}");
    };
    assert_eq!(change.as_deref(), Some("CHANGE-2770"));
    assert!(replacement.unwrap().contains("user/workspaces"));
    let text = error.to_string();
    for part in ["/2.0/workspaces?", "CHANGE-2770", "use `user/workspaces`"] {
        assert!(text.contains(part), "{text}");
    }
    let error = get(&client(&server), "repositories/a/b/new").await;
    let text = error.unwrap_err().to_string();
    assert!(
        text.contains("a newer headwater may know another"),
        "{text}"
    );
}

#[tokio::test]
async fn what_is_not_there_for_us_is_skipped_at_the_first_answer() {
    let forbidden = r#"{"error": {"message": "Access denied",
        "detail": {"required": ["pullrequest"], "granted": ["account", "team"]}}}"#;
    let gone = r#"{"error": {"message": "This endpoint was removed, see CHANGE-2770"}}"#;
    for (status, body, expected) in [
        (
            403,
            forbidden,
            "not permitted (403: Access denied, required: pullrequest, granted: account team)",
        ),
        (
            404,
            "<html>",
            "not found, or not visible to these credentials (404)",
        ),
        (
            410,
            gone,
            "Atlassian removed this endpoint (410: This endpoint was removed, see CHANGE-2770)",
        ),
    ] {
        let (kind, requests) = refused(status, body).await;
        assert_eq!((kind.verdict(), requests), (Verdict::Skip, 1), "{status}");
        let message = kind.to_string();
        assert!(message.starts_with(expected), "{message}");
    }
}

#[tokio::test]
async fn any_other_refusal_fails_at_the_first_answer() {
    let (kind, requests) = refused(400, "Invalid\u{7} pagelen").await;
    assert_eq!((kind.verdict(), requests), (Verdict::Fail, 1));
    assert_eq!(
        kind.to_string(),
        "the server refused the request (400: Invalid pagelen)"
    );
    let long: &'static str = "x".repeat(5_000).leak();
    let (kind, _) = refused(400, long).await;
    assert!(kind.to_string().len() < 300, "{kind}");
}

#[tokio::test]
async fn what_passes_is_tried_again_until_it_has_passed() {
    for status in [408, 425, 429, 500, 502, 503, 599] {
        let server = SmallServer::start(move |number, _| match number {
            1 | 2 => unavailable(status),
            _ => ok("there"),
        })
        .await;
        let client = client(&server);
        assert_eq!(get(&client, "x").await.unwrap(), "there", "{status}");
        assert_eq!(
            (client.requests(), server.requests().len()),
            (3, 3),
            "{status}"
        );
    }
}

#[tokio::test]
async fn what_does_not_pass_is_given_up() {
    for (status, tries) in [(429, wait::MAX_REFUSALS), (503, wait::MAX_ATTEMPTS)] {
        let (kind, requests) = refused(status, "busy").await;
        assert_eq!(requests, tries as usize, "{status}");
        assert_eq!(
            kind.to_string(),
            format!("the server could not answer ({status}: busy)")
        );
    }
}

#[tokio::test]
async fn a_broken_connection_is_tried_again() {
    let server = SmallServer::start(|number, _| match number {
        1 => Some(Vec::new()),
        // Half of what the header promises.
        2 => Some(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf".to_vec()),
        _ => ok("whole"),
    })
    .await;
    assert_eq!(get(&client(&server), "x").await.unwrap(), "whole");
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn nobody_listening_is_an_error_of_the_network() {
    let server = SmallServer::start(|_, _| None).await;
    let client = client(&server);
    drop(server);
    let error = get(&client, "x").await.unwrap_err();
    assert!(
        error.to_string().contains("no answer: could not connect"),
        "{error}"
    );
}

#[tokio::test]
async fn a_server_that_says_nothing_times_out_and_is_asked_again() {
    let server = SmallServer::start(|number, _| if number == 1 { None } else { ok("late") }).await;
    let impatient = Settings {
        read_timeout: Duration::from_millis(200),
        ..settings(&server.endpoint)
    };
    let client = Client::new(impatient).unwrap();
    assert_eq!(get(&client, "x").await.unwrap(), "late");
}

#[tokio::test]
async fn a_redirect_to_another_server_is_not_followed_and_takes_no_credentials_there() {
    let foreign = SmallServer::start(|_, _| ok("stolen")).await;
    let target = foreign.endpoint.to_string();
    let server =
        SmallServer::start(move |_, _| answer(302, &[&format!("location: {target}")], b"")).await;
    let error = get(&client(&server), "x").await.unwrap_err();
    assert_eq!(error.kind, Kind::Foreign("127.0.0.1".to_owned()));
    assert!(foreign.requests().is_empty());
}

#[tokio::test]
async fn a_redirect_on_the_own_server_is_followed_with_the_credentials() {
    let server = SmallServer::start(|_, target| match target {
        "/2.0/old" => answer(301, &["location: /2.0/new"], b""),
        _ => ok("moved"),
    })
    .await;
    assert_eq!(get(&client(&server), "old").await.unwrap(), "moved");
    assert!(server.requests()[1].contains(TOKEN));
}

#[tokio::test]
async fn only_addresses_on_the_own_server_are_followed() {
    let endpoint = Url::parse("https://api.example:8443/2.0/").unwrap();
    let client = Client::new(settings(&endpoint)).unwrap();
    for address in [
        "https://api.example:8443/2.0/x?page=2",
        "x?page=2",
        "/2.0/x?page=2",
    ] {
        let url = client.own_url(address).unwrap();
        assert_eq!(url.as_str(), "https://api.example:8443/2.0/x?page=2");
    }
    for address in [
        "https://evil.example/2.0/",
        "https://api.example/2.0/",
        "http://api.example:8443/2.0/",
        "https://api.example.evil.example:8443/",
        "https://api.example:8443@evil.example/",
        "//evil.example/2.0/",
        "file:///etc/passwd",
        "data:text/plain,x",
    ] {
        let error = client.own_url(address).unwrap_err();
        assert!(matches!(error.kind, Kind::Foreign(_)), "{address}: {error}");
        assert_eq!(error.kind.verdict(), Verdict::Fail);
    }
    let error = client.own_url("https://[::1").unwrap_err();
    assert!(matches!(error.kind, Kind::BadUrl(_)), "{error}");
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(body).unwrap();
    packed.finish().unwrap()
}

#[tokio::test]
async fn a_packed_body_is_asked_for_and_unpacked() {
    let body = gzip("gepackt 🚀".as_bytes());
    let server =
        SmallServer::start(move |_, _| answer(200, &["content-encoding: gzip"], &body)).await;
    assert_eq!(get(&client(&server), "x").await.unwrap(), "gepackt 🚀");
    assert!(server.requests()[0].contains("accept-encoding: gzip"));
}

#[tokio::test]
async fn a_body_above_the_limit_is_refused_however_it_is_packed() {
    let largest = vec![b' '; MAX_BODY];
    let larger = vec![b' '; MAX_BODY + 1];
    let packed = gzip(&larger);
    assert!(packed.len() < 10_000, "small on the wire");
    for (header, body, fits) in [
        ("x-a: b", largest, true),
        ("x-a: b", larger, false),
        ("content-encoding: gzip", packed, false),
    ] {
        let server = SmallServer::start(move |_, _| answer(200, &[header], &body)).await;
        match get(&client(&server), "x").await {
            Ok(read) => assert!(fits && read.len() == MAX_BODY),
            Err(error) => assert!(!fits && error.kind == Kind::TooLarge(MAX_BODY), "{error}"),
        }
        assert_eq!(
            server.requests().len(),
            1,
            "more of the same would not help"
        );
    }
}

#[tokio::test]
async fn a_cancelled_request_ends_at_once_wherever_it_is() {
    let waits = |_: usize, _: &str| None;
    let asks_to_come_back = |_: usize, _: &str| answer(429, &["retry-after: 3600"], b"");
    let servers = [
        SmallServer::start(waits).await,
        SmallServer::start(asks_to_come_back).await,
    ];
    for server in &servers {
        let client = client(server);
        let cancel = CancellationToken::new();
        let url = server.endpoint.clone();
        let request = client.get(&url, &cancel, |_| Ok(()));
        let cancelled = async {
            while server.requests().is_empty() {
                tokio::task::yield_now().await;
            }
            cancel.cancel();
        };
        let both = async { tokio::join!(request, cancelled).0 };
        let error = timeout(Duration::from_secs(3), both)
            .await
            .unwrap()
            .unwrap_err();
        assert_eq!(error.kind, Kind::Cancelled);
        // Nothing is even sent any more.
        let sent = server.requests().len();
        let error = client.get(&url, &cancel, |_| Ok(())).await.unwrap_err();
        assert_eq!(
            (error.kind, server.requests().len()),
            (Kind::Cancelled, sent)
        );
    }
}

#[tokio::test]
async fn the_clock_of_the_server_comes_with_the_answer() {
    let server = SmallServer::start(|number, _| match number {
        1 => answer(200, &["date: Mon, 21 Sep 2026 14:13:20 GMT"], b""),
        2 => answer(200, &["date: soon"], b""),
        _ => answer(200, &[], b""),
    })
    .await;
    let client = client(&server);
    let url = server.endpoint.clone();
    for expected in [DateTime::from_timestamp(1_790_000_000, 0), None, None] {
        let date = client
            .get(&url, &CancellationToken::new(), |answer| Ok(answer.date))
            .await;
        assert_eq!(date.unwrap(), expected);
    }
}

#[tokio::test]
async fn redirects_without_end_are_given_up_after_five() {
    let server =
        SmallServer::start(|number, _| answer(302, &[&format!("location: /2.0/{number}")], b""))
            .await;
    let client = client(&server);
    let error = get(&client, "x").await.unwrap_err();
    assert_eq!(error.kind, Kind::Foreign("127.0.0.1".to_owned()));
    assert_eq!((server.requests().len(), client.requests()), (6, 6));
}

#[tokio::test]
async fn of_one_clients_large_answers_one_is_held_at_a_time() {
    let large = vec![b' '; LARGE + 1];
    let server = SmallServer::start(move |_, target| {
        let body: &[u8] = if target.contains("large") {
            &large
        } else {
            b"small"
        };
        answer(200, &[], body)
    })
    .await;
    let client = Client::new(Settings {
        largest_answer: 2 * LARGE,
        ..settings(&server.endpoint)
    });
    let client = client.unwrap();
    let held = async |path: &str| {
        let url = client.endpoint().join(path).unwrap();
        client
            .get(&url, &CancellationToken::new(), Ok)
            .await
            .unwrap()
    };
    let first = held("large").await;
    let mut second = std::pin::pin!(held("large"));
    let a_while = Duration::from_millis(300);
    assert!(timeout(a_while, &mut second).await.is_err(), "it waits");
    assert_eq!(held("x").await.body.as_ref(), b"small", "small ones go on");
    drop(first);
    let second = timeout(Duration::from_secs(5), second).await.unwrap();
    assert_eq!(second.body.len(), LARGE + 1);
}

mod secrets;

use futures::future::join_all;
use headwater_testing::small_server::{SmallServer, answer, ok, unavailable};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::client::{Answer, Auth, Client, Probed, RateLimiter, Refusal, Settings, Unanswered};
use crate::error::{RequestError, Verdict};

const SECRET: &str = "s3cr3t-of-the-consumer";

/// The API and the server of tokens in one: tokens are `token-1`, `token-2` and so on, by the
/// number of the request.
async fn server(
    answers: impl Fn(usize, &str) -> Option<Vec<u8>> + Send + Sync + 'static,
) -> SmallServer {
    SmallServer::start(move |number, target| answers(number, target)).await
}

fn token(number: usize, expires_in: &str) -> Option<Vec<u8>> {
    ok(&format!(
        "{{\"access_token\": \"token-{number}\", \"token_type\": \"bearer\"{expires_in}}}"
    ))
}

fn client(server: &SmallServer) -> Client {
    Client::new(Settings {
        connection: "acme".to_owned(),
        endpoint: server.endpoint.clone(),
        dialect: crate::bitbucket::DIALECT,
        auth: Auth::Oauth {
            key: "key".to_owned(),
            secret: SECRET.into(),
            token_url: server.endpoint.join("/token").unwrap(),
        },
        rate_limiter: RateLimiter::per_hour(1_000_000_000, chrono::Utc::now),
        refusal: Refusal::default(),
        concurrency: 8,
        largest_answer: 1 << 20,
        connect_timeout: Duration::from_secs(5),
        read_timeout: Duration::from_secs(5),
        total_timeout: Duration::from_secs(10),
        proxy: None,
        authorities: Vec::new(),
    })
    .unwrap()
}

async fn get(client: &Client) -> Result<String, RequestError> {
    let url = client.endpoint().join("x").unwrap();
    let read = |answer: Answer| Ok(String::from_utf8_lossy(&answer.body).into_owned());
    client.get(&url, &CancellationToken::new(), read).await
}

/// How often a target was asked for.
fn count(server: &SmallServer, target: &str) -> usize {
    let targets = server.targets();
    targets.iter().filter(|found| *found == target).count()
}

#[tokio::test]
async fn a_consumer_asks_for_a_token_once_and_uses_it_for_every_request() {
    let server = server(|number, target| match target {
        "/token" => token(number, ", \"expires_in\": 7200"),
        _ => ok("there"),
    })
    .await;
    let client = client(&server);
    let answers = join_all((0..20).map(|_| get(&client))).await;
    assert!(
        answers
            .iter()
            .all(|answer| answer.as_ref().is_ok_and(|text| text == "there"))
    );
    assert_eq!(
        (count(&server, "/token"), count(&server, "/2.0/x")),
        (1, 20)
    );
    let requests = server.requests();
    assert!(requests[0].starts_with("post /token"), "{}", requests[0]);
    // `key:s3cr3t-of-the-consumer` in Base64, in lower case as the server logs it.
    assert!(requests[0].contains("authorization: basic a2v5onmzy3izdc1vzi10agut"));
    assert!(requests[0].contains("content-type: application/x-www-form-urlencoded"));
    assert!(requests[0].ends_with("grant_type=client_credentials"));
    let bearer = "authorization: bearer token-1";
    assert!(requests[1..].iter().all(|request| request.contains(bearer)));
}

#[tokio::test]
async fn a_token_that_is_refused_is_renewed_once_however_many_requests_it_carried() {
    let server = server(|number, target| match target {
        "/token" => token(number, ""),
        _ if number == 1 => ok(""),
        _ => ok("there"),
    })
    .await;
    let client = client(&server);
    get(&client).await.unwrap();
    let stale = client.shared.credentials.header().await.unwrap();
    // Ten requests went out with the same token, and each answer says that it has ended.
    join_all((0..10).map(|_| client.shared.credentials.refused(stale.as_ref()))).await;
    join_all((0..10).map(|_| get(&client))).await;
    assert_eq!(count(&server, "/token"), 2);
    // An eleventh, which comes late, does not cost the new token.
    client.shared.credentials.refused(stale.as_ref()).await;
    get(&client).await.unwrap();
    assert_eq!(count(&server, "/token"), 2);
}

#[tokio::test]
async fn a_request_is_sent_again_with_a_new_token_after_a_401() {
    let server = server(|number, target| match (target, number) {
        ("/token", _) => token(number, ""),
        (_, 2) => answer(
            401,
            &[],
            b"{\"error\": {\"message\": \"Access token expired.\"}}",
        ),
        _ => ok("there"),
    })
    .await;
    let client = client(&server);
    assert_eq!(get(&client).await.unwrap(), "there");
    assert_eq!(server.targets(), ["/token", "/2.0/x", "/token", "/2.0/x"]);
    assert!(server.requests()[3].contains("bearer token-3"));
    assert_eq!(client.requests(), 2, "both count, tokens do not");
}

#[tokio::test]
async fn a_second_401_is_final() {
    let server = server(|number, target| match target {
        "/token" => token(number, ""),
        _ => answer(401, &[], b"no"),
    })
    .await;
    let error = get(&client(&server)).await.unwrap_err();
    assert!(matches!(error.kind, Kind::Unauthorized { .. }), "{error}");
    assert_eq!(error.kind.verdict(), Verdict::Stop);
    assert_eq!(server.targets(), ["/token", "/2.0/x", "/token", "/2.0/x"]);
}

#[tokio::test]
async fn a_token_is_renewed_before_it_runs_out() {
    let server = server(|number, target| match target {
        "/token" => token(number, ", \"expires_in\": 3600"),
        _ => ok("there"),
    })
    .await;
    let client = client(&server);
    get(&client).await.unwrap();
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(3600 - 70)).await;
    tokio::time::resume();
    get(&client).await.unwrap();
    assert_eq!(count(&server, "/token"), 1, "there is a minute to go");
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(15)).await;
    tokio::time::resume();
    get(&client).await.unwrap();
    assert_eq!(count(&server, "/token"), 2, "less than a minute to go");
}

#[test]
fn the_server_decides_how_long_a_token_lives() {
    let asked = Instant::now();
    for (expires_in, seconds) in [
        ("", 3540),
        (", \"expires_in\": null", 3540),
        (", \"expires_in\": 7200", 7140),
        (", \"expires_in\": 10", 9),
        (", \"expires_in\": 0", 0),
        (", \"expires_in\": 99999999999", 24 * 3600 - 60),
    ] {
        let body = format!("{{\"access_token\": \"t\"{expires_in}}}");
        let token = read_token(body.as_bytes(), asked).unwrap();
        let life = token.renew_at - asked;
        assert_eq!(life, Duration::from_secs(seconds), "{expires_in}");
    }
}

#[test]
fn what_is_no_token_is_not_repeated() {
    for body in [
        "",
        "{}",
        "{\"access_token\": 5}",
        "{\"access_token\": \"s3cr3t\\n\"}",
    ] {
        let error = read_token(body.as_bytes(), Instant::now()).err().unwrap();
        let shown = format!("{error:?} {}", Kind::from(error.clone()));
        assert!(
            shown.contains("no access token") && !shown.contains("s3cr3t"),
            "{shown}"
        );
    }
}

#[tokio::test]
async fn a_consumer_that_is_refused_stops_the_connection_at_the_first_answer() {
    for status in [400, 401, 403] {
        let server = server(move |_, _| {
            let body = br#"{"error": "unauthorized_client", "error_description": "Invalid OAuth client credentials"}"#;
            answer(status, &[], body)
        })
        .await;
        let client = client(&server);
        let error = get(&client).await.unwrap_err();
        assert_eq!(error.kind.verdict(), Verdict::Stop);
        let expected = format!("{status}: unauthorized_client Invalid OAuth client credentials");
        let text = format!("{error} {error:?}");
        assert!(text.contains(&expected) && !text.contains(SECRET), "{text}");
        assert_eq!(server.targets(), ["/token"]);
        let Probed { outcome, .. } = client
            .probe(&server.endpoint, &CancellationToken::new())
            .await;
        assert!(
            matches!(outcome, Err(Unanswered::ConsumerRefused { .. })),
            "{outcome:?}"
        );
        assert_eq!(server.targets(), ["/token"], "once is enough");
    }
}

#[tokio::test]
async fn a_server_of_tokens_that_is_busy_is_asked_again() {
    let server = server(|number, target| match (target, number) {
        ("/token", 1) => unavailable(503),
        ("/token", 2) => ok("<html>"),
        ("/token", _) => token(number, ""),
        _ => ok("there"),
    })
    .await;
    assert_eq!(get(&client(&server)).await.unwrap(), "there");
    assert_eq!(server.targets(), ["/token", "/token", "/token", "/2.0/x"]);
}

#[tokio::test]
async fn a_message_that_repeats_the_secret_is_shown_without_it() {
    let server = server(|number, target| match target {
        "/token" => token(number, ""),
        _ => answer(400, &[], format!("wrong: {SECRET}").as_bytes()),
    })
    .await;
    let probed = client(&server)
        .probe(&server.endpoint, &CancellationToken::new())
        .await;
    let reply = probed.outcome.unwrap();
    assert_eq!((reply.status, reply.message.as_str()), (400, "wrong: ***"));
}

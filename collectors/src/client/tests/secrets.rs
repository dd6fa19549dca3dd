//! No message and no stored address holds a secret.

use super::*;

#[tokio::test]
async fn a_secret_is_never_shown() {
    let proxy = Url::parse("http://user:proxy-s3cr3t@127.0.0.1:9/").ok();
    let mut endpoint = Url::parse("http://127.0.0.1:9/2.0/").unwrap();
    endpoint.set_username("user").unwrap();
    endpoint.set_password(Some("url-s3cr3t")).unwrap();
    let unusable = Settings {
        auth: Auth::Bearer {
            token: "s3cr3t\n".into(),
        },
        ..settings(&endpoint)
    };
    let open = Settings {
        auth: Auth::Basic {
            user: "me@acme.example".to_owned(),
            password: "s3cr3t".into(),
        },
        proxy,
        ..settings(&endpoint)
    };
    let mut shown = vec![format!("{unusable:?}"), format!("{open:#?}")];
    assert!(shown[1].contains("127.0.0.1:9"), "{}", shown[1]);
    let setup = Client::new(unusable).err().unwrap();
    shown.push(format!("{setup} {setup:?}"));

    let client = Client::new(open).unwrap();
    let request = get(&client, "x").await.unwrap_err();
    shown.push(format!("{request} {request:?}"));
    let foreign = client
        .own_url("https://user:s3cr3t@evil.example/")
        .unwrap_err();
    shown.push(format!("{foreign} {foreign:?}"));
    let collect = CollectError {
        outcome: crate::engine::Collected::default(),
        connection: "acme".to_owned(),
        scope: "acme/rocket".to_owned(),
        stream: "pull_requests",
        kind: CollectErrorKind::Request(request),
    };
    shown.push(format!("{collect} {collect:?} {}", collect.kind));
    for text in shown {
        assert!(!text.contains("s3cr3t"), "{text}");
    }
}

/// Holds what escapes and encodings treat differently.
const ESCAPED: &str = "ATATT3x/Ff=GF\"0+x";

fn escaping_client(server: &SmallServer) -> Client {
    Client::new(Settings {
        auth: Auth::Basic {
            user: "me@acme.example".to_owned(),
            password: ESCAPED.into(),
        },
        ..settings(&server.endpoint)
    })
    .unwrap()
}

/// What a server may make of a header or a secret that it repeats.
fn encodings() -> Vec<String> {
    use base64::Engine as _;
    let base64 = base64::engine::general_purpose::STANDARD;
    let json = ESCAPED.replace('"', "\\\"");
    let percent: String = url::form_urlencoded::byte_serialize(ESCAPED.as_bytes()).collect();
    vec![
        json.clone(),
        json.replace('/', "\\/"),
        json.replace('=', "\\u003d"),
        json.replace('/', "\\u002F"),
        json.replace('\\', "\\\\"),
        json.replace('/', "&#x2F;"),
        percent,
        base64.encode(format!("me@acme.example:{ESCAPED}")),
        base64.encode(ESCAPED),
    ]
}

fn assert_silent(what: &str, text: &str) {
    for part in ["ATATT3x", "Ff=GF", "QVRBVFQ", "FUQVRUM3", "BVEFUVDN4"] {
        assert!(!text.contains(part), "{what}: {text}");
    }
    assert!(!text.chars().any(char::is_control), "{what}: {text:?}");
}

#[tokio::test]
async fn a_secret_in_an_answer_is_hidden_however_it_is_written() {
    for encoded in encodings() {
        for status in [400, 401, 403, 404, 410, 407] {
            let envelope = format!(
                r#"{{"error": {{"message": "bad \u001b[31m{encoded} here", "detail":
                {{"required": ["{encoded}"], "granted": ["a", "{encoded}"]}}}}}}"#
            );
            let plain = format!("no: {encoded}");
            for body in [envelope, plain, format!("{}{encoded}", "x".repeat(190))] {
                let header = format!("x-oauth-scopes: repository, {encoded}");
                let server = SmallServer::start(move |_, _| {
                    answer(status, &[&header, "retry-after: 0"], body.as_bytes())
                })
                .await;
                let client = escaping_client(&server);
                let error = get(&client, "x").await.unwrap_err();
                assert_silent(&encoded, &format!("{error}{:?}", error.kind.to_string()));
                let url = client.endpoint().join("x").unwrap();
                let probed = client.probe(&url, &CancellationToken::new()).await;
                let reply = probed.outcome.unwrap();
                let said = format!(
                    "{} {} {} {:?} {:?}",
                    reply.message,
                    reply.required.join(" "),
                    reply.granted.join(" "),
                    reply.change,
                    reply.leads_to
                );
                assert_silent(&encoded, &said);
            }
        }
    }
}

#[tokio::test]
async fn what_is_no_page_does_not_repeat_a_secret() {
    let server = SmallServer::start(|_, _| ok("{}")).await;
    let client = escaping_client(&server);
    let url = client.endpoint().join("x").unwrap();
    let read = |_: Answer| -> Result<(), Kind> { Err(Kind::BadUrl(format!("bad {ESCAPED}"))) };
    let error = client.get(&url, &CancellationToken::new(), read).await;
    assert_eq!(error.unwrap_err().kind, Kind::BadUrl("bad ***".to_owned()));
}

#[tokio::test]
async fn the_password_of_a_proxy_is_hidden() {
    let proxy = SmallServer::start(|_, _| {
        use base64::Engine as _;
        let pair = base64::engine::general_purpose::STANDARD.encode("me:pr0xy-pass/word");
        answer(407, &[], format!("no pr0xy-pass%2Fword {pair}").as_bytes())
    })
    .await;
    let mut address = proxy.endpoint.clone();
    address.set_username("me").unwrap();
    address.set_password(Some("pr0xy-pass/word")).unwrap();
    let endpoint = Url::parse("http://api.example/2.0/").unwrap();
    let client = Client::new(Settings {
        proxy: Some(address),
        ..settings(&endpoint)
    })
    .unwrap();
    let error = get(&client, "x").await.unwrap_err().to_string();
    assert!(error.ends_with("(407: no *** ***)"), "{error}");
}

#[tokio::test]
async fn secrets_in_an_address_of_the_server_are_not_kept() {
    let endpoint = Url::parse("https://api.example/2.0/").unwrap();
    let client = Client::new(settings(&endpoint)).unwrap();
    let next = "https://me:pw@api.example/2.0/x?page=2&access_token=abc&jwt=d&q=e";
    let url = client.own_url(next).unwrap();
    assert_eq!(url.as_str(), "https://api.example/2.0/x?page=2&q=e");
    let shown = ShownUrl::of(&Url::parse(next).unwrap()).to_string();
    assert_eq!(shown, "https://api.example/2.0/x?page=2&q=e");
}

//! `connection test`: each thing that can be wrong gets its word, its exit code and its sentence.

use std::process::Output;

use headwater_simulator::Fault;

use crate::connection_case::{
    ACCESS_TOKEN, API_TOKEN, BASIC, ConnectionCase, NONE, OAUTH, check, run, simulator,
};
use crate::network::{Authority, Front, HIDDEN_HOST, closed_port, port_of};

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_credentials_is_accepted() {
    let simulator = simulator().await;
    for case in [
        ConnectionCase::sound("API token"),
        ConnectionCase::new("access token", ACCESS_TOKEN, "access-t0ken-secret"),
        ConnectionCase::new("OAuth consumer", OAUTH, "consumer-secret"),
        ConnectionCase::new("no credentials", NONE, ""),
        ConnectionCase::sound("one exact name")
            .scopes(r#"["other/repository-2"]"#)
            .expect("ok", "other", ""),
        ConnectionCase::sound("two workspaces")
            .scopes(r#"["acme/*", "other/*", "!nowhere/*"]"#)
            .expect("ok", "acme, other", ""),
        ConnectionCase::sound("nothing named yet")
            .scopes("[]")
            .expect("ok", "names nothing", ""),
        ConnectionCase::new(
            "a token of one repository",
            ACCESS_TOKEN,
            "access-t0ken-secret",
        )
        .scopes(r#"["other/repository-2"]"#)
        .fault(
            "/repositories/other",
            Fault::Status(403, "Forbidden".into(), Vec::new()),
        )
        .expect("ok", "other", ""),
    ] {
        check(&simulator, case).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_that_are_refused_are_told_apart() {
    let simulator = simulator().await;
    // Of a literal one the configuration says it.
    let user_name = API_TOKEN.replace("me@example.com", "env:HOME");
    let other_mail = API_TOKEN.replace("me@example.com", "you@example.com");
    let swapped = "kind = \"access-token\", token = \"env:TOKEN\"";
    let code = "invalid_credentials";
    let invalid = "401: Token is invalid, expired";
    for case in [
        ConnectionCase::new("expired API token", API_TOKEN, "old-t0ken-secret").expect(
            code,
            invalid,
            "has not expired",
        ),
        ConnectionCase::new("expired access token", ACCESS_TOKEN, "old-access-secret").expect(
            code,
            invalid,
            "still exists",
        ),
        ConnectionCase::new("wrong API token", API_TOKEN, "wrong-secret").expect(
            code,
            invalid,
            "copied whole",
        ),
        ConnectionCase::new("another e-mail address", &other_mail, "api-t0ken-secret").expect(
            code,
            invalid,
            "Check auth.email",
        ),
        ConnectionCase::new(
            "user name in place of the e-mail address",
            &user_name,
            "api-t0ken-secret",
        )
        .expect(code, invalid, "Put the e-mail address"),
        ConnectionCase::new("app password", BASIC, "ATBBapp-passw0rd-secret").expect(
            code,
            "401: CHANGE-3222",
            "(CHANGE-3222)",
        ),
        ConnectionCase::new(
            "app password as API token",
            &user_name,
            "ATBBapp-passw0rd-secret",
        )
        .expect(code, "401", "Create an API token"),
        ConnectionCase::new("API token sent as bearer", swapped, "api-t0ken-secret").expect(
            code,
            invalid,
            "set auth.kind = \"api-token\"",
        ),
        ConnectionCase::new(
            "access token sent with an address",
            API_TOKEN,
            "access-t0ken-secret",
        )
        .expect(code, invalid, "API token was made with scopes"),
        ConnectionCase::new("wrong secret of the consumer", OAUTH, "wrong-secret").expect(
            code,
            "400 unauthorized_client",
            "private consumer",
        ),
        ConnectionCase::new(
            "consumer whose tokens are refused",
            OAUTH,
            "consumer-secret",
        )
        .fault("/acme", Fault::Status(401, "no".into(), Vec::new()))
        .expect(code, "401: no", "OAuth consumer still exists"),
        ConnectionCase::new("no credentials where some are wanted", NONE, "")
            .status(401, "{\"error\": {\"message\": \"Unauthorized\"}}")
            .expect(code, "401: Unauthorized", "Set `auth`"),
        ConnectionCase::sound("a body that says when it expired")
            .status(
                401,
                "{\"error\": {\"message\": \"Access token expired. Ask again.\"}}",
            )
            .expect(code, "Access token expired", "because this one has expired"),
        ConnectionCase::new(
            "a server that repeats the secret",
            API_TOKEN,
            "wrong-secret",
        )
        .status(
            401,
            "{\"error\": {\"message\": \"no such token: wrong-secret\"}}",
        )
        .expect(code, "no such token: ***", "auth.email"),
    ] {
        check(&simulator, case).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_credentials_may_not_read_is_named() {
    let simulator = simulator().await;
    let headers = [
        ("x-oauth-scopes", "account, team"),
        ("x-accepted-oauth-scopes", "repository"),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let bare = || Fault::Status(403, "Forbidden".into(), Vec::new());
    let code = "invalid_permissions";
    for case in [
        ConnectionCase::new("missing granular scope", API_TOKEN, "few-sc0pes-secret").expect(
            code,
            "required: read:repository:bitbucket; granted: read:user:bitbucket",
            "has read:repository:bitbucket too",
        ),
        ConnectionCase::new(
            "scope of pull requests is missing",
            API_TOKEN,
            "no-pull-requests-secret",
        )
        .expect(
            code,
            "required: read:pullrequest:bitbucket; granted: read:repository:bitbucket",
            "has read:pullrequest:bitbucket too",
        ),
        ConnectionCase::new(
            "scope of pipelines is missing",
            API_TOKEN,
            "no-pipelines-secret",
        )
        .expect(
            code,
            "required: read:pipeline:bitbucket; granted: read:repository:bitbucket \
             read:pullrequest:bitbucket",
            "has read:pipeline:bitbucket too",
        ),
        ConnectionCase::new(
            "missing scope of an access token",
            ACCESS_TOKEN,
            "narrow-t0ken-secret",
        )
        .expect(
            code,
            "required: pullrequest; granted: repository",
            "access token that has pullrequest too",
        ),
        ConnectionCase::sound("bare 403")
            .fault("/acme", bare())
            .expect(code, "403: Forbidden", "administrator"),
        ConnectionCase::new("scopes only in the headers", OAUTH, "consumer-secret")
            .fault(
                "/acme",
                Fault::Status(403, "Forbidden".into(), headers.to_vec()),
            )
            .expect(
                code,
                "required: repository; granted: account team",
                "permission repository",
            ),
    ] {
        check(&simulator, case).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_told_apart() {
    let simulator = simulator().await;
    let retired = r#"{"type": "error", "error": {"message": "Functionality has been deprecated",
        "data": {"announcement_url": "https://developer.atlassian.com/changelog#CHANGE-2770"}}}"#;
    for case in [
        ConnectionCase::sound("unknown workspace")
            .scopes(r#"["nowhere/*"]"#)
            .expect(
                "no_resources",
                "404: No workspace with identifier 'nowhere'",
                "Check the name",
            ),
        ConnectionCase::sound("one of two unknown")
            .scopes(r#"["acme/*", "nowhere/*"]"#)
            .expect("no_resources", "nowhere", "Check the name"),
        ConnectionCase::sound("unknown repository")
            .scopes(r#"["nowhere/x"]"#)
            .expect("no_resources", "404", "Check the name"),
        ConnectionCase::sound("empty workspace")
            .scopes(r#"["empty/*"]"#)
            .expect(
                "no_resources",
                "repositories/empty?pagelen=1 lists nothing",
                "access to a repository",
            ),
        ConnectionCase::new("only private repositories", NONE, "")
            .scopes(r#"["other/*"]"#)
            .expect("no_resources", "lists nothing", "Set `auth`"),
        ConnectionCase::new(
            "nothing named and no user",
            ACCESS_TOKEN,
            "access-t0ken-secret",
        )
        .scopes("[]")
        .expect("no_resources", "no user", "Name a workspace"),
        ConnectionCase::new("nothing named and no credentials", NONE, "")
            .scopes("[]")
            .expect("no_resources", "no user", "Name a workspace"),
        ConnectionCase::sound("removed endpoint")
            .status(410, retired)
            .expect("endpoint_removed", "(CHANGE-2770)", "CHANGE-3022"),
        ConnectionCase::sound("removed by a change unknown here")
            .status(410, "{\"error\": {\"message\": \"CHANGE-9999 - gone\"}}")
            .expect("endpoint_removed", "CHANGE-9999", "newer headwater"),
        ConnectionCase::sound("removed without a number")
            .status(410, "{\"error\": {\"message\": \"Resource removed\"}}")
            .expect("endpoint_removed", "410: Resource removed", "still exists"),
    ] {
        check(&simulator, case).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_do_not_help_are_told_apart() {
    let simulator = simulator().await;
    let limited = "Rate limit for this resource has been exceeded";
    let wait = vec![("retry-after".to_owned(), "120".to_owned())];
    let html = || {
        Fault::Body(
            "<!doctype html><title>Log in</title>".into(),
            "text/html".to_owned(),
        )
    };
    let away = vec![("location".to_owned(), "https://login.example/".to_owned())];
    for case in [
        ConnectionCase::sound("429 with a time")
            .fault("", Fault::Status(429, limited.into(), wait))
            .expect("rate_limited", "429: Rate limit", "Wait 120 seconds"),
        ConnectionCase::sound("429 without")
            .status(429, limited)
            .expect("rate_limited", "429: Rate limit", "up to an hour"),
        ConnectionCase::new("429 for a token", OAUTH, "consumer-secret")
            .fault(
                "/access_token",
                Fault::Status(429, limited.into(), Vec::new()),
            )
            .expect("rate_limited", "access token", "up to an hour"),
        ConnectionCase::sound("500")
            .status(500, "{\"error\": {\"message\": \"Something went wrong\"}}")
            .unreachable("server", "500: Something went wrong", "Try again"),
        ConnectionCase::new("503 for a token", OAUTH, "consumer-secret")
            .fault(
                "/access_token",
                Fault::Status(503, "busy".into(), Vec::new()),
            )
            .unreachable("server", "503", "Try again"),
        ConnectionCase::sound("page for people")
            .fault("", html())
            .unreachable("not_the_api", "not JSON", "login page"),
        ConnectionCase::new(
            "page for people in place of a token",
            OAUTH,
            "consumer-secret",
        )
        .fault("/access_token", html())
        .unreachable("not_the_api", "no access token", "auth.token_url"),
        ConnectionCase::sound("JSON of something else")
            .fault(
                "",
                Fault::Body("{\"ok\": true}".into(), "application/json".to_owned()),
            )
            .unreachable("not_the_api", "no list", "`endpoint`"),
        ConnectionCase::sound("redirect to another server")
            .fault("", Fault::Status(302, "".into(), away))
            .unreachable("not_the_api", "leads to login.example", "`endpoint`"),
        ConnectionCase::sound("400")
            .status(400, "{\"error\": {\"message\": \"Invalid pagelen\"}}")
            .unreachable("not_the_api", "400: Invalid pagelen", "`endpoint`"),
        ConnectionCase::sound("connection cut")
            .fault("", Fault::CutConnection)
            .unreachable("broken", "broke off", "Try again"),
        ConnectionCase::sound("silence")
            .fault("", Fault::Hang)
            .further("timeout_seconds = { connect = 1, read = 1, total = 1 }\n")
            .unreachable("timeout", "timed out", "timeout_seconds"),
    ] {
        check(&simulator, case).await;
        assert!(simulator.take_requests().len() <= 4, "one try each");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_in_the_way_is_told_apart() {
    let simulator = simulator().await;
    let authority = Authority::shared();
    let tls = Front::tls(&simulator, authority).await;
    let asking = Front::http_proxy(&simulator, Some("user:proxy-secret"), None).await;
    let socks = Front::socks_proxy(&simulator, Some(("user", "proxy-secret"))).await;
    let (closed, plain) = (closed_port().await, port_of(&simulator.endpoint()));
    // Longer than a name may be, so that the ledger is not asked for it.
    let no_host = format!("http://{}.invalid/2.0/", "a".repeat(64));
    let hidden = format!("http://{HIDDEN_HOST}/2.0/");
    let hidden_tls = format!("https://{HIDDEN_HOST}/2.0/");
    let local_tls = format!("https://localhost:{}/2.0/", tls.port);
    let closed_proxy = format!("http://127.0.0.1:{closed}");
    let wrong_login = format!("http://user:wrong-secret@127.0.0.1:{}", asking.port);
    let wrong_socks = format!("socks5h://user:wrong-secret@127.0.0.1:{}", socks.port);
    for case in [
        ConnectionCase::sound("unknown host")
            .endpoint(no_host)
            .unreachable("dns", "could not connect", "host names"),
        ConnectionCase::sound("nobody listens")
            .endpoint(format!("http://127.0.0.1:{closed}/2.0/"))
            .unreachable("refused", "refused", "host and port"),
        ConnectionCase::sound("unknown authority")
            .endpoint(&*local_tls)
            .unreachable("tls", "UnknownIssuer", "`ca_file`"),
        ConnectionCase::sound("known authority")
            .endpoint(&*local_tls)
            .further("ca_file = \"ca.pem\"\n"),
        ConnectionCase::sound("no TLS at all")
            .endpoint(format!("https://127.0.0.1:{plain}/2.0/"))
            .unreachable("tls", "could not connect", "`ca_file`"),
        ConnectionCase::sound("proxy unreachable")
            .endpoint(&*hidden)
            .proxy(&*closed_proxy)
            .unreachable("proxy", "could not connect", "address of `proxy`"),
        ConnectionCase::sound("proxy unreachable before TLS")
            .endpoint(&*hidden_tls)
            .proxy(&*closed_proxy)
            .unreachable("proxy", "could not connect", "address of `proxy`"),
        ConnectionCase::sound("proxy asks for a login")
            .endpoint(&*hidden)
            .proxy(&*wrong_login)
            .unreachable("proxy", "407", "user and password"),
        ConnectionCase::sound("proxy asks for a login before TLS")
            .endpoint(&*hidden_tls)
            .proxy(&*wrong_login)
            .unreachable("proxy", "could not connect", "user and password"),
        ConnectionCase::sound("SOCKS proxy refuses the login")
            .endpoint(&*hidden)
            .proxy(wrong_socks)
            .unreachable("proxy", "could not connect", "user and password"),
    ] {
        check(&simulator, case).await;
    }
    assert!(asking.targets().is_empty() && socks.targets().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_go_through_every_kind_of_proxy() {
    let simulator = simulator().await;
    let authority = Authority::shared();
    let http = Front::http_proxy(&simulator, None, None).await;
    let login = Front::http_proxy(&simulator, Some("us er:proxy-secret@1"), None).await;
    let https = Front::http_proxy(&simulator, None, Some(authority)).await;
    let socks = Front::socks_proxy(&simulator, None).await;
    let socks_login = Front::socks_proxy(&simulator, Some(("us er", "proxy-secret@1"))).await;
    let ca = "ca_file = \"ca.pem\"\n";
    let userinfo = "us%20er:proxy-secret%401";
    let hidden = format!("http://{HIDDEN_HOST}/2.0/");
    let local = format!("http://localhost:{}/2.0/", port_of(&simulator.endpoint()));
    let to = |scheme: &str, front: &Front| format!("{scheme}://localhost:{}", front.port);
    let with_login =
        |scheme: &str, front: &Front| format!("{scheme}://{userinfo}@127.0.0.1:{}", front.port);
    for (case, front, expected) in [
        (
            ConnectionCase::sound("http")
                .endpoint(&*hidden)
                .proxy(to("http", &http)),
            &http,
            "GET http://bitbucket.invalid/2.0/repositories/acme?pagelen=1",
        ),
        (
            ConnectionCase::sound("http with a login")
                .endpoint(&*hidden)
                .proxy(with_login("http", &login)),
            &login,
            "GET http://bitbucket.invalid/2.0/repositories/acme?pagelen=1",
        ),
        (
            ConnectionCase::sound("https")
                .endpoint(&*hidden)
                .further(ca)
                .proxy(to("https", &https)),
            &https,
            "GET http://bitbucket.invalid/2.0/repositories/acme?pagelen=1",
        ),
        (
            ConnectionCase::sound("socks5")
                .endpoint(&*local)
                .proxy(to("socks5", &socks)),
            &socks,
            "127.0.0.1:",
        ),
        (
            ConnectionCase::sound("socks5h")
                .endpoint(&*hidden)
                .proxy(to("socks5h", &socks)),
            &socks,
            "bitbucket.invalid:80",
        ),
        (
            ConnectionCase::sound("socks5h with a login")
                .endpoint(&*hidden)
                .proxy(with_login("socks5h", &socks_login)),
            &socks_login,
            "bitbucket.invalid:80",
        ),
        (
            ConnectionCase::new("tokens too", OAUTH, "consumer-secret")
                .endpoint(&*hidden)
                .proxy(to("http", &http)),
            &http,
            "POST http://127.0.0.1:",
        ),
    ] {
        let name = case.name;
        let before = front.targets().len();
        check(&simulator, case).await;
        let targets = front.targets();
        let new = &targets[before..];
        assert!(
            new.iter().any(|target| target.starts_with(expected)),
            "{name}: {new:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn encrypted_requests_go_through_every_kind_of_proxy() {
    let simulator = simulator().await;
    let authority = Authority::shared();
    let tls = Front::tls(&simulator, authority).await;
    let http = Front::proxy_to(tls.port, Some("user:proxy-secret"), None).await;
    let https = Front::proxy_to(tls.port, None, Some(authority)).await;
    let ca = "ca_file = \"ca.pem\"\n";
    let hidden = format!("https://{HIDDEN_HOST}/2.0/");
    for (case, front) in [
        (
            ConnectionCase::sound("through http")
                .endpoint(&*hidden)
                .further(ca)
                .proxy(format!("http://user:proxy-secret@127.0.0.1:{}", http.port)),
            &http,
        ),
        (
            ConnectionCase::sound("through https")
                .endpoint(&*hidden)
                .further(ca)
                .proxy(format!("https://localhost:{}", https.port)),
            &https,
        ),
    ] {
        check(&simulator, case).await;
        let targets = front.targets();
        assert!(
            !targets.is_empty() && targets.iter().all(|t| t == "CONNECT bitbucket.invalid:443"),
            "{targets:?}"
        );
    }
    let other = ConnectionCase::sound("certificate for another host")
        .endpoint("https://other.invalid/2.0/");
    let other = other
        .further(ca)
        .proxy(format!("http://user:proxy-secret@127.0.0.1:{}", http.port));
    let next = "the host the certificate was made for";
    check(&simulator, other.unreachable("tls", "other.invalid", next)).await;
    let untrusted = ConnectionCase::sound("without the authority").endpoint(&*hidden);
    let untrusted = untrusted.proxy(format!("http://user:proxy-secret@127.0.0.1:{}", http.port));
    check(
        &simulator,
        untrusted.unreachable("tls", "UnknownIssuer", "`ca_file`"),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_connections_are_tested_and_the_worst_decides() {
    let simulator = simulator().await;
    let folder = tempfile::tempdir().unwrap();
    let connection = |id: u32, token: &str, scopes: &str| {
        format!(
            "[[connection]]\nid = {id}\nname = \"c{id}\"\nkind = \"bitbucket-cloud\"\nendpoint = \"{}\"\n\
             auth = {{ kind = \"access-token\", token = \"env:{token}\" }}\nscopes = [\"{scopes}\"]\n",
            simulator.endpoint()
        )
    };
    let config = [
        connection(1, "GOOD", "acme/*"),
        connection(2, "BAD", "acme/*"),
        connection(3, "GOOD", "empty/*"),
    ];
    std::fs::write(folder.path().join("headwater.toml"), config.concat()).unwrap();
    let config_with_unset = format!("{}{}", config.concat(), connection(4, "UNSET", "acme/*"));
    let outputs = tokio::task::spawn_blocking(move || {
        let variables = [("GOOD", "access-t0ken-secret"), ("BAD", "wrong-secret")];
        let run = |arguments: &[&str]| run(folder.path(), &variables, arguments);
        let all = run(&["connection", "test"]);
        let one = run(&["connection", "test", "c1"]);
        let quiet = run(&["--quiet", "connection", "test", "c1"]);
        let unknown = run(&["connection", "test", "c5"]);
        std::fs::write(folder.path().join("headwater.toml"), config_with_unset).unwrap();
        [all, one, quiet, unknown, run(&["connection", "test"])]
    });
    let [all, one, quiet, unknown, unset] = outputs.await.unwrap();
    let text = |output: &Output| String::from_utf8_lossy(&output.stdout).into_owned();
    let told = text(&all);
    for line in [
        "c1: ok (repositories of acme can be read)\n",
        "c2: invalid_credentials\n",
        "c3: no_resources\n",
    ] {
        assert!(told.contains(line), "{told}");
    }
    assert_eq!(all.status.code(), Some(4));
    assert_eq!(
        (one.status.code(), text(&one).as_str()),
        (Some(0), "c1: ok (repositories of acme can be read)\n")
    );
    assert_eq!((quiet.status.code(), text(&quiet).as_str()), (Some(0), ""));
    assert_eq!(unknown.status.code(), Some(2));
    let errors = String::from_utf8_lossy(&unknown.stderr).into_owned();
    assert!(
        errors.contains("there is no connection c5; the configuration has c1, c2, c3"),
        "{errors}"
    );
    assert_eq!((unset.status.code(), text(&unset)), (Some(3), told));
}

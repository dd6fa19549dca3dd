//! Asking remotes.

use super::{at_path, git, go_on};
use crate::fixture::{Repository, Server, Trouble};
use crate::{Credentials, GitErrorKind, Head, Paths, RefName, Remote, RemoteUrl};

#[tokio::test]
async fn branches_tags_and_head_are_told() {
    let mut source = Repository::new();
    let first = source.commit("main", "one", &[("a", "1")]);
    source.commit("side", "two", &[("b", "1")]);
    source.git(&["tag", "light", "main"]);
    source.git(&["tag", "-a", "-m", "heavy", "heavy", "main"]);
    source.git(&["update-ref", "refs/pull-requests/1/from", "main"]);
    let advertised = git()
        .await
        .ls_remote(&at_path(source.path()), &go_on())
        .await
        .unwrap();
    let main = RefName::parse("refs/heads/main").unwrap();
    assert_eq!(advertised.head, Head::Branch(main.clone()));
    assert_eq!(advertised.refs[&main].as_str(), first);
    let heavy = &advertised.refs[&RefName::parse("refs/tags/heavy").unwrap()];
    assert_eq!(Some(heavy.to_string()), source.resolve("refs/tags/heavy"));
    assert_eq!(advertised.refs.len(), 4);
}

#[tokio::test]
async fn an_empty_repository_has_nothing_and_a_detached_head_is_a_commit() {
    let mut source = Repository::new();
    let git = git().await;
    let advertised = git
        .ls_remote(&at_path(source.path()), &go_on())
        .await
        .unwrap();
    assert!(advertised.refs.is_empty() && advertised.head == Head::Unborn);
    let commit = source.commit("main", "one", &[]);
    std::fs::write(source.path().join("HEAD"), &commit).unwrap();
    let advertised = git
        .ls_remote(&at_path(source.path()), &go_on())
        .await
        .unwrap();
    assert_eq!(advertised.head, Head::Detached(commit.parse().unwrap()));
}

#[tokio::test]
async fn a_repository_that_is_not_there_is_not_found() {
    let folder = tempfile::tempdir().unwrap();
    let error = git()
        .await
        .ls_remote(&at_path(&folder.path().join("x.git")), &go_on())
        .await;
    let error = error.unwrap_err();
    assert_eq!(error.kind, GitErrorKind::NotFound, "{error}");
}

/// Answers of a server that is in trouble, and what is made of them.
#[tokio::test]
async fn a_server_in_trouble_is_a_failure_and_never_an_empty_repository() {
    let answers: &[(&str, GitErrorKind)] = &[
        ("", GitErrorKind::Network),
        ("HTTP/1.1 200 OK\r\n", GitErrorKind::Network),
        (
            "HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-advertisement\r\nContent-Length: 900\r\n\r\n001e# service=git-upload-pack\n0000",
            GitErrorKind::Network,
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-advertisement\r\nContent-Length: 0\r\n\r\n",
            GitErrorKind::Network,
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n<html></html",
            GitErrorKind::Network,
        ),
        (
            "HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:1/x/info/refs?service=git-upload-pack\r\nContent-Length: 0\r\n\r\n",
            GitErrorKind::Redirected,
        ),
        (
            "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n",
            GitErrorKind::Authentication,
        ),
        (
            "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n",
            GitErrorKind::Forbidden,
        ),
        (
            "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n",
            GitErrorKind::NotFound,
        ),
        (
            "HTTP/1.1 410 No\r\nContent-Length: 0\r\n\r\n",
            GitErrorKind::NotFound,
        ),
        (
            "HTTP/1.1 429 Slow\r\nContent-Length: 0\r\n\r\n",
            GitErrorKind::RateLimited,
        ),
        (
            "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n",
            GitErrorKind::Network,
        ),
    ];
    let source = Repository::new();
    let server = Server::start(source.path().parent().unwrap());
    let git = git().await;
    for (answer, kind) in answers {
        server.make(Trouble::Always(answer.as_bytes().to_vec()));
        let error = git
            .ls_remote(&with_secrets(&server), &go_on())
            .await
            .expect_err(answer);
        assert_eq!(error.kind, *kind, "{answer}: {error}");
        assert!(!holds_a_secret(&format!("{error} {error:?}")), "{error:?}");
    }
    server.make(Trouble::None);
    let advertised = git
        .ls_remote(&with_secrets(&server), &go_on())
        .await
        .unwrap();
    assert!(advertised.refs.is_empty());
}

const TOKEN: &str = "hunter2-the-token";

fn web(server: &Server) -> Remote {
    let address = format!("{}source.git", server.address);
    Remote::new(RemoteUrl::parse(&address, Paths::Refused).unwrap())
}

fn with_secrets(server: &Server) -> Remote {
    let token = TOKEN.into();
    let credentials = Credentials::ApiToken { token };
    Remote {
        credentials,
        ..web(server)
    }
}

fn holds_a_secret(text: &str) -> bool {
    let pair = format!("x-bitbucket-api-token-auth:{TOKEN}");
    text.contains(TOKEN) || text.contains(&encoded(&pair))
}

#[tokio::test]
async fn what_a_server_lets_git_say_is_without_secrets_in_any_encoding() {
    let source = Repository::new();
    let server = Server::start(source.path().parent().unwrap());
    let git = git().await;
    let pair = encoded(&format!("x-bitbucket-api-token-auth:{TOKEN}"));
    for echo in [
        TOKEN,
        &pair,
        "hunter2%2Dthe%2Dtoken",
        r"hunter2\u002dthe\u002dtoken",
        "68756e746572322d7468652d746f6b656e",
        "hunter2-\u{1b}[31mthe-token",
        "https://ada:hunter2-the-token@a.example/x",
    ] {
        // Git prints a text that comes with a refusal.
        let text = format!("you sent {echo} here");
        let answer = format!(
            "HTTP/1.1 403 No\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{text}",
            text.len()
        );
        server.make(Trouble::Always(answer.into_bytes()));
        let error = git.ls_remote(&with_secrets(&server), &go_on()).await;
        let error = error.expect_err(echo);
        assert!(error.stderr.contains("you sent"), "{}", error.stderr);
        let all = format!("{error} {error:?}");
        for hidden in ["the-token", "hunter2", &pair, echo, "\u{1b}"] {
            assert!(!all.contains(hidden), "{hidden}: {all}");
        }
    }
}

fn encoded(pair: &str) -> String {
    base64::Engine::encode(&base64::engine::general_purpose::STANDARD, pair)
}

#[tokio::test]
async fn each_kind_of_credentials_is_sent_in_its_own_way_with_the_first_request() {
    let basic = |pair: &str| Some(format!("Authorization: Basic {}", encoded(pair)));
    let token = || TOKEN.into();
    let kinds = [
        (Credentials::None, None),
        (
            Credentials::ApiToken { token: token() },
            basic("x-bitbucket-api-token-auth:hunter2-the-token"),
        ),
        (
            Credentials::AccessToken { token: token() },
            basic("x-token-auth:hunter2-the-token"),
        ),
        (
            Credentials::Bearer { token: token() },
            Some(format!("Authorization: Bearer {TOKEN}")),
        ),
        (
            Credentials::Basic {
                user: "ada".into(),
                password: token(),
            },
            basic("ada:hunter2-the-token"),
        ),
    ];
    let mut source = Repository::new();
    source.commit("main", "one", &[]);
    let git = git().await;
    for (credentials, header) in kinds {
        let server = Server::start(source.path().parent().unwrap());
        let remote = Remote {
            credentials,
            ..web(&server)
        };
        git.ls_remote(&remote, &go_on()).await.unwrap();
        let requests = server.requests();
        assert_eq!(requests.len(), 2, "{requests:?}");
        for request in requests {
            let sent = request
                .lines()
                .find(|line| line.starts_with("Authorization"));
            assert_eq!(sent, header.as_deref());
        }
    }
}

#[tokio::test]
async fn a_redirect_to_another_server_gets_no_request_and_no_credentials() {
    let source = Repository::new();
    let root = source.path().parent().unwrap();
    let (server, elsewhere) = (Server::start(root), Server::start(root));
    let location = format!(
        "{}source.git/info/refs?service=git-upload-pack",
        elsewhere.address
    );
    let answer = format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
    server.make(Trouble::Always(answer.into_bytes()));
    let error = git()
        .await
        .ls_remote(&with_secrets(&server), &go_on())
        .await
        .unwrap_err();
    assert_eq!(error.kind, GitErrorKind::Redirected, "{error}");
    assert!(elsewhere.requests().is_empty());
}

#[tokio::test]
async fn credentials_that_no_header_can_carry_are_refused_before_anything_is_sent() {
    let source = Repository::new();
    let server = Server::start(source.path().parent().unwrap());
    let git = git().await;
    for credentials in [
        Credentials::Bearer {
            token: "a\r\nHost: evil".into(),
        },
        Credentials::ApiToken {
            token: "a\nb".into(),
        },
        Credentials::Basic {
            user: "a:b".into(),
            password: TOKEN.into(),
        },
    ] {
        let remote = Remote {
            credentials,
            ..web(&server)
        };
        let error = git.ls_remote(&remote, &go_on()).await.unwrap_err();
        assert!(matches!(error.kind, GitErrorKind::Process(_)), "{error}");
        assert!(!error.to_string().contains("evil"));
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn only_the_protocol_of_the_remote_is_allowed() {
    let source = Repository::new();
    let other = Repository::new();
    let path = other.path().to_str().unwrap().to_owned();
    // An address that git itself would take from a repository's configuration.
    source.git(&["remote", "add", "elsewhere", &path]);
    source.git(&["remote", "add", "helper", "ext::sh -c true"]);
    let server = Server::start(source.path().parent().unwrap());
    let git = git().await;
    for name in ["elsewhere", "helper"] {
        let offline = git.in_repository(source.path()).args(["ls-remote", name]);
        let error = offline.run(&go_on()).await.unwrap_err();
        assert_eq!(error.kind, GitErrorKind::ProtocolRefused, "{error}");
        let web = git
            .in_repository(source.path())
            .arg("ls-remote")
            .reaching(&web(&server));
        let error = web.arg(name).run(&go_on()).await.unwrap_err();
        assert_eq!(error.kind, GitErrorKind::ProtocolRefused, "{error}");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn while_a_fetch_runs_no_argument_of_any_process_and_no_file_holds_the_secret() {
    let mut source = Repository::new();
    source.commit("main", "one", &[("a", "1")]);
    let server = Server::start(source.path().parent().unwrap());
    server.make(Trouble::StallPack(120));
    let mirror = Repository::new();
    let fetch = git().await.in_repository(mirror.path()).arg("fetch");
    let fetch = fetch.reaching(&with_secrets(&server)).arg("origin");
    let cancel = go_on();
    let fetching = fetch
        .arg("+refs/heads/*:refs/heads/*")
        .stream(&cancel)
        .unwrap();
    while !server.is_stalling() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let mut seen = 0;
    for process in std::fs::read_dir("/proc").unwrap().flatten() {
        let arguments = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
        let arguments = String::from_utf8_lossy(&arguments).into_owned();
        assert!(!holds_a_secret(&arguments), "{arguments}");
        seen += usize::from(arguments.contains("remote-http"));
    }
    assert!(seen > 0, "the fetch is under way");
    files_are_free_of_secrets(mirror.path());
    cancel.cancel();
    let error = fetching.finish().await.unwrap_err();
    assert!(!holds_a_secret(&format!("{error} {error:?}")));
    files_are_free_of_secrets(mirror.path());
}

fn files_are_free_of_secrets(folder: &std::path::Path) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        if entry.file_type().unwrap().is_dir() {
            files_are_free_of_secrets(&entry.path());
        } else {
            let content = std::fs::read(entry.path()).unwrap();
            assert!(
                !holds_a_secret(&String::from_utf8_lossy(&content)),
                "{:?}",
                entry.path()
            );
        }
    }
}

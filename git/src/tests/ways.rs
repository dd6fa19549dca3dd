//! The way to a remote: proxies, certificates, SSH, and what is shown of it.

use std::path::Path;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::{at_path, git, go_on, program};
use crate::fixture::Repository;
use crate::{Advertised, Credentials, Git, GitError, GitErrorKind, Paths, Remote, RemoteUrl};

const TOKEN: &str = "hunter2-the-token";

fn with_token(address: &str) -> Remote {
    let url = RemoteUrl::parse(address, Paths::Refused).unwrap();
    let credentials = Credentials::Bearer {
        token: TOKEN.into(),
    };
    Remote {
        credentials,
        ..Remote::new(url)
    }
}

/// Reads the head of a request.
async fn head(connection: &mut (impl tokio::io::AsyncRead + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match connection.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(head).unwrap()
}

#[tokio::test]
async fn a_proxy_is_asked_for_the_way_and_never_sees_the_credentials() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = format!("http://ada:proxy-secret@{}", listener.local_addr().unwrap());
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let noted = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let asked = head(&mut connection).await;
            noted.lock().unwrap().push(asked);
            let refusal = b"HTTP/1.1 502 No Way\r\nContent-Length: 0\r\n\r\n";
            connection.write_all(refusal).await.unwrap();
        }
    });
    let proxy = Some(proxy.into());
    let remote = Remote {
        proxy,
        ..with_token("https://git.example.com/a.git")
    };
    let error = git().await.ls_remote(&remote, &go_on()).await.unwrap_err();
    assert_eq!(error.kind, GitErrorKind::Network, "{error}");
    let shown = format!("{error} {error:?}");
    assert!(
        !shown.contains("proxy-secret") && !shown.contains(TOKEN),
        "{shown}"
    );
    let seen = seen.lock().unwrap();
    assert!(
        seen[0].starts_with("CONNECT git.example.com:443 "),
        "{seen:?}"
    );
    assert!(seen.iter().all(|head| !head.contains(TOKEN)), "{seen:?}");
}

/// A server of the web with an unknown certificate, which finds nothing. Returns its
/// address and its certificate in PEM.
async fn nobody_knows() -> (String, String) {
    let certified = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der());
    let config = ServerConfig::builder().with_no_client_auth();
    let config =
        config.with_single_cert(vec![certified.cert.der().clone()], PrivateKeyDer::from(key));
    let acceptor = TlsAcceptor::from(Arc::new(config.unwrap()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("https://{}/a.git", listener.local_addr().unwrap());
    let answer = |connection: TcpStream, acceptor: TlsAcceptor| async move {
        // A client that does not trust us goes away, which is what the test is about.
        let Ok(mut connection) = acceptor.accept(connection).await else {
            return;
        };
        let asked = head(&mut connection).await;
        assert!(asked.contains(TOKEN));
        let nothing = b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n";
        connection.write_all(nothing).await.unwrap();
    };
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            tokio::spawn(answer(connection, acceptor.clone()));
        }
    });
    (address, certified.cert.pem())
}

#[tokio::test]
async fn a_certificate_is_trusted_when_the_ca_file_has_it_and_not_before() {
    let (address, certificate) = nobody_knows().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, certificate).unwrap();
    let git = git().await;
    let error = git
        .ls_remote(&with_token(&address), &go_on())
        .await
        .unwrap_err();
    assert_eq!(error.kind, GitErrorKind::Network, "{error}");
    assert!(error.stderr.contains("certificate"), "{error}");
    let remote = Remote {
        ca_file: Some(file),
        ..with_token(&address)
    };
    let error = git.ls_remote(&remote, &go_on()).await.unwrap_err();
    assert_eq!(error.kind, GitErrorKind::NotFound, "{error}");
}

/// What the child of a command saw.
async fn seen_by_a_child_with(remote: &Remote) -> String {
    let folder = tempfile::tempdir().unwrap();
    let lines = "[ $1 = version ] && exec echo git version 2.40.0; env; echo \"arguments: $*\"";
    let git = Git::find(Some(&program(folder.path(), lines)))
        .await
        .unwrap();
    let command = git
        .outside()
        .arg("ls-remote")
        .reaching(remote)
        .arg("origin");
    String::from_utf8(command.output(1 << 20, &go_on()).await.unwrap()).unwrap()
}

#[tokio::test]
async fn ssh_asks_nobody_and_trusts_no_new_server() {
    let url = RemoteUrl::parse("git@example.com:a/b.git", Paths::Refused).unwrap();
    let seen = seen_by_a_child_with(&Remote::new(url)).await;
    let ssh = seen
        .lines()
        .find(|line| line.starts_with("GIT_SSH_COMMAND="))
        .unwrap();
    for option in [
        "BatchMode=yes",
        "StrictHostKeyChecking=yes",
        "PermitLocalCommand=no",
    ] {
        assert!(ssh.contains(option), "{ssh}");
    }
    assert!(seen.contains("GIT_ALLOW_PROTOCOL=ssh\n"));
    assert!(seen.ends_with("arguments: ls-remote origin\n"), "{seen}");
}

/// What becomes of asking over SSH when `ssh` does as the lines of a shell script say.
async fn ask_by_ssh(source: &Path, lines: &str) -> Result<Advertised, GitError> {
    let (folder, programs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::fs::rename(program(programs.path(), lines), programs.path().join("ssh")).unwrap();
    let real = git().await;
    let lines = format!(
        "PATH={}:$PATH exec {} \"$@\"",
        programs.path().display(),
        real.program().display()
    );
    let git = Git::find(Some(&program(folder.path(), &lines)))
        .await
        .unwrap();
    let address = format!("ada@example.com:{}", source.display());
    let url = RemoteUrl::parse(&address, Paths::Refused).unwrap();
    git.ls_remote(&Remote::new(url), &go_on()).await
}

#[tokio::test]
async fn a_repository_is_read_over_ssh_and_its_refusals_are_told_apart() {
    let mut source = Repository::new();
    source.commit("main", "one", &[]);
    // The last argument is what the server should run.
    let serve = "for last; do :; done; exec sh -c \"$last\"";
    let advertised = ask_by_ssh(source.path(), serve).await.unwrap();
    assert_eq!(advertised.refs.len(), 1);
    let refusals = [
        ("exit 0", GitErrorKind::Network),
        ("echo 00", GitErrorKind::Network),
        (
            "for last; do :; done; sh -c \"$last\" < /dev/null | head -c 60",
            GitErrorKind::Network,
        ),
        (
            "echo 'ssh: connect to host x port 22: Connection refused' >&2; exit 255",
            GitErrorKind::Network,
        ),
        (
            "echo 'ada@x: Permission denied (publickey).' >&2; exit 255",
            GitErrorKind::SshKeys,
        ),
        (
            "echo 'Host key verification failed.' >&2; exit 255",
            GitErrorKind::HostKey,
        ),
        (
            "echo 'Repository not found' >&2; exit 1",
            GitErrorKind::NotFound,
        ),
    ];
    for (lines, kind) in refusals {
        let error = ask_by_ssh(source.path(), lines).await.expect_err(lines);
        assert_eq!(error.kind, kind, "{lines}: {error}");
    }
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up() {
    let source = Repository::new();
    // It is asked for its version before the clock is stopped, which then runs ahead by itself
    // while all clients wait.
    let (folder, lines) = (
        tempfile::tempdir().unwrap(),
        "[ $1 = version ] || exec sleep 1000",
    );
    let lines = format!("{lines}; echo git version 2.40.0");
    let git = Git::find(Some(&program(folder.path(), &lines)))
        .await
        .unwrap();
    tokio::time::pause();
    let error = git
        .ls_remote(&at_path(source.path()), &go_on())
        .await
        .unwrap_err();
    assert_eq!(error.kind, GitErrorKind::Network, "{error}");
}

#[tokio::test]
async fn address_and_credentials_are_in_the_environment_of_the_child_and_nowhere_else() {
    let remote = with_token("https://git.example.com:8443/a/b.git");
    let seen = seen_by_a_child_with(&remote).await;
    assert!(
        seen.contains("=http.https://git.example.com:8443/.extraHeader\n"),
        "{seen}"
    );
    assert!(
        seen.contains("=https://git.example.com:8443/a/b.git\n"),
        "{seen}"
    );
    assert!(seen.contains("GIT_ALLOW_PROTOCOL=https\n"), "{seen}");
    assert!(seen.ends_with("arguments: ls-remote origin\n"), "{seen}");
    assert!(!format!("{remote:?}").contains(TOKEN));
    // A server of the same name but elsewhere gets no header.
    let ssh = with_token("ssh://git@git.example.com/a/b.git");
    assert!(!seen_by_a_child_with(&ssh).await.contains(TOKEN));
}

#[tokio::test]
async fn what_git_says_is_shown_without_secrets_and_user_info() {
    let folder = tempfile::tempdir().unwrap();
    let lines = format!(
        "[ $1 = version ] && exec echo git version 2.40.0\n\
         echo 'remote: your token {TOKEN} is fine' >&2\n\
         echo \"fatal: unable to access 'https://ada:other@host:1/x/': nothing\" >&2; exit 128"
    );
    let git = Git::find(Some(&program(folder.path(), &lines)))
        .await
        .unwrap();
    let remote = with_token("https://git.example.com/a.git");
    let error = git.ls_remote(&remote, &go_on()).await.unwrap_err();
    assert_eq!(error.kind, GitErrorKind::Network);
    let shown = format!("{error} {error:?}");
    assert!(shown.contains("your token *** is fine"), "{shown}");
    assert!(shown.contains("https://host:1/x/"), "{shown}");
    assert!(
        !shown.contains("other@") && !shown.contains(TOKEN),
        "{shown}"
    );
}

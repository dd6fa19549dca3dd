//! Secrets are found nowhere: not in the database, not in logs, not in messages.

use headwater_simulator::{Credentials, Options, Simulator, Size};

use crate::lake::headwater;

const TOKEN: &str = "s3cr3t-t0ken-that-nobody-may-see";

fn assert_absent(what: &str, bytes: &[u8]) {
    use std::fmt::Write as _;
    // `me@example.com:<token>` in Base64, as the header carries it; any alignment of the token.
    let encoded = "czNjcjN0LXQwa2Vu";
    let mut hex = String::new();
    for byte in TOKEN.as_bytes() {
        let _ = write!(hex, "{byte:02x}");
    }
    for needle in [TOKEN, encoded, hex.as_str()] {
        let found = bytes
            .windows(needle.len())
            .any(|window| window == needle.as_bytes());
        assert!(!found, "{what} holds the secret as {needle}");
    }
}

async fn run_everything(token_accepted: bool) {
    let tokens = if token_accepted {
        vec![("me@example.com".to_owned(), TOKEN.to_owned())]
    } else {
        vec![]
    };
    let options = Options {
        size: Size::tiny(),
        credentials: Credentials {
            api_tokens: tokens,
            ..Credentials::default()
        },
        ..Options::default()
    };
    let simulator = Simulator::start(options).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("token.txt"), format!("{TOKEN}\n")).unwrap();
    let config = format!(
        "[[connection]]\nid = 1\nname = \"acme-cloud\"\nkind = \"bitbucket-cloud\"\n\
         endpoint = \"{}\"\nauth.kind = \"api-token\"\nauth.email = \"me@example.com\"\n\
         auth.token = \"file:token.txt\"\nrequests_per_hour = 1000000000\nscopes = [\"acme/*\"]\n",
        simulator.endpoint()
    );
    std::fs::write(folder.path().join("headwater.toml"), config).unwrap();
    let commands: [&[&str]; 5] = [
        &["-vv", "sync"],
        &["--json", "sync"],
        &["config", "check"],
        &["status", "--format", "json"],
        &["sync", "--full", "--quiet"],
    ];
    for arguments in commands {
        // The program runs beside the simulator, which lives in this process.
        let folder = folder.path().to_owned();
        let owned: Vec<String> = arguments.iter().map(|&a| a.to_owned()).collect();
        let run = move || {
            let arguments: Vec<&str> = owned.iter().map(String::as_str).collect();
            headwater(&folder, &arguments)
        };
        let output = tokio::task::spawn_blocking(run).await.unwrap();
        assert_absent(&format!("output of {arguments:?}"), &output.stdout);
        assert_absent(&format!("log of {arguments:?}"), &output.stderr);
    }
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().is_some_and(|name| name != "token.txt") {
            assert_absent(&path.display().to_string(), &std::fs::read(&path).unwrap());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accepted_token_is_found_nowhere() {
    run_everything(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_token_is_found_nowhere() {
    run_everything(false).await;
}

//! Secrets are found nowhere: not in the database, not in logs, not in messages.

use headwater_simulator::{Credentials, Options, Simulator, Size};

use headwater_store::query::Cell;
use headwater_testing::On;
use headwater_testing::small_server::{SmallServer, answer};
use rstest::rstest;

use crate::lake::{How, Lake, headwater};

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

/// What somebody else's secrets in payloads have in common.
const THEIRS: &str = "seekret";

/// Members that the API's description marks as secret, for an item of any stream.
fn with_secrets(item: &mut serde_json::Value) {
    let Some(item) = item.as_object_mut() else {
        return;
    };
    for (name, value) in [
        (
            "image",
            serde_json::json!({"name": "acme/build", "username": "seekret-user",
                "password": "seekret-\"password", "email": "seekret@example.com",
                "aws": {"access-key": "seekret-access", "secret-key": "seekret-key"}}),
        ),
        (
            "variables",
            serde_json::json!([{"key": "A", "value": "seekret-value", "secured": true}]),
        ),
        (
            "hook",
            serde_json::json!({"secret": "seekret-hook", "url": "https://x.example"}),
        ),
        (
            "deploy",
            serde_json::json!({"type": "deploy_key", "key": "seekret-deploy"}),
        ),
        (
            "pair",
            serde_json::json!({"private_key": "seekret-private"}),
        ),
    ] {
        item.insert(name.to_owned(), value);
    }
}

/// Where the file of the database is, with its log and its copies.
fn database_folder(lake: &Lake) -> std::path::PathBuf {
    let file = lake.address.sqlite_path();
    let folder = file.as_ref().and_then(|file| file.parent());
    folder.unwrap_or(lake.folder()).to_owned()
}

/// Names of all tables, as a statement that lists them.
fn names_of_tables(on: On) -> &'static str {
    match on {
        On::Sqlite => "SELECT name FROM sqlite_master WHERE type = 'table'",
        On::Postgres => {
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
        }
        On::MariaDb => {
            "SELECT table_name FROM information_schema.tables WHERE table_schema = database()"
        }
    }
}

/// Rows of any table that hold a text, and the number of all rows.
async fn rows_with(lake: &Lake, text: &str) -> (Vec<String>, usize) {
    let (mut found, mut rows) = (Vec::new(), 0);
    for table in lake.ask(names_of_tables(lake.database_kind())).await.rows {
        let Cell::Text(table) = &table[0] else {
            panic!("{table:?}");
        };
        for row in lake.ask(&format!("SELECT * FROM {table}")).await.rows {
            rows += 1;
            let shown = format!("{row:?}");
            if shown.contains(text) {
                found.push(format!("{table}: {shown}"));
            }
        }
    }
    (found, rows)
}

/// Rows of any table that hold a text.
pub(crate) async fn cells_with(lake: &Lake, text: &str) -> Vec<String> {
    rows_with(lake, text).await.0
}

/// Looks through every cell of every table, and through the files of a folder.
async fn assert_nowhere(lake: &Lake) {
    let (found, rows) = rows_with(lake, THEIRS).await;
    assert!(found.is_empty(), "{found:#?}");
    assert!(rows > 100, "{rows} rows are too few to prove anything");
    for entry in std::fs::read_dir(database_folder(lake)).unwrap() {
        let path = entry.unwrap().path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        // Not the file itself: this process has it open, and would lose its locks by reading it.
        if name.contains(".before-change-") {
            let bytes = std::fs::read(&path).unwrap();
            let found = bytes
                .windows(THEIRS.len())
                .any(|it| it == THEIRS.as_bytes());
            assert!(!found, "{}", path.display());
        }
    }
}

/// A server before a simulator that puts secrets into every item.
async fn leaking(simulator: &Simulator) -> SmallServer {
    let origin = simulator.endpoint();
    let place = std::sync::Arc::new(std::sync::Mutex::new(String::new()));
    let own = std::sync::Arc::clone(&place);
    let answers = move |target: &str| {
        use std::io::{Read as _, Write as _};
        let address = url::Url::parse(&origin).unwrap();
        let host = format!(
            "{}:{}",
            address.host_str().unwrap(),
            address.port().unwrap()
        );
        let encoded = base64::Engine::encode(
            &base64::engine::general_purpose::STANDARD,
            format!("me@example.com:{}", crate::lake::TOKEN),
        );
        // The small server reads requests in lower case.
        let names = ["open", "merged", "declined", "superseded"];
        let target = names.iter().fold(target.to_owned(), |target, state| {
            let upper = state.to_uppercase();
            target.replace(&format!("state={state}"), &format!("state={upper}"))
        });
        let mut connection = std::net::TcpStream::connect(&host).unwrap();
        write!(
            connection,
            "GET {target} HTTP/1.1\r\nhost: {host}\r\nauthorization: Basic {encoded}\r\n\
             connection: close\r\n\r\n"
        )
        .unwrap();
        let mut answered = String::new();
        connection.read_to_string(&mut answered).unwrap();
        let (head, body) = answered.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let date = head
            .lines()
            .find(|line| line.to_lowercase().starts_with("date:"));
        let mut json: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
        match json
            .get_mut("values")
            .and_then(|values| values.as_array_mut())
        {
            Some(values) => values.iter_mut().for_each(with_secrets),
            None => with_secrets(&mut json),
        }
        let text = json
            .to_string()
            .replace(origin.as_str(), &own.lock().unwrap());
        answer(status, &[date.unwrap_or("x-a: b")], text.as_bytes())
    };
    // The simulator, which is waited for, lives on the same threads.
    let beside = move |_, target: &str| tokio::task::block_in_place(|| answers(target));
    let server = SmallServer::start(beside).await;
    *place.lock().unwrap() = server.endpoint.to_string();
    server
}

#[rstest]
#[case::sqlite(On::Sqlite)]
#[case::postgres(On::Postgres)]
#[case::mariadb(On::MariaDb)]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn secrets_of_others_in_payloads_are_stored_nowhere(#[case] on: On) {
    let simulator = crate::lake::tiny().await;
    let server = leaking(&simulator).await;
    let text = crate::lake::with_everything(server.endpoint.as_str(), crate::lake::ALL);
    let Some(lake) = Lake::with(on, &text).await else {
        return;
    };
    let (exit, _) = lake.sync(How::default()).await;
    let letters = lake.ask("SELECT stage, stream, item, message FROM _headwater_dead_letters");
    let steps =
        "SELECT stage, stream, state, message FROM _headwater_steps WHERE state <> 'success'";
    let said = (letters.await.rows, lake.ask(steps).await.rows);
    assert_eq!(exit, headwater::exit::Exit::Ok, "{said:#?}");
    for entry in headwater::sources::bitbucket::bitbucket().streams {
        let table = &entry.collection.raw_table;
        let rows = lake.number(&format!("SELECT count(*) FROM {table}")).await;
        let sql = format!("SELECT count(*) FROM {table} WHERE data LIKE '%\"***\"%'");
        let sql = match on {
            On::Postgres => sql.replace("data LIKE", "convert_from(data, 'UTF8') LIKE"),
            _ => sql,
        };
        assert_eq!(lake.number(&sql).await, rows, "{table}");
    }
    assert_nowhere(&lake).await;
    // What is collected again is the same, so nothing is written.
    let (_, again) = lake.sync(How { full: true }).await;
    assert_eq!(again.written, 0);
}

#[rstest]
#[case::sqlite(On::Sqlite)]
#[case::postgres(On::Postgres)]
#[case::mariadb(On::MariaDb)]
#[tokio::test(flavor = "multi_thread")]
async fn payloads_from_before_and_from_files_lose_their_secrets_too(#[case] on: On) {
    let simulator = crate::lake::tiny().await;
    let Some(lake) = Lake::on(on, &simulator, crate::lake::ALL).await else {
        return;
    };
    lake.sync(How::default()).await;
    let folder = lake.folder().to_owned();
    let run = move |arguments: Vec<String>| {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let output = headwater(&folder, &arguments);
        // What was leaked into the steps is no step.
        if arguments[0] == "transform" {
            assert_eq!(output.status.code(), Some(5));
        } else {
            crate::lake::stdout(&output);
        }
        String::from_utf8(output.stdout).unwrap()
    };
    let beside = async |arguments: &[&str]| {
        let (run, arguments) = (
            run.clone(),
            arguments.iter().map(|&a| a.to_owned()).collect(),
        );
        tokio::task::spawn_blocking(move || run(arguments))
            .await
            .unwrap()
    };
    // As an earlier version stored them.
    let leak = "{\"image\": {\"username\": \"seekret\", \"password\": \"seekret-password\"}}";
    let update = match on {
        On::Postgres => format!("data = convert_to('{leak}', 'UTF8')"),
        On::Sqlite => format!("data = CAST('{leak}' AS BLOB)"),
        On::MariaDb => format!("data = '{leak}'"),
    };
    lake.execute(&format!(
        "UPDATE _raw_bitbucket_api_pipeline_steps SET {update}"
    ))
    .await;
    let address = "'https://x.example/2.0/x?page=2&access_token=seekret'";
    for (table, column) in [
        ("_raw_bitbucket_api_pull_requests", "url"),
        ("_headwater_walks", "resume_at"),
    ] {
        lake.execute(&format!("UPDATE {table} SET {column} = {address}"))
            .await;
    }
    lake.execute("DELETE FROM _headwater_rewrites").await;
    if on == On::Sqlite {
        // The schema is behind by one change, so that the file is copied before it is made.
        let last = "DELETE FROM seaql_migrations WHERE version = \
                    (SELECT MAX(version) FROM seaql_migrations)";
        lake.execute(last).await;
    }
    beside(&["migrate"]).await;
    assert_nowhere(&lake).await;
    let left = "SELECT count(*) FROM _headwater_rewrites";
    assert_eq!(lake.number(left).await, 3);
    let files = std::fs::read_dir(database_folder(&lake)).unwrap().flatten();
    let copies = files.filter(|file| {
        let name = file.file_name().to_string_lossy().into_owned();
        name.contains(".before-change-") && !name.ends_with(".unfinished")
    });
    assert_eq!(copies.count(), usize::from(on == On::Sqlite));

    for entry in headwater::sources::bitbucket::bitbucket().streams {
        let table = entry.collection.raw_table.as_str();
        let text = beside(&["raw", "export", table, "--format", "jsonl"]).await;
        let lines = text.lines().map(|line| {
            let mut row: serde_json::Value = serde_json::from_str(line).unwrap();
            let mut item: serde_json::Value =
                serde_json::from_str(row["data"].as_str().unwrap()).unwrap();
            with_secrets(&mut item);
            row["data"] = item.to_string().into();
            row["url"] = "https://me:seekret@x.example/2.0/x?jwt=seekret&page=1".into();
            row["id"] = (row["id"].as_i64().unwrap() + 1_000_000).into();
            row.to_string()
        });
        let lines: Vec<String> = lines.collect();
        if lines.is_empty() {
            continue;
        }
        std::fs::write(lake.folder().join("rows.jsonl"), lines.join("\n")).unwrap();
        beside(&["raw", "import", table, "rows.jsonl"]).await;
    }
    beside(&["transform"]).await;
    assert_nowhere(&lake).await;
}

#[rstest]
#[case::sqlite(On::Sqlite)]
#[case::postgres(On::Postgres)]
#[case::mariadb(On::MariaDb)]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_stored_of_a_failure_is_without_the_secrets_of_the_whole_process(#[case] on: On) {
    // Of the database, say: the client that reports the failure does not know it.
    let secret = "pw-of-the-data/base";
    headwater::output::conceal(&headwater_redaction::Secrets::new([secret]));
    let server = SmallServer::start(|_, target| {
        let said = r#"{"error": {"message": "it was pw-of-the-data\\/base \u001b[31mred"}}"#;
        let status = if target.contains("/pullrequests/1/") {
            403
        } else {
            200
        };
        let body = match target {
            _ if status == 403 => said.to_owned(),
            list if list.contains("/pullrequests?") => {
                r#"{"values": [{"id": 1, "state": "OPEN", "title": "t"}, {"title": "no key"}]}"#
                    .to_owned()
            }
            one if one.ends_with("/repositories/acme/rocket") => {
                r#"{"uuid": "{1}", "full_name": "acme/rocket", "slug": "rocket"}"#.to_owned()
            }
            _ => r#"{"values": []}"#.to_owned(),
        };
        answer(status, &[], body.as_bytes())
    })
    .await;
    let text = crate::lake::configuration(server.endpoint.as_str(), r#"["acme/rocket"]"#);
    let Some(lake) = Lake::with(on, &text).await else {
        return;
    };
    lake.sync(How::default()).await;
    let mut found = 0;
    for sql in [
        "SELECT message, path FROM _headwater_dead_letters",
        "SELECT message, message FROM _headwater_steps WHERE message <> ''",
    ] {
        for row in lake.ask(sql).await.rows {
            let shown = format!("{row:?}");
            found += usize::from(shown.contains("***"));
            assert!(!shown.contains("pw-of"), "{shown}");
            assert!(!shown.contains("[31m"), "{shown}");
        }
    }
    assert!(found > 0, "the message was stored");
}

#[tokio::test]
async fn the_password_of_the_database_is_a_secret_unless_it_is_a_name_that_is_shown() {
    for (address, secret, stays) in [
        (
            "postgres://me:p4ss%2Fw0rd-a@127.0.0.1:1/lake",
            "p4ss/w0rd-a p4ss%2Fw0rd-a",
            "me",
        ),
        (
            "mysql://me:p4ssw0rd-b@127.0.0.1:1/lake",
            "p4ssw0rd-b",
            "lake",
        ),
        (
            "postgres://me@127.0.0.1:1/lake?password=p4ssw0rd-c",
            "p4ssw0rd-c",
            "me",
        ),
        ("postgres://owner:owner@127.0.0.1:1/lake", "", "owner lake"),
    ] {
        let address = headwater::config::DatabaseAddress::parse(address).unwrap();
        // It waits for a server that is away.
        let opening = headwater::database::connect(&address);
        let waited = std::time::Duration::from_millis(50);
        let _ = tokio::time::timeout(waited, opening).await;
        let shown = headwater::output::shown(&format!("{secret}|{stays}"));
        let (hidden, kept) = shown.split_once('|').unwrap();
        assert!(hidden.replace("***", "").trim().is_empty(), "{shown}");
        assert_eq!(kept, stays);
    }
}

//! `scopes`, and what globs stand for.

use std::collections::BTreeSet;
use std::process::Output;

use headwater_simulator::{Consumer, Credentials, ListedWorkspace, Options, Simulator, Size};
use serde_json::Value;

use crate::connection_case::run;
use crate::lake::stdout;

const SECRET: &str = "consumer-secret-that-nobody-may-see";

const PERSON: &str =
    "{ kind = \"api-token\", email = \"me@example.com\", token = \"env:API_TOKEN\" }";
const TOKEN: &str = "{ kind = \"access-token\", token = \"env:ACCESS_TOKEN\" }";

/// A workspace of five thousand and one repositories and one where some are archived or forks.
/// Tokens of the consumer carry ten requests each.
async fn simulator() -> Simulator {
    let flagged = ListedWorkspace {
        archived_every: Some(3),
        fork_every: Some(4),
        ..ListedWorkspace::new("flagged", 12)
    };
    let options = Options {
        size: Size::tiny(),
        listed_workspaces: vec![
            ListedWorkspace::new("large", 5_001),
            flagged,
            ListedWorkspace::new("empty", 0),
        ],
        credentials: Credentials {
            consumers: vec![Consumer {
                requests: Some(10),
                ..Consumer::new("key", SECRET)
            }],
            ..Credentials::default()
        },
        ..Options::default()
    };
    Simulator::start(options).await.unwrap()
}

/// Runs the program on a configuration of one connection in a folder that stays.
async fn headwater(
    folder: &tempfile::TempDir,
    simulator: &Simulator,
    (auth, scopes): (&str, &str),
    arguments: &[&str],
) -> Output {
    let config = format!(
        "[[connection]]\nid = 1\nname = \"acme-cloud\"\nkind = \"bitbucket-cloud\"\n\
         endpoint = \"{}\"\nrequests_per_hour = 1000000000\nauth = {auth}\nscopes = {scopes}\n",
        simulator.endpoint()
    );
    std::fs::write(folder.path().join("headwater.toml"), config).unwrap();
    let path = folder.path().to_owned();
    let arguments: Vec<String> = arguments.iter().map(|&a| a.to_owned()).collect();
    let variables = [
        ("API_TOKEN", "api-token"),
        ("ACCESS_TOKEN", "access-token"),
        ("SECRET", SECRET),
    ];
    let run = move || {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        run(&path, &variables, &arguments)
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

fn oauth(simulator: &Simulator) -> String {
    let token_url = simulator.token_url();
    format!(
        "{{ kind = \"oauth\", key = \"key\", secret = \"env:SECRET\", token_url = \"{token_url}\" }}"
    )
}

fn rows(output: &Output) -> Vec<Value> {
    serde_json::from_str(&stdout(output)).unwrap()
}

fn column(rows: &[Value], name: &str) -> Vec<String> {
    let text = |row: &Value| row[name].as_str().unwrap_or("-").to_owned();
    rows.iter().map(text).collect()
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn five_thousand_repositories_are_listed_while_tokens_run_out() {
    let (folder, simulator) = (tempfile::tempdir().unwrap(), simulator().await);
    let arguments = ["scopes", "acme-cloud", "--format", "csv"];
    let auth = oauth(&simulator);
    let output = headwater(&folder, &simulator, (&auth, r#"["large/*-7"]"#), &arguments).await;
    let text = stdout(&output);
    let large: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("large,"))
        .collect();
    let distinct: BTreeSet<&&str> = large.iter().collect();
    assert_eq!((large.len(), distinct.len()), (5_001, 5_001));
    let selected: Vec<&&str> = large.iter().filter(|line| line.ends_with(",yes")).collect();
    let first = "large,large/repository-7,yes,no,no,";
    assert!(
        selected.len() == 1 && selected[0].starts_with(first),
        "{selected:?}"
    );
    let requests = simulator.requests();
    let pages = requests
        .iter()
        .filter(|r| r.path == "/2.0/repositories/large" && r.status == 200);
    assert_eq!(pages.count(), 51);
    let refused = requests
        .iter()
        .filter(|request| request.status == 401)
        .count();
    let tokens = requests
        .iter()
        .filter(|request| request.method == "POST")
        .count();
    assert!(
        refused >= 5 && tokens == refused + 1,
        "{refused} refused, {tokens} tokens"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn workspaces_and_repositories_are_listed_with_their_flags() {
    let (folder, simulator) = (tempfile::tempdir().unwrap(), simulator().await);
    let scopes = "[\"flagged/*\", \"!flagged/*-1\", \"flagged/repository-3\"]\n\
                  include_archived = false\ninclude_forks = false";
    let arguments = ["--json", "scopes", "acme-cloud", "--search", "FLAGGED/"];
    let output = headwater(&folder, &simulator, (PERSON, scopes), &arguments).await;
    let found = rows(&output);
    assert_eq!(found.len(), 12);
    let mut flags = String::new();
    for row in &found {
        let letter = |name: &str| if row[name] == "yes" { "x" } else { "." };
        let letters = ["archived", "fork", "selected"].map(letter).concat();
        flags.extend([letters.as_str(), " "]);
    }
    // 1 is excluded, 3 is archived but named in full; 4 and 8 are forks; 6, 9 and 12 archived.
    let expected = "... ..x x.x .x. ..x x.. ..x .x. x.. ..x ..x xx. ";
    assert_eq!(flags, expected);

    let arguments = ["scopes", "acme-cloud", "--format", "json"];
    let output = headwater(&folder, &simulator, (PERSON, scopes), &arguments).await;
    let all = rows(&output);
    let workspaces: BTreeSet<String> = column(&all, "workspace").into_iter().collect();
    assert_eq!(
        workspaces.into_iter().collect::<Vec<_>>(),
        ["acme", "empty", "flagged", "large"]
    );
    let empty = all.iter().find(|row| row["workspace"] == "empty").unwrap();
    assert!(empty["repository"].is_null());

    let arguments = ["scopes", "acme-cloud", "--search", "repository-500"];
    let table = headwater(&folder, &simulator, (PERSON, scopes), &arguments).await;
    let table = stdout(&table);
    assert!(table.starts_with(" workspace  repository"), "{table}");
    assert_eq!(table.lines().count(), 1 + 3, "500, 5000 and 5001: {table}");
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_without_a_user_list_what_the_configuration_names() {
    let (folder, simulator) = (tempfile::tempdir().unwrap(), simulator().await);
    let arguments = ["--json", "scopes", "acme-cloud"];
    let named = r#"["flagged/repository-2"]"#;
    let output = headwater(&folder, &simulator, (TOKEN, named), &arguments).await;
    let found = rows(&output);
    assert_eq!(found.len(), 12, "the whole workspace");
    let selected = column(&found, "selected");
    assert_eq!(selected.iter().filter(|text| *text == "yes").count(), 1);

    let output = headwater(&folder, &simulator, (TOKEN, "[]"), &arguments).await;
    assert_eq!(output.status.code(), Some(4));
    let said = errors(&output);
    assert!(said.contains("name one in `scopes`"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_that_cannot_be_listed_does_not_hide_the_others() {
    let (folder, simulator) = (tempfile::tempdir().unwrap(), simulator().await);
    let arguments = ["--json", "scopes", "acme-cloud"];
    let both = r#"["flagged/*", "nowhere/*"]"#;
    let output = headwater(&folder, &simulator, (TOKEN, both), &arguments).await;
    assert_eq!(output.status.code(), Some(5));
    let found: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found.len(), 12);
    let said = errors(&output);
    assert!(
        said.contains("workspace nowhere could not be listed"),
        "{said}"
    );
    let none = headwater(&folder, &simulator, (TOKEN, r#"["nowhere/*"]"#), &arguments).await;
    assert_eq!(none.status.code(), Some(4));
    let before = simulator.request_count();
    let wrong = TOKEN.replace("ACCESS_TOKEN", "SECRET");
    let wrong = headwater(&folder, &simulator, (&wrong, both), &arguments).await;
    assert_eq!(wrong.status.code(), Some(4));
    assert_eq!(simulator.request_count() - before, 1, "nothing after a 401");
    let unknown = ["scopes", "acme"];
    let unknown = headwater(&folder, &simulator, (TOKEN, both), &unknown).await;
    assert_eq!(unknown.status.code(), Some(2));
}

/// Names of the repositories that are there, with a mark on those that are gone at the source.
async fn collected(folder: &tempfile::TempDir) -> Vec<String> {
    let sql = "SELECT full_name || CASE WHEN source_gone_at IS NULL THEN '' ELSE ' gone' END AS \
               name FROM _headwater_scopes WHERE full_name LIKE '%/%' ORDER BY LENGTH(full_name), full_name";
    let path = folder.path().to_owned();
    let query = move || run(&path, &[], &["query", sql, "--format", "json"]);
    let output = tokio::task::spawn_blocking(query).await.unwrap();
    let names = column(&rows(&output), "name");
    let number = |name: &String| name.replace("flagged/repository-", "");
    names.iter().map(number).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn globs_are_resolved_on_every_run_with_exclusions_and_flags() {
    let (folder, simulator) = (tempfile::tempdir().unwrap(), simulator().await);
    let auth = oauth(&simulator);
    let chosen = "[\"flagged/*\", \"!flagged/*-1?\", \"flagged/repository-9\"]";
    let few = format!("{chosen}\ninclude_archived = false\ninclude_forks = false");
    let no_forks = format!("{chosen}\ninclude_forks = false");
    // Named in full on the command line, an archived one is wanted all the same.
    let named = ["sync", "flagged/*-2", "flagged/repository-3"];
    stdout(&headwater(&folder, &simulator, (&auth, &few), &named).await);
    assert_eq!(collected(&folder).await, ["2", "3"]);
    for (scopes, expected) in [
        (few.as_str(), "1 2 3 5 7 9"),
        (no_forks.as_str(), "1 2 3 5 6 7 9"),
        (chosen, "1 2 3 4 5 6 7 8 9"),
        // What is left out from now on is still there at the source.
        (few.as_str(), "1 2 3 4 5 6 7 8 9"),
    ] {
        let output = headwater(&folder, &simulator, (&auth, scopes), &["-vv", "sync"]).await;
        stdout(&output);
        assert_eq!(collected(&folder).await.join(" "), expected, "{scopes}");
        for text in [&output.stdout, &output.stderr] {
            let text = String::from_utf8_lossy(text);
            assert!(
                !text.contains(SECRET) && !text.contains("issued-"),
                "{text}"
            );
        }
    }
    let database = std::fs::read(folder.path().join("headwater.db")).unwrap();
    for secret in [SECRET, "issued-"] {
        let mut windows = database.windows(secret.len());
        assert!(
            !windows.any(|window| window == secret.as_bytes()),
            "{secret}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_five_thousand_repositories_a_new_one_appears_and_a_renamed_one_keeps_its_history() {
    let (folder, simulator) = (tempfile::tempdir().unwrap(), simulator().await);
    // All five thousand are listed each time; a few are enough to be collected.
    let scopes = r#"["large/*-49?9", "large/fresh*"]"#;
    let sync = ["sync", "--only", "repositories"];
    let query = |sql: &'static str| {
        let path = folder.path().to_owned();
        let query = move || rows(&run(&path, &[], &["query", sql, "--format", "json"]));
        tokio::task::spawn_blocking(query)
    };
    let raw = "SELECT id, params FROM _raw_bitbucket_api_repositories ORDER BY id";
    stdout(&headwater(&folder, &simulator, (PERSON, scopes), &sync).await);
    let pages = simulator.take_requests();
    let pages = pages.iter().filter(|r| r.path == "/2.0/repositories/large");
    assert_eq!(pages.count(), 51);
    let before = query(raw).await.unwrap();
    assert_eq!(before.len(), 10);

    let mut large = ListedWorkspace::new("large", 5_002);
    large.renamed = vec![
        (4_919, "fresh-air".to_owned()),
        (5_002, "fresh-start".to_owned()),
    ];
    simulator.set_listed_workspaces(vec![large]);
    let output = headwater(&folder, &simulator, (PERSON, scopes), &sync).await;
    let told = stdout(&output);
    let moved = "large/repository-4919 is called large/fresh-air now";
    assert!(told.contains(moved), "{told}");
    let after = query(raw).await.unwrap();
    let old_id = |row: &Value| before.iter().any(|old| old["id"] == row["id"]);
    assert_eq!(
        (after.len(), after.iter().filter(|row| old_id(row)).count()),
        (11, 10)
    );
    let names = column(&after, "params").concat();
    assert!(names.contains("large/fresh-air") && names.contains("large/fresh-start"));
    assert!(!names.contains("4919"), "{names}");
    let repos = query("SELECT id FROM repos WHERE id LIKE '%fresh%' ORDER BY id");
    let repos = column(&repos.await.unwrap(), "id");
    let expected =
        ["fresh-air", "fresh-start"].map(|it| format!("bitbucket:BitbucketRepo:1:large/{it}"));
    assert_eq!(repos, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_that_is_refused_ends_a_sync_with_4() {
    let (folder, simulator) = (tempfile::tempdir().unwrap(), simulator().await);
    let auth = oauth(&simulator).replace("SECRET", "API_TOKEN");
    for scopes in [r#"["flagged/*"]"#, r#"["flagged/repository-1"]"#] {
        drop(simulator.take_requests());
        let output = headwater(&folder, &simulator, (&auth, scopes), &["sync"]).await;
        let said = format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            errors(&output)
        );
        assert_eq!(output.status.code(), Some(4), "{said}");
        let expected = "no access token was given to the OAuth consumer (400: unauthorized_client";
        assert!(
            said.contains(expected) && said.contains("auth.secret"),
            "{said}"
        );
        let requests = simulator.take_requests();
        assert!(
            requests.iter().all(|request| request.method == "POST"),
            "{requests:?}"
        );
        assert_eq!(requests.len(), 1);
    }
}

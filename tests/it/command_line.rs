//! The program as a person runs it.

use std::path::Path;
use std::process::Output;

use headwater::config::DatabaseAddress;

use crate::lake::{headwater, stdout};

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A raw file with two versions of one pull request.
fn write_raw(folder: &Path) {
    let params = r#""{""ConnectionId"":1,""FullName"":""acme/widgets""}""#;
    let row = |id: i64, title: &str| {
        format!(
            "{id},{params},\"{{\"\"id\"\": 5, \"\"title\"\": \"\"{title}\"\", \"\"state\"\": \
             \"\"OPEN\"\"}}\",https://example.com,null,2026-01-31 09:30:00.000\n"
        )
    };
    let text = format!(
        "id,params,data,url,input,created_at\n{}{}",
        row(9, "newer"),
        row(3, "older")
    );
    std::fs::write(folder.join("rows.csv"), text).unwrap();
}

#[test]
fn raw_rows_become_domain_rows_offline() {
    let folder = folder();
    let run = |arguments: &[&str]| stdout(&headwater(folder.path(), arguments));
    write_raw(folder.path());
    run(&["raw", "import", "pull_requests", "rows.csv"]);
    run(&["transform"]);
    let sql = "SELECT title, status, pull_request_key, _raw_data_id FROM pull_requests";
    let answer = run(&["query", sql, "--format", "csv"]);
    assert_eq!(
        answer,
        "title,status,pull_request_key,_raw_data_id\nnewer,OPEN,5,9\n"
    );
    let again = run(&["transform"]);
    assert!(
        again.contains("nothing changed, no rows written"),
        "{again}"
    );
}

#[test]
fn an_export_can_be_imported_again() {
    let folder = folder();
    let run = |arguments: &[&str]| stdout(&headwater(folder.path(), arguments));
    write_raw(folder.path());
    run(&["raw", "import", "pull_requests", "rows.csv"]);
    let scope = ["--scope", "1:acme/widgets"];
    let said = run(&[&["raw", "export", "pull_requests", "out.csv"][..], &scope].concat());
    assert_eq!(
        said,
        "_raw_bitbucket_api_pull_requests: 1 row written to out.csv\n"
    );
    run(&["raw", "export", "pull_requests", "out.jsonl"]);
    for file in ["out.csv", "out.jsonl"] {
        run(&[
            "--database",
            "sqlite:other.db",
            "raw",
            "import",
            "pull_requests",
            file,
        ]);
        let sql = "SELECT id, params, data, created_at FROM _raw_bitbucket_api_pull_requests";
        let there = run(&[
            "--database",
            "sqlite:other.db",
            "query",
            sql,
            "--format",
            "csv",
        ]);
        assert_eq!(there, run(&["query", sql, "--format", "csv"]), "{file}");
        std::fs::remove_file(folder.path().join("other.db")).unwrap();
    }
}

#[test]
fn data_is_json_wherever_it_is_wanted() {
    let folder = folder();
    write_raw(folder.path());
    let import = ["--json", "raw", "import", "pull_requests", "rows.csv"];
    let done: serde_json::Value =
        serde_json::from_str(&stdout(&headwater(folder.path(), &import))).unwrap();
    assert_eq!(done["rows"], 2, "{done}");
    for arguments in [
        &["tables"][..],
        &["tables", "pull_requests"],
        &["streams"],
        &["status"],
        &["status", "--steps"],
        &["dead-letters"],
        &["migrate", "--status"],
        &["query", "SELECT 1 AS one"],
        &["people", "join", "--dry-run"],
        &["tags", "acme/widgets"],
        &["raw", "export", "pull_requests"],
        &["config", "schema"],
    ] {
        let arguments = [&["--json"][..], arguments].concat();
        let text = stdout(&headwater(folder.path(), &arguments));
        let json = serde_json::from_str::<serde_json::Value>(&text);
        assert!(json.is_ok(), "{arguments:?}: {text}");
    }
}

#[test]
fn the_program_tells_its_version_its_manual_and_what_shells_need() {
    let folder = folder();
    let run = |arguments: &[&str]| stdout(&headwater(folder.path(), arguments));
    let version = run(&["--version"]);
    assert!(version.starts_with("headwater 0."), "{version}");
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(
            run(&["completions", shell]).contains("dead-letters"),
            "{shell}"
        );
    }
    assert!(run(&["man"]).contains(".TH headwater"));
    run(&["man", "--output", "pages"]);
    assert!(folder.path().join("pages/headwater-sync.1").exists());
    let help = run(&["--help"]);
    for wish in ["Set up:", "Collect:", "Ask:", "Mend:"] {
        assert!(help.contains(wish), "{help}");
    }
}

#[test]
fn a_bad_row_is_named_by_its_line_and_nothing_is_imported() {
    let folder = folder();
    write_raw(folder.path());
    let mut text = std::fs::read_to_string(folder.path().join("rows.csv")).unwrap();
    text.push_str("x,{},1,u,null,\n");
    std::fs::write(folder.path().join("rows.csv"), text).unwrap();
    let output = headwater(
        folder.path(),
        &["raw", "import", "pull_requests", "rows.csv"],
    );
    assert_eq!(code(&output), 2);
    assert!(
        stderr(&output).contains("rows.csv:4: id: \"x\""),
        "{}",
        stderr(&output)
    );
    assert!(!folder.path().join("headwater.db").exists());
}

#[test]
fn a_query_cannot_write() {
    let folder = folder();
    stdout(&headwater(folder.path(), &["migrate"]));
    for sql in [
        "DELETE FROM repos",
        "DROP TABLE repos",
        "CREATE TABLE x (y)",
    ] {
        let output = headwater(folder.path(), &["query", sql]);
        assert_eq!(code(&output), 2, "{sql}");
        assert!(stderr(&output).contains("readonly"), "{}", stderr(&output));
    }
}

#[test]
fn init_writes_a_file_that_check_accepts() {
    let folder = folder();
    let wrong = ["init", "--email", "ada", "--workspace", "acme"];
    assert_eq!(code(&headwater(folder.path(), &wrong)), 2);
    assert!(!folder.path().join("headwater.toml").exists());
    let known = ["init", "--email", "ada@acme.example", "--workspace", "acme"];
    stdout(&headwater(folder.path(), &known));
    let checked = stdout(&headwater(folder.path(), &["config", "check"]));
    assert!(!checked.contains("error"), "{checked}");
    let again = headwater(folder.path(), &["init"]);
    assert_eq!(code(&again), 2);
    stdout(&headwater(folder.path(), &["init", "--force"]));
    let examples = headwater(folder.path(), &["config", "check"]);
    assert_eq!(code(&examples), 3, "the examples are still in it");
    let file = ["config", "schema", "--output", "headwater.schema.json"];
    stdout(&headwater(folder.path(), &file));
    assert!(folder.path().join("headwater.schema.json").exists());
    let schema = stdout(&headwater(folder.path(), &["config", "schema"]));
    assert!(serde_json::from_str::<serde_json::Value>(&schema).unwrap()["properties"].is_object());
}

#[test]
fn a_broken_configuration_ends_every_command_with_3_and_places() {
    let folder = folder();
    let text = "[[connection]]\nid = 0\nname = \"a\"\nkind = \"bitbucket\"\nscopse = []\n";
    std::fs::write(folder.path().join("headwater.toml"), text).unwrap();
    for arguments in [
        &["sync"][..],
        &["transform"],
        &["status"],
        &["config", "check"],
    ] {
        let output = headwater(folder.path(), arguments);
        assert_eq!(code(&output), 3, "{arguments:?}");
        let said = format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            stderr(&output)
        );
        for place in [
            "headwater.toml:2:",
            "headwater.toml:4:",
            "headwater.toml:5:",
        ] {
            assert!(
                said.contains(place),
                "{arguments:?} does not name {place}: {said}"
            );
        }
    }
}

#[test]
fn a_variable_goes_before_the_file_and_a_wrong_one_ends_every_command_with_3() {
    let folder = folder();
    let run = |variable: &str, value: &str, arguments: &[&str]| {
        std::process::Command::new(env!("CARGO_BIN_EXE_headwater"))
            .args(arguments)
            .current_dir(folder.path())
            .env_remove("HEADWATER_CONFIG")
            .env(variable, value)
            .output()
            .unwrap()
    };
    let url = "HEADWATER__DATABASE__URL";
    stdout(&run(url, "sqlite:other.db", &["migrate"]));
    assert!(
        folder.path().join("other.db").exists(),
        "without a file, too"
    );
    let wrong = run("HEADWATER__DATABASE__URI", "hunter2", &["status"]);
    assert_eq!(code(&wrong), 3);
    let said = stderr(&wrong);
    assert!(
        said.contains("HEADWATER__DATABASE__URI") && !said.contains("hunter2"),
        "{said}"
    );
}

#[test]
fn sync_without_a_configuration_says_what_to_do() {
    let folder = folder();
    let output = headwater(folder.path(), &["sync"]);
    assert_eq!(code(&output), 3);
    assert!(
        stderr(&output).contains("headwater init"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn wrong_arguments_end_with_2() {
    let folder = folder();
    let known = ["init", "--email", "ada@acme.example", "--workspace", "acme"];
    stdout(&headwater(folder.path(), &known));
    let wrong: [&[&str]; 5] = [
        &["sink"],
        &["sync", "--only", "pull_request"],
        &["sync", "--since", "soon"],
        &["tables", "pull_requets"],
        &["raw", "import", "_raw_nothing", "x.csv"],
    ];
    for arguments in wrong {
        let output = headwater(folder.path(), arguments);
        assert_eq!(code(&output), 2, "{arguments:?}: {}", stderr(&output));
        assert!(!stderr(&output).is_empty());
    }
}

#[test]
fn a_second_writer_is_refused_with_7_and_told_who_writes() {
    let folder = folder();
    stdout(&headwater(folder.path(), &["migrate"]));
    let address = DatabaseAddress::of_file(&folder.path().join("headwater.db"));
    let _lock = headwater::database::lock(&address, "test", chrono::Utc::now()).unwrap();
    let output = headwater(folder.path(), &["transform"]);
    assert_eq!(code(&output), 7);
    assert!(
        stderr(&output).contains("command test"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn migrate_shows_what_it_would_do_and_then_does_it() {
    let folder = folder();
    let run = |arguments: &[&str]| stdout(&headwater(folder.path(), arguments));
    assert!(run(&["migrate", "--dry-run"]).contains("CREATE TABLE"));
    assert!(run(&["migrate", "--status"]).starts_with("pending"));
    assert!(!folder.path().join("headwater.db").exists());
    run(&["migrate"]);
    let log = folder.path().join("headwater.db-wal");
    assert!(!log.exists(), "the file has everything");
    assert!(!run(&["migrate", "--status"]).contains("pending"));
    assert_eq!(run(&["migrate", "--dry-run"]), "");
}

#[test]
fn tables_tells_what_a_row_is_and_what_each_column_holds() {
    let folder = folder();
    let list = stdout(&headwater(folder.path(), &["tables", "--format", "csv"]));
    assert!(
        list.contains("pull_requests,domain,One pull request."),
        "{list}"
    );
    let one = stdout(&headwater(folder.path(), &["tables", "pull_requests"]));
    assert!(one.contains("merged_date"), "{one}");
}

#[test]
fn status_of_an_empty_database_says_that_nothing_has_run() {
    let folder = folder();
    stdout(&headwater(folder.path(), &["migrate"]));
    let status = stdout(&headwater(folder.path(), &["status"]));
    assert!(status.contains("nothing has run yet"), "{status}");
}

#[cfg(unix)]
#[test]
fn files_that_never_end_are_refused_with_3() {
    let folder = folder();
    let pipe = folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let pipe = pipe.to_str().unwrap();
    for file in [pipe, "/dev/zero", "/dev/null", "/"] {
        for command in [&["config", "check"][..], &["sync"], &["status"]] {
            let arguments = [&["--config", file], command].concat();
            let output = headwater(folder.path(), &arguments);
            assert_eq!(code(&output), 3, "{arguments:?}: {}", stderr(&output));
        }
    }
    let connection = |more: &str| {
        format!(
            "[[connection]]\nid = 1\nname = \"a\"\nkind = \"bitbucket-cloud\"\n\
             auth = {{ kind = \"access-token\", token = \"file:{pipe}\" }}\nscopes = [\"a/b\"]\n{more}"
        )
    };
    let token = connection("");
    let ca_file =
        connection(&format!("ca_file = \"{pipe}\"\n")).replace(&format!("file:{pipe}"), "env:PATH");
    for text in [token, ca_file] {
        std::fs::write(folder.path().join("headwater.toml"), text).unwrap();
        let output = headwater(folder.path(), &["sync"]);
        assert_eq!(code(&output), 3, "{}", stderr(&output));
        assert!(
            stderr(&output).contains("no regular file"),
            "{}",
            stderr(&output)
        );
    }
}

#[test]
fn a_proxy_of_an_unknown_kind_is_refused_with_3_wherever_it_is_written() {
    let folder = folder();
    std::fs::write(
        folder.path().join("proxy.txt"),
        "ftp://me:s3cr3t-pw@proxy:21",
    )
    .unwrap();
    std::fs::write(folder.path().join("token.txt"), "t0ken-t0ken").unwrap();
    for proxy in ["ftp://proxy:21", "file:proxy.txt"] {
        let text = format!(
            "[[connection]]\nid = 1\nname = \"a\"\nkind = \"bitbucket-cloud\"\n\
             auth = {{ kind = \"access-token\", token = \"file:token.txt\" }}\n\
             scopes = [\"a/b\"]\nproxy = \"{proxy}\"\n"
        );
        std::fs::write(folder.path().join("headwater.toml"), text).unwrap();
        for command in [&["sync"][..], &["connection", "test"], &["scopes", "a"]] {
            let output = headwater(folder.path(), command);
            let said = stderr(&output);
            assert_eq!(code(&output), 3, "{proxy} {command:?}: {said}");
            assert!(said.contains("http://"), "{said}");
            assert!(!said.contains("s3cr3t"), "{said}");
        }
    }
}

#[cfg(unix)]
#[test]
fn whichever_link_leads_to_a_database_there_is_one_lock_and_it_is_no_link() {
    use std::os::unix::fs::symlink;
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    std::fs::create_dir(at("deep")).unwrap();
    // Two links, one over the other, made before the file is there.
    symlink("deep/real.db", at("link.db")).unwrap();
    symlink("link.db", at("other.db")).unwrap();
    let import = |name: &str| {
        let address = format!("sqlite:{name}");
        headwater(folder.path(), &["--database", &address, "migrate"])
    };
    for name in ["link.db", "other.db", "deep/real.db"] {
        stdout(&import(name));
        assert!(
            !at(&format!("{name}.lock")).exists() || name == "deep/real.db",
            "{name}"
        );
    }
    assert!(at("deep/real.db.lock").is_file());
    let address = DatabaseAddress::of_file(&at("deep/real.db"));
    let held = headwater::database::lock(&address, "test", chrono::Utc::now()).unwrap();
    for name in ["link.db", "other.db", "deep/real.db"] {
        let refused = import(name);
        assert_eq!(code(&refused), 7, "{name}: {}", stderr(&refused));
    }
    drop(held);
    std::fs::remove_file(at("deep/real.db.lock")).unwrap();
    std::fs::write(at("precious"), "mine").unwrap();
    symlink(at("precious"), at("deep/real.db.lock")).unwrap();
    let refused = import("link.db");
    assert_eq!(code(&refused), 6, "{}", stderr(&refused));
    assert_eq!(std::fs::read_to_string(at("precious")).unwrap(), "mine");
}

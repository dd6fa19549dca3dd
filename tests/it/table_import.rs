//! `table import`: CSV files into domain tables, all rows or none.

use std::process::Output;

use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;

use crate::hashes::{offline, texts};
use crate::lake::{ALL, How, Lake, code, headwater, tiny};

/// Imports a file with this content; further arguments follow it.
fn import(lake: &Lake, table: &str, content: impl AsRef<[u8]>, more: &[&str]) -> Output {
    std::fs::write(lake.folder().join("rows.csv"), content).unwrap();
    let arguments = [&["table", "import", table, "rows.csv"], more].concat();
    headwater(lake.folder(), &arguments)
}

fn error_of(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[track_caller]
fn assert_imported(output: &Output, summary: &str) {
    assert_eq!(code(output), 0, "{}", error_of(output));
    let printed = String::from_utf8(output.stdout.clone()).unwrap();
    assert_eq!(printed.trim_end(), summary);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn rows_are_written_by_key_and_other_columns_stay(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(lake) = Lake::with(on, &offline()).await else {
        return;
    };
    let file = "\u{feff}id,title,created_date,lead_time_minutes,_raw_data_remark\n\
                i1,\"a, \"\"b\"\"\nc\",2026-01-31 09:30:00.5,12,x\n\
                i2,,2026-1-1T00:00:00+01:00,\\N,\n";
    let expected = "incidents: 2 rows read, 2 new or changed";
    assert_imported(&import(&lake, "incidents", file, &[]), expected);
    let again = "incidents: 2 rows read, 0 new or changed";
    assert_imported(&import(&lake, "incidents", file, &[]), again);
    let more = "status,id\nDONE,i2\nTODO,i3\n";
    let expected = "incidents: 2 rows read, 2 new or changed";
    assert_imported(&import(&lake, "incidents", more, &[]), expected);
    let rows = lake
        .ask("SELECT id, title, status, lead_time_minutes FROM incidents ORDER BY id")
        .await;
    let rows: Vec<String> = rows.rows.iter().map(|row| format!("{row:?}")).collect();
    assert_eq!(
        rows,
        [
            r#"[Text("i1"), Text("a, \"b\"\nc"), Text(""), Integer(12)]"#,
            r#"[Text("i2"), Text(""), Text("DONE"), Null]"#,
            r#"[Text("i3"), Text(""), Text("TODO"), Null]"#,
        ]
    );
    let early = "SELECT COUNT(*) FROM incidents WHERE created_date < '2026-01-01 00:00:00'";
    assert_eq!(lake.number(early).await, 1);
    let origin = "SELECT DISTINCT _raw_data_table FROM incidents";
    assert_eq!(texts(&lake, origin).await, ["import"]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_value_can_be_said_and_empty_text_stays_text(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(lake) = Lake::with(on, &offline()).await else {
        return;
    };
    let file = "id,base_repo_id,merged_date,merge_commit_sha\np1,,,\np2,none,none,none\n";
    let imported = import(&lake, "pull_requests", file, &["--null", "none"]);
    assert_imported(&imported, "pull_requests: 2 rows read, 2 new or changed");
    let without = "SELECT id FROM pull_requests WHERE merged_date IS NULL ORDER BY id";
    assert_eq!(texts(&lake, without).await, ["p1", "p2"]);
    // A key may be an empty text.
    let file = "old_commit_sha,new_commit_sha,commit_sha,sorting_index\n,b,c,1\na,b,c,2\n";
    let imported = import(&lake, "commits_diffs", file, &[]);
    assert_imported(&imported, "commits_diffs: 2 rows read, 2 new or changed");
}

/// A file for `incidents`, and what its message says.
const FAULTS: [(&str, &str); 13] = [
    ("", "rows.csv:1: the file is empty"),
    (
        "id,titel\ni1,a\n",
        "rows.csv:1: incidents has no column \"titel\"; did you mean title?",
    ),
    (
        "id,title,id\ni1,a,i1\n",
        "rows.csv:1: the header has the column id twice",
    ),
    (
        "title\na\n",
        "rows.csv:1: the header has no column id, which is part of the key of incidents",
    ),
    (
        "id,title\ni1,a\ni2\n",
        "rows.csv:3: the row has 1 fields, and the header 2",
    ),
    (
        "id,title\ni1,a\ni2,b,c\n",
        "rows.csv:3: the row has 3 fields, and the header 2",
    ),
    (
        "id,title\ni1,a\n\\N,b\n",
        "rows.csv:3: column id: there is no value; expected text",
    ),
    (
        "id,lead_time_minutes\ni1,1\ni2,ten\n",
        "rows.csv:3: column lead_time_minutes: \"ten\" is not a whole number",
    ),
    (
        "id,created_date\ni1,2026-02-28T00:00:00Z\ni2,2026-02-30\n",
        "rows.csv:3: column created_date: \"2026-02-30\" is not a time, such as",
    ),
    (
        "id,title\ni1,\"two\nlines\"\ni2,a\ni1,b\n",
        "rows.csv:5: the key id \"i1\" is that of line 2 too",
    ),
    (
        "id,title\ni1,a\ni2,a\u{0}b\n",
        "rows.csv:3: column title: \"a\\0b\" is not text without the character U+0000",
    ),
    (
        "id,_headwater\ni1,a\n",
        "rows.csv:1: incidents has no column \"_headwater\"; it has id, url",
    ),
    (
        "id,changed_seq\ni1,1\n",
        "rows.csv:1: incidents has no column \"changed_seq\"",
    ),
];

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_fault_is_told_with_its_place_and_nothing_is_imported(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(lake) = Lake::with(on, &offline()).await else {
        return;
    };
    let long = format!("id,status\ni1,a\ni2,{}\n", "é".repeat(101));
    let mut no_utf8 = b"id,title\ni1,a\ni2,caf".to_vec();
    no_utf8.extend(b"\xe9\n");
    let mut faults: Vec<(&[u8], &str)> = FAULTS
        .iter()
        .map(|(file, message)| (file.as_bytes(), *message))
        .collect();
    faults.push((
        long.as_bytes(),
        "is not text of at most 100 characters: it has 101",
    ));
    faults.push((&no_utf8, "rows.csv:3: column title: \"caf\": byte 4"));
    faults.push((b"id,caf\xe9\ni1,a\n", "rows.csv:1: the header is not UTF-8"));
    for (file, message) in faults {
        let refused = import(&lake, "incidents", file, &[]);
        let error = error_of(&refused);
        assert_eq!(code(&refused), 3, "{error}");
        assert!(error.contains(message), "{error}\nexpected {message}");
        assert!(error.contains("nothing was imported"), "{error}");
    }
    // A fault behind thousands of good rows leaves none of them.
    let mut many = "id,lead_time_minutes\n".to_owned();
    many.extend((0..5000).map(|row| format!("i{row},{row}\n")));
    many.push_str("last,x\n");
    assert_eq!(code(&import(&lake, "incidents", &many, &[])), 3);
    assert_eq!(lake.number("SELECT COUNT(*) FROM incidents").await, 0);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_is_not_of_the_domain_is_refused_as_an_argument(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(lake) = Lake::with(on, &offline()).await else {
        return;
    };
    for (table, message) in [
        (
            "incident",
            "incident is no table of this version; did you mean incidents?",
        ),
        ("nothing_like_it", "`headwater tables` lists them"),
        ("_raw_bitbucket_api_tags", "is a raw table"),
        ("_tool_bitbucket_repos", "is a tool table"),
        ("_headwater_scopes", "is a table of Headwater's own"),
        ("incidents; DROP TABLE repos", "is no table of this version"),
    ] {
        let refused = import(&lake, table, "id\na\n", &[]);
        let error = error_of(&refused);
        assert_eq!(code(&refused), 2, "{error}");
        assert!(error.contains(message), "{error}");
    }
    for file in ["missing.csv", "."] {
        let refused = headwater(lake.folder(), &["table", "import", "incidents", file]);
        assert_eq!(code(&refused), 2, "{}", error_of(&refused));
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn every_file_of_the_hand_made_shapes_of_devlake_is_read(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(lake) = Lake::with(on, &offline()).await else {
        return;
    };
    // Columns and values as DevLake's own tests write them, with `NULL` as an empty field.
    let files = [
        ("cicd_scopes", "id\ncicd1\n"),
        (
            "pull_requests",
            "id,base_repo_id,author_id,merge_commit_sha,created_date,merged_date,_raw_data_remark\n\
             pr0,repo1,a,sha,2022-1-11 4:51:47,,deployment_commit 0\n",
        ),
        (
            "project_mapping",
            "project_name,table,row_id\nproject1,cicd_scopes,cicd1\n",
        ),
        (
            "cicd_tasks",
            "id,name,pipeline_id,duration_sec,started_date,environment\n\
             t,deploy,p,2,2022-07-25T15:06:57.051+00:00,\n",
        ),
    ];
    for (table, file) in files {
        let imported = import(&lake, table, file, &["--null", ""]);
        assert_imported(&imported, &format!("{table}: 1 row read, 1 new or changed"));
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn imported_rows_stay_through_syncs_and_count_for_what_is_derived(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let simulator = tiny().await;
    let Some(lake) = Lake::on(on, &simulator, ALL).await else {
        return;
    };
    lake.sync(How::default()).await;
    let count = "SELECT COUNT(*) FROM issue_commits";
    let before = lake.number(count).await;
    let repository = texts(&lake, "SELECT id FROM repos ORDER BY id")
        .await
        .remove(0);
    let mentioned = "SELECT commit_sha FROM repo_commits ORDER BY commit_sha LIMIT 1";
    let sha = texts(&lake, mentioned).await.remove(0);
    let files = [
        ("incidents", "id,title\ni1,a\n".to_owned()),
        (
            "issues",
            "id,issue_key,title\nelsewhere:1,OPS-1,x\n".to_owned(),
        ),
        (
            "pull_requests",
            format!("id,base_repo_id,status,title\nelsewhere:p1,{repository},MERGED,\"x\"\n"),
        ),
        (
            "issue_commits",
            format!("issue_id,commit_sha\nelsewhere:1,{sha}\n"),
        ),
    ];
    for (table, file) in &files {
        let imported = import(&lake, table, file, &[]);
        assert_imported(&imported, &format!("{table}: 1 row read, 1 new or changed"));
    }
    for full in [false, true] {
        lake.sync(How { full }).await;
        for (table, _) in &files {
            let imported = format!("SELECT COUNT(*) FROM {table} WHERE _raw_data_table = 'import'");
            assert_eq!(lake.number(&imported).await, 1, "{table}, full: {full}");
        }
    }
    assert_eq!(lake.number(count).await, before + 1);
    // The imported pull request was looked at with those of its repository.
    let linked =
        "SELECT COUNT(*) FROM unlinked_pull_requests WHERE pull_request_id = 'elsewhere:p1'";
    let merges = "SELECT COUNT(*) FROM pull_request_merges WHERE pull_request_id = 'elsewhere:p1'";
    assert_eq!(lake.number(linked).await + lake.number(merges).await, 1);
}

//! Reverts that a team names in its own way: patterns of the configuration, over imported rows.

use std::fs;

use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;

use crate::hashes::texts;
use crate::lake::{Lake, headwater, stdout};

/// Five commits, one on the other: the last three take back what the first two brought, one by its
/// message, one by a title, one by a branch.
const FILES: [(&str, &str); 7] = [
    ("repos", "id,name,url\nr,acme/shop,https://h/acme/shop\n"),
    (
        "project_mapping",
        "project_name,table,row_id\nshop,repos,r\nshop,cicd_scopes,r\n",
    ),
    (
        "commits",
        "sha,message,authored_date\n\
         0000000000000000000000000000000000000000,base,2026-01-01T00:00:00Z\n\
         1111111111111111111111111111111111111111,one,2026-01-01T01:00:00Z\n\
         2222222222222222222222222222222222222222,two,2026-01-01T02:00:00Z\n\
         3333333333333333333333333333333333333333,Backs out 1111111 again,2026-01-01T03:00:00Z\n\
         4444444444444444444444444444444444444444,four,2026-01-01T04:00:00Z\n\
         5555555555555555555555555555555555555555,five,2026-01-01T05:00:00Z\n",
    ),
    (
        "repo_commits",
        "repo_id,commit_sha\n\
         r,0000000000000000000000000000000000000000\nr,1111111111111111111111111111111111111111\n\
         r,2222222222222222222222222222222222222222\nr,3333333333333333333333333333333333333333\n\
         r,4444444444444444444444444444444444444444\nr,5555555555555555555555555555555555555555\n",
    ),
    (
        "commit_parents",
        "commit_sha,parent_commit_sha\n\
         1111111111111111111111111111111111111111,0000000000000000000000000000000000000000\n\
         2222222222222222222222222222222222222222,1111111111111111111111111111111111111111\n\
         3333333333333333333333333333333333333333,2222222222222222222222222222222222222222\n\
         4444444444444444444444444444444444444444,3333333333333333333333333333333333333333\n\
         5555555555555555555555555555555555555555,4444444444444444444444444444444444444444\n",
    ),
    (
        "pull_requests",
        "id,base_repo_id,pull_request_key,title,head_ref,created_date,merged_date,merge_commit_sha\n\
         p2,r,2,Faster,faster,2026-01-01T01:30:00Z,2026-01-01T02:00:00Z,2222222222222222222222222222222222222222\n\
         p4,r,4,Undo: Faster,x,2026-01-01T03:30:00Z,2026-01-01T04:00:00Z,4444444444444444444444444444444444444444\n\
         p5,r,5,Calm,undo/2,2026-01-01T04:30:00Z,2026-01-01T05:00:00Z,5555555555555555555555555555555555555555\n",
    ),
    (
        "cicd_deployment_commits",
        "id,commit_sha,cicd_scope_id,cicd_deployment_id,result,environment,finished_date,repo_id,repo_url\n\
         d0,0000000000000000000000000000000000000000,r,d0,SUCCESS,PRODUCTION,2026-01-02T00:00:00Z,r,https://h/acme/shop\n\
         d1,1111111111111111111111111111111111111111,r,d1,SUCCESS,PRODUCTION,2026-01-02T01:00:00Z,r,https://h/acme/shop\n\
         d2,2222222222222222222222222222222222222222,r,d2,SUCCESS,PRODUCTION,2026-01-02T02:00:00Z,r,https://h/acme/shop\n\
         d3,3333333333333333333333333333333333333333,r,d3,SUCCESS,PRODUCTION,2026-01-02T03:00:00Z,r,https://h/acme/shop\n\
         d4,4444444444444444444444444444444444444444,r,d4,SUCCESS,PRODUCTION,2026-01-02T04:00:00Z,r,https://h/acme/shop\n\
         d5,5555555555555555555555555555555555555555,r,d5,SUCCESS,PRODUCTION,2026-01-02T05:00:00Z,r,https://h/acme/shop\n",
    ),
];

const PROJECT: &str = "[[project]]\nname = \"shop\"\nscopes = []\nfailure_sources = [\"revert\"]\n";

async fn measured(lake: &Lake, failed: bool) -> Vec<String> {
    stdout(&headwater(lake.folder(), &["metrics", "refresh", "shop"]));
    let condition = if failed {
        "failed = TRUE"
    } else {
        "repairs = 'revert'"
    };
    let sql = format!("SELECT id FROM project_deployments WHERE {condition} ORDER BY id");
    texts(lake, &sql).await
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn reverts_are_found_by_message_title_and_branch_where_the_configuration_says_how(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(mut lake) = Lake::with(on, PROJECT).await else {
        return;
    };
    for (table, rows) in FILES {
        fs::write(lake.folder().join("rows.csv"), rows).unwrap();
        stdout(&headwater(
            lake.folder(),
            &["table", "import", table, "rows.csv"],
        ));
    }
    assert!(measured(&lake, true).await.is_empty(), "without a pattern");
    let none: Vec<String> = Vec::new();
    for (pattern, failed, repaired) in [
        (
            "revert_message_pattern = '^Backs out (?<hash>\\w+)'",
            vec!["d1"],
            vec!["d3"],
        ),
        (
            "revert_title_pattern = '^Undo: (?<title>.+)$'",
            vec!["d2"],
            vec!["d4"],
        ),
        (
            "revert_branch_pattern = '^undo/(?<number>\\d+)$'",
            vec!["d2"],
            vec!["d5"],
        ),
        (
            "revert_branch_pattern = '^redo/(?<number>\\d+)$'",
            vec![],
            vec![],
        ),
    ] {
        lake.configure(&format!("{PROJECT}{pattern}\n"));
        assert_eq!(measured(&lake, true).await, failed, "{pattern}");
        assert_eq!(measured(&lake, false).await, repaired, "{pattern}");
    }
    lake.configure(PROJECT);
    assert_eq!(measured(&lake, true).await, none, "the pattern is gone");
}

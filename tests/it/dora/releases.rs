//! Tags that are releases: a repository that nothing deploys, with numbers computed by hand.

use headwater::exit::Exit;
use headwater_simulator::GitChange;
use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;
use serde_json::{Value, json};

use super::case::Case;
use crate::hashes::texts;
use crate::lake::{ALL, How, Lake, tiny, with_everything};

const PROJECTS: &str = "[[project]]\nname = \"lib\"\nscopes = []\nrelease_tags = '^v'\n\
                        [[project]]\nname = \"plain\"\nscopes = []\n";

/// Five commits in a row, two of them of pull requests. Of the tags, two are of one commit, one is
/// no release, and the last one does not say when it was made: its commit does.
const TABLES: [(&str, &str); 7] = [
    ("repos", "id,name,url\nr,acme/r,https://b/acme/r\n"),
    (
        "project_mapping",
        "project_name,table,row_id\nlib,repos,r\nlib,cicd_scopes,r\nplain,repos,r\n\
         plain,cicd_scopes,r\n",
    ),
    (
        "commits",
        "sha,authored_date,committed_date\n\
         c1,2026-01-01 00:00:00,2026-01-01 00:00:00\nc2,2026-01-03 12:00:00,2026-01-03 12:00:00\n\
         c3,2026-01-08 10:00:00,2026-01-08 10:00:00\nc4,2026-01-10 12:00:00,2026-01-10 12:00:00\n\
         c5,2026-01-15 08:00:00,2026-01-15 10:00:00\n",
    ),
    (
        "repo_commits",
        "repo_id,commit_sha\nr,c1\nr,c2\nr,c3\nr,c4\nr,c5\n",
    ),
    (
        "commit_parents",
        "commit_sha,parent_commit_sha\nc2,c1\nc3,c2\nc4,c3\nc5,c4\n",
    ),
    (
        "refs",
        "id,repo_id,name,commit_sha,ref_type,created_date\n\
         r:refs/tags/v1.0.0,r,refs/tags/v1.0.0,c1,TAG,2026-01-01 12:00:00\n\
         r:refs/tags/v1.1.0,r,refs/tags/v1.1.0,c3,TAG,2026-01-08 12:00:00\n\
         r:refs/tags/v1.1,r,refs/tags/v1.1,c3,TAG,2026-01-08 13:00:00\n\
         r:refs/tags/nightly,r,refs/tags/nightly,c4,TAG,2026-01-11 12:00:00\n\
         r:refs/tags/v1.2.0,r,refs/tags/v1.2.0,c5,TAG,\n\
         r:v1,r,v1,c5,BRANCH,\n",
    ),
    (
        "pull_requests",
        "id,base_repo_id,pull_request_key,created_date,merged_date,merge_commit_sha\n\
         p1,r,1,2026-01-02 08:00:00,2026-01-03 12:00:00,c2\n\
         p2,r,2,2026-01-10 00:00:00,2026-01-10 12:00:00,c4\n",
    ),
];

fn metric<'a>(answer: &'a Value, name: &str) -> &'a Value {
    let mut metrics = answer["metrics"].as_array().unwrap().iter();
    metrics.find(|it| it["metric"] == name).unwrap()
}

/// How many deployments a project had in January, and its lead time in minutes.
fn january(case: &Case, project: &str) -> (Value, Value) {
    let range = ["--from", "2026-01-01", "--to", "2026-02-01"];
    let answer = case.dora(&[&[project], &range[..]].concat());
    let value = |name| metric(&answer, name)["value"].clone();
    (value("deployment_frequency"), value("lead_time"))
}

/// The deployment of each pull request.
async fn shipped(case: &Case, project: &str) -> Vec<String> {
    let sql = format!(
        "SELECT deployment_commit_id FROM project_pr_metrics WHERE project_name = '{project}' \
         ORDER BY id"
    );
    texts(&case.lake, &sql).await
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn tags_are_releases_where_a_project_says_so_and_each_release_counts_once(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(case) = Case::on(on, PROJECTS).await else {
        return;
    };
    for (table, csv) in TABLES {
        case.fill(table, csv, "").await;
    }
    for project in ["lib", "plain"] {
        case.refresh(project);
    }
    // v1.0.0, v1.1.0 and v1.2.0. The first pull request took 28 hours to its merge and five days to
    // v1.1.0: 8880 minutes; the second one 12 hours and 118 hours to v1.2.0: 7800.
    assert_eq!(january(&case, "lib"), (json!(3), json!(7800)));
    assert_eq!(january(&case, "plain"), (Value::Null, Value::Null));
    let tags = ["r:refs/tags/v1.1.0", "r:refs/tags/v1.2.0"];
    assert_eq!(shipped(&case, "lib").await, tags);
    assert_eq!(shipped(&case, "plain").await, ["", ""]);
    // Every matching tag has a row, the second one of its commit as well.
    let chain = "SELECT prev_success_deployment_commit_id FROM cicd_deployment_commits \
                 ORDER BY finished_date";
    let expected = ["", "v1.0.0", "v1.1.0", "v1.1"];
    let expected = expected.map(|tag| match tag {
        "" => String::new(),
        tag => format!("r:refs/tags/{tag}"),
    });
    assert_eq!(texts(&case.lake, chain).await, expected);
    // Later the commit of v1.2.0 is deployed to production: that is the release of both projects.
    case.fill(
        "cicd_deployment_commits",
        "id,commit_sha,cicd_scope_id,cicd_deployment_id,result,environment,finished_date,repo_id,\
         repo_url\nd,c5,r,d,SUCCESS,PRODUCTION,2026-01-20 12:00:00,r,https://b/acme/r\n",
        "",
    )
    .await;
    for project in ["lib", "plain"] {
        case.refresh(project);
        let again = case.refresh(project);
        assert!(again.contains(": 0 rows written, 0 removed"), "{again}");
    }
    // The second pull request: 12 hours and ten days.
    assert_eq!(january(&case, "lib"), (json!(3), json!(8880)));
    assert_eq!(january(&case, "plain"), (json!(1), Value::Null));
    assert_eq!(shipped(&case, "lib").await, ["r:refs/tags/v1.1.0", "d"]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn releases_of_collected_repositories_come_and_go_with_the_pattern(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let simulator = tiny().await;
    let slug = simulator.world().repositories()[0].slug.clone();
    for name in ["v1", "v2", "nightly"] {
        let tag = GitChange::Tag {
            name: name.to_owned(),
            annotated: name == "v2",
        };
        for change in [tag, GitChange::Push { count: 2 }] {
            simulator.world().change_git(&slug, &change).unwrap();
        }
    }
    let Some(mut lake) = Lake::on(on, &simulator, ALL).await else {
        return;
    };
    let collected = with_everything(&simulator.endpoint(), ALL);
    let project = "[[project]]\nname = \"all\"\nscopes = [\"acme-cloud:acme/*\"]\n";
    let released = "SELECT id FROM cicd_deployment_commits \
                    WHERE subtask_name = 'headwater.releases' ORDER BY id";
    lake.configure(&format!("{collected}\n{project}release_tags = '^v'\n"));
    assert_eq!(lake.sync(How::default()).await.0, Exit::Ok);
    let tags =
        "SELECT id FROM refs WHERE ref_type = 'TAG' AND name LIKE 'refs/tags/v%' ORDER BY id";
    let tags = texts(&lake, tags).await;
    assert!(tags.len() > 1, "{tags:?}");
    assert_eq!(texts(&lake, released).await, tags);
    // They are compared with what came before, like deployments.
    let compared = "SELECT COUNT(*) FROM commits_diff_pairs AS pairs JOIN cicd_deployment_commits \
                    AS made ON made.id = pairs.new_id \
                    WHERE made.subtask_name = 'headwater.releases'";
    assert!(lake.number(compared).await > 0);
    let again = lake.sync(How::default()).await.1;
    assert_eq!((again.written, again.removed), (0, 0));
    lake.configure(&format!("{collected}\n{project}"));
    assert_eq!(lake.sync(How::default()).await.0, Exit::Ok);
    assert!(texts(&lake, released).await.is_empty());
    assert_eq!(lake.number(compared).await, 0);
}

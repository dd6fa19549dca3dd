//! Projects of the configuration in `projects`, `project_mapping` and the tables beside them.

use headwater::exit::Exit;
use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;
use serde_json::json;

use crate::hashes::{import, offline, texts};
use crate::lake::{ALL, How, Lake, code, headwater, stdout, tiny, with_everything};

/// The distinct ids that a project has in a table.
async fn ids(lake: &Lake, project: &str, table: &str) -> Vec<String> {
    let quote = if lake.database_kind() == MariaDb {
        '`'
    } else {
        '"'
    };
    let sql = format!(
        "SELECT row_id FROM project_mapping WHERE project_name = '{project}' \
         AND {quote}table{quote} = '{table}' ORDER BY row_id"
    );
    texts(lake, &sql).await
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_mapping_of_a_project_is_what_the_configuration_says_now(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let simulator = tiny().await;
    let Some(mut lake) = Lake::on(on, &simulator, ALL).await else {
        return;
    };
    let collected = with_everything(&simulator.endpoint(), ALL);
    let configured = |projects: &str| format!("{collected}\n{projects}");
    lake.configure(&configured(
        "[[project]]\nname = \"all\"\nscopes = [\"acme-cloud:acme/*\"]\n\
         incident_sources = [\"incident_sources:pagerduty\"]\n\n\
         [[project]]\nname = \"gone\"\nscopes = [\"acme-cloud:ACME/*\"]\n",
    ));
    assert_eq!(lake.sync(How::default()).await.0, Exit::Ok);
    let repositories = texts(&lake, "SELECT id FROM repos ORDER BY id").await;
    assert!(repositories.len() > 2, "{repositories:?}");
    for table in ["repos", "cicd_scopes", "boards"] {
        assert_eq!(ids(&lake, "all", table).await, repositories, "{table}");
        assert_eq!(ids(&lake, "gone", table).await, repositories, "{table}");
    }
    assert_eq!(ids(&lake, "all", "incident_sources").await, ["pagerduty"]);
    let settings = "SELECT project_name FROM project_metric_settings WHERE plugin_name = 'dora' \
                    AND enable ORDER BY project_name";
    assert_eq!(texts(&lake, settings).await, ["all", "gone"]);
    assert_eq!(lake.number("SELECT COUNT(*) FROM dora_benchmarks").await, 8);
    let months = lake.number("SELECT COUNT(*) FROM calendar_months").await;
    assert!(months > 1, "{months}");
    // Nothing is written when nothing changed.
    let written = lake.sync(How::default()).await.1;
    assert_eq!((written.written, written.removed), (0, 0));
    // Scopes leave, a source too, and a project is taken out of the file.
    let slug = repositories[0].rsplit(':').next().unwrap();
    lake.configure(&configured(&format!(
        "[[project]]\nname = \"all\"\nscopes = [\"acme-cloud:acme/*\", \"!acme-cloud:{slug}\"]\n"
    )));
    assert_eq!(lake.sync(How::default()).await.0, Exit::Ok);
    assert_eq!(ids(&lake, "all", "boards").await, repositories[1..]);
    assert!(ids(&lake, "all", "incident_sources").await.is_empty());
    assert!(ids(&lake, "gone", "repos").await.is_empty());
    let names = "SELECT name FROM projects ORDER BY name";
    assert_eq!(texts(&lake, names).await, ["all"]);
    assert_eq!(texts(&lake, settings).await, ["all"]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_imported_mapping_stays_and_configured_sources_join_it(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let simulator = tiny().await;
    let Some(mut lake) = Lake::on(on, &simulator, ALL).await else {
        return;
    };
    let rows =
        "project_name,table,row_id\nkept,repos,r1\nkept,cicd_scopes,c1\nelsewhere,repos,r2\n";
    for (table, content) in [
        ("project_mapping", rows),
        ("projects", "name,description\nkept,ours\n"),
    ] {
        import_rows(&lake, table, content);
    }
    let collected = with_everything(&simulator.endpoint(), ALL);
    for (sources, expected) in [
        ("incident_sources = [\"incident_sources:a\"]", vec!["a"]),
        ("incident_sources = [\"incident_sources:b\"]", vec!["b"]),
        ("", vec![]),
    ] {
        lake.configure(&format!(
            "{collected}\n[[project]]\nname = \"kept\"\nscopes = []\n{sources}\n"
        ));
        assert_eq!(lake.sync(How::default()).await.0, Exit::Ok);
        assert_eq!(ids(&lake, "kept", "repos").await, ["r1"]);
        assert_eq!(ids(&lake, "kept", "cicd_scopes").await, ["c1"]);
        assert_eq!(ids(&lake, "elsewhere", "repos").await, ["r2"]);
        assert_eq!(ids(&lake, "kept", "incident_sources").await, expected);
    }
    let description = "SELECT description FROM projects WHERE name = 'kept'";
    assert_eq!(texts(&lake, description).await, ["ours"]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn deployments_of_imported_pipelines_go_with_the_last_project_that_maps_their_scope(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(mut lake) = Lake::with(on, &offline()).await else {
        return;
    };
    // Some repository is collected, so that there is something to transform.
    import(
        &lake,
        "repositories",
        &[json!({"full_name": "acme/rocket"})],
    );
    let deployments = "SELECT id FROM cicd_deployment_commits ORDER BY id";
    for (table, content) in [
        (
            "cicd_pipelines",
            "id,type,result,environment,finished_date,cicd_scope_id\n\
             b1,DEPLOYMENT,SUCCESS,STAGING,2026-01-02 10:00:00,s1\n\
             b2,DEPLOYMENT,SUCCESS,STAGING,2026-01-03 10:00:00,s2\n",
        ),
        (
            "cicd_pipeline_commits",
            "pipeline_id,commit_sha,repo_url\nb1,c1,u\nb2,c2,u\n",
        ),
        (
            "project_mapping",
            "project_name,table,row_id\np,cicd_scopes,s1\nq,cicd_scopes,s1\nq,cicd_scopes,s2\n",
        ),
        // What was imported as a deployment is nobody else's to take away.
        (
            "cicd_deployment_commits",
            "id,commit_sha,cicd_scope_id\nimported,c3,s1\n",
        ),
    ] {
        import_rows(&lake, table, content);
    }
    for (projects, expected) in [
        (&["p", "q"][..], vec!["b1:u", "b2:u", "imported"]),
        // A configured project has what it says, and no more: here no repository at all.
        (&["p"], vec!["b1:u", "imported"]),
        (&[], vec!["imported"]),
    ] {
        let others = ["p", "q"].into_iter().filter(|it| !projects.contains(it));
        let others = others.map(|name| {
            format!("[[project]]\nname = \"{name}\"\nscopes = [\"acme-cloud:acme/none\"]\n")
        });
        lake.configure(&format!("{}\n{}", offline(), others.collect::<String>()));
        stdout(&headwater(lake.folder(), &["transform"]));
        assert_eq!(texts(&lake, deployments).await, expected, "{projects:?}");
    }
    let made = lake.number("SELECT COUNT(*) FROM cicd_deployments").await;
    assert_eq!(made, 0);
}

/// Imports rows of a table.
fn import_rows(lake: &Lake, table: &str, content: &str) {
    std::fs::write(lake.folder().join("rows.csv"), content).unwrap();
    let imported = headwater(lake.folder(), &["table", "import", table, "rows.csv"]);
    assert_eq!(code(&imported), 0, "{imported:?}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_calendar_follows_times_and_reads_the_tables_only_for_those_outside_it(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(lake) = Lake::with(on, &offline()).await else {
        return;
    };
    import(
        &lake,
        "repositories",
        &[json!({"full_name": "acme/rocket"})],
    );
    let first = "SELECT MIN(month) FROM calendar_months";
    let taken = "SELECT COUNT(*) FROM calendar_months WHERE month = '24/06'";
    let begun = "id,created_date\ni1,2024-03-10\n";
    import_rows(&lake, "incidents", begun);
    stdout(&headwater(lake.folder(), &["transform"]));
    assert_eq!(texts(&lake, first).await, ["24/03"]);
    // A month that is gone would be there again if the tables were read.
    lake.execute("DELETE FROM calendar_months WHERE month = '24/06'")
        .await;
    for (rows, expected) in [
        ("i2,2025-02-03", ("24/03", 0)),
        ("i3,2024-01-31", ("24/01", 1)),
        ("i3,2024-05-01", ("24/03", 1)),
        ("i1,2024-05-02", ("24/05", 1)),
    ] {
        import_rows(&lake, "incidents", &format!("id,created_date\n{rows}\n"));
        stdout(&headwater(lake.folder(), &["transform"]));
        let given = (texts(&lake, first).await, lake.number(taken).await);
        assert_eq!((given.0[0].as_str(), given.1), expected, "after {rows}");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn deployments_to_chosen_environments_are_compared_with_each_other(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(mut lake) = Lake::with(on, &offline()).await else {
        return;
    };
    let sha = |letter: &str| letter.repeat(40);
    import(
        &lake,
        "repositories",
        &[json!({"full_name": "acme/rocket"})],
    );
    let commits = ["a", "b", "c", "d"].windows(2).map(
        |pair| json!({"hash": sha(pair[1]), "message": "m", "parents": [{"hash": sha(pair[0])}]}),
    );
    let first = json!({"hash": sha("a"), "message": "m", "parents": []});
    let commits: Vec<_> = std::iter::once(first).chain(commits).collect();
    import(&lake, "commits", &commits);
    let deployment = |(day, name, commit): (u8, &str, &str)| {
        json!({
            "uuid": format!("{{{day}}}"),
            "environment": {"name": name, "environment_type": {"name": "Production"}},
            "release": {"pipeline": {"uuid": format!("{{p{day}}}")}, "commit": {"hash": sha(commit)}},
            "state": {
                "name": "COMPLETED", "status": {"name": "SUCCESSFUL"},
                "completed_on": format!("2026-03-{day:02}T10:00:00Z"),
            },
        })
    };
    let deployed = [(1, "eu", "a"), (2, "us", "b"), (3, "eu", "d")];
    import(&lake, "deployments", &deployed.map(deployment));
    let compared = format!(
        "SELECT commit_sha FROM commits_diffs WHERE new_commit_sha = '{}' \
         AND old_commit_sha = '{}' ORDER BY commit_sha",
        sha("d"),
        sha("a")
    );
    let own = "production_environments = [\"eu\"]";
    let project = "[[project]]\nname = \"p\"\nscopes = [\"acme-cloud:acme/rocket\"]\n";
    for (rule, expected) in [
        ("", vec![]),
        (own, vec![sha("b"), sha("c"), sha("d")]),
        ("", vec![]),
    ] {
        lake.configure(&format!("{}\n{project}{rule}\n", offline()));
        stdout(&headwater(lake.folder(), &["transform"]));
        assert_eq!(texts(&lake, &compared).await, expected, "{rule}");
        let neighbours = "SELECT COUNT(*) FROM commits_diff_pairs WHERE kind = 'DEPLOYMENT'";
        let pairs = lake.number(neighbours).await;
        assert_eq!(pairs, 2 + usize::from(!rule.is_empty()), "{rule}");
    }
}

#[test]
fn what_is_wrong_with_a_project_is_told_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let cases = [
        ("", "headwater.toml:8"),
        (
            "scopes = [\"!cloud:acme/old\"]",
            "names no scope: it only excludes some",
        ),
        (
            "scopes = [\"cloud:acme/*\"]\ntimezone = \"Europe/Berlim\"",
            "\"Europe/Berlim\" is not a time zone",
        ),
        (
            "scopes = [\"cloud:acme/*\"]\nhotfix_title_pattern = '.*'",
            "\".*\" matches everything",
        ),
        (
            "scopes = [\"cloud:acme/*\"]\nhotfix_branch_pattern = '(?i)^'",
            "matches everything",
        ),
        (
            "scopes = [\"cloud:acme/*\"]\nincident_sources = [\"pagerduty\"]",
            "\"pagerduty\" is not TABLE:ID",
        ),
    ];
    for (project, expected) in cases {
        let text = format!(
            "[[connection]]\nid = 1\nname = \"cloud\"\nkind = \"bitbucket-cloud\"\n\
             scopes = [\"acme/*\"]\nauth.kind = \"api-token\"\n\
             auth.email = \"me@acme.example\"\n[[project]]\nname = \"all\"\n{project}\n"
        );
        std::fs::write(folder.path().join("headwater.toml"), text).unwrap();
        let checked = headwater(folder.path(), &["config", "check"]);
        let shown = format!(
            "{}{}",
            String::from_utf8_lossy(&checked.stdout),
            String::from_utf8_lossy(&checked.stderr)
        );
        assert_eq!(code(&checked), 3, "{project}\n{shown}");
        assert!(shown.contains(expected), "{project}\n{shown}");
    }
}

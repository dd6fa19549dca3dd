//! Entities of a scope config: only their streams run.

use headwater::exit::Exit;

use crate::lake::{How, Lake, ended_output};
use crate::rules::{company, synced, under};

/// What was asked for since a number of requests, by the word behind the repository's name.
fn asked(simulator: &headwater_simulator::Simulator, after: usize) -> Vec<String> {
    let requests = simulator.requests().into_iter().skip(after);
    let mut words: Vec<String> = requests
        .filter_map(|request| request.path.split('/').nth(5).map(str::to_owned))
        .filter(|word| !word.is_empty())
        .collect();
    words.sort();
    words.dedup();
    words
}

async fn rows(lake: &Lake, table: &str) -> usize {
    lake.number(&format!("SELECT COUNT(*) FROM {table}")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_streams_of_the_entities_are_asked_for_and_fill_tables() {
    for (entity, paths, filled) in [
        ("code", "commits refs", "refs commits"),
        (
            "code-review",
            "pullrequests",
            "pull_requests pull_request_comments",
        ),
        (
            "cicd",
            "deployments environments pipelines",
            "cicd_pipelines cicd_tasks cicd_deployments",
        ),
        ("issues", "issues", "issues"),
        ("cross", "", ""),
    ] {
        let simulator = company().await;
        let before = simulator.request_count();
        let lake = synced(&simulator, &format!("entities = [\"{entity}\"]")).await;
        let asked = asked(&simulator, usize::try_from(before).unwrap());
        assert_eq!(asked.join(" "), paths, "{entity}");
        for table in [
            "refs",
            "commits",
            "pull_requests",
            "pull_request_comments",
            "cicd_pipelines",
            "cicd_tasks",
            "cicd_deployments",
            "issues",
        ] {
            let wanted = filled.split(' ').any(|name| name == table);
            assert_eq!(rows(&lake, table).await > 0, wanted, "{entity}: {table}");
        }
        let scopes = "SELECT COUNT(*) FROM _headwater_scopes WHERE full_name LIKE '%/%'";
        let scopes = lake.number(scopes).await;
        assert_eq!(rows(&lake, "repos").await, scopes, "{entity}");
        let steps = "SELECT COUNT(*) FROM _headwater_steps WHERE stream = 'pull_requests'";
        let ran = lake.number(steps).await > 0;
        assert_eq!(ran, entity == "code-review", "{entity}");
        lake.sync(How::default()).await;
        let again = synced(&simulator, &format!("entities = [\"{entity}\"]")).await;
        let differences = lake.differences(&again).await;
        assert!(differences.is_empty(), "{entity}: {differences:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_an_entity_that_is_taken_out_stay_and_it_goes_on_when_it_is_back() {
    let simulator = company().await;
    let mut lake = synced(&simulator, "").await;
    let (issues, pull_requests) = (
        rows(&lake, "issues").await,
        rows(&lake, "pull_requests").await,
    );
    lake.configure(&under(&simulator, "entities = [\"code-review\"]"));
    simulator
        .world()
        .advance(std::time::Duration::from_hours(2));
    let before = simulator.requests().len();
    let (exit, _) = lake.sync(How { full: true }).await;
    assert_eq!(exit, Exit::Ok);
    assert_eq!(asked(&simulator, before), ["pullrequests"]);
    assert_eq!(
        rows(&lake, "issues").await,
        issues,
        "nothing of it is deleted"
    );
    assert!(rows(&lake, "pull_requests").await >= pull_requests);
    let verified = lake.verify(false).await;
    let of_issues = verified
        .differences
        .iter()
        .find(|found| found.table.contains("issue"));
    assert!(of_issues.is_none(), "nobody asks for issues: {of_issues:?}");
    lake.configure(&under(&simulator, ""));
    // What no pipeline deployed is looked for once a day.
    lake.days_pass(1).await;
    lake.sync(How::default()).await;
    let fresh = synced(&simulator, "").await;
    let differences = lake.differences(&fresh).await;
    assert!(differences.is_empty(), "{differences:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_composes_with_entities_and_the_estimate_honours_them() {
    let simulator = company().await;
    let rules = "entities = [\"issues\", \"code\"]";
    let lake = Lake::with(headwater_testing::On::Sqlite, &under(&simulator, rules)).await;
    let lake = lake.unwrap();
    let before = simulator.requests().len();
    ended_output(lake.start(&["sync", "--only", "issues,tags"]));
    assert_eq!(asked(&simulator, before), ["issues", "refs"]);
    assert_eq!(rows(&lake, "issue_comments").await, 0, "not asked for");
    let refused = lake.start(&["sync", "--only", "issues,pipelines"]);
    let refused = refused.wait_with_output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("write \"cicd\" into `entities`"), "{said}");
    let nothing = under(&simulator, "entities = [\"cross\"]");
    let lake = Lake::with(headwater_testing::On::Sqlite, &nothing)
        .await
        .unwrap();
    let events = ended_output(lake.start(&["--json", "sync"]));
    let estimate = events
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .find(|event| event["event"] == "estimate")
        .unwrap();
    // The workspace, its projects and its members.
    assert_eq!(estimate["requests"], 3, "{estimate}");
}

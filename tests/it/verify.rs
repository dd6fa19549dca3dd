//! What differs from a fresh first sync, found without writing and repaired by reconciling.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use headwater::exit::Exit;
use headwater::plan::Depth;
use headwater::session::VerifyRequest;
use headwater_simulator::{Behaviour, Fault, Removed, Simulator};
use headwater_store::leases::Taken;
use headwater_testing::On;
use rstest::rstest;
use tokio_util::sync::CancellationToken;

use crate::lake::{self, How, Lake};
use crate::sync::is_top_list;

async fn tiny() -> (Simulator, Lake) {
    let simulator = lake::tiny().await;
    let lake = Lake::beside(&simulator).await;
    lake.sync(How::default()).await;
    (simulator, lake)
}

/// Every row of every table, bookkeeping included.
async fn dump(lake: &Lake) -> String {
    let names = "SELECT name FROM sqlite_master WHERE type = 'table' \
                 AND name NOT IN ('_headwater_requests', '_headwater_credentials', '_headwater_salts') ORDER BY name";
    let mut text = String::new();
    for row in lake.ask(names).await.rows {
        let headwater_store::query::Cell::Text(name) = &row[0] else {
            continue;
        };
        let rows = lake.ask(&format!("SELECT * FROM {name}")).await.rows;
        let _ = writeln!(text, "{name}: {rows:?}");
    }
    text
}

/// A repository and the number of one of its pull requests that has comments.
fn commented(simulator: &Simulator) -> (String, u64) {
    let world = simulator.world();
    let mut all = world.repositories().iter().flat_map(|repository| {
        let numbers = repository.pull_requests.values();
        numbers.map(|pull_request| (repository.slug.clone(), pull_request))
    });
    let found = all.find(|(_, pull_request)| !pull_request.comments.is_empty());
    let (slug, pull_request) = found.unwrap();
    (slug, pull_request.id)
}

fn shown(verified: &headwater::session::Verified) -> Vec<String> {
    let differences = verified.differences.iter();
    differences.map(ToString::to_string).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_in_step_equals_a_fresh_sync_and_verifying_writes_nothing() {
    let (simulator, lake) = tiny().await;
    let before = dump(&lake).await;
    // And the workspace, which is a scope of its own.
    let scopes = simulator.world().repositories().len() + 1;
    for deep in [false, true] {
        let _ = simulator.take_requests();
        let verified = lake.verify(deep).await;
        assert_eq!(shown(&verified), Vec::<String>::new());
        assert_eq!(verified.exit, Exit::Ok);
        assert_eq!(verified.scopes.len(), scopes);
        let requests = simulator.take_requests().into_iter();
        let children = requests.filter(|request| !is_top_list(&request.path));
        assert_eq!(children.count() > 0, deep);
    }
    assert_eq!(dump(&lake).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_any_layer_is_found_with_its_place() {
    let (_simulator, lake) = tiny().await;
    let changes = [
        ("repos", "name", "UPDATE repos SET name = 'tampered'"),
        (
            "_tool_bitbucket_pull_requests",
            "title",
            "UPDATE _tool_bitbucket_pull_requests SET title = 'tampered'",
        ),
        (
            "_raw_bitbucket_api_pull_requests",
            "data",
            "UPDATE _raw_bitbucket_api_pull_requests SET data = '{}'",
        ),
        (
            "accounts",
            "full_name",
            "UPDATE accounts SET full_name = 'tampered'",
        ),
    ];
    for (table, column, sql) in changes {
        let (_simulator, lake) = tiny().await;
        lake.execute(sql).await;
        let verified = lake.verify(false).await;
        assert_eq!(verified.exit, Exit::Partial, "{table}");
        for difference in &verified.differences {
            let (found, ..) = difference.cell.as_ref().unwrap();
            assert_eq!((difference.table.as_str(), found.as_str()), (table, column));
        }
        assert!(!verified.differences.is_empty(), "{table}");
    }
    let lost = "DELETE FROM pull_request_comments WHERE id = (SELECT MIN(id) FROM \
                pull_request_comments)";
    lake.execute(lost).await;
    let verified = lake.verify(false).await;
    assert_eq!(verified.differences.len(), 1);
    assert!(shown(&verified)[0].ends_with("only there"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_deleted_at_the_source_is_found_and_reconciled() {
    let (simulator, lake) = tiny().await;
    let (slug, id) = commented(&simulator);
    simulator.world().delete_pull_request(&slug, id).unwrap();
    // No list that asks for changes shows it; its deployments are missed by the daily look.
    lake.days_pass(1).await;
    lake.sync(How::default()).await;
    let verified = lake.verify(false).await;
    assert_eq!(verified.exit, Exit::Partial);
    let found = shown(&verified);
    assert!(
        found.iter().all(|line| line.contains("only here")),
        "{found:#?}"
    );
    let (exit, summary) = lake.reconcile(Depth::Lists).await;
    assert_eq!(exit, Exit::Ok);
    assert!(summary.removed > 0);
    assert_eq!(shown(&lake.verify(true).await), Vec::<String>::new());
    lake.assert_equals_a_first_sync(&simulator).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_that_no_list_shows_is_found_and_reconciled_deeply() {
    let (simulator, lake) = tiny().await;
    let (slug, id) = commented(&simulator);
    {
        let mut world = simulator.world();
        let by = world.pull_request(&slug, id).unwrap().comments[0].user;
        let user = by.unwrap_or(world.users()[0].id);
        world.rename_user(user, "Somebody Else").unwrap();
    }
    let requests = simulator.request_count();
    let (exit, _) = lake.reconcile(Depth::Lists).await;
    assert_eq!(exit, Exit::Ok);
    let lists = simulator.request_count() - requests;
    assert_eq!(lake.verify(true).await.exit, Exit::Partial);
    let requests = simulator.request_count();
    let (exit, _) = lake.reconcile(Depth::Everything).await;
    assert_eq!(exit, Exit::Ok);
    assert!(simulator.request_count() - requests > lists);
    assert_eq!(shown(&lake.verify(true).await), Vec::<String>::new());
    lake.assert_equals_a_first_sync(&simulator).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_that_cannot_be_read_is_not_compared_and_the_others_are() {
    use headwater_simulator::Fault;
    let (simulator, lake) = tiny().await;
    let slug = simulator.world().repositories()[0].slug.clone();
    let forbidden = format!("/2.0/repositories/acme/{slug}/pullrequests");
    simulator.set_faults(Some(std::sync::Arc::new(move |request| {
        (request.path == forbidden).then(|| Fault::Status(403, "{}".into(), Vec::new()))
    })));
    let verified = lake.verify(false).await;
    assert_eq!(verified.exit, Exit::Partial);
    assert_eq!(shown(&verified), Vec::<String>::new());
    // One less, and the workspace.
    let scopes = simulator.world().repositories().len() - 1 + 1;
    assert_eq!(verified.scopes.len(), scopes);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_verifies_and_reconciles_from_the_command_line() {
    let (simulator, lake) = tiny().await;
    let before = dump(&lake).await;
    let code = |arguments: &[&str]| {
        let output = lake.start(arguments).wait_with_output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        (output.status.code().unwrap(), text)
    };
    let equal = (0, "equal to a fresh first sync\n".to_owned());
    assert_eq!(code(&["verify"]), equal);
    let (slug, id) = commented(&simulator);
    simulator.world().delete_pull_request(&slug, id).unwrap();
    let scope = format!("acme/{slug}");
    let (exit, found) = code(&["verify", &scope, "--format", "csv", "--limit", "3"]);
    assert_eq!(exit, 5, "{found}");
    assert!(
        found.starts_with("table,key,column,here,there\n_raw_"),
        "{found}"
    );
    assert_eq!(found.lines().count(), 4, "{found}");
    assert!(found.ends_with(",,the row,no row\n"), "{found}");
    // Another repository has nothing to do with it.
    let others = simulator.world().repositories().len();
    if others > 1 {
        let other = {
            let world = simulator.world();
            let other = world.repositories().iter().find(|r| r.slug != slug);
            format!("acme/{}", other.unwrap().slug)
        };
        assert_eq!(code(&["verify", &other]), equal);
    }
    assert_eq!(dump(&lake).await, before, "verifying writes nothing");
    assert_eq!(code(&["reconcile", &scope]).0, 0);
    assert_eq!(code(&["verify", "--deep"]), equal);
    assert_eq!(code(&["verify", "other/nothing"]).0, 2);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_repository_that_another_process_works_on_is_named_and_not_compared(
    #[values(On::Sqlite, On::Postgres, On::MariaDb)] on: On,
) {
    let simulator = lake::tiny().await;
    let Some(lake) = Lake::on(on, &simulator, lake::ALL).await else {
        return;
    };
    lake.sync(How::default()).await;
    let other = lake.opened_again().await;
    let scope = other.scopes().await.unwrap().pop().unwrap().scope;
    let claim = headwater::run::claim("sync");
    let Ok(Taken::Ours(lease)) = other.lease_scope(&scope, &claim).await else {
        panic!("{} is leased", scope.full_name);
    };
    // Not all of its rows are written.
    let own = format!("DELETE FROM repos WHERE name = '{}'", scope.full_name);
    lake.execute(&own).await;
    let verified = lake.verify(false).await;
    assert_eq!(shown(&verified), Vec::<String>::new());
    assert_eq!(verified.exit, Exit::Leased);
    assert!(!verified.scopes.contains(&scope));
    let name = format!("acme-cloud:{}", scope.full_name);
    let named = verified.left_out.iter().find(|left| left.what == name);
    assert!(named.is_some_and(|left| left.why.contains("command sync")));
    lease.release().await.unwrap();
    let verified = lake.verify(false).await;
    assert_eq!(
        (verified.exit, verified.left_out),
        (Exit::Partial, Vec::new())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_skipped_is_named_and_its_rows_are_taken_as_they_are() {
    let (simulator, lake) = tiny().await;
    let (slug, id) = commented(&simulator);
    simulator.world().delete_pull_request(&slug, id).unwrap();
    let session = lake.session(&lake.store, CancellationToken::new()).await;
    let session = session.unwrap();
    let mut request = VerifyRequest {
        limit: 5,
        ..VerifyRequest::default()
    };
    let verified = session.verify(&request).await.unwrap();
    assert_eq!(verified.exit, Exit::Partial);
    // Pipelines and deployments of the pull request are gone with it.
    request.skip = vec!["pull_requests", "pipelines", "deployments"];
    let verified = session.verify(&request).await.unwrap();
    assert_eq!(shown(&verified), Vec::<String>::new());
    let named: Vec<&str> = verified
        .left_out
        .iter()
        .map(|it| it.what.as_str())
        .collect();
    assert_eq!(named, request.skip);
    assert_eq!(verified.exit, Exit::Ok);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_the_source_has_no_more_is_named_and_is_no_difference() {
    let simulator = crate::rules::company().await;
    let lake = Lake::beside(&simulator).await;
    lake.sync(How::default()).await;
    simulator.set_behaviour(Behaviour {
        removed: vec![Removed {
            status: 404,
            ..Removed::new("/issues")
        }],
        ..Behaviour::default()
    });
    let verified = lake.verify(false).await;
    assert_eq!(shown(&verified), Vec::<String>::new());
    assert_eq!(verified.exit, Exit::Partial);
    let named = verified.left_out.iter().map(|it| it.what.as_str());
    let named: Vec<&str> = named.collect();
    assert!(named.iter().any(|it| it.ends_with(": issues")), "{named:?}");
    let of_issues = |it: &&str| it.contains(": issue");
    assert!(named.iter().all(of_issues), "{named:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_the_configuration_skips_is_not_asked_for_and_is_named() {
    let (simulator, mut lake) = tiny().await;
    let text = lake::configuration(&simulator.endpoint(), lake::ALL);
    let rules = |skip: &str| format!("{text}\n[scope_config.default]\nskip_streams = [{skip}]\n");
    lake.configure(&rules("\"pipelines\", \"pull_request_activities\""));
    let _ = simulator.take_requests();
    let (exit, _) = lake.sync(How { full: true }).await;
    assert_eq!(exit, Exit::Ok);
    let asked = simulator.take_requests().into_iter();
    let mut paths = asked.map(|request| request.path);
    assert!(!paths.any(|path| path.contains("/pipelines") || path.contains("/activity")));
    let verified = lake.verify(true).await;
    assert_eq!(shown(&verified), Vec::<String>::new());
    let named: Vec<&str> = verified
        .left_out
        .iter()
        .map(|it| it.what.as_str())
        .collect();
    assert_eq!(
        named,
        [
            "acme-cloud: pipelines",
            "acme-cloud: pull_request_activities"
        ]
    );
    assert_eq!(verified.exit, Exit::Ok);
    for (skip, said) in [
        ("\"pipeline\"", "did you mean pipelines?"),
        ("\"repositories\"", "cannot be left out"),
    ] {
        lake.configure(&rules(skip));
        for command in ["sync", "config check"] {
            let arguments: Vec<&str> = command.split(' ').collect();
            let output = lake::headwater(lake.folder(), &arguments);
            let text = String::from_utf8_lossy(&output.stderr);
            assert_eq!(lake::code(&output), 3, "{command}: {text}");
            assert!(text.contains(said), "{command}: {text}");
        }
    }
}

#[rstest]
#[case::sqlite(On::Sqlite)]
#[case::postgres(On::Postgres)]
#[case::mariadb(On::MariaDb)]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_synced_while_it_is_verified_is_brought_up_to_date_first(#[case] on: On) {
    let simulator = lake::tiny().await;
    let Some(lake) = Lake::on(on, &simulator, lake::ALL).await else {
        return;
    };
    lake.sync(How::default()).await;
    // Verifying waits for the answer to this request, and has read the lists before it.
    let asked = Arc::new(AtomicBool::new(false));
    let waits = Arc::clone(&asked);
    simulator.set_faults(Some(Arc::new(move |request| {
        let is_late = request.path.ends_with("/pipelines/") || request.path.ends_with("/commits");
        let is_first = is_late && !waits.swap(true, Ordering::SeqCst);
        is_first.then_some(Fault::Delay(Duration::from_secs(4)))
    })));
    let meanwhile = async {
        while !asked.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        for slug in {
            let world = simulator.world();
            let all = world.repositories().iter();
            all.map(|it| it.slug.clone()).collect::<Vec<_>>()
        } {
            let mut world = simulator.world();
            let by = world.users()[0].id;
            // An empty repository refuses.
            let _ = world.create_pull_request(&slug, Some(by), "Meanwhile", "");
        }
        let (exit, summary) = lake.sync(How::default()).await;
        assert_eq!(exit, Exit::Ok);
        assert!(summary.written > 0);
    };
    let (verified, ()) = tokio::join!(lake.verify(false), meanwhile);
    assert_eq!(shown(&verified), Vec::<String>::new());
    let titled = "SELECT COUNT(*) FROM pull_requests WHERE title = 'Meanwhile'";
    assert!(lake.number(titled).await > 0);
}

#[rstest]
#[case::sqlite(On::Sqlite)]
#[case::postgres(On::Postgres)]
#[case::mariadb(On::MariaDb)]
#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_with_another_name_is_seen(#[case] on: On) {
    let simulator = lake::tiny().await;
    let Some(mut lake) = Lake::on(on, &simulator, lake::ALL).await else {
        return;
    };
    lake.sync(How::default()).await;
    simulator.world().rename_workspace("apex");
    let verified = lake.verify(false).await;
    assert_eq!(verified.exit, Exit::Credentials, "the name leads nowhere");
    lake.configure(&lake::with_everything(
        &simulator.endpoint(),
        r#"["apex/*"]"#,
    ));
    let verified = lake.verify(false).await;
    assert_eq!(verified.exit, Exit::Partial, "{:?}", verified.left_out);
    let found = shown(&verified);
    assert!(
        found.iter().any(|line| line.contains("apex/")),
        "{found:#?}"
    );
    // Payloads hold the name, too, and no list tells that they changed.
    let (exit, _) = lake.sync(How { full: true }).await;
    assert_eq!(exit, Exit::Ok);
    let verified = lake.verify(false).await;
    assert_eq!(shown(&verified), Vec::<String>::new());
    assert_eq!(verified.exit, Exit::Ok, "{:?}", verified.left_out);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_measured_of_projects_is_no_difference_until_a_row_is_wrong() {
    let simulator = lake::tiny().await;
    let project = "[[project]]\nname = \"shop\"\nscopes = [\"acme-cloud:acme/*\"]\n";
    let text = lake::with_everything(&simulator.endpoint(), lake::ALL);
    let lake = Lake::with(On::Sqlite, &format!("{text}{project}")).await;
    let lake = lake.unwrap();
    lake.sync(How::default()).await;
    let measured = "SELECT COUNT(*) FROM project_deployments";
    assert!(lake.number(measured).await > 0);
    let verified = lake.verify(false).await;
    assert_eq!(shown(&verified), Vec::<String>::new());
    lake.execute("UPDATE project_deployments SET repairs = 'luck'")
        .await;
    let verified = lake.verify(false).await;
    assert_eq!(verified.exit, Exit::Partial);
    assert!(shown(&verified)[0].contains("repairs"), "{verified:?}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_was_imported_is_no_difference_and_what_follows_from_it_is_looked_at(
    #[values(On::Sqlite, On::Postgres, On::MariaDb)] on: On,
) {
    let simulator = lake::tiny().await;
    let Some(mut lake) = Lake::on(on, &simulator, lake::ALL).await else {
        return;
    };
    let collected = lake::with_everything(&simulator.endpoint(), lake::ALL);
    lake.configure(&format!(
        "{collected}\n[[project]]\nname = \"own\"\nscopes = [\"acme-cloud:acme/*\"]\n\
         incident_sources = [\"incident_sources:pagerduty\"]\n"
    ));
    lake.sync(How::default()).await;
    for (arguments, content) in [
        (
            &["table", "import", "project_mapping"][..],
            "project_name,table,row_id\next,repos,r\next,cicd_scopes,r\n",
        ),
        (
            &["table", "import", "cicd_pipelines"],
            "id,type,result,environment,finished_date,cicd_scope_id\n\
             b1,DEPLOYMENT,SUCCESS,PRODUCTION,2026-01-02 10:00:00,r\n",
        ),
        (
            &["table", "import", "cicd_pipeline_commits"],
            "pipeline_id,commit_sha,repo_url\nb1,c1,u\n",
        ),
        (
            &["table", "import", "pull_requests"],
            "id,base_repo_id,merged_date,merge_commit_sha\np1,r,2026-01-01,c1\n",
        ),
        (
            &["table", "import", "accounts"],
            "id,full_name,is_bot\nx,Xenia,0\n",
        ),
        (&["table", "import", "users"], "id,name\n1,Xenia\n"),
        (&["table", "import", "teams"], "id,name\nt,Team\n"),
        (&["table", "import", "team_users"], "team_id,user_id\nt,1\n"),
        (
            &["table", "import", "user_accounts"],
            "user_id,account_id\n1,x\n",
        ),
        (
            &["import", "incidents", "--source", "pagerduty"],
            "id,created_date\ni1,2026-01-03 10:00:00\n",
        ),
    ] {
        std::fs::write(lake.folder().join("rows.csv"), content).unwrap();
        let arguments = [arguments, &["rows.csv"]].concat();
        lake::stdout(&lake::headwater(lake.folder(), &arguments));
    }
    lake.sync(How::default()).await;
    let measured = "SELECT COUNT(*) FROM project_deployments WHERE project_name = 'ext'";
    assert_eq!(lake.number(measured).await, 1);
    let verified = lake.verify(false).await;
    assert_eq!(shown(&verified), Vec::<String>::new());
    assert_eq!(verified.exit, Exit::Ok);
    for (table, sql) in [
        (
            "project_deployments",
            "UPDATE project_deployments SET result = 'x' WHERE project_name = 'ext'",
        ),
        (
            "cicd_deployments",
            "UPDATE cicd_deployments SET name = 'x' WHERE cicd_scope_id = 'r'",
        ),
        ("repos", "UPDATE repos SET description = 'x'"),
    ] {
        lake.execute(sql).await;
        let verified = lake.verify(false).await;
        let found = shown(&verified);
        assert!(found.iter().any(|it| it.starts_with(table)), "{found:#?}");
        assert_eq!(verified.exit, Exit::Partial);
    }
}

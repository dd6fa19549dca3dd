//! `steps` of a scope config: which pipelines' steps cost a request, and that the tables are those
//! of a first sync under the same rule, whatever was collected before.

use std::collections::BTreeSet;

use headwater::exit::Exit;
use headwater_simulator::{FaultKind, FaultPlan, FaultSettings, Repository, Simulator, World};
use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use rstest::rstest;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::lake::{ALL, How, Lake, configuration, ended_output, headwater, stdout};
use crate::rules::{company, synced, under};

const DEPLOYMENTS: &str = "steps = \"deployments\"";
const MATCHING: &str = "steps = \"matching\"\ndeployment_ref_pattern = \"^(feature|bugfix)/\"";

/// Lists of steps that were asked for.
fn asked(simulator: &Simulator) -> usize {
    let requests = simulator.take_requests();
    requests
        .iter()
        .filter(|it| it.path.ends_with("/steps/"))
        .count()
}

/// Pipelines of a repository that a deployment names.
fn deployed(world: &World, repository: &Repository) -> BTreeSet<String> {
    let deployments = repository.deployments(world.now()).into_iter();
    deployments.map(|it| it.pipeline.uuid).collect()
}

/// How many pipelines there are, how many of them have a deployment, and how many have one or run
/// for the branch of a feature or of a bug.
fn pipelines(simulator: &Simulator) -> (usize, usize, usize) {
    let world = simulator.world();
    let (mut all, mut named, mut matching) = (0, 0, 0);
    for repository in world.repositories() {
        let deployed = deployed(&world, repository);
        for pipeline in repository.pipelines(world.now()) {
            let is_named = deployed.contains(&pipeline.uuid);
            let kinds = ["feature/", "bugfix/"];
            let begins = kinds.iter().any(|kind| pipeline.ref_name.starts_with(kind));
            all += 1;
            named += usize::from(is_named);
            matching += usize::from(is_named || begins);
        }
    }
    (all, named, matching)
}

async fn assert_same(lake: &Lake, fresh: &Lake, case: &str) {
    let differences = lake.differences(fresh).await;
    let shown: Vec<String> = differences.iter().map(ToString::to_string).collect();
    assert!(shown.is_empty(), "{case}: {shown:#?}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_wider_rule_reads_what_is_missing_and_a_narrower_one_removes_what_it_leaves_out(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let simulator = company().await;
    let (all, named, matching) = pipelines(&simulator);
    assert!(0 < named && named < matching && matching < all);
    let Some(mut lake) = Lake::with(on, &under(&simulator, DEPLOYMENTS)).await else {
        return;
    };
    for (rules, requests) in [
        (DEPLOYMENTS, named),
        (MATCHING, matching - named),
        ("", all - matching),
        (MATCHING, 0),
        (DEPLOYMENTS, 0),
        ("steps = \"all\"", all - named),
        (DEPLOYMENTS, 0),
    ] {
        lake.configure(&under(&simulator, rules));
        let _ = asked(&simulator);
        let (exit, _) = lake.sync(How::default()).await;
        assert_eq!(exit, Exit::Ok, "{rules}");
        assert_eq!(asked(&simulator), requests, "{rules}");
        let fresh = synced(&simulator, rules).await;
        assert_same(&lake, &fresh, rules).await;
        let verified = lake.verify(false).await;
        assert_eq!(
            verified.exit,
            Exit::Ok,
            "{rules}: {:?}",
            verified.differences
        );
        let _ = asked(&simulator);
        lake.sync(How::default()).await;
        assert_eq!(asked(&simulator), 0, "{rules}: nothing changed");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn histories_with_faults_give_the_tables_of_a_first_sync(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
    #[values(DEPLOYMENTS, MATCHING)] rules: &str,
) {
    let simulator = company().await;
    let text = under(&simulator, rules).replacen(
        "requests_per_hour",
        "timeout_seconds = { connect = 5, read = 1, total = 30 }\nrequests_per_hour",
        1,
    );
    let Some(lake) = Lake::with(on, &text).await else {
        return;
    };
    let mut random = StdRng::seed_from_u64(7);
    let kinds = [FaultKind::Status500, FaultKind::CutInBody];
    for round in 0..3 {
        for _ in 0..10 {
            simulator.world().random_change(&mut random);
        }
        let settings = FaultSettings {
            share: 0.1,
            at_most: 3,
            ..FaultSettings::default()
        };
        let mut plan = FaultPlan::seeded(round);
        for kind in kinds {
            plan = kind.begin(&simulator, plan, &settings);
        }
        simulator.follow(plan);
        let done = lake.try_sync(How::default(), CancellationToken::new());
        done.await.unwrap();
        simulator.behave();
    }
    let (exit, _) = lake.reconcile(headwater::plan::Depth::Everything).await;
    assert_eq!(exit, Exit::Ok);
    assert_same(&lake, &synced(&simulator, rules).await, rules).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipeline_without_steps_says_why_and_what_is_not_seen() {
    let simulator = company().await;
    let lake = synced(&simulator, DEPLOYMENTS).await;
    let sql = "SELECT id FROM cicd_pipelines WHERE id NOT IN \
               (SELECT cicd_pipeline_id FROM cicd_deployments) ORDER BY id LIMIT 1";
    let answer = lake.ask(sql).await;
    let headwater_store::query::Cell::Text(id) = &answer.rows[0][0] else {
        panic!("{answer:?}");
    };
    let said = ended_output(lake.start(&["explain", "deployment", id, "--format", "json"]));
    let lines: Vec<Value> = serde_json::from_str(&said).unwrap();
    let line = lines.iter().find(|line| line["rule"] == "steps").unwrap();
    let because = line["because"].as_str().unwrap();
    assert!(because.contains("steps = \"deployments\""), "{because}");
    assert!(because.contains("is not seen"), "{because}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_counts_the_lists_that_the_rule_wants() {
    let simulator = company().await;
    let (all, named, _) = pipelines(&simulator);
    let mut lake = synced(&simulator, DEPLOYMENTS).await;
    let lists_of = |lake: &Lake| {
        let said = ended_output(lake.start(&["plan", "--format", "json"]));
        let plan: Value = serde_json::from_str(&said).unwrap();
        let steps = plan["steps"].as_array().unwrap().iter();
        let own = steps.filter(|step| step["step"] == "pipelines");
        own.map(|step| step["requests"].as_u64().unwrap())
            .sum::<u64>()
    };
    let lists = lists_of(&lake);
    lake.configure(&under(&simulator, ""));
    let wider = lists_of(&lake);
    assert_eq!(wider - lists, (all - named) as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_choice_by_deployments_without_deployments_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let endpoint = "http://127.0.0.1:9/2.0/";
    for (rules, expected) in [
        (
            "steps = \"deployments\"\nskip_streams = [\"deployments\"]",
            "take deployments out of `skip_streams`",
        ),
        ("steps = \"deployment\"", "\"deployments\""),
    ] {
        let text = format!(
            "{}\n[scope_config.default]\n{rules}\n",
            configuration(endpoint, ALL)
        );
        std::fs::write(folder.path().join("headwater.toml"), text).unwrap();
        let output = headwater(folder.path(), &["config", "check"]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned()
            + &String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(3), "{said}");
        assert!(said.contains(expected), "{said}");
    }
    let text = format!(
        "{}\n[scope_config.default]\nsteps = \"matching\"\n",
        configuration(endpoint, ALL)
    );
    std::fs::write(folder.path().join("headwater.toml"), text).unwrap();
    let output = headwater(folder.path(), &["config", "check"]);
    let warned = String::from_utf8_lossy(&output.stderr).into_owned() + &stdout(&output);
    assert!(warned.contains("there is none"), "{warned}");
}

//! `plan` and `sync --plan`: what a run would do, without doing it.

use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;
use serde_json::Value;

use crate::hashes::texts;
use crate::lake::{ALL, How, Lake, code, headwater, stdout, tiny, with_everything};

fn planned(lake: &Lake, arguments: &[&str]) -> Value {
    serde_json::from_str(&stdout(&headwater(lake.folder(), arguments))).unwrap()
}

/// Scope, stage and step of the steps that collect or list.
fn asked(planned: &Value) -> Vec<(String, String, u64)> {
    let steps = planned["steps"].as_array().unwrap().iter();
    let asked = steps.filter(|step| step["requests"].as_u64() > Some(0));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    asked
        .map(|step| {
            let requests = step["requests"].as_u64().unwrap();
            (text(&step["scope"]), text(&step["step"]), requests)
        })
        .collect()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_plan_names_every_step_and_neither_asks_nor_writes(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let simulator = tiny().await;
    let Some(mut lake) = Lake::on(on, &simulator, ALL).await else {
        return;
    };
    let collected = with_everything(&simulator.endpoint(), ALL);
    let before = simulator.request_count();
    // Nothing is known yet: the workspace is listed.
    let first = planned(&lake, &["plan", "--json"]);
    assert_eq!(asked(&first)[0].1, "repositories", "{first:#}");
    assert_eq!(first["connections"][0]["at_least"], true, "{first:#}");
    assert_eq!(simulator.request_count(), before);
    let registered = "SELECT COUNT(*) FROM _headwater_scopes";
    assert_eq!(lake.number(registered).await, 0);
    lake.sync(How::default()).await;
    let repositories = texts(&lake, "SELECT name FROM repos ORDER BY id").await;
    let synced = simulator.request_count();
    let runs = lake.number("SELECT COUNT(*) FROM _headwater_runs").await;
    let again = planned(&lake, &["plan", "--format", "json"]);
    for repository in &repositories {
        let of = asked(&again);
        assert!(
            of.iter().any(|(scope, step, _)| scope
                .ends_with(repository.rsplit('/').next().unwrap())
                && step == "pull_requests"),
            "{repository}: {of:?}"
        );
    }
    let stages = |planned: &Value| -> Vec<String> {
        let steps = planned["steps"].as_array().unwrap().iter();
        let stages = steps.map(|step| step["stage"].as_str().unwrap().to_owned());
        stages.collect()
    };
    for stage in ["list", "collect", "extract", "convert"] {
        assert!(stages(&again).iter().any(|it| it == stage), "{stage}");
    }
    // Of a project only its repositories, and of some streams only these.
    let slug = texts(&lake, "SELECT id FROM repos ORDER BY id").await[0].clone();
    let slug = slug.rsplit(':').next().unwrap().to_owned();
    lake.configure(&format!(
        "{collected}\n[[project]]\nname = \"one\"\nscopes = [\"acme-cloud:{slug}\"]\n"
    ));
    let one = planned(&lake, &["plan", "one", "--json"]);
    let scopes: Vec<String> = asked(&one).into_iter().map(|(scope, ..)| scope).collect();
    assert!(scopes.contains(&slug), "{scopes:?}");
    let others = scopes.iter().filter(|it| it.contains('/') && **it != slug);
    assert_eq!(others.count(), 0, "{scopes:?}");
    let steps = one["steps"].as_array().unwrap();
    let [.., project, spanning] = steps.as_slice() else {
        panic!("{one:#}");
    };
    assert_eq!(project["stage"], "projects", "{one:#}");
    // What spans repositories comes last, and asks for nothing.
    let step = spanning["step"].as_str().unwrap();
    assert!(step.ends_with("project_metrics"), "{one:#}");
    assert_eq!(spanning["requests"], 0, "{one:#}");
    let what = spanning["what"].as_str().unwrap();
    assert!(what.starts_with("after collection"), "{what}");
    let some = planned(
        &lake,
        &["sync", "--plan", &slug, "--only", "pipelines", "--json"],
    );
    let some: Vec<String> = asked(&some).into_iter().map(|(_, step, _)| step).collect();
    assert_eq!(some, ["pipelines"]);
    let shown = stdout(&headwater(lake.folder(), &["plan"]));
    assert!(shown.contains("acme-cloud: at least "), "{shown}");
    assert!(shown.contains("changes since "), "{shown}");
    let unknown = headwater(lake.folder(), &["plan", "ones"]);
    let error = String::from_utf8_lossy(&unknown.stderr).into_owned();
    assert_eq!(code(&unknown), 2, "{error}");
    assert!(error.contains("did you mean \"one\"?"), "{error}");
    assert_eq!(simulator.request_count(), synced, "nothing was asked");
    let now = lake.number("SELECT COUNT(*) FROM _headwater_runs").await;
    assert_eq!(now, runs, "nothing was written");
}

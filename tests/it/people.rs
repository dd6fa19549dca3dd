//! People and places: members and projects of workspaces, bots, and what strangers may see.

use std::sync::Arc;

use headwater::exit::Exit;
use headwater::plan::Depth;
use headwater_simulator::{Credentials, Fault, ListedWorkspace, Options, Simulator, Size, World};
use headwater_store::query::Cell;
use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;
use serde_json::json;

use crate::connection_case::run;
use crate::lake::{ALL, How, Lake, configuration, stdout, tiny};

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_brings_its_projects_and_its_members(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let simulator = tiny().await;
    let Some(lake) = Lake::on(on, &simulator, ALL).await else {
        return;
    };
    assert_eq!(lake.sync(How::default()).await.0, Exit::Ok);
    let (users, projects) = {
        let world = simulator.world();
        (world.users().len(), world.projects().len())
    };
    let count = |table: &str| format!("SELECT COUNT(*) FROM {table}");
    assert_eq!(lake.number(&count("_tool_bitbucket_workspaces")).await, 1);
    assert_eq!(
        lake.number(&count("_tool_bitbucket_projects")).await,
        projects
    );
    let members = count("_tool_bitbucket_workspace_members");
    assert_eq!(lake.number(&members).await, users);
    let organized = "SELECT COUNT(*) FROM accounts WHERE organization = 'acme'";
    assert_eq!(lake.number(organized).await, users);
    // Every user is a member here, also those who never did anything. The workspace, which owns
    // the repositories, is no account.
    assert_eq!(lake.number(&count("accounts")).await, users);
    let unnamed = "SELECT COUNT(*) FROM accounts WHERE full_name = ''";
    assert_eq!(lake.number(unnamed).await, 0);
    // A new display name shows in all payloads.
    let someone = simulator.world().users()[1].id;
    simulator
        .world()
        .rename_user(someone, "Somebody Else")
        .unwrap();
    assert_eq!(lake.sync(How::default()).await.0, Exit::Ok);
    assert_eq!(lake.reconcile(Depth::Everything).await.0, Exit::Ok);
    lake.assert_equals_a_first_sync(&simulator).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn members_that_may_not_be_seen_are_said_once_and_the_rest_goes_on() {
    let simulator = tiny().await;
    let lake = Lake::with_scopes(&simulator, ALL).await;
    let text = "{\"error\": {\"message\": \"Your credentials lack one or more required privilege \
                scopes.\", \"detail\": {\"required\": [\"read:workspace:bitbucket\"]}}}";
    let refusal = Fault::Status(403, text.into(), Vec::new());
    simulator.set_faults(Some(Arc::new(move |request| {
        let refused = request.path.contains("/members") || request.path.contains("/projects");
        refused.then(|| refusal.clone())
    })));
    let (exit, summary) = lake.sync(How::default()).await;
    assert_eq!((exit, summary.scopes_failed), (Exit::Ok, 0), "{summary:?}");
    let said = "SELECT stream, message FROM _headwater_steps \
                WHERE message LIKE '%read:workspace:bitbucket%' ORDER BY stream";
    let said = lake.ask(said).await;
    let streams: Vec<&Cell> = said.rows.iter().map(|row| &row[0]).collect();
    let expected = ["projects", "workspace_members"].map(|it| Cell::Text(it.to_owned()));
    assert_eq!(streams, expected.iter().collect::<Vec<_>>());
    let requests = simulator.take_requests();
    let refused = requests.iter().filter(|request| request.status == 403);
    assert_eq!(refused.count(), 2, "nothing is asked for again");
    assert!(lake.number("SELECT COUNT(*) FROM pull_requests").await > 0);
    // What was there before stays, and is there again when it may be seen.
    simulator.set_faults(None);
    assert_eq!(lake.sync(How::default()).await.0, Exit::Ok);
    lake.assert_equals_a_first_sync(&simulator).await;
    simulator.set_faults(Some(Arc::new(|request| {
        request
            .path
            .contains("/members")
            .then(|| Fault::status(403))
    })));
    assert_eq!(lake.sync(How { full: true }).await.0, Exit::Ok);
    let members = "SELECT COUNT(*) FROM _tool_bitbucket_workspace_members";
    assert!(lake.number(members).await > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_pattern_tells_bots_from_people_without_the_network() {
    let simulator = tiny().await;
    let folder = tempfile::tempdir().unwrap();
    let (bot, someone) = {
        let mut world = simulator.world();
        let (bot, someone) = (world.users()[0].id, world.users()[1].id);
        world.rename_user(bot, "Release-Bot").unwrap();
        world.rename_user(someone, "Zacharias Abbott").unwrap();
        (bot, someone)
    };
    let ids = {
        let world = simulator.world();
        [bot, someone].map(|id| world.user(id).unwrap().account_id.clone())
    };
    let config = configuration(&simulator.endpoint(), ALL);
    let headwater = |config: String, arguments: &'static [&'static str]| {
        let path = folder.path().to_owned();
        std::fs::write(path.join("headwater.toml"), config).unwrap();
        tokio::task::spawn_blocking(move || stdout(&run(&path, &[], arguments)))
    };
    let query: &'static [&'static str] = &[
        "query",
        "SELECT id FROM accounts WHERE is_bot ORDER BY id",
        "--format",
        "csv",
    ];
    headwater(config.clone(), &["sync"]).await.unwrap();
    let found = headwater(config.clone(), query).await.unwrap();
    let row = |id: &str| format!("bitbucket:BitbucketAccount:1:{id}\n");
    assert_eq!(
        found.replace('\r', ""),
        format!("id\n{}", row(&ids[0])),
        "{found}"
    );
    let before = simulator.request_count();
    let other = format!("{config}\n[scope_config.default]\nbot_pattern = \"(?i)^zacharias\"\n");
    headwater(other.clone(), &["transform"]).await.unwrap();
    let found = headwater(other, query).await.unwrap();
    assert_eq!(
        found.replace('\r', ""),
        format!("id\n{}", row(&ids[1])),
        "{found}"
    );
    assert_eq!(simulator.request_count(), before);
}

/// A company with a public and a private repository, which strangers may look at.
async fn open_company() -> (Simulator, String, String) {
    let size = Size {
        pull_requests_per_repository: 2,
        ..Size::tiny()
    };
    let of = |seed| World::generate(seed, "acme", &size);
    let fits = |world: &World| {
        let [first, second, ..] = world.repositories() else {
            return false;
        };
        first.is_private != second.is_private
    };
    let seed = (1..50).find(|&seed| fits(&of(seed))).unwrap();
    let world = of(seed);
    let slug = |private: bool| {
        let mut repositories = world.repositories().iter();
        let found = repositories.find(|it| it.is_private == private && it.mainbranch.is_some());
        found.unwrap().slug.clone()
    };
    let (public, private) = (slug(false), slug(true));
    let options = Options {
        seed,
        size,
        credentials: Credentials {
            anonymous: true,
            ..Credentials::default()
        },
        ..Options::default()
    };
    (Simulator::start(options).await.unwrap(), public, private)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_public_repository_is_collected_by_its_name_without_credentials() {
    let (simulator, public, private) = open_company().await;
    let folder = tempfile::tempdir().unwrap();
    let config = |scopes: &str| {
        format!(
            "[[connection]]\nid = 1\nname = \"strangers\"\nkind = \"bitbucket-cloud\"\n\
             endpoint = \"{}\"\nauth.kind = \"none\"\nrequests_per_hour = 1000\n\
             scopes = [{scopes}]\n",
            simulator.endpoint()
        )
    };
    let headwater = |config: String, arguments: &'static [&'static str]| {
        let path = folder.path().to_owned();
        std::fs::write(path.join("headwater.toml"), config).unwrap();
        tokio::task::spawn_blocking(move || run(&path, &[], arguments))
    };
    // Builds need credentials, as everything does that is not the repository itself.
    simulator.set_faults(Some(Arc::new(|request| {
        request
            .path
            .contains("/pipelines")
            .then(|| Fault::status(401))
    })));
    let only_public = config(&format!("\"acme/{public}\""));
    let output = headwater(only_public.clone(), &["sync"]).await.unwrap();
    let told = stdout(&output);
    let requests = simulator.take_requests();
    assert!(
        requests
            .iter()
            .all(|request| !request.path.contains("workspaces"))
    );
    let refused = requests.iter().filter(|request| request.status == 401);
    // Once for the estimate, once for the list; nothing hangs on it.
    assert_eq!(refused.count(), 2, "{told}");
    assert_eq!(told.matches("collect pipelines").count(), 1, "{told}");
    let sql: &'static [&'static str] = &[
        "query",
        "SELECT COUNT(*) AS n FROM pull_requests",
        "--format",
        "csv",
    ];
    let rows = stdout(&headwater(only_public, sql).await.unwrap());
    assert_eq!(rows.lines().nth(1), Some("2"), "{rows}");

    // A private one fails by itself, as one that does not exist would.
    let both = config(&format!("\"acme/{private}\", \"acme/{public}\""));
    let output = headwater(both, &["sync"]).await.unwrap();
    let told = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(matches!(output.status.code(), Some(4 | 5)), "{told}");
    assert!(told.contains("1 repository did not finish"), "{told}");
    assert!(
        told.contains(&format!("strangers:acme/{public}: nothing new")),
        "{told}"
    );
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn statuses_of_commits_are_collected_where_the_configuration_asks_for_them(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let simulator = tiny().await;
    let count = "SELECT COUNT(*) FROM _tool_bitbucket_pull_request_statuses";
    let asked = || {
        let requests = simulator.take_requests().into_iter();
        requests
            .filter(|request| request.path.ends_with("/statuses"))
            .count()
    };
    let config = configuration(&simulator.endpoint(), ALL);
    let Some(lake) = Lake::with(on, &config).await else {
        return;
    };
    assert_eq!(lake.sync(How::default()).await.0, Exit::Ok);
    assert_eq!((asked(), lake.number(count).await), (0, 0));
    let Some(lake) = Lake::on(on, &simulator, ALL).await else {
        return;
    };
    assert_eq!(lake.sync(How::default()).await.0, Exit::Ok);
    let pull_requests = lake.number("SELECT COUNT(*) FROM pull_requests").await;
    assert_eq!(asked(), pull_requests, "one for each");
    assert!(lake.number(count).await > 0);
    // A push gives another head, with statuses of its own.
    let (slug, id, by) = {
        let world = simulator.world();
        let mut repositories = world.repositories().iter();
        let open = repositories.find_map(|it| {
            let mut all = it.pull_requests.values();
            let open = all.find(|it| it.state == headwater_simulator::State::Open)?;
            Some((it.slug.clone(), open.id))
        });
        let (slug, id) = open.unwrap();
        (slug, id, world.users()[0].id)
    };
    simulator.world().push_commits(&slug, id, by, 1).unwrap();
    assert_eq!(lake.sync(How::default()).await.0, Exit::Ok);
    // Once, and once more where the new head has fewer: what a list misses is looked for again.
    assert!((1..=2).contains(&asked()));
    lake.assert_equals_a_first_sync(&simulator).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_credentials_sixty_requests_an_hour_are_told() {
    let (simulator, public, _) = open_company().await;
    let folder = tempfile::tempdir().unwrap();
    let config = format!(
        "[[connection]]\nid = 1\nname = \"strangers\"\nkind = \"bitbucket-cloud\"\n\
         endpoint = \"{}\"\nauth.kind = \"none\"\nscopes = [\"acme/{public}\"]\n",
        simulator.endpoint()
    );
    std::fs::write(folder.path().join("headwater.toml"), config).unwrap();
    let path = folder.path().to_owned();
    let sync = move || run(&path, &[], &["sync", "--only", "repositories", "--json"]);
    let told = stdout(&tokio::task::spawn_blocking(sync).await.unwrap());
    assert!(told.contains("\"per_hour\":60,"), "{told}");
    assert_eq!(simulator.request_count(), 1);
}

/// What a workspace beside the simulated one answers, of which these are the members.
fn answer_of_umbrella(path: &str, members: &[serde_json::Value]) -> Option<Fault> {
    let (_, rest) = path.split_once("/workspaces/umbrella")?;
    let list = |values: &[serde_json::Value]| json!({"values": values, "page": 1, "pagelen": 100, "size": values.len()});
    let (status, body) = match rest {
        "" => (
            200,
            json!({"type": "workspace", "slug": "umbrella", "uuid": "{umbrella}", "name": "U"}),
        ),
        "/members" => (200, list(members)),
        "/projects" => (200, list(&[])),
        _ => (404, json!({"type": "error", "error": {"message": "none"}})),
    };
    Some(Fault::Status(status, body.to_string().into(), Vec::new()))
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_account_of_two_workspaces_has_both_until_it_leaves_one(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let simulator = Simulator::start(Options {
        size: Size::tiny(),
        listed_workspaces: vec![ListedWorkspace::new("umbrella", 1)],
        ..Options::default()
    })
    .await
    .unwrap();
    let scopes = r#"["umbrella/*", "acme/*"]"#;
    let Some(lake) = Lake::on(on, &simulator, scopes).await else {
        return;
    };
    let someone = simulator.world().users()[1].clone();
    let workspace = json!({"type": "workspace", "slug": "umbrella", "uuid": "{umbrella}"});
    let user = json!({"type": "user", "account_id": someone.account_id, "uuid": someone.uuid,
        "display_name": someone.display_name});
    let member = json!({"type": "workspace_membership", "user": user, "workspace": workspace});
    let organization = format!(
        "SELECT organization FROM accounts WHERE id LIKE '%{}'",
        someone.account_id
    );
    for (members, expected) in [
        (vec![member.clone()], "acme,umbrella"),
        (vec![], "acme"),
        (vec![member], "acme,umbrella"),
    ] {
        simulator.set_faults(Some(Arc::new(move |request| {
            answer_of_umbrella(&request.path, &members)
        })));
        lake.sync(How { full: true }).await;
        let given = lake.ask(&organization).await.rows;
        assert_eq!(given, [[Cell::Text(expected.to_owned())]]);
    }
}

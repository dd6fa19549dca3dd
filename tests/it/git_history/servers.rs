//! Git behind a server: every kind of credentials, and what a server can do wrong.

use std::sync::Arc;

use headwater::exit::Exit;
use headwater_simulator::{
    Consumer, Credentials, Fault, FaultPlan, OnRequest, Options, RequestRecord, Simulator, Size,
    When,
};
use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;

use super::stored_commits;
use crate::lake::{How, Lake};

/// A small company whose git takes every kind of credentials.
pub(super) async fn simulator() -> Simulator {
    let credentials = Credentials {
        consumers: vec![Consumer::new("key", "consumer-secret")],
        git_users: vec![("me".to_owned(), "password".to_owned())],
        git_bearers: vec!["of-a-data-center".to_owned()],
        anonymous: true,
        ..Credentials::default()
    };
    let options = Options {
        size: Size::tiny(),
        credentials,
        ..Options::default()
    };
    Simulator::start(options).await.unwrap()
}

/// A Bitbucket connection that reads git, with these credentials.
pub(super) fn cloud(simulator: &Simulator, auth: &str, scopes: &str) -> String {
    let auth = auth.replace("TOKEN_URL", &simulator.token_url());
    format!(
        "[[connection]]\nid = 1\nname = \"acme-cloud\"\nkind = \"bitbucket-cloud\"\n\
         endpoint = \"{}\"\nauth = {{ {auth} }}\nrequests_per_hour = 1000000000\n\
         scopes = {scopes}\ngit.enabled = true\ngit.url = \"{}\"\n",
        simulator.endpoint(),
        simulator.git_url()
    )
}

/// A connection of kind `git` over the simulator, with these credentials.
fn plain(simulator: &Simulator, auth: &str) -> String {
    let slug = first(simulator);
    let url = simulator
        .git_url()
        .replace("{scope}", &format!("acme/{slug}"));
    format!(
        "[[connection]]\nid = 9\nname = \"plain\"\nkind = \"git\"\nauth = {{ {auth} }}\n\
         git.urls = {{ \"tools/widget\" = \"{url}\" }}\n"
    )
}

fn first(simulator: &Simulator) -> String {
    simulator.world().repositories()[0].slug.clone()
}

fn is_git(request: &RequestRecord) -> bool {
    request.path.contains(".git/")
}

const API_TOKEN: &str = "kind = \"api-token\", email = \"me@example.com\", token = \"api-token\"";

#[rstest]
#[case::api_token(API_TOKEN)]
#[case::access_token("kind = \"access-token\", token = \"access-token\"")]
#[case::oauth(
    "kind = \"oauth\", key = \"key\", secret = \"consumer-secret\", token_url = \"TOKEN_URL\""
)]
#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_bitbucket_reads_the_api_and_git(#[case] auth: &str) {
    let simulator = simulator().await;
    let configuration = cloud(&simulator, auth, "[\"acme/*\"]");
    let lake = Lake::with(Sqlite, &configuration).await.unwrap();
    assert_eq!(lake.sync(How::default()).await.0, Exit::Ok);
    let world: Vec<String> = {
        let world = simulator.world();
        let main = world.repositories().iter().flat_map(|it| &it.main);
        main.map(|commit| commit.hash.to_string()).collect()
    };
    let stored = stored_commits(&lake).await;
    assert!(
        world.iter().all(|hash| stored.contains(hash)),
        "git tells what the API knows"
    );
    let requests = simulator.take_requests();
    assert!(requests.iter().any(|it| is_git(it) && it.status == 200));
    let by_api = |it: &RequestRecord| it.path.contains("/refs/") || it.path.ends_with("/commits");
    let by_api: Vec<String> = requests
        .iter()
        .filter(|it| by_api(it) && !it.path.contains("pullrequests"))
        .map(RequestRecord::target)
        .collect();
    assert_eq!(by_api, [""; 0], "what git tells is not asked of the API");
}

#[rstest]
#[case::bearer("kind = \"access-token\", token = \"of-a-data-center\"", Exit::Ok)]
#[case::basic("kind = \"basic\", user = \"me\", password = \"password\"", Exit::Ok)]
#[case::wrong_bearer("kind = \"access-token\", token = \"wrong\"", Exit::Credentials)]
#[case::wrong_password(
    "kind = \"basic\", user = \"me\", password = \"wrong\"",
    Exit::Credentials
)]
#[tokio::test(flavor = "multi_thread")]
async fn a_server_of_git_alone_takes_a_password_or_a_bearer_token(
    #[case] auth: &str,
    #[case] expected: Exit,
) {
    let simulator = simulator().await;
    let lake = Lake::with(Sqlite, &plain(&simulator, auth)).await.unwrap();
    assert_eq!(lake.sync(How::default()).await.0, expected);
    assert_eq!(stored_commits(&lake).await.is_empty(), expected != Exit::Ok);
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_that_only_git_refuses_leave_the_rest_and_are_told() {
    let simulator = simulator().await;
    let refuse: OnRequest = Arc::new(|request| is_git(request).then(|| Fault::status(401)));
    simulator.set_faults(Some(refuse));
    let scope = format!("[\"acme/{}\"]", first(&simulator));
    let configuration = cloud(&simulator, API_TOKEN, &scope);
    let lake = Lake::with(Sqlite, &configuration).await.unwrap();
    // As with the API: the workspace could be read, the repository not to its end.
    assert_eq!(lake.sync(How::default()).await.0, Exit::Partial);
    let pull_requests = lake.number("SELECT COUNT(*) FROM pull_requests").await;
    assert!(pull_requests > 0, "the rest is done");
    let told = "SELECT message FROM _headwater_steps WHERE stage = 'collect' AND stream = 'git'";
    let told = super::texts(&lake, told).await.join("\n");
    assert!(told.contains("the credentials were refused"), "{told}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_breaks_off_is_a_failure_and_never_an_empty_repository(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let simulator = simulator().await;
    let auth = "kind = \"basic\", user = \"me\", password = \"password\"";
    let configuration = plain(&simulator, auth);
    let pack = ".git/git-upload-pack";
    let elsewhere = vec![("location".to_owned(), "http://127.0.0.1:9/x".to_owned())];
    let cases = [
        (".git/", Fault::CutConnection),
        (pack, Fault::CutConnection),
        (pack, Fault::CutBeforeHead),
        (pack, Fault::Truncate),
        (".git/", Fault::status(503)),
        (".git/", Fault::web_page()),
        (".git/", Fault::Body("".into(), "text/plain".to_owned())),
        (".git/", Fault::Status(302, "".into(), elsewhere)),
    ];
    let Some(filled) = Lake::with(on, &configuration).await else {
        return;
    };
    assert_eq!(filled.sync(How::default()).await.0, Exit::Ok);
    let before = stored_commits(&filled).await;
    let push = headwater_simulator::GitChange::Push { count: 2 };
    let slug = first(&simulator);
    simulator.world().change_git(&slug, &push).unwrap();
    for (part, fault) in cases {
        let name = fault.name();
        let plan = FaultPlan::seeded(1).add(When::always().on(part), fault);
        simulator.follow(plan.clone());
        let empty = Lake::with(on, &configuration).await.unwrap();
        assert_eq!(
            empty.sync(How::default()).await.0,
            Exit::Failed,
            "{part} {name}"
        );
        assert_eq!(
            empty.number("SELECT COUNT(*) FROM repos").await,
            0,
            "{part} {name}"
        );
        simulator.follow(plan);
        assert_eq!(
            filled.sync(How::default()).await.0,
            Exit::Failed,
            "{part} {name}"
        );
        assert_eq!(
            stored_commits(&filled).await,
            before,
            "{part} {name}: rows stay"
        );
        simulator.behave();
        assert_eq!(
            empty.sync(How::default()).await.0,
            Exit::Ok,
            "{part} {name}"
        );
    }
    assert_eq!(filled.sync(How::default()).await.0, Exit::Ok);
    assert_eq!(stored_commits(&filled).await.len(), before.len() + 2);
    super::assert_equals_fresh(on, &filled, &configuration).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_read_what_is_public() {
    let options = Options {
        credentials: Credentials {
            anonymous: true,
            ..Credentials::default()
        },
        ..Options::default()
    };
    let simulator = Simulator::start(options).await.unwrap();
    let (public, private) = {
        let world = simulator.world();
        let named = |private: bool| {
            let mut all = world.repositories().iter();
            let found = all.find(|it| it.is_private == private && !it.main.is_empty());
            found.unwrap().slug.clone()
        };
        (named(false), named(true))
    };
    let url = |slug: &str| {
        simulator
            .git_url()
            .replace("{scope}", &format!("acme/{slug}"))
    };
    let configuration = format!(
        "[[connection]]\nid = 9\nname = \"plain\"\nkind = \"git\"\n\
         git.urls = {{ \"acme/public\" = \"{}\", \"acme/private\" = \"{}\" }}\n",
        url(&public),
        url(&private)
    );
    let lake = Lake::with(Sqlite, &configuration).await.unwrap();
    let (exit, run) = lake.sync(How::default()).await;
    assert_eq!((exit, run.scopes, run.scopes_failed), (Exit::Partial, 2, 1));
    assert!(!stored_commits(&lake).await.is_empty());
}

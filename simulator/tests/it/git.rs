//! Git over smart HTTP, as git itself asks for it.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Output;
use std::time::Duration;

use headwater_simulator::{
    Consumer, Credentials, Fault, FaultPlan, GitChange, Options, Simulator, Size, When,
};
use tempfile::TempDir;
use tokio::process::Command;

use crate::client::{first, json, post, start, walk};

const API_TOKEN: (&str, &str) = ("x-bitbucket-api-token-auth", "api-token");

/// Git with nothing of this machine's configuration, below a folder of its own.
async fn git(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new("git");
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("LC_ALL", "C")
        .current_dir(folder)
        .args(arguments)
        .kill_on_drop(true);
    command.output().await.unwrap()
}

async fn said(folder: &Path, arguments: &[&str]) -> String {
    let output = git(folder, arguments).await;
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

/// The address of a repository with a user and a password in it.
fn address(simulator: &Simulator, name: &str, (user, password): (&str, &str)) -> String {
    let url = simulator.git_url().replace("{scope}", name);
    url.replacen("://", &format!("://{user}:{password}@"), 1)
}

#[tokio::test]
async fn git_and_the_api_tell_the_same_of_every_repository() {
    let simulator = start(Size::default()).await;
    let slugs: Vec<String> = {
        let mut world = simulator.world();
        let slugs: Vec<String> = world
            .repositories()
            .iter()
            .map(|r| r.slug.clone())
            .collect();
        for (name, annotated) in [("v1.0", false), ("v1.1", true)] {
            let name = name.to_owned();
            let change = GitChange::Tag { name, annotated };
            world.change_git(&slugs[0], &change).unwrap();
        }
        let push = GitChange::ForcePush { drop: 3, count: 2 };
        world.change_git(&slugs[0], &push).unwrap();
        slugs
    };
    let folder = TempDir::new().unwrap();
    for slug in slugs {
        let place = folder.path().join(&slug);
        let url = address(&simulator, &format!("acme/{slug}"), API_TOKEN);
        let arguments = ["clone", "-q", "--bare", &url, place.to_str().unwrap()];
        said(folder.path(), &arguments).await;
        said(&place, &["fsck", "--strict", "--full"]).await;
        let mut told = BTreeSet::new();
        for (list, prefix) in [("branches", "refs/heads/"), ("tags", "refs/tags/")] {
            let path = format!("repositories/acme/{slug}/refs/{list}");
            for item in walk(&simulator, &path).await {
                let (name, hash) = (&item["name"], &item["target"]["hash"]);
                let (name, hash) = (name.as_str().unwrap(), hash.as_str().unwrap());
                told.insert(format!("{hash} {prefix}{name}"));
            }
        }
        let format = "--format=%(if)%(*objectname)%(then)%(*objectname)%(else)%(objectname)%(end) \
                      %(refname)";
        let refs = said(&place, &["for-each-ref", format]).await;
        let refs: BTreeSet<String> = refs.lines().map(str::to_owned).collect();
        assert_eq!(refs, told, "{slug}");
        if refs.is_empty() {
            continue;
        }
        let path = format!("repositories/acme/{slug}/commits");
        let commits = walk(&simulator, &path).await;
        let told = commits.iter().map(|commit| {
            let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
            let parents = commit["parents"].as_array().unwrap().iter();
            let parents: Vec<String> = parents.map(|parent| text(&parent["hash"])).collect();
            let author = text(&commit["author"]["raw"]);
            let (hash, date) = (text(&commit["hash"]), text(&commit["date"]));
            format!("{hash} {} {date} {author}", parents.join(" "))
        });
        let told: Vec<String> = told.collect();
        let log = [
            "log",
            "--format=%H %P %ad %an <%ae>",
            "--date=format:%Y-%m-%dT%H:%M:%S+00:00",
        ];
        let log = said(&place, &log).await;
        let log: Vec<&str> = log.lines().collect();
        assert_eq!(log, told, "{slug}");
    }
}

#[tokio::test]
async fn a_fetch_brings_what_changed_and_a_forced_push_rewrites() {
    let simulator = start(Size::tiny()).await;
    let slug = first(&simulator);
    let folder = TempDir::new().unwrap();
    let url = address(&simulator, &format!("acme/{slug}"), API_TOKEN);
    said(folder.path(), &["clone", "-q", "--mirror", &url, "m.git"]).await;
    let mirror = folder.path().join("m.git");
    for change in [
        GitChange::Push { count: 2 },
        GitChange::ForcePush { drop: 3, count: 1 },
    ] {
        simulator.world().change_git(&slug, &change).unwrap();
        said(&mirror, &["fetch", "-q", "--prune", "origin"]).await;
        let head = said(&mirror, &["rev-parse", "refs/heads/main"]).await;
        let world = simulator.world();
        let repository = world.repository(&slug).unwrap();
        assert_eq!(
            head.trim(),
            repository.main.last().unwrap().hash.to_string()
        );
    }
}

#[tokio::test]
async fn contents_of_files_are_left_out_on_request() {
    let simulator = start(Size::tiny()).await;
    let slug = first(&simulator);
    let folder = TempDir::new().unwrap();
    let url = address(&simulator, &format!("acme/{slug}"), API_TOKEN);
    for (filter, has_trees) in [("blob:none", true), ("tree:0", false)] {
        let name = filter.replace(':', "-");
        let filter = format!("--filter={filter}");
        let arguments = ["clone", "-q", "--bare", &filter, &url, &name];
        said(folder.path(), &arguments).await;
        let place = folder.path().join(name);
        let kinds = [
            "cat-file",
            "--batch-all-objects",
            "--batch-check=%(objecttype)",
        ];
        let kinds = said(&place, &kinds).await;
        assert!(!kinds.contains("blob"), "{filter}");
        assert_eq!(kinds.contains("tree"), has_trees, "{filter}");
        assert!(kinds.contains("commit"));
    }
}

#[tokio::test]
async fn each_kind_of_credentials_has_its_user() {
    let mut credentials = Credentials {
        consumers: vec![Consumer::new("key", "secret")],
        git_users: vec![("me".to_owned(), "password".to_owned())],
        git_bearers: vec!["of-a-data-center".to_owned()],
        ..Credentials::default()
    };
    let reading = vec!["read:pullrequest:bitbucket".to_owned()];
    credentials
        .api_tokens
        .push(("you@example.com".to_owned(), "other-token".to_owned()));
    credentials.scopes = vec![("other-token".to_owned(), reading)];
    let options = Options {
        size: Size::tiny(),
        credentials,
        ..Options::default()
    };
    let simulator = Simulator::start(options).await.unwrap();
    let form = "grant_type=client_credentials";
    let issued = post(&simulator, "a2V5OnNlY3JldA==", form).await;
    let issued = issued.json()["access_token"].as_str().unwrap().to_owned();
    let slug = first(&simulator);
    let folder = TempDir::new().unwrap();
    for (user, password, status) in [
        ("x-bitbucket-api-token-auth", "api-token", 200),
        ("x-token-auth", "access-token", 200),
        ("x-token-auth", issued.as_str(), 200),
        ("me", "password", 200),
        ("me%40example.com", "api-token", 401),
        ("x-token-auth", "api-token", 401),
        ("x-bitbucket-api-token-auth", "access-token", 401),
        ("x-bitbucket-api-token-auth", "wrong", 401),
        ("x-bitbucket-api-token-auth", "other-token", 403),
    ] {
        let url = address(&simulator, &format!("acme/{slug}"), (user, password));
        let output = git(folder.path(), &["ls-remote", &url]).await;
        assert_eq!(output.status.success(), status == 200, "{user} {password}");
        let last = simulator.take_requests().pop().unwrap();
        assert_eq!(last.status, status, "{user} {password}");
    }
    let url = simulator
        .git_url()
        .replace("{scope}", &format!("acme/{slug}"));
    let header = "http.extraHeader=Authorization: Bearer of-a-data-center";
    said(folder.path(), &["-c", header, "ls-remote", &url]).await;
    let nobody = git(folder.path(), &["ls-remote", &url]).await;
    assert!(!nobody.status.success());
    let missing = address(&simulator, "acme/no-such-repository", API_TOKEN);
    let missing = git(folder.path(), &["ls-remote", &missing]).await;
    let error = String::from_utf8_lossy(&missing.stderr).into_owned();
    assert!(error.contains("not found"), "{error}");
}

#[tokio::test]
async fn strangers_read_public_repositories_only() {
    let credentials = Credentials {
        anonymous: true,
        ..Credentials::default()
    };
    let options = Options {
        credentials,
        ..Options::default()
    };
    let simulator = Simulator::start(options).await.unwrap();
    let all: Vec<(String, bool)> = {
        let world = simulator.world();
        let all = world.repositories().iter();
        all.map(|it| (it.slug.clone(), it.is_private)).collect()
    };
    assert!(all.iter().any(|(_, private)| *private) && !all.iter().all(|(_, private)| *private));
    let folder = TempDir::new().unwrap();
    for (slug, is_private) in all {
        let url = simulator
            .git_url()
            .replace("{scope}", &format!("acme/{slug}"));
        let output = git(folder.path(), &["ls-remote", &url]).await;
        assert_eq!(output.status.success(), !is_private, "{slug}");
    }
}

#[tokio::test]
async fn a_repository_on_disk_is_served_in_place_of_the_world() {
    let simulator = start(Size::tiny()).await;
    let folder = TempDir::new().unwrap();
    said(folder.path(), &["init", "-q", "--bare", "own.git"]).await;
    let tree = said(folder.path(), &["-C", "own.git", "mktree", "--missing"]).await;
    let author = [
        "-c",
        "user.name=A",
        "-c",
        "user.email=a@example.com",
        "-C",
        "own.git",
    ];
    let commit = [&author[..], &["commit-tree", tree.trim(), "-m", "one"]].concat();
    let commit = said(folder.path(), &commit).await;
    let update = [
        "-C",
        "own.git",
        "update-ref",
        "refs/heads/master",
        commit.trim(),
    ];
    said(folder.path(), &update).await;
    simulator.serve_git("tools/widget", folder.path().join("own.git"));
    let url = address(&simulator, "tools/widget", API_TOKEN);
    let refs = said(folder.path(), &["ls-remote", &url, "refs/heads/*"]).await;
    assert_eq!(refs, format!("{}\trefs/heads/master\n", commit.trim()));
}

#[tokio::test]
async fn faults_strike_git_as_they_strike_the_api() {
    let simulator = start(Size::tiny()).await;
    let slug = first(&simulator);
    let url = address(&simulator, &format!("acme/{slug}"), API_TOKEN);
    let elsewhere = vec![("location".to_owned(), "http://127.0.0.1:9/x".to_owned())];
    let page = Fault::Body("<html>".into(), "text/html".to_owned());
    let pack = || When::always().on(".git/git-upload-pack");
    let any = || When::always().on(".git/");
    let folder = TempDir::new().unwrap();
    for (when, fault, succeeds) in [
        (pack(), Fault::CutConnection, false),
        (pack(), Fault::CutBeforeHead, false),
        (pack(), Fault::Truncate, false),
        (any(), Fault::status(503), false),
        // What looks like a list of files is read as one: this page lists no refs.
        (any(), page, true),
        (any(), Fault::Status(302, "".into(), elsewhere), false),
        (pack(), Fault::Slow(Duration::from_millis(1)), true),
    ] {
        let name = fault.name();
        simulator.follow(FaultPlan::seeded(1).add(when, fault));
        let place = TempDir::new_in(folder.path()).unwrap();
        let arguments = ["clone", "-q", "--bare", &url, "cut.git"];
        let output = git(place.path(), &arguments).await;
        assert_eq!(output.status.success(), succeeds, "{name}");
        assert!(!simulator.faults_given().is_empty(), "{name}");
    }
    simulator.behave();
    assert!(json(&simulator, "user").await["uuid"].is_string());
}

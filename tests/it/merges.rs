//! Merged pull requests and the commits they became, however they were merged.

mod histories;
mod sizes;

use std::fmt::Write as _;

use chrono::DateTime;
use headwater::exit::Exit;
use headwater_git::fixture::{FIRST_DATE, Repository};
use headwater_simulator::{Hash, MergedAs, Options, Simulator, Size};
use headwater_store::query::Cell;
use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;
use serde_json::Value;

use crate::lake::{How, Lake, TOKEN, ended_output};

/// A repository in git, and how its pull requests were merged.
struct Company {
    simulator: Simulator,
    slug: String,
    source: Repository,
    /// Seconds since the first commit.
    now: u64,
}

fn hash(text: &str) -> Hash {
    let byte = |place| u8::from_str_radix(&text[2 * place..2 * place + 2], 16).unwrap();
    Hash::of(std::array::from_fn(byte))
}

/// How long the people of the company wait between two commits, in seconds.
const PACE: u64 = 100;

impl Company {
    async fn new() -> Self {
        let options = Options {
            size: Size {
                repositories: 1,
                pull_requests_per_repository: 0,
                ..Size::tiny()
            },
            ..Options::default()
        };
        let simulator = Simulator::start(options).await.unwrap();
        let slug = simulator.world().repositories()[0].slug.clone();
        let source = Repository::new();
        simulator.serve_git(&format!("acme/{slug}"), source.path().to_owned());
        let mut company = Self {
            simulator,
            slug,
            source,
            now: 0,
        };
        company.commit("main", "Begin", &[("README", "1\n")]);
        company
    }

    /// A commit on a branch, by an author of this second.
    fn write(
        &mut self,
        (branch, others): (&str, &[&str]),
        authored: u64,
        message: &str,
        files: &[(&str, &str)],
    ) -> String {
        self.now += PACE;
        let resolved = |name: &str| self.source.resolve(name);
        let from = resolved(&format!("refs/heads/{branch}"));
        let from = from.map_or(String::new(), |parent| format!("from {parent}\n"));
        let mut rest = String::new();
        for other in others {
            let _ = writeln!(rest, "merge {}", resolved(other).unwrap());
        }
        for (path, content) in files {
            let length = content.len();
            let _ = write!(rest, "M 100644 inline {path}\ndata {length}\n{content}\n");
        }
        let (authored, committed) = (FIRST_DATE + authored, FIRST_DATE + self.now);
        let length = message.len();
        let stream = format!(
            "commit refs/heads/{branch}\nauthor Ada <ada@example.com> {authored} +0000\n\
             committer Ada <ada@example.com> {committed} +0000\ndata {length}\n{message}\n\
             {from}{rest}\n"
        );
        self.source.import(stream.as_bytes());
        self.source
            .resolve(&format!("refs/heads/{branch}"))
            .unwrap()
    }

    fn commit(&mut self, branch: &str, message: &str, files: &[(&str, &str)]) -> String {
        self.write((branch, &[]), self.now + PACE, message, files)
    }

    fn branch(&self, name: &str, at: &str) {
        self.source.git(&["branch", "--force", name, at]);
    }

    fn delete(&self, name: &str) {
        self.source.git(&["branch", "--delete", "--force", name]);
    }

    /// A branch off the main branch with two commits, each of which writes a file of its own.
    fn topic(&mut self, name: &str) -> Vec<String> {
        self.branch(name, "main");
        let [one, two] = [1, 2].map(|number| {
            let file = format!("{name}-{number}");
            let content = format!("{name} {number}\n");
            self.commit(
                name,
                &format!("Write {file}"),
                &[(file.as_str(), content.as_str())],
            )
        });
        vec![one, two]
    }

    /// The commits of a branch written once more on another one.
    fn rebase(&mut self, name: &str, commits: &[String], onto: &str) -> Vec<String> {
        let copies = commits.iter().zip(1..).map(|(commit, number)| {
            let authored = self.source.git(&["log", "-1", "--format=%at", commit]);
            let authored = authored.parse::<u64>().unwrap() - FIRST_DATE;
            let file = format!("{name}-{number}");
            let content = format!("{name} {number}\n");
            let message = format!("Write {file}");
            self.write(
                (onto, &[]),
                authored,
                &message,
                &[(file.as_str(), content.as_str())],
            )
        });
        copies.collect()
    }

    fn squash(&mut self, name: &str, message: &str) -> String {
        let files = [1, 2].map(|number| (format!("{name}-{number}"), format!("{name} {number}\n")));
        let files: Vec<(&str, &str)> = files
            .iter()
            .map(|(path, content)| (path.as_str(), content.as_str()))
            .collect();
        self.commit("main", message, &files)
    }

    fn merge(&mut self, name: &str, message: &str) -> String {
        let authored = self.now + PACE;
        self.write(("main", &[name]), authored, message, &[])
    }

    /// Opens a pull request and says of it how it was merged.
    fn merged(&self, branches: (&str, &str), commits: &[String], told: Option<&str>) -> u64 {
        let mut world = self.simulator.world();
        let by = world.users()[0].id;
        let opened = world.create_pull_request(&self.slug, Some(by), "Topic", "");
        let id = opened.unwrap().pull_request.unwrap();
        let merged = MergedAs {
            merge_commit: told.map(hash),
            commits: commits.iter().map(|commit| hash(commit)).collect(),
            source_branch: branches.0.to_owned(),
            destination_branch: branches.1.to_owned(),
            created_on: DateTime::from_timestamp(FIRST_DATE.cast_signed(), 0).unwrap(),
        };
        world.merge_as(&self.slug, id, by, merged).unwrap();
        id
    }

    fn configuration(&self, with_lines: bool) -> String {
        format!(
            "[[connection]]\nid = 1\nname = \"acme-cloud\"\nkind = \"bitbucket-cloud\"\n\
             endpoint = \"{}\"\nauth.kind = \"api-token\"\nauth.email = \"me@example.com\"\n\
             auth.token = \"{TOKEN}\"\nrequests_per_hour = 1000000000\n\
             scopes = [\"acme/{}\"]\ngit.enabled = true\ngit.url = \"{}\"\n\
             [scope_config.default]\nline_counts = {with_lines}\n",
            self.simulator.endpoint(),
            self.slug,
            self.simulator.git_url()
        )
    }

    fn id(&self, number: u64) -> String {
        format!(
            "bitbucket:BitbucketPullRequest:1:acme/{}:{number}",
            self.slug
        )
    }

    /// What a pull request is linked with: hashes, methods, and `!` at tips.
    async fn links(&self, lake: &Lake, number: u64) -> Vec<String> {
        let text = format!(
            "SELECT commit_sha, method, CASE WHEN is_tip THEN ' !' ELSE '' END \
             FROM pull_request_merges WHERE pull_request_id = '{}' ORDER BY commit_sha",
            self.id(number)
        );
        let rows = lake.ask(&text).await.rows.into_iter();
        let shown = rows.map(|row| match &row[..] {
            [Cell::Text(sha), Cell::Text(method), Cell::Text(tip)] => {
                format!("{sha} {method}{tip}")
            }
            other => panic!("{other:?}"),
        });
        shown.collect()
    }

    async fn reason(&self, lake: &Lake, number: u64) -> Option<String> {
        lake.store.reason_unlinked(&self.id(number)).await.unwrap()
    }
}

fn linked(method: &str, commits: &[&str], tips: &[&str]) -> Vec<String> {
    let mut expected: Vec<String> = commits
        .iter()
        .map(|commit| {
            let tip = if tips.contains(commit) { " !" } else { "" };
            format!("{commit} {method}{tip}")
        })
        .collect();
    expected.sort();
    expected
}

fn printed(lake: &Lake, arguments: &[&str]) -> String {
    ended_output(lake.start(arguments))
}

/// Numbers of the pull requests in a range.
fn brought(lake: &Lake, scope: &str, range: &str) -> Vec<u64> {
    let found = printed(lake, &["diff", scope, range, "--format", "json"]);
    let found: Value = serde_json::from_str(&found).unwrap();
    let listed = found["pull_requests"].as_array().unwrap().iter();
    listed.map(|it| it["key"].as_u64().unwrap()).collect()
}

/// A company that merged in every way, with what each pull request is to be linked with.
async fn every_way() -> (Company, Vec<(u64, &'static str, Vec<String>)>) {
    let mut it = Company::new().await;
    let mut expected = Vec::new();
    it.branch("release", "main");

    let own = it.topic("merge");
    let merge = it.merge("merge", "Bring merge");
    let picked = it.rebase("merge", &own, "release");
    let id = it.merged(("merge", "main"), &own, Some(&merge));
    let mut links = linked("ANCESTRY", &[&own[0], &own[1], &merge], &[&merge]);
    links.extend(linked("PATCH-ID", &[&picked[0], &picked[1]], &[&picked[1]]));
    links.sort();
    expected.push((id, "a merge commit, picked onto a release too", links));

    let own = it.topic("squash");
    let squash = it.squash("squash", "All of it");
    it.delete("squash");
    let id = it.merged(("squash", "main"), &own, Some(&squash));
    expected.push((
        id,
        "a squash that is told",
        linked("ANCESTRY", &[&squash], &[&squash]),
    ));

    let own = it.topic("silent");
    let squash = it.squash("silent", "All of it");
    let id = it.merged(("silent", "main"), &own, None);
    expected.push((
        id,
        "a squash that is not",
        linked("PATCH-ID", &[&squash], &[&squash]),
    ));

    let own = it.topic("rebase");
    it.commit("main", "Between", &[("between", "1\n")]);
    let copies = it.rebase("rebase", &own, "main");
    let id = it.merged(("rebase", "main"), &own, None);
    let links = linked("PATCH-ID", &[&copies[0], &copies[1]], &[&copies[1]]);
    expected.push((id, "a rebase that is not told", links));

    let own = it.topic("told");
    it.commit("main", "Between too", &[("between", "2\n")]);
    let copies = it.rebase("told", &own, "main");
    let id = it.merged(("told", "main"), &own, Some(&copies[1]));
    let mut links = linked("ANCESTRY", &[&copies[1]], &[&copies[1]]);
    links.extend(linked("PATCH-ID", &[&copies[0]], &[]));
    links.sort();
    expected.push((id, "a rebase that is told", links));

    let own = it.topic("forward");
    it.branch("main", "forward");
    let id = it.merged(("forward", "main"), &own, None);
    let links = linked("ANCESTRY", &[&own[0], &own[1]], &[&own[1]]);
    expected.push((id, "a fast-forward", links));

    let own = it.topic("pick");
    let copies = it.rebase("pick", &own, "release");
    let id = it.merged(("pick", "release"), &own, None);
    let links = linked("PATCH-ID", &[&copies[0], &copies[1]], &[&copies[1]]);
    expected.push((id, "picked onto a release alone", links));

    let own = it.topic("named");
    it.delete("named");
    let number = expected.last().unwrap().0 + 1;
    let message = format!("Merged in named (pull request #{number})\n\nAll of it");
    let squash = it.squash("named", &message);
    let id = it.merged(("named", "main"), &own, None);
    expected.push((
        id,
        "a squash that says its number",
        linked("NUMBER", &[&squash], &[&squash]),
    ));
    (it, expected)
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn however_it_was_merged_a_pull_request_is_linked(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let (mut it, expected) = every_way().await;
    let configuration = it.configuration(true);
    let Some(lake) = Lake::with(on, &configuration).await else {
        return;
    };
    assert_eq!(lake.sync(How::default()).await.0, Exit::Ok);
    for (id, says, links) in &expected {
        assert_eq!(&it.links(&lake, *id).await, links, "{says}");
    }
    let unlinked = "SELECT COUNT(*) FROM unlinked_pull_requests";
    assert_eq!(lake.number(unlinked).await, 0);
    for full in [false, true] {
        let (_, run) = lake.sync(How { full }).await;
        assert_eq!((run.written, run.removed), (0, 0), "full: {full}");
    }

    let scope = format!("acme/{}", it.slug);
    let ids: Vec<u64> = expected.iter().map(|(id, ..)| *id).collect();
    let mut on_release = brought(&lake, &scope, "main..release");
    on_release.sort_unstable();
    assert_eq!(on_release, [ids[0], ids[6]], "a picked one is there too");
    let first = it.source.git(&["rev-list", "--max-parents=0", "main"]);
    let on_main = brought(&lake, &scope, &format!("{first}..main"));
    assert_eq!(
        on_main.len(),
        ids.len() - 1,
        "all but the one on the release"
    );

    // One of which nothing is known; a deleted branch; a rewritten history; one that comes late.
    let own = it.topic("lost");
    it.delete("lost");
    let lost = it.merged(("lost", "main"), &own, None);
    it.delete("silent");
    it.source
        .git(&["update-ref", "refs/heads/release", "release~2"]);
    lake.sync(How::default()).await;
    let reason = it.reason(&lake, lost).await.unwrap();
    assert!(reason.contains("tells no merge commit"), "{reason}");
    assert!(
        it.links(&lake, ids[2]).await.is_empty(),
        "nothing to compare it with"
    );
    assert_eq!(
        it.links(&lake, ids[0]).await.len(),
        5,
        "picked before what was dropped"
    );
    crate::git_history::assert_equals_fresh(on, &lake, &configuration).await;
    it.squash("lost", &format!("Topic (#{lost})"));
    it.branch("silent", "rebase");
    lake.sync(How::default()).await;
    assert_eq!(it.links(&lake, lost).await.len(), 1, "its commit came late");
    crate::git_history::assert_equals_fresh(on, &lake, &configuration).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_files_the_number_is_left_and_asking_for_them_finds_the_rest() {
    let (it, expected) = every_way().await;
    let mut lake = Lake::with(Sqlite, &it.configuration(false)).await.unwrap();
    assert_eq!(lake.sync(How::default()).await.0, Exit::Ok);
    let by_patch = "SELECT COUNT(*) FROM pull_request_merges WHERE method = 'PATCH-ID'";
    assert_eq!(lake.number(by_patch).await, 0);
    let reason = it.reason(&lake, expected[2].0).await.unwrap();
    assert!(reason.contains("line_counts = true"), "{reason}");
    lake.configure(&it.configuration(true));
    // Offline there may be no files yet.
    ended_output(lake.start(&["transform"]));
    assert_eq!(lake.sync(How::default()).await.0, Exit::Ok);
    for (id, says, links) in &expected {
        assert_eq!(&it.links(&lake, *id).await, links, "{says}");
    }
    lake.configure(&it.configuration(false));
    let requests = it.simulator.request_count();
    ended_output(lake.start(&["transform"]));
    assert_eq!(it.simulator.request_count(), requests, "no request");
    crate::git_history::assert_equals_fresh(Sqlite, &lake, &it.configuration(false)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_request_explains_what_it_is_linked_with() {
    let (mut it, expected) = every_way().await;
    let own = it.topic("lost");
    it.delete("lost");
    let lost = it.merged(("lost", "main"), &own, None);
    let lake = Lake::with(Sqlite, &it.configuration(true)).await.unwrap();
    assert_eq!(lake.sync(How::default()).await.0, Exit::Ok);
    let explained = |number: u64| {
        let id = it.id(number);
        printed(&lake, &["explain", "pull-request", &id, "--format", "csv"])
    };
    let found = explained(expected[0].0);
    assert!(
        found.contains("ANCESTRY") && found.contains("PATCH-ID"),
        "{found}"
    );
    assert_eq!(found.lines().count(), 6, "{found}");
    let found = explained(lost);
    assert!(found.contains("tells no merge commit"), "{found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_api_alone_the_merge_commit_says_all() {
    let simulator = crate::rules::company().await;
    let lake = crate::rules::synced(&simulator, "").await;
    let merged = "SELECT COUNT(*) FROM pull_requests WHERE status = 'MERGED'";
    let linked = "SELECT COUNT(DISTINCT pull_request_id) FROM pull_request_merges \
                  WHERE is_tip AND method = 'ANCESTRY'";
    let count = lake.number(merged).await;
    assert!(count > 0);
    assert_eq!(lake.number(linked).await, count);
    assert_eq!(
        lake.number("SELECT COUNT(*) FROM unlinked_pull_requests")
            .await,
        0
    );
}

//! A company whose numbers were computed by hand.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;
use serde_json::{Value, json};

use super::case::Case;

/// The address that all deployments of a repository have.
fn address(repository: &str) -> String {
    format!("https://bitbucket.org/acme/{repository}")
}

/// The hash of a commit by its number.
fn sha(number: u64) -> String {
    format!("{number:040x}")
}

/// Rows of domain tables, as CSV.
#[derive(Default)]
struct Company {
    tables: BTreeMap<&'static str, String>,
}

impl Company {
    fn add(&mut self, table: &'static str, header: &str, row: &str) {
        let text = self
            .tables
            .entry(table)
            .or_insert_with(|| format!("{header}\n"));
        // Writing to a text cannot fail.
        let _ = writeln!(text, "{row}");
    }

    /// A repository with its pipelines and issues, in these projects.
    fn repository(&mut self, id: &str, projects: &[&str]) {
        let row = format!("{id},{id},{}", address(id));
        self.add("repos", "id,name,url", &row);
        for project in projects {
            for table in ["repos", "cicd_scopes", "boards"] {
                self.map(project, table, id);
            }
        }
    }

    fn map(&mut self, project: &str, table: &str, id: &str) {
        let row = format!("{project},{table},{id}");
        self.add("project_mapping", "project_name,table,row_id", &row);
    }

    /// Commits of a straight history, from the first number to the last one, all authored then.
    fn history(
        &mut self,
        repository: &str,
        numbers: std::ops::RangeInclusive<u64>,
        authored: &str,
    ) {
        let first = *numbers.start();
        for number in numbers {
            let commit = sha(number);
            self.add(
                "repo_commits",
                "repo_id,commit_sha",
                &format!("{repository},{commit}"),
            );
            self.add(
                "commits",
                "sha,authored_date,message",
                &format!("{commit},{authored},m"),
            );
            if number > first {
                let row = format!("{commit},{}", sha(number - 1));
                self.add("commit_parents", "commit_sha,parent_commit_sha", &row);
            }
        }
    }

    /// A successful deployment of a commit to production.
    fn deployment(&mut self, id: &str, repository: &str, commit: u64, finished: &str) {
        let row = format!(
            "{id},{},{repository},{id},SUCCESS,PRODUCTION,{finished},{repository},{}",
            sha(commit),
            address(repository)
        );
        let header = "id,commit_sha,cicd_scope_id,cicd_deployment_id,result,environment,\
                      finished_date,repo_id,repo_url";
        self.add("cicd_deployment_commits", header, &row);
    }

    /// A merged pull request: its number, the commit that it became, when it was created and merged.
    fn pull_request(&mut self, repository: &str, number: u64, commit: u64, times: (&str, &str)) {
        let (created, merged) = times;
        let row = format!(
            "{repository}:{number},{repository},{number},ann,{created},{merged},{}",
            sha(commit)
        );
        let header = "id,base_repo_id,pull_request_key,author_id,created_date,merged_date,\
                      merge_commit_sha";
        self.add("pull_requests", header, &row);
    }

    fn own_commit(&mut self, pull_request: &str, number: u64, authored: &str) {
        let row = format!("{pull_request},{},{authored}", sha(number));
        let header = "pull_request_id,commit_sha,commit_authored_date";
        self.add("pull_request_commits", header, &row);
    }

    fn event(&mut self, pull_request: &str, kind: &str, actor: &str, at: &str) {
        let row = format!("{pull_request} {kind} {actor} {at},{pull_request},{kind},{actor},{at}");
        let header = "id,pull_request_id,kind,actor_id,at";
        self.add("pull_request_events", header, &row);
    }

    /// An incident of a board: when it began and when it was resolved.
    fn incident(&mut self, id: &str, board: &str, times: (&str, &str)) {
        let row = format!("{id},boards,{board},{},{}", times.0, times.1);
        self.add(
            "incidents",
            "id,table,scope_id,created_date,resolution_date",
            &row,
        );
    }

    async fn on(&self, on: On, projects: &str) -> Option<Case> {
        let case = Case::on(on, projects).await?;
        for (table, csv) in &self.tables {
            case.fill(table, csv, "").await;
        }
        Some(case)
    }
}

fn project(name: &str, more: &str) -> String {
    format!("[[project]]\nname = \"{name}\"\nscopes = []\n{more}\n")
}

fn metric<'a>(answer: &'a Value, name: &str) -> &'a Value {
    let mut metrics = answer["metrics"].as_array().unwrap().iter();
    metrics.find(|it| it["metric"] == name).unwrap()
}

/// Names of periods with their values.
fn parts(metric: &Value) -> Vec<(String, Value)> {
    let parts = metric["by"].as_array().unwrap().iter();
    let name = |part: &Value| {
        let mut keys = ["period", "repository", "environment"].into_iter();
        keys.find_map(|key| part[key].as_str()).unwrap().to_owned()
    };
    parts
        .map(|part| (name(part), part["value"].clone()))
        .collect()
}

fn named(parts: &[(&str, Value)]) -> Vec<(String, Value)> {
    let parts = parts.iter();
    parts
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn six_incidents_on_four_of_23_deployments_are_a_failure_rate_of_17_percent(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let mut company = Company::default();
    company.repository("shop", &["shop"]);
    company.history("shop", 1..=23, "2024-03-01T08:00:00Z");
    for day in 1..=23 {
        let finished = format!("2024-03-{day:02}T10:00:00Z");
        company.deployment(&format!("d{day:02}"), "shop", day, &finished);
    }
    // On the 3rd three, on the 5th, the 8th and the 20th one each.
    for (number, (day, minutes)) in [(3, 10), (3, 20), (3, 30), (5, 40), (8, 50), (20, 60)]
        .into_iter()
        .enumerate()
    {
        let created = format!("2024-03-{day:02}T11:00:00Z");
        let (hour, minute) = (10 + minutes / 60, minutes % 60);
        let resolved = format!("2024-03-{:02}T{hour:02}:{minute:02}:00Z", day + 1);
        company.incident(&format!("i{number}"), "shop", (&created, &resolved));
    }
    let Some(case) = company.on(on, &project("shop", "")).await else {
        return;
    };
    case.refresh("shop");
    let march = ["shop", "--from", "2024-03-01", "--to", "2024-04-01"];
    let answer = case.dora(&march);
    let rate = metric(&answer, "change_failure_rate");
    assert_eq!(rate["value"], json!(0.1739));
    assert_eq!(
        (&rate["failures"], &rate["samples"]),
        (&json!(4), &json!(23))
    );
    assert_eq!(rate["band"], "low", "17.4 % is above 15 %");
    // From the end of the deployment, a day before, to the resolution: 24 h and 10 to 60 minutes.
    let recovery = metric(&answer, "failed_deployment_recovery_time");
    assert_eq!(recovery["value"], json!(1440 + 30));
    assert_eq!(recovery["samples"], json!(6));
    let links = case
        .rows("SELECT id, deployment_id FROM project_incident_deployment_relationships")
        .await;
    assert_eq!(links.len(), 6);
    let failed = case
        .rows("SELECT id FROM project_deployments WHERE failed")
        .await;
    let failed: Vec<&String> = failed.keys().collect();
    assert_eq!(failed, ["d03", "d05", "d08", "d20"]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_first_deployment_brings_nothing_and_the_second_three_pull_requests(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let mut company = Company::default();
    company.repository("old", &["old"]);
    company.history("old", 1..=500, "2014-01-06T08:00:00Z");
    for number in 1..=40 {
        let times = ("2014-02-01T08:00:00Z", "2014-02-02T08:00:00Z");
        company.pull_request("old", number, number * 10, times);
    }
    company.deployment("first", "old", 490, "2024-02-28T12:00:00Z");
    // Merged after the first deployment: what the second one brings.
    for (number, merged) in [(50, "10:00"), (51, "11:00"), (52, "11:30")] {
        let merged = format!("2024-02-29T{merged}:00Z");
        let times = ("2024-02-28T13:00:00Z", merged.as_str());
        company.pull_request("old", number, 441 + number, times);
        company.own_commit(
            &format!("old:{number}"),
            441 + number,
            "2024-02-28T12:00:00Z",
        );
    }
    // Nobody comments, and one approves after thirteen hours; a remark of the author is none.
    company.event("old:50", "commented", "ann", "2024-02-28T14:00:00Z");
    company.event("old:50", "approved", "bob", "2024-02-29T02:00:00Z");
    company.event("old:50", "approved", "cem", "2024-02-29T09:00:00Z");
    company.deployment("second", "old", 500, "2024-02-29T12:00:00Z");
    let Some(case) = company.on(on, &project("old", "")).await else {
        return;
    };
    case.refresh("old");
    let sql = "SELECT id, pr_pickup_time, pr_review_time, pr_cycle_time, reason \
               FROM project_pr_metrics WHERE deployment_commit_id <> ''";
    let deployed = case.rows(sql).await;
    let ids: Vec<&String> = deployed.keys().collect();
    assert_eq!(ids, ["old:50", "old:51", "old:52"]);
    assert_eq!(deployed["old:50"]["pr_pickup_time"], json!(13 * 60));
    assert_eq!(deployed["old:50"]["pr_review_time"], json!(8 * 60));
    assert_eq!(deployed["old:51"]["pr_pickup_time"], Value::Null);
    // Coding 1 h, 21 h to the merge, 2 h to the deployment; the others end at the same time.
    for id in ["old:50", "old:51", "old:52"] {
        assert_eq!(deployed[id]["pr_cycle_time"], json!(24 * 60), "{id}");
    }
    let sql = "SELECT id, reason FROM project_pr_metrics WHERE deployment_commit_id = ''";
    let others = case.rows(sql).await;
    assert_eq!(others.len(), 40);
    let first = |it: &Value| it["reason"] == "IN_FIRST_DEPLOYMENT";
    assert!(others.values().all(first), "{others:?}");
    // The leap day is the second deployment's.
    let day = [
        "old",
        "--from",
        "2024-02-29",
        "--to",
        "2024-03-01",
        "--by",
        "day",
    ];
    let answer = case.dora(&day);
    let lead_time = metric(&answer, "lead_time");
    assert_eq!(lead_time["samples"], json!(3));
    assert_eq!(lead_time["value"], json!(1440));
    assert_eq!(
        lead_time["band"], "high",
        "a day exactly is not below a day"
    );
    assert_eq!(answer["coverage"]["pull_requests"]["linked"], json!(3));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn days_are_those_of_the_time_zone_whatever_clocks_and_calendars_do(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let mut company = Company::default();
    company.repository("shop", &["shop"]);
    company.history("shop", 1..=9, "2024-01-01T08:00:00Z");
    // Berlin is an hour before UTC, and two hours from 31 March to 27 October.
    for (commit, finished) in [
        (1, "2024-02-28T23:30:00Z"),
        (2, "2024-02-29T22:59:59.999Z"),
        (3, "2024-02-29T23:00:00Z"),
        (4, "2024-03-31T00:59:00Z"),
        (5, "2024-03-31T01:00:00Z"),
        (6, "2024-10-27T00:30:00Z"),
        (7, "2024-10-27T01:30:00Z"),
        (8, "2024-12-31T22:59:00Z"),
        (9, "2024-12-31T23:00:00Z"),
    ] {
        company.deployment(&format!("d{commit}"), "shop", commit, finished);
    }
    let berlin = project("shop", "timezone = \"Europe/Berlin\"");
    let Some(case) = company.on(on, &berlin).await else {
        return;
    };
    case.refresh("shop");
    let counted = |from: &str, to: &str, by: &str| {
        let answer = case.dora(&["shop", "--from", from, "--to", to, "--by", by]);
        let frequency = metric(&answer, "deployment_frequency").clone();
        (frequency["value"].clone(), parts(&frequency))
    };
    let leap = named(&[("2024-02-29", json!(2)), ("2024-03-01", json!(1))]);
    assert_eq!(counted("2024-02-29", "2024-03-02", "day"), (json!(3), leap));
    let spring = named(&[("2024-03-31", json!(2))]);
    assert_eq!(
        counted("2024-03-31", "2024-04-01", "day"),
        (json!(2), spring)
    );
    let autumn = named(&[("2024-10-27", json!(2))]);
    assert_eq!(
        counted("2024-10-27", "2024-10-28", "day"),
        (json!(2), autumn)
    );
    // A week without any, and the one that the year ends in.
    let weeks = named(&[
        ("2024-12-16", json!(0)),
        ("2024-12-23", json!(0)),
        ("2024-12-30", json!(2)),
    ]);
    assert_eq!(
        counted("2024-12-16", "2025-01-06", "week"),
        (json!(2), weeks)
    );
    let quarters = named(&[("2024-Q4", json!(3)), ("2025-Q1", json!(1))]);
    assert_eq!(
        counted("2024-10-01", "2025-04-01", "quarter"),
        (json!(4), quarters)
    );
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn ties_go_by_id_and_one_deployment_or_none_gives_a_reason(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let mut company = Company::default();
    company.repository("one", &["one"]);
    company.repository("none", &["none"]);
    company.repository("tied", &["tied"]);
    company.history("one", 1..=2, "2024-05-01T08:00:00Z");
    company.history("tied", 11..=13, "2024-05-01T08:00:00Z");
    let times = ("2024-05-06T08:00:00Z", "2024-05-06T09:00:00Z");
    for (repository, commit) in [("one", 2), ("none", 99), ("tied", 13)] {
        company.pull_request(repository, 1, commit, times);
    }
    company.deployment("only", "one", 2, "2024-05-07T10:00:00Z");
    // At the same moment: `a` comes first, whatever the order of rows.
    company.deployment("c", "tied", 13, "2024-05-07T10:00:00Z");
    company.deployment("a", "tied", 11, "2024-05-07T10:00:00Z");
    company.deployment("b", "tied", 12, "2024-05-07T10:00:00Z");
    let projects = [project("one", ""), project("none", ""), project("tied", "")].concat();
    let Some(case) = company.on(on, &projects).await else {
        return;
    };
    let reason = |name: &str| {
        case.refresh(name);
        let answer = case.dora(&[name, "--from", "2024-05-06", "--to", "2024-05-13"]);
        let lead_time = metric(&answer, "lead_time");
        (lead_time["reason"].clone(), lead_time["samples"].clone())
    };
    assert_eq!(reason("one"), (json!("ONLY_FIRST_DEPLOYMENT"), json!(0)));
    assert_eq!(reason("none"), (json!("NO_DEPLOYMENTS"), json!(0)));
    assert_eq!(reason("tied"), (Value::Null, json!(1)));
    let sql = "SELECT id, prev_success_deployment_commit_id AS before_it \
               FROM cicd_deployment_commits WHERE cicd_scope_id = 'tied'";
    let chain = case.rows(sql).await;
    let before = |id: &str| chain[id]["before_it"].clone();
    assert_eq!(
        [before("a"), before("b"), before("c")],
        [json!(""), json!("a"), json!("b")]
    );
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn commits_need_not_be_named_by_hashes(#[values(Sqlite, Postgres, MariaDb)] on: On) {
    let mut company = Company::default();
    company.repository("shop", &["shop"]);
    let times = ("2024-05-06T08:00:00Z", "2024-05-06T09:00:00Z");
    company.pull_request("shop", 1, 2, times);
    company.pull_request("shop", 2, 4, times);
    company.history("shop", 1..=5, "2024-05-01T08:00:00Z");
    company.deployment("first", "shop", 3, "2024-05-07T10:00:00Z");
    company.deployment("second", "shop", 5, "2024-05-08T10:00:00Z");
    for text in company.tables.values_mut() {
        for number in 1..=5 {
            *text = text.replace(&sha(number), &format!("commit{number}"));
        }
    }
    let Some(case) = company.on(on, &project("shop", "")).await else {
        return;
    };
    case.refresh("shop");
    let sql = "SELECT id, deployment_commit_id, reason FROM project_pr_metrics";
    let measured = case.rows(sql).await;
    assert_eq!(measured["shop:1"]["reason"], "IN_FIRST_DEPLOYMENT");
    assert_eq!(measured["shop:2"]["deployment_commit_id"], "second");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn projects_that_share_a_repository_do_not_share_incidents(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let mut company = Company::default();
    company.repository("shared", &[]);
    for project in ["left", "right"] {
        company.map(project, "repos", "shared");
        company.map(project, "cicd_scopes", "shared");
    }
    company.map("left", "boards", "issues of left");
    company.history("shared", 1..=4, "2024-05-01T08:00:00Z");
    for day in 1..=4 {
        let finished = format!("2024-05-{day:02}T10:00:00Z");
        company.deployment(&format!("d{day}"), "shared", day, &finished);
    }
    let times = ("2024-05-02T11:00:00Z", "2024-05-02T12:00:00Z");
    company.incident("i1", "issues of left", times);
    let projects = [project("left", ""), project("right", "")].concat();
    let Some(case) = company.on(on, &projects).await else {
        return;
    };
    let rate = |name: &str| {
        case.refresh(name);
        let answer = case.dora(&[name, "--from", "2024-05-01", "--to", "2024-06-01"]);
        let rate = metric(&answer, "change_failure_rate");
        [&rate["value"], &rate["samples"], &rate["reason"]].map(Value::clone)
    };
    assert_eq!(rate("left"), [json!(0.25), json!(4), Value::Null]);
    assert_eq!(
        rate("right"),
        [Value::Null, json!(4), json!("NO_INCIDENTS")]
    );
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn issues_become_incidents_of_every_board_and_stop_being_some(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let mut company = Company::default();
    company.repository("shop", &["shop"]);
    let header = "id,issue_key,type,created_date,resolution_date,assignee_id,assignee_name";
    let issue = "7,7,INCIDENT,2024-05-02T11:00:00Z,2024-05-02T12:30:00Z,bob,Bob";
    company.add("issues", header, issue);
    company.add("issues", header, "8,8,BUG,2024-05-02T11:00:00Z,,,");
    for board in ["shop", "a board that no project maps"] {
        company.add("board_issues", "board_id,issue_id", &format!("{board},7"));
    }
    company.add("board_issues", "board_id,issue_id", "shop,8");
    company.add(
        "issue_assignees",
        "issue_id,assignee_id,assignee_name",
        "7,cem,Cem",
    );
    company.incident(
        "imported",
        "shop",
        ("2024-05-03T11:00:00Z", "2024-05-03T11:10:00Z"),
    );
    let Some(case) = company.on(on, &project("shop", "")).await else {
        return;
    };
    case.refresh("shop");
    let incidents = case.rows("SELECT id, scope_id FROM incidents").await;
    let ids: Vec<&String> = incidents.keys().collect();
    assert_eq!(ids, ["7", "imported"]);
    assert_eq!(incidents["7"]["scope_id"], "shop");
    let people = case
        .rows("SELECT assignee_id, assignee_name FROM incident_assignees")
        .await;
    let people: Vec<&String> = people.keys().collect();
    assert_eq!(people, ["bob", "cem"]);
    let may = ["shop", "--from", "2024-05-01", "--to", "2024-06-01"];
    let answer = case.dora(&may);
    let restore = metric(&answer, "time_to_restore");
    assert_eq!(
        (&restore["value"], &restore["samples"]),
        (&json!(10), &json!(2))
    );
    // It was no incident after all.
    case.lake
        .execute("UPDATE issues SET type = 'BUG' WHERE id = '7'")
        .await;
    case.refresh("shop");
    let left = case.rows("SELECT id FROM incidents").await;
    assert_eq!(left.keys().collect::<Vec<_>>(), ["imported"]);
    assert_eq!(
        case.lake
            .number("SELECT COUNT(*) FROM incident_assignees")
            .await,
        0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_makes_no_sense_is_refused_with_what_to_do() {
    let mut company = Company::default();
    company.repository("shop", &["shop"]);
    let case = company.on(Sqlite, &project("shop", "")).await.unwrap();
    for (arguments, expected) in [
        (&["shpo"][..], "did you mean \"shop\"?"),
        (&["elsewhere entirely"], "it is shop"),
        (
            &["shop", "--from", "2024-05-02", "--to", "2024-05-01"],
            "the range ends before it begins",
        ),
        (
            &["shop", "--from", "2024-05-02", "--to", "2024-05-02"],
            "--from 2026-01-01 --to 2026-04-01",
        ),
        (&["shop", "--from", "2024-02-30"], "write it as 2026-01-31"),
        (&["shop", "--by", "year"], "possible values"),
        (&["shop", "--report", "2022"], "possible values"),
    ] {
        let (code, message) = case.refused(&[&["metrics", "dora"], arguments].concat());
        assert_eq!(code, 2, "{arguments:?}: {message}");
        assert!(message.contains(expected), "{arguments:?}: {message}");
    }
    let (code, message) = case.refused(&["metrics", "refresh", "shpo"]);
    assert_eq!(code, 2, "{message}");
    // Each form is printed, also where there is nothing to count.
    for format in ["table", "json", "csv", "markdown"] {
        let arguments = ["metrics", "dora", "shop", "--format", format];
        let printed = crate::lake::ended_output(case.lake.start(&arguments));
        assert!(printed.contains("NO_DEPLOYMENTS"), "{format}: {printed}");
    }
}

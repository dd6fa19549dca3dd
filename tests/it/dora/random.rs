//! Some of the random companies of the crate `metrics`, through files and the program: their numbers
//! are those of the same brute force.

#[path = "../../../metrics/tests/it/random_companies/brute.rs"]
mod brute;
#[path = "../../../metrics/tests/it/random_companies/counted.rs"]
mod counted;
#[path = "../../../metrics/tests/it/random_companies/world.rs"]
#[expect(
    dead_code,
    reason = "here rows are read from a database, not made of facts"
)]
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use chrono::{DateTime, Days, NaiveDate};
use headwater_metrics::{By, Moment, Rules};
use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;
use serde_json::Value;

use super::case::{Case, compare};
use brute::Brute;
use counted::Window;
use world::{REPOSITORIES, World, url};

const NULL: &str = "\\N";

/// Rows of one table, each once.
#[derive(Default)]
struct Files(BTreeMap<&'static str, (&'static [&'static str], BTreeSet<Vec<String>>)>);

impl Files {
    fn add<const N: usize>(
        &mut self,
        table: &'static str,
        columns: &'static [&'static str; N],
        row: [&str; N],
    ) {
        let (_, rows) = self
            .0
            .entry(table)
            .or_insert_with(|| (columns, BTreeSet::new()));
        rows.insert(row.map(str::to_owned).into());
    }

    fn write(&self, folder: &std::path::Path) {
        for (table, (columns, rows)) in &self.0 {
            let path = folder.join(format!("{table}.csv"));
            let mut file = csv::Writer::from_path(path).unwrap();
            file.write_record(*columns).unwrap();
            for row in rows {
                file.write_record(row).unwrap();
            }
            file.flush().unwrap();
        }
    }
}

fn time(at: Option<Moment>) -> String {
    let at = at.and_then(DateTime::from_timestamp_millis);
    at.map_or_else(
        || NULL.to_owned(),
        |at| at.format("%Y-%m-%d %H:%M:%S%.3f").to_string(),
    )
}

fn number(value: Option<i64>) -> String {
    value.map_or_else(|| NULL.to_owned(), |value| value.to_string())
}

/// A company as tables can hold it: a review is one only between creation and merge, a commit that
/// a pull request became is known in one way, and a window is longer than nothing.
fn storable(seed: u64) -> World {
    let mut world = World::of(seed);
    for it in &mut world.pull_requests {
        let (created, merged) = (it.created, it.merged);
        it.first_review
            .take_if(|(at, _)| created.is_none_or(|created| *at < created || *at > merged));
        let mut known = BTreeSet::new();
        it.tips.retain(|tip| known.insert(tip.commit_sha.clone()));
    }
    world.rules.incident_window = world.rules.incident_window.max(6 * 3_600_000);
    world
}

fn project(rules: &Rules) -> String {
    let list = |names: Vec<&str>| serde_json::json!(names).to_string();
    let environments = rules.production_environments.iter().map(String::as_str);
    let sources = rules.failure_sources.iter().map(|it| it.name());
    let services = rules.services.iter();
    let services: Vec<String> = services
        .map(|(component, repository)| format!("{component} = \"{repository}\"\n"))
        .collect();
    let services = services.concat();
    let day = match rules.week_start {
        chrono::Weekday::Sat => "saturday",
        chrono::Weekday::Sun => "sunday",
        _ => "monday",
    };
    format!(
        "[[project]]\nname = \"p\"\nscopes = []\ntimezone = \"{}\"\nweek_start = \"{day}\"\n\
         production_environments = {}\nfailure_sources = {}\nincident_window = \"{} hours\"\n\
         [project.services]\n{services}",
        rules.timezone.name(),
        list(environments.collect()),
        list(sources.collect()),
        rules.incident_window / 3_600_000
    )
}

fn files_of(world: &World) -> Files {
    let mut files = Files::default();
    for id in REPOSITORIES {
        let row = [id, &World::name(id), &url(id)];
        files.add("repos", &["id", "name", "url"], row);
    }
    let mapped = [("repos", "r0"), ("repos", "r1"), ("cicd_scopes", "r0")];
    let boards = [("cicd_scopes", "r1"), ("boards", "r0"), ("boards", "r1")];
    let columns = &["project_name", "table", "row_id"];
    for (table, id) in mapped
        .into_iter()
        .chain(boards)
        .chain([("boards", "board")])
    {
        files.add("project_mapping", columns, ["p", table, id]);
    }
    add_commits(world, &mut files);
    add_deployments(world, &mut files);
    add_pull_requests(world, &mut files);
    add_incidents(world, &mut files);
    files
}

fn add_commits(world: &World, files: &mut Files) {
    for (repository, commits) in &world.commits {
        for (sha, commit) in commits {
            let row = [sha.as_str(), &commit.message, &time(commit.authored)];
            files.add("commits", &["sha", "message", "authored_date"], row);
            let columns = &["repo_id", "commit_sha"];
            files.add("repo_commits", columns, [repository, sha]);
            for parent in &commit.parents {
                let columns = &["commit_sha", "parent_commit_sha"];
                files.add("commit_parents", columns, [sha, parent]);
            }
        }
    }
    for ((new, old), commits) in &world.differences {
        for commit in commits {
            let columns = &["new_commit_sha", "old_commit_sha", "commit_sha"];
            files.add("commits_diffs", columns, [new, old, commit]);
        }
    }
}

fn add_deployments(world: &World, files: &mut Files) {
    const COLUMNS: [&str; 12] = [
        "id",
        "commit_sha",
        "cicd_scope_id",
        "cicd_deployment_id",
        "cicd_pipeline_id",
        "subtask_name",
        "result",
        "environment",
        "original_environment",
        "finished_date",
        "repo_id",
        "repo_url",
    ];
    for row in &world.rows {
        let row = [
            &row.id,
            &row.commit_sha,
            &row.scope_id,
            &row.deployment_id,
            &row.pipeline_id,
            &row.subtask_name,
            &row.result,
            &row.environment,
            &row.original_environment,
            &time(row.finished),
            &row.repo_id,
            &row.repo_url,
        ];
        let row = row.map(String::as_str);
        files.add("cicd_deployment_commits", &COLUMNS, row);
    }
}

fn add_pull_requests(world: &World, files: &mut Files) {
    const COLUMNS: [&str; 8] = [
        "id",
        "base_repo_id",
        "pull_request_key",
        "title",
        "head_ref",
        "created_date",
        "merged_date",
        "merge_commit_sha",
    ];
    for it in &world.pull_requests {
        let row = [
            &it.id,
            &it.base_repo_id,
            &it.number.to_string(),
            &it.title,
            &it.head_ref,
            &time(it.created),
            &time(Some(it.merged)),
            &it.merge_commit_sha,
        ];
        files.add("pull_requests", &COLUMNS, row.map(String::as_str));
        if let Some((at, sha)) = &it.first_commit {
            let columns = &["pull_request_id", "commit_sha", "commit_authored_date"];
            files.add(
                "pull_request_commits",
                columns,
                [&it.id, sha, &time(Some(*at))],
            );
        }
        if let Some((at, id)) = &it.first_review {
            let columns = &["id", "pull_request_id", "kind", "actor_id", "at"];
            let row = [id.as_str(), &it.id, "approved", "ann", &time(Some(*at))];
            files.add("pull_request_events", columns, row);
        }
        for tip in &it.tips {
            let columns = &[
                "pull_request_id",
                "commit_sha",
                "method",
                "repo_id",
                "is_tip",
            ];
            let row = [
                it.id.as_str(),
                &tip.commit_sha,
                &tip.method,
                &tip.repo_id,
                "1",
            ];
            files.add("pull_request_merges", columns, row);
        }
    }
}

fn add_incidents(world: &World, files: &mut Files) {
    const COLUMNS: [&str; 8] = [
        "id",
        "component",
        "table",
        "scope_id",
        "created_date",
        "resolution_date",
        "lead_time_minutes",
        "deployment_id",
    ];
    for it in &world.incidents {
        let row = [
            it.id.as_str(),
            &it.component,
            "boards",
            &it.scope_id,
            &time(it.created),
            &time(it.resolved),
            &number(it.lead_time_minutes),
            &it.deployment_id,
        ];
        files.add("incidents", &COLUMNS, row);
    }
    for named in &world.by_commit {
        let row = [named.issue_id.as_str(), &named.from];
        files.add("issue_commits", &["issue_id", "commit_sha"], row);
    }
    for named in &world.by_pull_request {
        let row = [named.issue_id.as_str(), &named.from];
        files.add("pull_request_issues", &["issue_id", "pull_request_id"], row);
    }
}

/// What is wrong in the tables.
async fn check_tables(case: &Case, brute: &Brute<'_>, place: &str, wrong: &mut Vec<String>) {
    let links = "project_incident_deployment_relationships";
    for (sql, column, expected) in [
        (
            "SELECT * FROM project_pr_metrics",
            "",
            brute.pull_requests(),
        ),
        (&*format!("SELECT * FROM {links}"), "", brute.links()),
        (
            "SELECT id, reason FROM unlinked_incidents",
            "reason",
            brute.unlinked(),
        ),
        (
            "SELECT id, prev_success_deployment_commit_id AS prev FROM cicd_deployment_commits",
            "prev",
            brute.previous(),
        ),
    ] {
        let mut given = case.rows(sql).await;
        if !column.is_empty() {
            for row in given.values_mut() {
                *row = row[column].take();
            }
        }
        let ids: BTreeSet<&String> = given.keys().collect();
        let wanted: BTreeSet<&String> = expected.as_object().unwrap().keys().collect();
        assert_eq!(ids, wanted, "{place}: {sql}");
        let place = format!("{place}: {sql}");
        compare(&expected, &Value::Object(given), &place, wrong);
    }
}

async fn check(on: On, seeds: RangeInclusive<u64>) {
    for seed in seeds {
        let mut world = storable(seed);
        let rules = world.rules.clone();
        let windows = [By::Week, By::Repository, By::Environment];
        let windows = windows.map(|by| (by, world.dice(15), 1 + world.dice(70)));
        let Some(case) = Case::on(on, &project(&rules)).await else {
            return;
        };
        let folder = tempfile::tempdir().unwrap();
        files_of(&world).write(folder.path());
        case.import_from(folder.path(), NULL);
        case.refresh("p");
        let brute = Brute::of(&world);
        let (place, mut wrong) = (format!("{on:?}, company {seed}"), Vec::new());
        check_tables(&case, &brute, &place, &mut wrong).await;
        for (by, after, days) in windows {
            let from = NaiveDate::from_ymd_opt(2024, 2, 20).unwrap() + Days::new(after);
            let to = from + Days::new(days);
            let (first, end) = (from.to_string(), to.to_string());
            let given = case.dora(&["p", "--from", &first, "--to", &end, "--by", by.name()]);
            let window = Window {
                from,
                to,
                by,
                rules: &rules,
            };
            let place = format!("{place} {from} {to} {}", by.name());
            compare(&brute.report(&window), &given, &place, &mut wrong);
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

#[rstest]
#[case(Sqlite, 1..=3)]
#[case(Postgres, 4..=4)]
#[case(MariaDb, 5..=5)]
#[tokio::test(flavor = "multi_thread")]
async fn random_companies_that_are_imported_have_the_numbers_of_brute_force(
    #[case] on: On,
    #[case] seeds: RangeInclusive<u64>,
) {
    check(on, seeds).await;
}

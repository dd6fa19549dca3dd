//! One case of domain rows in CSV files, read without a database.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use chrono::DateTime;
use headwater_domain::graph::GraphBuilder;
use headwater_metrics::{
    Authored, DeploymentRow, Facts, History, Incident, MergedCommit, Moment, PullRequest,
    Repository, RevertingCommit, Review, first_commit, first_review,
};

/// A row by the names of its columns; NULL is empty.
pub(crate) type Row = HashMap<String, String>;

/// Rows of a table; none where the file is missing.
pub(crate) fn rows(folder: &Path, table: &str) -> Vec<Row> {
    let Ok(mut reader) = csv::Reader::from_path(folder.join(format!("{table}.csv"))) else {
        return Vec::new();
    };
    let headers = reader.headers().unwrap().clone();
    let records = reader.records().map(|record| {
        let record = record.unwrap();
        let cells = headers.iter().zip(record.iter());
        let text = |cell: &str| if cell == "\\N" { "" } else { cell }.to_owned();
        cells
            .map(|(name, cell)| (name.to_owned(), text(cell)))
            .collect()
    });
    records.collect()
}

fn text(row: &Row, column: &str) -> String {
    row.get(column).cloned().unwrap_or_default()
}

fn moment(row: &Row, column: &str) -> Option<Moment> {
    let text = text(row, column);
    (!text.is_empty()).then(|| {
        DateTime::parse_from_rfc3339(&text)
            .unwrap()
            .timestamp_millis()
    })
}

/// The facts of one project of a case.
pub(crate) fn facts(folder: &Path, project: &str) -> Facts {
    let mapping = rows(folder, "project_mapping");
    let mapped = |table: &str| -> BTreeSet<String> {
        let of_table = mapping.iter().filter(|row| row["table"] == table);
        of_table
            .filter(|row| row["project_name"] == project)
            .map(|row| row["row_id"].clone())
            .collect()
    };
    let (repositories, scopes) = (mapped("repos"), mapped("cicd_scopes"));
    let mut deployments: Vec<DeploymentRow> = rows(folder, "cicd_deployment_commits")
        .iter()
        .map(deployment)
        .collect();
    deployments.retain(|row| scopes.contains(&row.scope_id));
    let mut incidents = rows(folder, "incidents");
    incidents.retain(|row| mapped(&row["table"]).contains(&row["scope_id"]));
    let histories = histories(folder);
    Facts {
        all_repositories: rows(folder, "repos")
            .iter()
            .map(|row| Repository {
                id: text(row, "id"),
                name: text(row, "name"),
                url: text(row, "url"),
            })
            .collect(),
        deployments,
        pull_requests: pull_requests(folder, &repositories),
        incidents: incidents.iter().map(incident).collect(),
        reverting_commits: reverting(folder),
        histories,
        repositories,
        scopes,
        ..Facts::default()
    }
}

fn deployment(row: &Row) -> DeploymentRow {
    DeploymentRow {
        id: text(row, "id"),
        commit_sha: text(row, "commit_sha"),
        scope_id: text(row, "cicd_scope_id"),
        deployment_id: text(row, "cicd_deployment_id"),
        pipeline_id: text(row, "cicd_pipeline_id"),
        subtask_name: text(row, "subtask_name"),
        result: text(row, "result"),
        environment: text(row, "environment"),
        original_environment: text(row, "original_environment"),
        finished: moment(row, "finished_date"),
        repo_id: text(row, "repo_id"),
        repo_url: text(row, "repo_url"),
        previous: String::new(),
    }
}

fn incident(row: &Row) -> Incident {
    Incident {
        id: text(row, "id"),
        component: text(row, "component"),
        scope_id: text(row, "scope_id"),
        created: moment(row, "created_date"),
        resolved: moment(row, "resolution_date"),
        lead_time_minutes: text(row, "lead_time_minutes").parse().ok(),
        deployment_id: text(row, "deployment_id"),
    }
}

fn pull_requests(folder: &Path, repositories: &BTreeSet<String>) -> Vec<PullRequest> {
    let of = |table: &str| {
        let mut by_pull_request: BTreeMap<String, Vec<Row>> = BTreeMap::new();
        for row in rows(folder, table) {
            let of = row["pull_request_id"].clone();
            by_pull_request.entry(of).or_default().push(row);
        }
        by_pull_request
    };
    let (by_commit, said) = (of("pull_request_commits"), of("pull_request_comments"));
    let (events_of, became) = (of("pull_request_events"), of("pull_request_merges"));
    let bots = rows(folder, "accounts").into_iter();
    let bots: BTreeSet<String> = bots
        .filter(|row| text(row, "is_bot") == "1")
        .map(|row| row["id"].clone())
        .collect();
    let none = Vec::new();
    let pull_request = |row: &Row| -> Option<PullRequest> {
        let id = text(row, "id");
        let (created, merged) = (moment(row, "created_date"), moment(row, "merged_date")?);
        let commits = by_commit.get(&id).unwrap_or(&none).iter();
        let comments = said.get(&id).unwrap_or(&none).iter().map(|row| Review {
            id: &row["id"],
            actor: &row["account_id"],
            at: moment(row, "created_date"),
        });
        let kinds = ["commented", "approved", "changes requested"];
        let events = events_of.get(&id).unwrap_or(&none).iter();
        let events = events.filter(|row| kinds.contains(&row["kind"].as_str()));
        let events = events.map(|row| Review {
            id: &row["id"],
            actor: &row["actor_id"],
            at: moment(row, "at"),
        });
        let tips = became.get(&id).unwrap_or(&none).iter();
        Some(PullRequest {
            base_repo_id: text(row, "base_repo_id"),
            number: text(row, "pull_request_key").parse().unwrap_or_default(),
            title: text(row, "title"),
            head_ref: text(row, "head_ref"),
            created,
            merged,
            merge_commit_sha: text(row, "merge_commit_sha"),
            first_commit: first_commit(commits.map(|row| {
                (
                    moment(row, "commit_authored_date"),
                    row["commit_sha"].as_str(),
                )
            })),
            first_review: first_review(
                created,
                merged,
                &text(row, "author_id"),
                &bots,
                comments.chain(events),
            ),
            tips: tips
                .filter(|row| row["is_tip"] == "1")
                .map(|row| MergedCommit {
                    commit_sha: text(row, "commit_sha"),
                    method: text(row, "method"),
                    repo_id: text(row, "repo_id"),
                })
                .collect(),
            id,
        })
    };
    let pull_requests = rows(folder, "pull_requests");
    let of_project = pull_requests
        .iter()
        .filter(|row| repositories.contains(&row["base_repo_id"]));
    of_project.filter_map(pull_request).collect()
}

fn histories(folder: &Path) -> BTreeMap<String, History> {
    let mut parents: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in rows(folder, "commit_parents") {
        let of = row["commit_sha"].clone();
        parents
            .entry(of)
            .or_default()
            .push(row["parent_commit_sha"].clone());
    }
    let authored = rows(folder, "commits").into_iter();
    let authored = authored.filter_map(|row| {
        let authored = moment(&row, "authored_date")?;
        Some((row["sha"].parse().unwrap(), authored))
    });
    let authored = Authored::of(authored.collect());
    let mut graphs: BTreeMap<String, GraphBuilder> = BTreeMap::new();
    for row in rows(folder, "repo_commits") {
        let graph = graphs.entry(row["repo_id"].clone()).or_default();
        let of = parents.get(&row["commit_sha"]).into_iter().flatten();
        let of: Vec<_> = of.map(|parent| parent.parse().unwrap()).collect();
        graph.add(row["commit_sha"].parse().unwrap(), &of).unwrap();
    }
    let history = |graph: GraphBuilder| History {
        graph: graph.finish(),
        authored: authored.clone(),
        names: HashMap::new(),
    };
    graphs
        .into_iter()
        .map(|(repository, graph)| (repository, history(graph)))
        .collect()
}

fn reverting(folder: &Path) -> Vec<RevertingCommit> {
    let commits = rows(folder, "commits");
    let messages: HashMap<&str, &str> = commits
        .iter()
        .map(|row| (row["sha"].as_str(), row["message"].as_str()))
        .collect();
    let pairs = rows(folder, "repo_commits").into_iter();
    pairs
        .filter_map(|row| {
            let message = *messages.get(row["commit_sha"].as_str())?;
            message
                .contains("This reverts commit ")
                .then(|| RevertingCommit {
                    repo_id: row["repo_id"].clone(),
                    sha: row["commit_sha"].clone(),
                    message: message.to_owned(),
                })
        })
        .collect()
}

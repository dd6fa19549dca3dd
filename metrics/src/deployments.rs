//! Which rows are deployments to production, which deployment they belong to, and which came
//! before.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::releases::{OF_TAGS, without_other_tags};
use crate::{DeploymentRow, Facts, Moment, Rules};

/// What rollbacks and recoveries are about: (`cicd_scope_id`, `repo_url`, environment name).
pub type Place = (String, String, String);

/// One row of `cicd_deployment_commits` of production, with what follows from its columns.
#[derive(Clone, Debug)]
pub struct Row {
    /// `id`.
    pub id: String,
    /// `commit_sha`.
    pub commit_sha: String,
    /// Id of the deployment: `cicd_deployment_id`, else `id`.
    pub deployment_id: String,
    /// `cicd_scope_id`.
    pub scope_id: String,
    /// `repo_id`, which may be empty.
    pub repo_id: String,
    /// `repo_url`, which may be empty.
    pub repo_url: String,
    /// Its repository: `repo_id`, else the one with its `repo_url`, else `cicd_scope_id`.
    pub repository: String,
    /// `original_environment`, else `environment`.
    pub environment: String,
    /// `finished_date`.
    pub finished: Moment,
    /// The successful production row before it with the same scope and address; none for the first
    /// one, and for rows without an address.
    pub predecessor: Option<usize>,
    /// True for a row with an address and without a predecessor: there is nothing to compare with.
    pub is_baseline: bool,
}

impl Row {
    /// Where it was deployed.
    #[must_use]
    pub fn place(&self) -> Place {
        (
            self.scope_id.clone(),
            self.repo_url.clone(),
            self.environment.clone(),
        )
    }
}

/// A deployment to production: all of its rows with one result.
#[derive(Clone, Debug)]
pub struct Deployment {
    /// `cicd_deployment_id`, else the row's `id`.
    pub id: String,
    /// The greatest `finished_date` of its rows.
    pub end: Moment,
    /// False for a failed deployment.
    pub is_success: bool,
    /// Its rows: numbers in [`DeploymentRows::rows`], or in [`DeploymentRows::failed_rows`] for a
    /// failed one.
    pub rows: Vec<usize>,
    /// Repositories of its rows.
    pub repositories: BTreeSet<String>,
    /// Environment names of its rows.
    pub environments: BTreeSet<String>,
}

/// The deployments of a project.
#[derive(Clone, Debug, Default)]
pub struct DeploymentRows {
    /// Successful rows of production, by (`finished_date`, `id`, `commit_sha`).
    pub rows: Vec<Row>,
    /// Failed rows of production, in the same order.
    pub failed_rows: Vec<Row>,
    /// Production deployments and failed ones, by (end, id).
    pub deployments: Vec<Deployment>,
    /// `finished_date` of every deployment of the project's scopes, of any environment and result,
    /// with whether a row of it has an environment.
    pub(crate) finished: BTreeMap<String, (Option<Moment>, bool)>,
}

impl DeploymentRows {
    /// Sorts the rows of a project into deployments.
    #[must_use]
    pub fn of(facts: &Facts, rules: &Rules) -> Self {
        let counted = without_other_tags(each_release_once(&facts.deployments), rules);
        let addresses = repositories_by_address(facts);
        let production = |result: &str| -> Vec<Row> {
            let rows = counted.iter().filter(|row| row.result == result);
            let rows = rows.filter_map(|row| production_row(row, rules, &addresses));
            let mut rows: Vec<Row> = rows.collect();
            rows.sort_by(|one, other| order(one).cmp(&order(other)));
            rows
        };
        let mut rows = production("SUCCESS");
        find_predecessors(&mut rows);
        let mut failed_rows = production("FAILURE");
        let succeeded: HashSet<&str> = rows.iter().map(|row| row.deployment_id.as_str()).collect();
        failed_rows.retain(|row| !succeeded.contains(row.deployment_id.as_str()));
        let mut deployments = grouped(&rows, true);
        deployments.extend(grouped(&failed_rows, false));
        deployments.sort_by(|one, other| (one.end, &one.id).cmp(&(other.end, &other.id)));
        Self {
            finished: all_deployments(&counted),
            rows,
            failed_rows,
            deployments,
        }
    }

    /// The production deployments.
    pub fn successful(&self) -> impl Iterator<Item = &Deployment> {
        self.deployments.iter().filter(|it| it.is_success)
    }

    /// A production deployment, or a failed one, by its id.
    pub(crate) fn by_id(&self) -> HashMap<&str, &Deployment> {
        let deployments = self.deployments.iter();
        deployments.map(|it| (it.id.as_str(), it)).collect()
    }

    /// Successful rows of each place, in their order.
    pub(crate) fn places(&self) -> BTreeMap<Place, Vec<usize>> {
        let mut places: BTreeMap<Place, Vec<usize>> = BTreeMap::new();
        for (number, row) in self.rows.iter().enumerate() {
            places.entry(row.place()).or_default().push(number);
        }
        places
    }
}

/// The order of rows: by end, then by bytes of id and commit.
fn order(row: &Row) -> (Moment, &str, &str) {
    (row.finished, &row.id, &row.commit_sha)
}

/// Without rows that were made of a pipeline for which there is a deployment of another kind.
fn each_release_once(rows: &[DeploymentRow]) -> Vec<&DeploymentRow> {
    let others = rows.iter().filter(|row| row.subtask_name.is_empty());
    let pipelines: HashSet<&str> = others.map(|row| row.pipeline_id.as_str()).collect();
    let counts = |row: &&DeploymentRow| {
        row.subtask_name.is_empty()
            || row.deployment_id.is_empty()
            || !pipelines.contains(row.deployment_id.as_str())
    };
    rows.iter().filter(counts).collect()
}

/// The smallest id of the repositories with each address.
fn repositories_by_address(facts: &Facts) -> HashMap<&str, &str> {
    let mut addresses: HashMap<&str, &str> = HashMap::new();
    for repository in &facts.all_repositories {
        let id = repository.id.as_str();
        let smallest = addresses.entry(&repository.url).or_insert(id);
        *smallest = id.min(smallest);
    }
    addresses
}

/// The name of the environment that a row was deployed to.
fn environment_name(row: &DeploymentRow) -> &str {
    first_of([&row.original_environment, &row.environment])
}

/// Whether a row was deployed to what is production in the project. A tag that is a release is, in
/// whichever environments the project has.
pub(crate) fn is_production(row: &DeploymentRow, rules: &Rules) -> bool {
    let names = &rules.production_environments;
    let is_named = names.is_empty() || names.contains(environment_name(row));
    row.environment == "PRODUCTION" && (is_named || row.subtask_name == OF_TAGS)
}

fn production_row(
    row: &DeploymentRow,
    rules: &Rules,
    addresses: &HashMap<&str, &str>,
) -> Option<Row> {
    if !is_production(row, rules) {
        return None;
    }
    let by_address = addresses.get(row.repo_url.as_str()).copied();
    let by_address = by_address.filter(|_| !row.repo_url.is_empty());
    Some(Row {
        id: row.id.clone(),
        commit_sha: row.commit_sha.clone(),
        deployment_id: first_of([&row.deployment_id, &row.id]).to_owned(),
        scope_id: row.scope_id.clone(),
        repo_id: row.repo_id.clone(),
        repo_url: row.repo_url.clone(),
        repository: first_of([&row.repo_id, by_address.unwrap_or_default(), &row.scope_id])
            .to_owned(),
        environment: environment_name(row).to_owned(),
        finished: row.finished?,
        predecessor: None,
        is_baseline: false,
    })
}

/// The first text that is not empty.
fn first_of<const N: usize>(texts: [&str; N]) -> &str {
    texts
        .into_iter()
        .find(|it| !it.is_empty())
        .unwrap_or_default()
}

/// Links each row with the one before it of the same scope and address.
fn find_predecessors(rows: &mut [Row]) {
    let mut last: HashMap<(String, String), usize> = HashMap::new();
    for (number, row) in rows.iter_mut().enumerate() {
        if row.repo_url.is_empty() {
            continue;
        }
        let key = (row.scope_id.clone(), row.repo_url.clone());
        row.predecessor = last.insert(key, number);
        row.is_baseline = row.predecessor.is_none();
    }
}

fn grouped(rows: &[Row], is_success: bool) -> Vec<Deployment> {
    let mut deployments: BTreeMap<&str, Deployment> = BTreeMap::new();
    for (number, row) in rows.iter().enumerate() {
        let deployment = deployments
            .entry(&row.deployment_id)
            .or_insert_with(|| Deployment {
                id: row.deployment_id.clone(),
                end: row.finished,
                is_success,
                rows: Vec::new(),
                repositories: BTreeSet::new(),
                environments: BTreeSet::new(),
            });
        deployment.end = deployment.end.max(row.finished);
        deployment.rows.push(number);
        deployment.repositories.insert(row.repository.clone());
        deployment.environments.insert(row.environment.clone());
    }
    deployments.into_values().collect()
}

fn all_deployments(rows: &[&DeploymentRow]) -> BTreeMap<String, (Option<Moment>, bool)> {
    let mut all: BTreeMap<String, (Option<Moment>, bool)> = BTreeMap::new();
    for row in rows {
        let id = first_of([&row.deployment_id, &row.id]).to_owned();
        let (finished, has_environment) = all.entry(id).or_default();
        *finished = (*finished).max(row.finished);
        *has_environment |= !row.environment.is_empty();
    }
    all
}

/// `prev_success_deployment_commit_id` of rows of any environment: the successful row before it
/// with the same scope, address and environment; empty for the first one and for all others.
#[must_use]
pub(crate) fn previous_of_environment(rows: &[DeploymentRow]) -> BTreeMap<(&str, &str), &str> {
    let mut chained: Vec<&DeploymentRow> = each_release_once(rows)
        .into_iter()
        .filter(|row| row.result == "SUCCESS" && row.finished.is_some())
        .filter(|row| !row.environment.is_empty() && !row.repo_url.is_empty())
        .collect();
    chained.sort_by_key(|row| (row.finished, &row.id, &row.commit_sha));
    let mut last: HashMap<(&str, &str, &str), &str> = HashMap::new();
    let mut previous: BTreeMap<(&str, &str), &str> = rows
        .iter()
        .map(|row| ((row.id.as_str(), row.commit_sha.as_str()), ""))
        .collect();
    for row in chained {
        let key = (
            row.scope_id.as_str(),
            row.repo_url.as_str(),
            row.environment.as_str(),
        );
        if let Some(before) = last.insert(key, &row.id) {
            previous.insert((&row.id, &row.commit_sha), before);
        }
    }
    previous
}

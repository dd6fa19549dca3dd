//! What changed commits and pull requests concern: most of them only their own rows, and these are
//! computed without the history of their repository.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use headwater_domain::Scope;
use headwater_domain::graph::{CommitHash, GraphBuilder};
use headwater_domain::metrics::project_pr_metric;
use headwater_store::measuring::StoredSign;
use headwater_store::{Changes, StepContext, Store, StoreError};

use super::{DERIVATION, Projects, loading, writing};
use crate::deployments::is_production;
use crate::first_deployment::FirstDeployments;
use crate::lead_time::{candidates, lead_times};
use crate::{
    Authored, DeploymentRow, DeploymentRows, Facts, History, LeadTime, PullRequest, Rules, signs,
};

/// What new commits concern.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Concern {
    /// Names of projects that are to be measured anew.
    pub projects: BTreeSet<String>,
    /// Ids of pull requests that became one of the commits.
    pub pull_requests: BTreeSet<String>,
}

/// What commits concern that are new, or that a repository has now. `are_many` says that there may
/// be more than these, so that they are not looked at.
///
/// A commit that no deployment reaches decides nothing about deployments; it may be what a pull
/// request became. It has to be looked at more closely where it is the first one of its repository,
/// or may be what an abbreviated hash means.
///
/// # Errors
/// When the database fails.
pub async fn concerned_by_commits(
    store: &Store,
    shas: &[String],
    are_many: bool,
) -> Result<Concern, StoreError> {
    let mut concern = Concern::default();
    for (repo_id, held) in store.holders_of(shas).await? {
        // Where a commit comes, the one below it is known, whether it is stored or not.
        let below = store.parents_elsewhere(&repo_id, &held).await?;
        let known: Vec<String> = held.iter().cloned().chain(below).collect();
        let concerns_all = are_many
            || !store.has_more_commits(&repo_id, held.len()).await?
            || store.may_be_abbreviated(&known).await?
            || store.may_be_deployed(&held).await?;
        if concerns_all {
            concern.projects.extend(store.projects_of(&repo_id).await?);
        } else {
            let became = store.pull_requests_that_became(&known).await?;
            concern.pull_requests.extend(became);
        }
    }
    Ok(concern)
}

/// What is known of changed pull requests in one project.
#[derive(Default)]
struct Changed {
    /// Their rows of now.
    stored: Vec<project_pr_metric::Model>,
    /// Those that are merged.
    merged: Vec<PullRequest>,
}

/// Computes the rows of pull requests that were merged, or became other commits, in the projects
/// where nothing of them is or was deployed, and where they say nothing of repairs. Returns the
/// other projects: they are to be measured anew.
///
/// # Errors
/// When the database fails.
pub async fn renew_undeployed(
    store: &Store,
    ids: &[String],
    projects: &Projects,
    context: &StepContext<'_>,
) -> Result<(Changes, BTreeSet<String>), StoreError> {
    let mut by_project: BTreeMap<String, Changed> = BTreeMap::new();
    let stored = store.rows_holding::<project_pr_metric::Entity>("id", ids);
    for row in stored.await? {
        let project = by_project.entry(row.project_name.clone()).or_default();
        project.stored.push(row);
    }
    let mut mapping: HashMap<String, Vec<String>> = HashMap::new();
    for it in loading::load_pull_requests(store, ids).await? {
        let repository = it.base_repo_id.clone();
        if !mapping.contains_key(&repository) {
            let names = store.projects_mapping("repos", &repository).await?;
            mapping.insert(repository.clone(), names);
        }
        for name in mapping.get(&repository).into_iter().flatten() {
            let project = by_project.entry(name.clone()).or_default();
            project.merged.push(it.clone());
        }
    }
    let (mut changes, mut concerned) = (Changes::default(), BTreeSet::new());
    for (project, changed) in by_project {
        let rules = projects.rules_of(&project);
        if concerns_others(store, (&project, &rules), ids, &changed).await? {
            concerned.insert(project);
            continue;
        }
        let rows = undeployed(store, (&project, &rules), changed.merged).await?;
        let rows = rows
            .iter()
            .map(|it| writing::lead_time(&project, it, String::new()));
        let rows = rows.collect();
        let page = store.begin(&Scope::everywhere(), context.now).await?;
        let mut page = page.deriving(DERIVATION);
        changes += page
            .renew_rows_of_pull_requests(&project, ids, rows)
            .await?;
        page.commit().await?;
    }
    Ok((changes, concerned))
}

async fn concerns_others(
    store: &Store,
    (project, rules): (&str, &Rules),
    ids: &[String],
    changed: &Changed,
) -> Result<bool, StoreError> {
    let is_shared = |row: &project_pr_metric::Model| {
        !row.deployment_commit_id.is_empty() || !row.repairs.is_empty()
    };
    if changed.stored.iter().any(is_shared) {
        return Ok(true);
    }
    let signs = store.signs_of(&[project.to_owned()]).await?;
    // A revert whose target was not found may find one now.
    let seeks = |sign: &StoredSign| sign.is_revert && sign.reverted.is_empty();
    let is_meant = |sign: &StoredSign| ids.contains(&sign.id) || ids.contains(&sign.reverted);
    if signs.iter().any(|sign| seeks(sign) || is_meant(sign)) {
        return Ok(true);
    }
    let signs: Vec<(String, String, String)> = signs
        .into_iter()
        .map(|it| (it.id, it.reverted, it.title))
        .collect();
    let says_something = |it: &PullRequest| {
        signs::may_concern_others(rules, (&it.id, &it.head_ref, &it.title), &signs)
    };
    if changed.merged.iter().any(says_something) {
        return Ok(true);
    }
    let became: BTreeSet<&str> = changed.merged.iter().flat_map(commits_of).collect();
    let became: Vec<String> = became.into_iter().map(str::to_owned).collect();
    store.may_be_deployed(&became).await
}

/// Commits that a pull request became.
fn commits_of(pull_request: &PullRequest) -> impl Iterator<Item = &str> {
    candidates(pull_request).map(|(_, commit)| commit)
}

/// The rows of merged pull requests of which nothing is deployed. Of the commits of a repository
/// only those matter then that these became.
async fn undeployed(
    store: &Store,
    (project, rules): (&str, &Rules),
    merged: Vec<PullRequest>,
) -> Result<Vec<LeadTime>, StoreError> {
    let repositories: BTreeSet<&String> = merged.iter().map(|it| &it.base_repo_id).collect();
    let mut facts = Facts {
        deployments: deployments_among(store, (project, rules), &repositories).await?,
        ..Facts::default()
    };
    let became: BTreeSet<&str> = merged.iter().flat_map(commits_of).collect();
    let became: Vec<String> = became.into_iter().map(str::to_owned).collect();
    let held = store.holders_of(&became).await?;
    for repository in repositories {
        if store.has_more_commits(repository, 0).await? {
            let own = held.get(repository).map(Vec::as_slice);
            let own = own.unwrap_or_default().iter();
            let below = store.parents_in(repository, &became).await?;
            let known: BTreeSet<String> = own.cloned().chain(below).collect();
            facts
                .histories
                .insert(repository.clone(), history_of(&known));
        }
    }
    facts.pull_requests = merged;
    let deployments = DeploymentRows::of(&facts, rules);
    let first = FirstDeployments::of(&facts, &deployments);
    Ok(lead_times(&facts, &deployments, &first))
}

/// Deployments that tell of each of these repositories whether it was deployed to production: a few,
/// or all of the project where these do not say so.
async fn deployments_among(
    store: &Store,
    (project, rules): (&str, &Rules),
    repositories: &BTreeSet<&String>,
) -> Result<Vec<DeploymentRow>, StoreError> {
    let scopes = store.mapping_of(project).await?.of("cicd_scopes");
    let mut found = Vec::new();
    for repository in repositories {
        let own = scopes.contains(repository);
        let some = if own {
            store.some_deployments_of(repository, repository).await?
        } else {
            Vec::new()
        };
        let mut some = some.into_iter().map(loading::deployment);
        let Some(one) = some.find(|row| is_production(row, rules)) else {
            let all = store.deployments_of(&scopes).await?.into_iter();
            return Ok(all.map(loading::deployment).collect());
        };
        found.push(one);
    }
    Ok(found)
}

/// A history of these commits alone, and of one that nothing names: a repository with commits, of
/// which none is known, has a history.
fn history_of(shas: &BTreeSet<String>) -> History {
    let mut builder = GraphBuilder::default();
    let named = shas.iter().map(|sha| CommitHash::named(sha));
    for hash in named.chain([CommitHash::named("")]) {
        // One of another length than those before it stays unknown, as in a whole history.
        let _ = builder.add(hash, &[]);
    }
    History {
        graph: builder.finish(),
        authored: Authored::default(),
        names: HashMap::new(),
    }
}

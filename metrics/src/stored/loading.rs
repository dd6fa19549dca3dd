//! Facts of one project from the database.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use futures::future::BoxFuture;
use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _};
use headwater_store::measuring::{
    Mapping, Says, StoredDeployment, StoredIncident, StoredPullRequest,
};
use headwater_store::{Store, StoreError};

use crate::facts::{first_commit, first_review};
use crate::first_deployment::find;
use crate::{
    Authored, DeploymentRow, DeploymentRows, Facts, History, Incident, LooseCommit, MergedCommit,
    NamedIssue, PullRequest, Repository, RevertingCommit, Review, Rules,
};

/// Pull requests read in one go, with all that belongs to them.
const PAGE: usize = 256;

/// Groups of pull requests that are read at the same time.
const AHEAD: usize = 3;

/// The domain rows that concern a project, as they are stored.
///
/// # Errors
/// When the database fails.
pub async fn load(store: &Store, project: &str, rules: &Rules) -> Result<Facts, StoreError> {
    let mapping = store.mapping_of(project).await?;
    let (repositories, scopes) = (mapping.of("repos"), mapping.of("cicd_scopes"));
    let deployments = store.deployments_of(&scopes).await?;
    let mut facts = Facts {
        all_repositories: all_repositories(store).await?,
        deployments: deployments.into_iter().map(deployment).collect(),
        ..Facts::default()
    };
    let pull_requests = store.merged_pull_requests_of(&repositories).await?;
    facts.pull_requests = load_pull_requests(store, &pull_requests).await?;
    facts.repositories = repositories.into_iter().collect();
    facts.scopes = scopes.into_iter().collect();
    add_incidents(store, &mapping, &mut facts).await?;
    add_histories(store, rules, &mut facts).await?;
    Ok(facts)
}

async fn all_repositories(store: &Store) -> Result<Vec<Repository>, StoreError> {
    let all = store.repositories_by_name().await?.into_iter();
    let all = all.map(|it| Repository {
        id: it.id,
        name: it.name,
        url: it.url,
    });
    Ok(all.collect())
}

pub(super) fn deployment(row: StoredDeployment) -> DeploymentRow {
    DeploymentRow {
        id: row.id,
        commit_sha: row.commit_sha,
        scope_id: row.scope_id,
        deployment_id: row.deployment_id,
        pipeline_id: row.pipeline_id,
        subtask_name: row.subtask_name,
        result: row.result,
        environment: row.environment,
        original_environment: row.original_environment,
        finished: row.finished,
        repo_id: row.repo_id,
        repo_url: row.repo_url,
        previous: row.previous,
    }
}

/// Merged pull requests with these ids, in groups: each with its first commit, its first review and
/// the commits that it became.
pub(super) async fn load_pull_requests(
    store: &Store,
    ids: &[String],
) -> Result<Vec<PullRequest>, StoreError> {
    let bots: BTreeSet<String> = store.bots().await?.into_iter().collect();
    let mut loaded = Vec::with_capacity(ids.len());
    // The database reads a group while those before it are joined.
    let groups = ids.chunks(PAGE);
    let groups: Vec<BoxFuture<'_, _>> = groups.map(|it| load_group(store, it).boxed()).collect();
    let mut groups = futures::stream::iter(groups).buffered(AHEAD);
    while let Some((rows, mut belonging)) = groups.try_next().await? {
        loaded.extend(rows.into_iter().map(|row| belonging.joined(row, &bots)));
    }
    Ok(loaded)
}

/// Pull requests, and what belongs to them.
async fn load_group(
    store: &Store,
    group: &[String],
) -> Result<(Vec<StoredPullRequest>, Belonging), StoreError> {
    let (rows, commits, said, became) = futures::try_join!(
        store.pull_requests_to_measure(group),
        store.own_commits_of(group),
        store.said_of(group),
        store.became_of(group),
    )?;
    let mut belonging = Belonging::default();
    for it in commits {
        let commits = belonging.commits.entry(it.pull_request_id).or_default();
        commits.push((it.authored, it.commit_sha));
    }
    for it in said {
        let said = belonging.said.entry(it.pull_request_id).or_default();
        said.push((it.id, it.actor, it.at));
    }
    for it in became {
        let tips = belonging.tips.entry(it.pull_request_id).or_default();
        tips.push(MergedCommit {
            commit_sha: it.commit_sha,
            method: it.method,
            repo_id: it.repo_id,
        });
    }
    Ok((rows, belonging))
}

/// What belongs to pull requests, by their ids.
#[derive(Default)]
struct Belonging {
    commits: HashMap<String, Vec<(Option<i64>, String)>>,
    said: HashMap<String, Vec<(String, String, Option<i64>)>>,
    tips: HashMap<String, Vec<MergedCommit>>,
}

impl Belonging {
    fn joined(&mut self, row: StoredPullRequest, bots: &BTreeSet<String>) -> PullRequest {
        let commits = self.commits.remove(&row.id).unwrap_or_default();
        let said = self.said.remove(&row.id).unwrap_or_default();
        let reviews = said
            .iter()
            .map(|(id, actor, at)| Review { id, actor, at: *at });
        let review = first_review(row.created, row.merged, &row.author_id, bots, reviews);
        let commits = commits
            .iter()
            .map(|(authored, sha)| (*authored, sha.as_str()));
        PullRequest {
            first_commit: first_commit(commits),
            first_review: review,
            tips: self.tips.remove(&row.id).unwrap_or_default(),
            id: row.id,
            base_repo_id: row.base_repo_id,
            number: row.number,
            title: row.title,
            head_ref: row.head_ref,
            created: row.created,
            merged: row.merged,
            merge_commit_sha: row.merge_commit_sha,
        }
    }
}

async fn add_incidents(
    store: &Store,
    mapping: &Mapping,
    facts: &mut Facts,
) -> Result<(), StoreError> {
    let incidents = store.incidents_of(mapping).await?;
    let ids: Vec<String> = incidents.iter().map(|it| it.id.clone()).collect();
    let named = |(from, issue_id)| NamedIssue { from, issue_id };
    let commits = store.commits_that_name(&ids).await?;
    facts.commits_of_incidents = commits.into_iter().map(named).collect();
    let pull_requests = store.pull_requests_that_name(&ids).await?;
    facts.pull_requests_of_incidents = pull_requests.into_iter().map(named).collect();
    facts.incidents = incidents.into_iter().map(incident).collect();
    Ok(())
}

fn incident(row: StoredIncident) -> Incident {
    Incident {
        id: row.id,
        component: row.component,
        scope_id: row.scope_id,
        created: row.created,
        resolved: row.resolved,
        lead_time_minutes: row.lead_time_minutes,
        deployment_id: row.deployment_id,
    }
}

/// The histories of what was deployed to production, and what is stored of pairs that they cannot
/// tell. Nothing asks for the history of a repository that was never deployed.
async fn add_histories(store: &Store, rules: &Rules, facts: &mut Facts) -> Result<(), StoreError> {
    let deployed = DeploymentRows::of(facts, rules);
    let mut names: BTreeSet<String> = BTreeSet::new();
    for row in &deployed.rows {
        names.insert(row.repository.clone());
        if row.repo_id.is_empty() {
            names.extend(facts.repositories.iter().cloned());
        }
    }
    let mut histories = BTreeMap::new();
    for name in names {
        let further = rules.revert_message_pattern.as_ref();
        let reverts = further.map(|pattern| |message: &str| pattern.is_match(message));
        let reverts = reverts.as_ref().map(|it| it as &Says<'_>);
        let stored = store.dated_history(&name, reverts).await?;
        if stored.graph.is_empty() {
            continue;
        }
        let reverting = stored.reverting.into_iter();
        facts
            .reverting_commits
            .extend(reverting.map(|(sha, message)| RevertingCommit {
                repo_id: name.clone(),
                sha,
                message,
            }));
        let dated = stored.dated.into_iter().map(|it| (it.hash, it.authored));
        let history = History {
            graph: stored.graph,
            authored: Authored::of(dated.collect()),
            names: stored.names,
        };
        histories.insert(name, history);
    }
    facts.histories = histories;
    let unknown = pairs_without_history(facts, &deployed);
    let newer: BTreeSet<&String> = unknown.iter().map(|(new, _)| new).collect();
    let newer: Vec<String> = newer.into_iter().cloned().collect();
    for (new, old, commit) in store.stored_differences(&newer).await? {
        let pair = (new, old);
        if unknown.contains(&pair) {
            let commits = facts.stored_differences.entry(pair).or_default();
            commits.push(commit);
        }
    }
    let loose: BTreeSet<&String> = facts.stored_differences.values().flatten().collect();
    let loose: Vec<String> = loose.into_iter().cloned().collect();
    for it in store.loose_commits(&loose).await? {
        let known = LooseCommit {
            authored: it.authored,
            is_merge: it.parents > 1,
        };
        facts.loose_commits.insert(it.sha, known);
    }
    Ok(())
}

/// Pairs of commits that are compared, and that no loaded history has both of.
fn pairs_without_history(facts: &Facts, deployed: &DeploymentRows) -> HashSet<(String, String)> {
    let rows = &deployed.rows;
    let pairs = rows.iter().filter_map(|row| {
        let old = &rows[row.predecessor?].commit_sha;
        let history = facts.histories.get(&row.repository);
        let has = |sha: &str| history.is_some_and(|it| find(&it.graph, sha).is_some());
        let is_known = row.commit_sha == *old || (has(&row.commit_sha) && has(old));
        (!is_known).then(|| (row.commit_sha.clone(), old.clone()))
    });
    pairs.collect()
}

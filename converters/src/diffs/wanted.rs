//! Which pairs of commits are compared. Pure: refs, deployments and rules in, pairs out.

use std::collections::{BTreeMap, HashMap};

use headwater_domain::code::commits_diff_pair::Model as Pair;
use headwater_domain::code::git_ref::Model as Ref;
use headwater_domain::devops::cicd_deployment_commit::Model as Deployment;
use headwater_domain::id;
use headwater_domain::tags::{self, TagRules};
use headwater_metrics::{
    DeploymentRow, DeploymentRows, Facts, Row, Rules as ProjectRules, TAG_PREFIX,
};
use headwater_store::diffs::state;

/// What follows from the refs and deployments of a repository.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct WantedPairs {
    /// Pairs, by id.
    pub pairs: BTreeMap<String, Pair>,
    /// Deployments that name another predecessor than they should: id, commit, the right one.
    pub predecessors: Vec<(String, String, String)>,
}

/// The name of a tag without `refs/tags/`; none for a branch.
#[must_use]
pub fn short_name(git_ref: &Ref) -> Option<&str> {
    let name = (git_ref.ref_type == "TAG").then_some(git_ref.name.as_str())?;
    Some(name.strip_prefix(TAG_PREFIX).unwrap_or(name))
}

/// The tag of this name, else the branch of this name.
#[must_use]
pub fn find_ref<'r>(refs: &'r [Ref], name: &str) -> Option<&'r Ref> {
    let tag = refs
        .iter()
        .find(|r| short_name(r) == Some(name) || (r.ref_type == "TAG" && r.name == name));
    let is_branch = |r: &&Ref| r.ref_type != "TAG" && r.name == name;
    tag.or_else(|| refs.iter().find(is_branch))
}

/// The pairs to be compared in a repository.
#[must_use]
pub fn wanted(
    repo_id: &str,
    rules: &TagRules,
    refs: &[Ref],
    deployments: &[Deployment],
) -> WantedPairs {
    let mut wanted = WantedPairs::default();
    let names = refs.iter().filter_map(short_name);
    let neighbours = tags::select(rules, names).pairs.into_iter();
    let neighbours = neighbours.map(|(old, new)| ("TAG", old, new));
    let configured = rules.pairs.iter();
    let configured = configured.map(|(old, new)| ("CONFIGURED", old.as_str(), new.as_str()));
    for (kind, old, new) in neighbours.chain(configured) {
        if let (Some(old), Some(new)) = (find_ref(refs, old), find_ref(refs, new)) {
            let pair = of_refs(repo_id, kind, old, new);
            // A configured pair that is one of neighbours is the same pair.
            wanted.pairs.entry(pair.id.clone()).or_insert(pair);
        }
    }
    wanted.add_deployments(repo_id, deployments);
    wanted
}

fn of_refs(repo_id: &str, kind: &str, old: &Ref, new: &Ref) -> Pair {
    let name = |r: &Ref| short_name(r).unwrap_or(&r.name).to_owned();
    Pair {
        id: id::compared(repo_id, &format!("{}..{}", old.name, new.name)),
        repo_id: repo_id.to_owned(),
        kind: kind.to_owned(),
        new_id: new.id.clone(),
        old_id: old.id.clone(),
        new_name: name(new),
        old_name: name(old),
        new_commit_sha: new.commit_sha.clone(),
        old_commit_sha: old.commit_sha.clone(),
        state: state::PENDING.to_owned(),
        commits: 0,
    }
}

/// A deployment that others may follow: successful, with an end, somewhere.
fn is_in_chain(deployment: &Deployment) -> bool {
    deployment.result == "SUCCESS"
        && deployment.finished_date.is_some()
        && !deployment.environment.is_empty()
        && !deployment.repo_url.is_empty()
}

impl WantedPairs {
    /// Each successful deployment with the one before it in the same environment. The first one is
    /// where counting begins: it has no predecessor, so its range is empty.
    fn add_deployments(&mut self, repo_id: &str, deployments: &[Deployment]) {
        let mut chain: Vec<&Deployment> = deployments.iter().filter(|d| is_in_chain(d)).collect();
        chain.sort_unstable_by_key(|d| {
            let place = (&d.repo_url, &d.environment);
            (place, d.finished_date, &d.id, &d.commit_sha)
        });
        let mut before: Option<&Deployment> = None;
        for deployment in chain {
            let is_next = |one: &&Deployment| {
                one.repo_url == deployment.repo_url && one.environment == deployment.environment
            };
            let predecessor = before.filter(is_next);
            if let Some(predecessor) = predecessor {
                let pair = of_deployments(repo_id, predecessor, deployment);
                self.pairs.insert(pair.id.clone(), pair);
            }
            self.note_predecessor(deployment, predecessor.map_or("", |one| &one.id));
            before = Some(deployment);
        }
        for deployment in deployments.iter().filter(|d| !is_in_chain(d)) {
            self.note_predecessor(deployment, "");
        }
    }

    /// Each successful deployment to production with the one before it in any environment that is
    /// production by the rules of a project: a change counts when it first arrives in one of them.
    pub fn add_production(
        &mut self,
        repo_id: &str,
        deployments: &[Deployment],
        rules: &ProjectRules,
    ) {
        let facts = Facts {
            deployments: deployments.iter().map(DeploymentRow::from).collect(),
            ..Facts::default()
        };
        let known: HashMap<(&str, &str), &Deployment> = deployments
            .iter()
            .map(|it| ((it.id.as_str(), it.commit_sha.as_str()), it))
            .collect();
        let rows = DeploymentRows::of(&facts, rules).rows;
        let of = |row: &Row| {
            known
                .get(&(row.id.as_str(), row.commit_sha.as_str()))
                .copied()
        };
        let neighbours = rows
            .iter()
            .filter_map(|row| Some((of(&rows[row.predecessor?])?, of(row)?)));
        for (old, new) in neighbours {
            let mut pair = of_deployments(repo_id, old, new);
            let is_same =
                |it: &Pair| it.old_id == pair.old_id && it.old_commit_sha == pair.old_commit_sha;
            if !self.pairs.get(&pair.id).is_some_and(is_same) {
                let ends = format!(
                    "{}@{}..{}@{}",
                    new.id, new.commit_sha, old.id, old.commit_sha
                );
                pair.id = id::compared(repo_id, &ends);
                self.pairs.insert(pair.id.clone(), pair);
            }
        }
    }

    fn note_predecessor(&mut self, deployment: &Deployment, predecessor: &str) {
        if deployment.prev_success_deployment_commit_id != predecessor {
            let (id, commit) = (deployment.id.clone(), deployment.commit_sha.clone());
            self.predecessors.push((id, commit, predecessor.to_owned()));
        }
    }
}

fn of_deployments(repo_id: &str, old: &Deployment, new: &Deployment) -> Pair {
    Pair {
        id: id::compared(repo_id, &format!("{}@{}", new.id, new.commit_sha)),
        repo_id: repo_id.to_owned(),
        kind: "DEPLOYMENT".to_owned(),
        new_id: new.id.clone(),
        old_id: old.id.clone(),
        new_name: new.name.clone(),
        old_name: old.name.clone(),
        new_commit_sha: new.commit_sha.clone(),
        old_commit_sha: old.commit_sha.clone(),
        state: state::PENDING.to_owned(),
        commits: 0,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use chrono::DateTime;
    use headwater_metrics::OF_TAGS;
    use regex::Regex;

    use super::*;

    fn tag(name: &str) -> Ref {
        Ref {
            id: format!("r:refs/tags/{name}"),
            name: format!("refs/tags/{name}"),
            commit_sha: format!("commit of {name}"),
            ref_type: "TAG".to_owned(),
            ..Ref::default()
        }
    }

    fn deployment(id: &str, environment: &str, finished: i64) -> Deployment {
        Deployment {
            id: id.to_owned(),
            commit_sha: format!("commit of {id}"),
            result: "SUCCESS".to_owned(),
            environment: environment.to_owned(),
            repo_url: "https://example.org/r".to_owned(),
            finished_date: DateTime::from_timestamp(finished, 0),
            ..Deployment::default()
        }
    }

    fn shown(wanted: &WantedPairs) -> Vec<String> {
        let pairs = wanted.pairs.values();
        let mut shown: Vec<String> = pairs
            .map(|pair| {
                let commits = format!("{} | {}", pair.old_commit_sha, pair.new_commit_sha);
                format!("{} {}", pair.kind, commits.replace("commit of ", ""))
            })
            .collect();
        shown.sort();
        shown
    }

    #[test]
    fn a_project_that_chooses_environments_has_pairs_of_its_own() {
        let to = |id: &str, name: &str, finished| Deployment {
            original_environment: name.to_owned(),
            ..deployment(id, "PRODUCTION", finished)
        };
        let deployments = [
            to("1", "eu", 1),
            to("2", "us", 2),
            to("3", "eu", 3),
            to("4", "eu", 4),
        ];
        let mut found = wanted("r", &TagRules::default(), &[], &deployments);
        let rules = ProjectRules {
            production_environments: BTreeSet::from(["eu".to_owned()]),
            ..ProjectRules::default()
        };
        found.add_production("r", &deployments, &rules);
        let all = [
            "DEPLOYMENT 1 | 2",
            "DEPLOYMENT 1 | 3",
            "DEPLOYMENT 2 | 3",
            "DEPLOYMENT 3 | 4",
        ];
        assert_eq!(shown(&found), all);
        // The column says what came before in any environment of production.
        assert_eq!(found.predecessors[2].2, "3");
    }

    #[test]
    fn projects_of_one_repository_have_the_pairs_of_their_own_releases() {
        let release = |name: &str, finished| Deployment {
            id: format!("r:refs/tags/{name}"),
            subtask_name: OF_TAGS.to_owned(),
            ..deployment(name, "PRODUCTION", finished)
        };
        let deployments = [
            deployment("d1", "PRODUCTION", 1),
            release("v1", 2),
            release("x1", 3),
            deployment("d2", "PRODUCTION", 4),
        ];
        let pairs_with = |tags: Option<&str>| {
            let mut found = WantedPairs::default();
            let rules = ProjectRules {
                release_tags: tags.map(|it| Regex::new(it).unwrap()),
                ..ProjectRules::default()
            };
            found.add_production("r", &deployments, &rules);
            shown(&found)
        };
        assert_eq!(pairs_with(None), ["DEPLOYMENT d1 | d2"]);
        let of_versions = ["DEPLOYMENT d1 | v1", "DEPLOYMENT v1 | d2"];
        assert_eq!(pairs_with(Some("^v")), of_versions);
    }

    #[test]
    fn neighbours_and_configured_pairs_are_compared_once() {
        let branch = Ref {
            name: "main".to_owned(),
            commit_sha: "head".to_owned(),
            ref_type: "BRANCH".to_owned(),
            ..Ref::default()
        };
        let refs = [tag("v1.0.0"), tag("v2.0.0"), tag("v10.0.0"), branch];
        let pair = |old: &str, new: &str| (old.to_owned(), new.to_owned());
        let rules = TagRules {
            pattern: Some(Regex::new("^v").unwrap()),
            pairs: vec![
                pair("v1.0.0", "v2.0.0"),
                pair("v1.0.0", "main"),
                pair("v1.0.0", "gone"),
            ],
            ..TagRules::default()
        };
        assert_eq!(
            shown(&wanted("r", &rules, &refs, &[])),
            [
                "CONFIGURED v1.0.0 | head",
                "TAG v1.0.0 | v2.0.0",
                "TAG v2.0.0 | v10.0.0"
            ]
        );
    }

    #[test]
    fn a_tag_goes_before_a_branch_of_its_name() {
        let branch = Ref {
            name: "v1".to_owned(),
            ref_type: "BRANCH".to_owned(),
            ..Ref::default()
        };
        let refs = [branch, tag("v1")];
        let commit = |name| find_ref(&refs, name).map(|found| found.commit_sha.as_str());
        assert_eq!(commit("v1"), Some("commit of v1"));
        assert_eq!(commit("refs/tags/v1"), Some("commit of v1"));
        assert_eq!(commit("refs/tags"), None);
    }

    #[test]
    fn a_successful_deployment_follows_the_one_before_it_in_its_environment() {
        let mut failed = deployment("d3", "PRODUCTION", 30);
        failed.result = "FAILURE".to_owned();
        failed.prev_success_deployment_commit_id = "stale".to_owned();
        let mut elsewhere = deployment("d6", "PRODUCTION", 1);
        elsewhere.repo_url = "https://example.org/other".to_owned();
        let mut known = deployment("d5", "PRODUCTION", 50);
        known.prev_success_deployment_commit_id = "d4".to_owned();
        let deployments = [
            known,
            deployment("d2", "STAGING", 20),
            deployment("d1", "PRODUCTION", 10),
            deployment("d4", "PRODUCTION", 10),
            failed,
            deployment("d7", "", 60),
            elsewhere,
        ];
        let wanted = wanted("r", &TagRules::default(), &[], &deployments);
        assert_eq!(shown(&wanted), ["DEPLOYMENT d1 | d4", "DEPLOYMENT d4 | d5"]);
        let owned =
            |id: &str, before: &str| (id.to_owned(), format!("commit of {id}"), before.to_owned());
        assert_eq!(wanted.predecessors, [owned("d4", "d1"), owned("d3", "")]);
    }
}

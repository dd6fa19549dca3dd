//! Deployments that repair another one: rollbacks, reverts, hotfixes and fixes of incidents.

use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

use headwater_domain::graph::{Graph, RangeWalk, Reach};
use regex::Regex;

use crate::first_deployment::{FirstDeployments, find};
use crate::rules::HASH;
use crate::signs::Signs;
use crate::{Deployment, DeploymentRows, Facts, FailureSource, LeadTime, Moment};

/// In which way a deployment repairs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RepairKind {
    /// A pull request of it is a hotfix.
    Hotfix,
    /// A commit or pull request of it names an incident.
    Incident,
    /// It reverts what another one deployed.
    Revert,
    /// It deployed an older commit.
    Rollback,
}

impl RepairKind {
    /// The text in `project_deployments.repairs`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.source().name()
    }

    /// The source of failures, or of rework, that it belongs to.
    #[must_use]
    pub fn source(self) -> FailureSource {
        match self {
            Self::Hotfix => FailureSource::Hotfix,
            Self::Incident => FailureSource::Incident,
            Self::Revert => FailureSource::Revert,
            Self::Rollback => FailureSource::Rollback,
        }
    }
}

/// One deployment that repairs, with what it repairs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Repair {
    /// The deployment that repairs.
    pub deployment: String,
    /// In which way.
    pub kind: RepairKind,
    /// The deployment that failed, where it is known.
    pub failed: Option<String>,
    /// What says so: a pull request, a commit, an issue, or the row that was deployed.
    pub evidence: String,
}

/// What the kinds of repairs are found with.
pub(crate) struct Repairs<'f> {
    pub(crate) facts: &'f Facts,
    pub(crate) signs: &'f Signs,
    pub(crate) deployments: &'f DeploymentRows,
    pub(crate) first: &'f FirstDeployments,
    pub(crate) lead_times: &'f [LeadTime],
    pub(crate) by_id: HashMap<&'f str, &'f Deployment>,
    /// Messages that revert besides those that git makes.
    pub(crate) message_pattern: Option<&'f Regex>,
}

impl Repairs<'_> {
    /// All of them, sorted, each once.
    pub(crate) fn find(&self) -> Vec<Repair> {
        let places = self.deployments.places();
        let mut found = BTreeSet::new();
        found.extend(self.rollbacks(places.values()));
        found.extend(self.reverting_pull_requests());
        found.extend(self.reverting_commits());
        found.extend(self.hotfixes(places.values()));
        found.extend(self.fixes_of_incidents());
        found.into_iter().collect()
    }

    /// A repair of one row by a later one; none if the deployments do not come in this order.
    fn repair(
        &self,
        kind: RepairKind,
        row: usize,
        failed: usize,
        evidence: &str,
    ) -> Option<Repair> {
        let of_row = |row: usize| {
            self.by_id
                .get(self.deployments.rows[row].deployment_id.as_str())
        };
        let (deployment, failed) = (of_row(row)?, of_row(failed)?);
        let is_earlier = (failed.end, &failed.id) < (deployment.end, &deployment.id);
        is_earlier.then(|| Repair {
            deployment: deployment.id.clone(),
            kind,
            failed: Some(failed.id.clone()),
            evidence: evidence.to_owned(),
        })
    }

    fn rollbacks<'p>(&self, places: impl Iterator<Item = &'p Vec<usize>>) -> Vec<Repair> {
        let mut found = Vec::new();
        for rows in places {
            let repository = rows
                .first()
                .map(|row| &self.deployments.rows[*row].repository);
            let history = repository.and_then(|id| self.facts.histories.get(id));
            let mut order = Order::over(history.map(|history| &history.graph));
            let commits: Vec<&str> = rows
                .iter()
                .map(|row| self.deployments.rows[*row].commit_sha.as_str())
                .collect();
            for (place, failed) in rolled_back(&commits, &mut order) {
                let row = rows[place];
                let evidence = &self.deployments.rows[row].id;
                found.extend(self.repair(RepairKind::Rollback, row, rows[failed], evidence));
            }
        }
        found
    }

    fn reverting_pull_requests(&self) -> Vec<Repair> {
        let rows: HashMap<&str, usize> = self
            .lead_times
            .iter()
            .filter_map(|it| Some((it.id.as_str(), it.row?)))
            .collect();
        let signs = self.signs.iter();
        signs
            .filter_map(|(reverting, sign)| {
                let row = *rows.get(reverting.as_str())?;
                let failed = *rows.get(sign.reverted.as_str())?;
                self.repair(RepairKind::Revert, row, failed, reverting)
            })
            .collect()
    }

    fn reverting_commits(&self) -> Vec<Repair> {
        let mut found = Vec::new();
        for commit in &self.facts.reverting_commits {
            let Some(history) = self.facts.histories.get(&commit.repo_id) else {
                continue;
            };
            let Some(row) = self.first.of_commit(&commit.repo_id, &commit.sha) else {
                continue;
            };
            for reverted in named_in(&commit.message, self.message_pattern) {
                let mut meant = history.graph.beginning_with(reverted);
                let only = meant.next().filter(|_| meant.next().is_none());
                let failed = only.and_then(|reverted| {
                    self.first.of_commit(&commit.repo_id, &reverted.to_string())
                });
                let repair =
                    failed.and_then(|it| self.repair(RepairKind::Revert, row, it, &commit.sha));
                found.extend(repair);
            }
        }
        found
    }

    fn hotfixes<'p>(&self, places: impl Iterator<Item = &'p Vec<usize>>) -> Vec<Repair> {
        let mut before: HashMap<usize, usize> = HashMap::new();
        for rows in places {
            before.extend(rows.windows(2).map(|pair| (pair[1], pair[0])));
        }
        let is_hotfix = |id: &str| self.signs.get(id).is_some_and(|sign| sign.is_hotfix);
        self.lead_times
            .iter()
            .filter(|it| is_hotfix(&it.id))
            .filter_map(|it| Some((it.row?, it.id.as_str())))
            .map(|(row, pull_request)| {
                let failed = before
                    .get(&row)
                    .and_then(|failed| self.repair(RepairKind::Hotfix, row, *failed, pull_request));
                failed.unwrap_or_else(|| self.alone(RepairKind::Hotfix, row, pull_request))
            })
            .collect()
    }

    fn fixes_of_incidents(&self) -> Vec<Repair> {
        let created: HashMap<&str, Moment> = self
            .facts
            .incidents
            .iter()
            .filter_map(|it| Some((it.id.as_str(), it.created?)))
            .collect();
        let rows: HashMap<&str, usize> = self
            .lead_times
            .iter()
            .filter_map(|it| Some((it.id.as_str(), it.row?)))
            .collect();
        let by_pull_request = self
            .facts
            .pull_requests_of_incidents
            .iter()
            .filter_map(|named| Some((*rows.get(named.from.as_str())?, named)));
        let by_commit = self.facts.commits_of_incidents.iter().flat_map(|named| {
            let rows = self.first.rows_of(&named.from);
            rows.map(move |row| (row, named))
        });
        by_pull_request
            .chain(by_commit)
            .filter(|(row, named)| {
                let id = self.deployments.rows[*row].deployment_id.as_str();
                let end = self.by_id.get(id).map(|deployment| deployment.end);
                let created = created.get(named.issue_id.as_str());
                created
                    .zip(end)
                    .is_some_and(|(created, end)| *created < end)
            })
            .map(|(row, named)| self.alone(RepairKind::Incident, row, &named.issue_id))
            .collect()
    }

    /// A repair that names no failed deployment.
    fn alone(&self, kind: RepairKind, row: usize, evidence: &str) -> Repair {
        Repair {
            deployment: self.deployments.rows[row].deployment_id.clone(),
            kind,
            failed: None,
            evidence: evidence.to_owned(),
        }
    }
}

/// Which commits of a place are below others.
struct Order<'g> {
    graph: Option<&'g Graph>,
    walk: Option<RangeWalk<'g>>,
}

impl<'g> Order<'g> {
    fn over(graph: Option<&'g Graph>) -> Self {
        Self {
            graph,
            walk: graph.map(RangeWalk::over),
        }
    }

    /// Whether `low` can be reached from `high`; false where that is unknown.
    fn is_below(&mut self, low: &str, high: &str) -> bool {
        let (Some(graph), Some(walk)) = (self.graph, self.walk.as_mut()) else {
            return false;
        };
        let (Some(low), Some(high)) = (find(graph, low), find(graph, high)) else {
            return false;
        };
        walk.difference(low, high).commits.is_empty()
    }

    /// The last of some commits that is `top` or below it.
    fn last_at_or_below(&self, commits: &[&str], top: &str) -> Option<usize> {
        let below = self.graph.and_then(|graph| {
            let reach = Reach::from(graph, find(graph, top)?);
            Some((graph, reach))
        });
        commits.iter().rposition(|commit| {
            *commit == top
                || below.as_ref().is_some_and(|(graph, reach)| {
                    find(graph, commit).is_some_and(|commit| reach.has(commit))
                })
        })
    }
}

/// Places of rollbacks in a sequence of deployed commits, each with the place that failed.
fn rolled_back(commits: &[&str], order: &mut Order<'_>) -> Vec<(usize, usize)> {
    let mut deployed = BTreeSet::new();
    let mut found = Vec::new();
    for (place, pair) in commits.windows(2).enumerate() {
        let (before, now) = (pair[0], pair[1]);
        deployed.insert(before);
        let is_back = before != now
            && !order.is_below(before, now)
            && (deployed.contains(now) || order.is_below(now, before));
        if is_back {
            let good = order.last_at_or_below(&commits[..=place], now);
            found.push((place + 1, good.map_or(0, |good| good + 1)));
        }
    }
    found
}

/// Hashes, or their beginnings, that a message says it reverts: as git writes it, and by a
/// configured pattern.
fn named_in<'m>(message: &'m str, further: Option<&'m Regex>) -> impl Iterator<Item = &'m str> {
    static REVERTS: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new("This reverts commit (?<hash>[0-9a-f]{7,40})(?:[^0-9a-f]|$)").ok()
    });
    let patterns = REVERTS.as_ref().into_iter().chain(further);
    patterns
        .flat_map(|pattern| pattern.captures_iter(message))
        .filter_map(|it| it.name(HASH).map(|hash| hash.as_str()))
        .filter(|hash| is_hash(hash))
}

/// Whether a text may be the beginning of one hash only: 7 to 40 hexadecimal digits.
fn is_hash(text: &str) -> bool {
    let is_digit = |it: u8| it.is_ascii_digit() || (b'a'..=b'f').contains(&it);
    (7..=40).contains(&text.len()) && text.bytes().all(is_digit)
}

/// Those of them that are not whole: another commit may begin so, too.
pub(crate) fn abbreviated_in<'m>(
    message: &'m str,
    further: Option<&'m Regex>,
) -> impl Iterator<Item = &'m str> {
    named_in(message, further).filter(|hash| hash.len() < 40)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn back(commits: &[&str]) -> Vec<(usize, usize)> {
        rolled_back(commits, &mut Order::over(None))
    }

    #[test]
    fn an_older_version_again_is_a_rollback_and_the_way_forward_is_none() {
        assert_eq!(back(&["v1", "v2", "v3", "v1"]), [(3, 1)]);
        assert_eq!(back(&["v1", "v1"]), []);
        assert_eq!(back(&["v1"]), []);
        assert_eq!(back(&[]), []);
    }

    #[test]
    fn a_message_can_revert_several_commits() {
        let message = "Revert\n\nThis reverts commit 0123456.\nThis reverts commit \
                       0123456789012345678901234567890123456789\nThis reverts commit 012345.\n";
        let named: Vec<&str> = named_in(message, None).collect();
        assert_eq!(
            named,
            ["0123456", "0123456789012345678901234567890123456789"]
        );
        let further = Regex::new("(?i)backs out (?<hash>[0-9a-z]+)").ok();
        let message = "Backs out 89abcde and backs out 012345, backs out 0123456x.\n\
                       This reverts commit 0123456.";
        let named: Vec<&str> = named_in(message, further.as_ref()).collect();
        assert_eq!(named, ["0123456", "89abcde"]);
    }
}

//! What each row means, by brute force.

use std::collections::{BTreeMap, BTreeSet};

use headwater_metrics::{DeploymentRow, FailureSource, Incident, Moment, PullRequest};
use serde_json::{Map, Value, json};

use super::world::{World, url};

const MINUTE: Moment = 60_000;

pub(super) fn null_or(value: Option<i64>) -> Value {
    value.map_or(Value::Null, |it| json!(it))
}

/// Minutes rounded up; none below 0.
pub(super) fn span(from: Option<Moment>, to: Option<Moment>) -> Option<i64> {
    let between = to? - from?;
    let mut minutes = between / MINUTE;
    if between > 0 && between % MINUTE != 0 {
        minutes += 1;
    }
    (minutes >= 0 && between > -MINUTE).then_some(minutes)
}

pub(super) fn exact(from: Option<Moment>, to: Option<Moment>) -> Option<i64> {
    span(from, to)?;
    Some((to? - from?).max(0))
}

/// A deployment, with its rows.
#[derive(Clone, Debug)]
pub(super) struct Release {
    pub(super) id: String,
    pub(super) end: Moment,
    pub(super) is_success: bool,
    pub(super) rows: Vec<DeploymentRow>,
}

/// Why a deployment failed, and when it was recovered from.
#[derive(Clone, Debug, Default)]
pub(super) struct Failed {
    pub(super) recoveries: Vec<Moment>,
}

pub(super) struct Brute<'w> {
    pub(super) world: &'w World,
    /// Successful production rows in the order.
    pub(super) rows: Vec<DeploymentRow>,
    pub(super) failed_rows: Vec<DeploymentRow>,
    pub(super) releases: Vec<Release>,
    /// What each row brought; none where that is unknown.
    pub(super) brought: Vec<Option<BTreeSet<String>>>,
    pub(super) repairs: BTreeSet<(String, &'static str, Option<String>)>,
}

pub(super) fn environment(row: &DeploymentRow) -> &str {
    if row.original_environment.is_empty() {
        &row.environment
    } else {
        &row.original_environment
    }
}

/// The repository of a row: by its id, by its address, or its scope.
pub(super) fn repository(row: &DeploymentRow) -> String {
    if !row.repo_id.is_empty() {
        return row.repo_id.clone();
    }
    let by_url = super::world::REPOSITORIES
        .iter()
        .find(|id| url(id) == row.repo_url);
    by_url.map_or_else(|| row.scope_id.clone(), |id| (*id).to_owned())
}

fn order(row: &DeploymentRow) -> (Moment, String, String) {
    (
        row.finished.unwrap(),
        row.id.clone(),
        row.commit_sha.clone(),
    )
}

fn place(row: &DeploymentRow) -> (String, String, String) {
    (
        row.scope_id.clone(),
        row.repo_url.clone(),
        environment(row).to_owned(),
    )
}

pub(super) fn release_of(row: &DeploymentRow) -> String {
    if row.deployment_id.is_empty() {
        row.id.clone()
    } else {
        row.deployment_id.clone()
    }
}

impl<'w> Brute<'w> {
    pub(super) fn of(world: &'w World) -> Self {
        let mut brute = Self {
            world,
            rows: Vec::new(),
            failed_rows: Vec::new(),
            releases: Vec::new(),
            brought: Vec::new(),
            repairs: BTreeSet::new(),
        };
        brute.rows = brute.production("SUCCESS");
        let succeeded: BTreeSet<String> = brute.rows.iter().map(release_of).collect();
        brute.failed_rows = brute.production("FAILURE");
        brute
            .failed_rows
            .retain(|row| !succeeded.contains(&release_of(row)));
        for (rows, is_success) in [(&brute.rows, true), (&brute.failed_rows, false)] {
            let ids: BTreeSet<String> = rows.iter().map(release_of).collect();
            for id in ids {
                let own: Vec<DeploymentRow> = rows
                    .iter()
                    .filter(|row| release_of(row) == id)
                    .cloned()
                    .collect();
                let end = own.iter().map(|row| row.finished.unwrap()).max().unwrap();
                brute.releases.push(Release {
                    id,
                    end,
                    is_success,
                    rows: own,
                });
            }
        }
        brute.releases.sort_by_key(|it| (it.end, it.id.clone()));
        brute.brought = (0..brute.rows.len())
            .map(|row| brute.brought_by(row))
            .collect();
        brute.find_repairs();
        brute
    }

    /// Rows that are not made of a pipeline for which another row is there.
    pub(super) fn each_once(&self) -> Vec<DeploymentRow> {
        let rows = &self.world.rows;
        let is_other = |row: &DeploymentRow| {
            rows.iter().any(|other| {
                other.subtask_name.is_empty() && other.pipeline_id == row.deployment_id
            })
        };
        let counts = |row: &&DeploymentRow| {
            row.subtask_name.is_empty() || row.deployment_id.is_empty() || !is_other(row)
        };
        rows.iter().filter(counts).cloned().collect()
    }

    fn production(&self, result: &str) -> Vec<DeploymentRow> {
        let wanted = &self.world.rules.production_environments;
        let mut rows = self.each_once();
        rows.retain(|row| {
            row.environment == "PRODUCTION"
                && row.finished.is_some()
                && row.result == result
                && (wanted.is_empty() || wanted.contains(environment(row)))
        });
        rows.sort_by_key(order);
        rows
    }

    fn commits(&self, repository: &str) -> Option<&'w BTreeMap<String, super::world::Commit>> {
        self.world
            .commits
            .get(repository)
            .filter(|it| !it.is_empty())
    }

    /// Known commits that can be reached, the commit itself too.
    fn reach(&self, repository: &str, from: &str) -> BTreeSet<String> {
        let mut reached = BTreeSet::new();
        let mut left = vec![from.to_owned()];
        while let Some(hash) = left.pop() {
            let known = self.commits(repository).and_then(|it| it.get(&hash));
            if let Some(commit) = known
                && reached.insert(hash)
            {
                left.extend(commit.parents.iter().cloned());
            }
        }
        reached
    }

    fn has(&self, repository: &str, commit: &str) -> bool {
        self.commits(repository)
            .is_some_and(|it| it.contains_key(commit))
    }

    pub(super) fn predecessor(&self, row: usize) -> Option<usize> {
        let own = &self.rows[row];
        (0..row).rev().find(|before| {
            let before = &self.rows[*before];
            !own.repo_url.is_empty()
                && before.repo_url == own.repo_url
                && before.scope_id == own.scope_id
        })
    }

    fn brought_by(&self, row: usize) -> Option<BTreeSet<String>> {
        let Some(before) = self.predecessor(row) else {
            return Some(BTreeSet::new());
        };
        let (new, old) = (&self.rows[row].commit_sha, &self.rows[before].commit_sha);
        if new == old {
            return Some(BTreeSet::new());
        }
        let own = repository(&self.rows[row]);
        if self.has(&own, new) && self.has(&own, old) {
            let (new, old) = (self.reach(&own, new), self.reach(&own, old));
            return Some(new.difference(&old).cloned().collect());
        }
        let stored = self.world.differences.get(&(new.clone(), old.clone()))?;
        Some(stored.iter().cloned().collect())
    }

    /// The first row of these repositories that brought a commit.
    fn first(&self, repositories: &[&str], commit: &str) -> Option<usize> {
        (0..self.rows.len()).find(|row| {
            repositories.contains(&self.rows[*row].repo_id.as_str())
                && self.brought[*row]
                    .as_ref()
                    .is_some_and(|it| it.contains(commit))
        })
    }

    /// Commits that a row was the first to bring.
    pub(super) fn first_brought(&self, row: usize) -> Vec<String> {
        let own = self.rows[row].repo_id.as_str();
        let brought = self.brought[row].iter().flatten();
        brought
            .filter(|it| self.first(&[own], it) == Some(row))
            .cloned()
            .collect()
    }

    fn candidates(it: &PullRequest) -> Vec<(&str, &str)> {
        let mut candidates = vec![("MERGE_COMMIT", it.merge_commit_sha.as_str())];
        for tip in &it.tips {
            if tip.repo_id.is_empty() || tip.repo_id == it.base_repo_id {
                candidates.push((&tip.method, &tip.commit_sha));
            }
        }
        candidates.retain(|(_, commit)| !commit.is_empty());
        candidates
    }

    pub(super) fn shipped(&self, it: &PullRequest) -> Option<(usize, String)> {
        let of = [it.base_repo_id.as_str(), ""];
        let candidates = Self::candidates(it);
        let rows = candidates
            .iter()
            .filter_map(|(_, commit)| self.first(&of, commit));
        let row = rows.min()?;
        for method in ["MERGE_COMMIT", "ANCESTRY", "PATCH-ID", "NUMBER"] {
            let is_it =
                |(by, commit): &(&str, &str)| *by == method && self.first(&of, commit) == Some(row);
            if candidates.iter().any(is_it) {
                return Some((row, method.to_owned()));
            }
        }
        unreachable!("a candidate has a method");
    }

    fn reason(&self, it: &PullRequest) -> &'static str {
        let candidates = Self::candidates(it);
        let base = it.base_repo_id.as_str();
        if candidates.is_empty() {
            return "NO_MERGE_COMMIT";
        }
        let is_own = |row: &&DeploymentRow| row.repo_id.is_empty() || row.repo_id == base;
        if !self
            .rows
            .iter()
            .filter(is_own)
            .any(|row| !row.repo_url.is_empty())
        {
            return "NO_PRODUCTION_DEPLOYMENTS";
        }
        if self.commits(base).is_some() && !candidates.iter().any(|(_, it)| self.has(base, it)) {
            return "MERGE_COMMIT_UNKNOWN";
        }
        let mut numbers = 0..self.rows.len();
        let is_first = numbers.any(|number| {
            let row = &self.rows[number];
            let is_baseline = !row.repo_url.is_empty() && self.predecessor(number).is_none();
            let reached = self.reach(base, &row.commit_sha);
            let has = |commit: &str| commit == row.commit_sha || reached.contains(commit);
            is_baseline && is_own(&row) && candidates.iter().any(|(_, it)| has(it))
        });
        if is_first {
            "IN_FIRST_DEPLOYMENT"
        } else {
            "NOT_DEPLOYED"
        }
    }

    /// Minutes of the cycle, and its seconds.
    pub(super) fn cycle(&self, it: &PullRequest) -> (i64, i64) {
        let deployed = self
            .shipped(it)
            .and_then(|(row, _)| self.rows[row].finished);
        let authored = it.first_commit.as_ref().map(|(at, _)| *at);
        let parts = [
            (authored, it.created),
            (it.created, Some(it.merged)),
            (Some(it.merged), deployed),
        ];
        let minutes = parts.iter().filter_map(|(from, to)| span(*from, *to)).sum();
        let exactly: i64 = parts
            .iter()
            .filter_map(|(from, to)| exact(*from, *to))
            .sum();
        (minutes, exactly / 1000)
    }

    /// Minutes of coding, pickup, review and deploying.
    pub(super) fn phases(&self, it: &PullRequest) -> [(Option<i64>, Option<i64>); 4] {
        let deployed = self
            .shipped(it)
            .and_then(|(row, _)| self.rows[row].finished);
        let authored = it.first_commit.as_ref().map(|(at, _)| *at);
        let reviewed = it.first_review.as_ref().map(|(at, _)| *at);
        let merged = Some(it.merged);
        [
            (authored, it.created),
            (it.created, reviewed),
            (reviewed, merged),
            (merged, deployed),
        ]
        .map(|(from, to)| (span(from, to), exact(from, to).map(|it| it / 1000)))
    }

    pub(super) fn pull_requests(&self) -> Value {
        let mut rows = Map::new();
        for it in &self.world.pull_requests {
            let shipped = self.shipped(it);
            let [coding, pickup, review, deploy] = self.phases(it);
            let (minutes, seconds) = self.cycle(it);
            let row = json!({
                "pr_coding_time": null_or(coding.0), "pr_coding_sec": null_or(coding.1),
                "pr_pickup_time": null_or(pickup.0), "pr_pickup_sec": null_or(pickup.1),
                "pr_review_time": null_or(review.0), "pr_review_sec": null_or(review.1),
                "pr_deploy_time": null_or(deploy.0), "pr_deploy_sec": null_or(deploy.1),
                "pr_cycle_time": minutes, "pr_cycle_sec": seconds,
                "deployment_method": shipped.as_ref().map_or("", |(_, method)| method),
                "deployment_commit_id": shipped.as_ref().map_or("", |(row, _)| &self.rows[*row].id),
                "reason": if shipped.is_some() { "" } else { self.reason(it) },
            });
            rows.insert(it.id.clone(), row);
        }
        Value::Object(rows)
    }

    pub(super) fn previous(&self) -> Value {
        let mut previous: BTreeMap<String, String> = BTreeMap::new();
        for row in &self.world.rows {
            previous.insert(row.id.clone(), String::new());
        }
        let mut chain = self.each_once();
        chain.retain(|row| {
            row.result == "SUCCESS"
                && row.finished.is_some()
                && !row.environment.is_empty()
                && !row.repo_url.is_empty()
        });
        chain.sort_by_key(order);
        for (number, row) in chain.iter().enumerate() {
            let before = chain[..number].iter().rev().find(|before| {
                before.scope_id == row.scope_id
                    && before.repo_url == row.repo_url
                    && before.environment == row.environment
            });
            previous.insert(
                row.id.clone(),
                before.map_or(String::new(), |it| it.id.clone()),
            );
        }
        json!(previous)
    }

    /// The repository of an incident among those that are deployed.
    pub(super) fn repository_of(&self, it: &Incident) -> Option<String> {
        let deployed: BTreeSet<String> = self.rows.iter().map(repository).collect();
        let configured = self.world.rules.services.get(&it.component);
        if let Some(id) = configured.filter(|id| deployed.contains(*id)) {
            return Some(id.clone());
        }
        let component = it.component.to_lowercase();
        let is_named = |id: &&String| World::name(id) == component || **id == component;
        let named: Vec<&String> = deployed.iter().filter(is_named).collect();
        if let [only] = named[..]
            && !component.is_empty()
        {
            return Some(only.clone());
        }
        deployed.contains(&it.scope_id).then(|| it.scope_id.clone())
    }

    pub(super) fn link(&self, it: &Incident) -> Result<(String, &'static str, f64), &'static str> {
        if !it.deployment_id.is_empty() {
            for rows in [&self.rows, &self.failed_rows] {
                if rows.iter().any(|row| release_of(row) == it.deployment_id) {
                    return Ok((it.deployment_id.clone(), "EXPLICIT", 1.0));
                }
                let named = rows.iter().filter(|row| row.id == it.deployment_id);
                if let Some(id) = named.map(release_of).min() {
                    return Ok((id, "EXPLICIT", 1.0));
                }
            }
            return Err("EXPLICIT_ID_UNKNOWN");
        }
        let created = it.created.ok_or("NO_CREATED_DATE")?;
        let own = self.repository_of(it);
        let earlier = self
            .rows
            .iter()
            .filter(|row| row.finished.unwrap() < created);
        let earlier = earlier.filter(|row| own.as_ref().is_none_or(|id| repository(row) == *id));
        let last = earlier.max_by_key(|row| (row.finished, release_of(row)));
        let last = last.ok_or("NO_EARLIER_DEPLOYMENT")?;
        let is_near = created - last.finished.unwrap() <= self.world.rules.incident_window;
        match (own, is_near) {
            (Some(_), true) => Ok((release_of(last), "REPOSITORY", 0.8)),
            (Some(_), false) => Ok((release_of(last), "REPOSITORY", 0.5)),
            (None, true) => Ok((release_of(last), "PROJECT", 0.3)),
            (None, false) => Err("OUTSIDE_WINDOW"),
        }
    }

    pub(super) fn links(&self) -> Value {
        let mut links = Map::new();
        for it in &self.world.incidents {
            if let Ok((deployment, method, confidence)) = self.link(it) {
                let row = json!({"deployment_id": deployment, "method": method, "confidence": confidence});
                links.insert(it.id.clone(), row);
            }
        }
        Value::Object(links)
    }

    pub(super) fn unlinked(&self) -> Value {
        let mut unlinked = Map::new();
        for it in &self.world.incidents {
            if let Err(reason) = self.link(it) {
                unlinked.insert(it.id.clone(), json!(reason));
            }
        }
        Value::Object(unlinked)
    }

    fn release(&self, row: usize) -> &Release {
        let id = release_of(&self.rows[row]);
        self.releases
            .iter()
            .find(|it| it.is_success && it.id == id)
            .unwrap()
    }

    fn add_repair(&mut self, kind: &'static str, row: usize, failed: Option<usize>, is_kept: bool) {
        let repairing = self.release(row).clone();
        let failed = failed.map(|row| self.release(row).clone());
        let failed = failed.filter(|it| (it.end, &it.id) < (repairing.end, &repairing.id));
        if failed.is_some() || is_kept {
            self.repairs
                .insert((repairing.id, kind, failed.map(|it| it.id)));
        }
    }

    fn find_repairs(&mut self) {
        for row in 0..self.rows.len() {
            let own = place(&self.rows[row]);
            let earlier: Vec<usize> = (0..row)
                .filter(|it| place(&self.rows[*it]) == own)
                .collect();
            self.find_rollback(row, &earlier);
        }
        for it in &self.world.pull_requests {
            let Some((row, _)) = self.shipped(it) else {
                continue;
            };
            if let Some((failed, _)) = self.reverted(it).and_then(|it| self.shipped(it)) {
                self.add_repair("revert", row, Some(failed), false);
            }
            let lower = it.head_ref.to_lowercase();
            let is_branch = lower == "hotfix" || lower.starts_with("hotfix/");
            if is_branch || it.title == "A hotfix" {
                let own = place(&self.rows[row]);
                let before = (0..row).rev().find(|it| place(&self.rows[*it]) == own);
                self.add_repair("hotfix", row, before, true);
            }
        }
        for id in ["r0", "r1"] {
            for (hash, commit) in &self.world.commits[id] {
                let Some(row) = self.first(&[id, ""], hash) else {
                    continue;
                };
                for text in commit.message.split("This reverts commit ").skip(1) {
                    let end = text
                        .find(|it: char| !"0123456789abcdef".contains(it))
                        .unwrap_or(text.len());
                    let all = &self.world.commits[id];
                    let meant: Vec<&String> = all
                        .keys()
                        .filter(|it| it.starts_with(&text[..end]))
                        .collect();
                    if let [meant] = meant[..]
                        && (7..=40).contains(&end)
                        && let Some(failed) = self.first(&[id, ""], meant)
                    {
                        self.add_repair("revert", row, Some(failed), false);
                    }
                }
            }
        }
        self.find_fixes();
    }

    fn find_rollback(&mut self, row: usize, earlier: &[usize]) {
        let Some(before) = earlier.last() else { return };
        let own = repository(&self.rows[row]);
        let (new, old) = (
            self.rows[row].commit_sha.clone(),
            self.rows[*before].commit_sha.clone(),
        );
        let is_below = |low: &str, high: &str| {
            self.has(&own, low) && self.has(&own, high) && self.reach(&own, high).contains(low)
        };
        let was_there = earlier.iter().any(|it| self.rows[*it].commit_sha == new);
        if new == old || is_below(&old, &new) || !(was_there || is_below(&new, &old)) {
            return;
        }
        let good = earlier.iter().rposition(|it| {
            let commit = &self.rows[*it].commit_sha;
            *commit == new || is_below(commit, &new)
        });
        let failed = earlier[good.map_or(0, |it| it + 1)];
        self.add_repair("rollback", row, Some(failed), false);
    }

    fn reverted(&self, it: &PullRequest) -> Option<&'w PullRequest> {
        let all = self.world.pull_requests.iter();
        let here = all.filter(|other| other.base_repo_id == it.base_repo_id);
        let numbered = |number: &str| {
            here.clone()
                .find(|other| other.number.to_string() == number)
        };
        if let Some(number) = it.head_ref.strip_prefix("revert-pr-") {
            return numbered(number);
        }
        let titled = |title: &str| {
            let same = here
                .clone()
                .filter(|other| other.title == title && other.merged < it.merged);
            same.max_by_key(|other| (other.merged, other.number, other.id.clone()))
        };
        match it.title.as_str() {
            "Revert \"Old\"" => titled("Old"),
            "Revert \"New (pull request #2)\"" => numbered("2").or_else(|| titled("New")),
            "Revert \"Revert \"Old\"\"" => titled("Revert \"Old\""),
            _ => None,
        }
    }

    fn find_fixes(&mut self) {
        let world = self.world;
        let mut rows: Vec<(usize, &str)> = Vec::new();
        for named in &world.by_commit {
            for row in 0..self.rows.len() {
                if self.first_brought(row).contains(&named.from) {
                    rows.push((row, &named.issue_id));
                }
            }
        }
        for named in &world.by_pull_request {
            let own = world.pull_requests.iter().find(|it| it.id == named.from);
            if let Some((row, _)) = own.and_then(|it| self.shipped(it)) {
                rows.push((row, &named.issue_id));
            }
        }
        for (row, incident) in rows {
            let incident = world.incidents.iter().find(|it| it.id == incident).unwrap();
            if incident
                .created
                .is_some_and(|at| at < self.release(row).end)
            {
                self.add_repair("incident", row, None, true);
            }
        }
    }

    pub(super) fn is_counted(&self, it: &Release) -> bool {
        it.is_success
            || self
                .world
                .rules
                .failure_sources
                .contains(&FailureSource::FailedDeployment)
    }

    /// The failure that a counted deployment is.
    pub(super) fn failure(&self, it: &Release) -> Option<Failed> {
        let sources = &self.world.rules.failure_sources;
        let has = |name: &str| sources.iter().any(|it| it.name() == name);
        let linked = self.world.incidents.iter().filter(|incident| {
            has("incident") && self.link(incident).is_ok_and(|(id, ..)| id == it.id)
        });
        let linked: Vec<&Incident> = linked.collect();
        let repairs = self
            .repairs
            .iter()
            .filter(|(_, kind, failed)| has(kind) && failed.as_ref() == Some(&it.id));
        let repairs: Vec<&String> = repairs.map(|(id, ..)| id).collect();
        if linked.is_empty() && repairs.is_empty() && it.is_success {
            return None;
        }
        let mut recoveries: Vec<Moment> = if linked.is_empty() {
            let end = |id: &String| {
                self.releases
                    .iter()
                    .find(|it| it.is_success && it.id == *id)
                    .unwrap()
                    .end
            };
            let repaired = repairs.into_iter().map(end);
            repaired
                .chain(self.replaced(it))
                .min()
                .into_iter()
                .collect()
        } else {
            linked.iter().filter_map(|it| it.resolved).collect()
        };
        recoveries.retain(|at| *at >= it.end);
        Some(Failed { recoveries })
    }

    fn replaced(&self, it: &Release) -> Option<Moment> {
        if it.is_success {
            return None;
        }
        let mut last = None;
        for failed in &it.rows {
            let next = self
                .rows
                .iter()
                .find(|row| place(row) == place(failed) && row.finished.unwrap() > it.end);
            last = last.max(Some(next?.finished.unwrap()));
        }
        last
    }
}

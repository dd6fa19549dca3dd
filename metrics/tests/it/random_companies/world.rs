//! A company made of a seed: few things of each kind, so that they meet often.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::Weekday;
use headwater_domain::graph::GraphBuilder;
use headwater_metrics::{
    Authored, DeploymentRow, Facts, FailureSource, History, Incident, LooseCommit, MergedCommit,
    Moment, NamedIssue, PullRequest, Repository, RevertingCommit, Rules,
};

/// 2024-02-28 22:00 UTC: a leap day, the ends of two months and a change of clocks follow.
const START: Moment = 1_709_157_600_000;
const HOUR: Moment = 3_600_000;

/// Repositories; the last one is no part of the project.
pub(super) const REPOSITORIES: [&str; 3] = ["r0", "r1", "r2"];

#[derive(Clone, Debug)]
pub(super) struct Commit {
    pub(super) parents: Vec<String>,
    pub(super) authored: Option<Moment>,
    pub(super) message: String,
}

pub(super) struct World {
    state: u64,
    /// Hours in which everything happens: many, or so few that most things meet.
    hours: u64,
    pub(super) rules: Rules,
    pub(super) commits: BTreeMap<&'static str, BTreeMap<String, Commit>>,
    pub(super) rows: Vec<DeploymentRow>,
    pub(super) differences: HashMap<(String, String), Vec<String>>,
    pub(super) pull_requests: Vec<PullRequest>,
    pub(super) incidents: Vec<Incident>,
    pub(super) by_commit: Vec<NamedIssue>,
    pub(super) by_pull_request: Vec<NamedIssue>,
}

pub(super) fn url(repository: &str) -> String {
    format!("https://host/{repository}")
}

fn sha(repository: usize, number: u64) -> String {
    // Beginnings differ, and some are those of others.
    format!(
        "{:07x}{:033x}",
        number * 0x11_1111 % 0x0fff_ffff,
        number * 10 + repository as u64
    )
}

impl World {
    pub(super) fn of(seed: u64) -> Self {
        let mut world = Self {
            state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            hours: if seed.is_multiple_of(2) { 900 } else { 48 },
            rules: Rules::default(),
            commits: BTreeMap::new(),
            rows: Vec::new(),
            differences: HashMap::new(),
            pull_requests: Vec::new(),
            incidents: Vec::new(),
            by_commit: Vec::new(),
            by_pull_request: Vec::new(),
        };
        world.make_rules();
        world.make_commits();
        world.make_deployments();
        world.make_pull_requests();
        world.make_incidents();
        world
    }

    /// A number below this one.
    pub(super) fn dice(&mut self, sides: u64) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 11) % sides
    }

    fn one_of<T: Clone>(&mut self, things: &[T]) -> T {
        let place = self.dice(things.len() as u64);
        things[usize::try_from(place).unwrap()].clone()
    }

    /// A whole hour, or some milliseconds beside it: ties are frequent.
    fn moment(&mut self) -> Moment {
        let hours = i64::try_from(self.dice(self.hours)).unwrap() / 3 * 3;
        let beside = self.one_of(&[0, 0, 0, 1, -1, 30_000, 59_999, 60_000]);
        START + hours * HOUR + beside
    }

    fn make_rules(&mut self) {
        use chrono_tz::{America, Europe, Pacific, Tz};
        self.rules.timezone = self.one_of(&[
            Tz::UTC,
            Europe::Berlin,
            America::Havana,
            Pacific::Kiritimati,
        ]);
        self.rules.week_start = self.one_of(&[Weekday::Mon, Weekday::Sun, Weekday::Sat]);
        if self.dice(3) == 0 {
            self.rules.production_environments = BTreeSet::from(["eu".to_owned()]);
        }
        let mut sources = BTreeSet::new();
        for source in FailureSource::ALL {
            if self.dice(2) == 0 {
                sources.insert(source);
            }
        }
        if self.dice(3) > 0 && !sources.is_empty() {
            self.rules.failure_sources = sources;
        }
        self.rules.incident_window = self.one_of(&[7 * 24 * HOUR, 6 * HOUR, 0]);
        if self.dice(3) == 0 {
            let services = [("pay".to_owned(), "r1".to_owned())];
            self.rules.services = services.into_iter().collect();
        }
    }

    fn make_commits(&mut self) {
        for (place, repository) in REPOSITORIES.into_iter().enumerate() {
            let mut commits = BTreeMap::new();
            let mut known: Vec<String> = Vec::new();
            let count = self.dice(14);
            for number in 0..count {
                // Some commits are those of the first repository: a fork has them, too.
                let of = if self.dice(4) == 0 { 0 } else { place };
                let hash = sha(of, number);
                let mut parents = Vec::new();
                for _ in 0..self.dice(3) {
                    let from = known.len().saturating_sub(4);
                    if !known.is_empty() {
                        parents.push(self.one_of(&known[from..]));
                    }
                }
                if self.dice(20) == 0 {
                    parents.push(sha(9, number));
                }
                let reverted = known.last().cloned().unwrap_or_default();
                let message = match self.dice(8) {
                    0 => format!("This reverts commit {reverted}."),
                    1 => format!("Undo\n\nThis reverts commit {reverted:.7}. Well"),
                    2 => "This reverts commit DEADBEEF".to_owned(),
                    _ => "m".to_owned(),
                };
                let authored = (self.dice(8) > 0).then(|| self.moment());
                let commit = Commit {
                    parents,
                    authored,
                    message,
                };
                commits.entry(hash.clone()).or_insert(commit);
                known.push(hash);
            }
            self.commits.insert(repository, commits);
        }
        self.commits_are_the_same_everywhere();
    }

    /// What a hash names is the same in every repository.
    fn commits_are_the_same_everywhere(&mut self) {
        let mut all: BTreeMap<String, Commit> = BTreeMap::new();
        for commits in self.commits.values_mut() {
            for (hash, commit) in commits {
                *commit = all
                    .entry(hash.clone())
                    .or_insert_with(|| commit.clone())
                    .clone();
            }
        }
    }

    /// A commit of a repository, or one that is not there.
    fn commit_of(&mut self, repository: &str) -> String {
        let known: Vec<String> = self.commits[repository].keys().cloned().collect();
        if known.is_empty() || self.dice(12) == 0 {
            return sha(8, self.state % 3);
        }
        self.one_of(&known)
    }

    fn make_deployments(&mut self) {
        let texts =
            |texts: &[&str]| -> Vec<String> { texts.iter().map(|it| (*it).to_owned()).collect() };
        for number in 0..self.dice(18) {
            let repository = self.one_of(&["r0", "r0", "r1"]);
            let finished = self.moment();
            let row = DeploymentRow {
                id: format!("row{}", number * 7 % 20),
                commit_sha: self.commit_of(repository),
                scope_id: repository.to_owned(),
                deployment_id: self.one_of(&[
                    format!("d{}", number / 2),
                    format!("d{number}"),
                    String::new(),
                ]),
                pipeline_id: self.one_of(&texts(&["", "", "d1", "d3"])),
                subtask_name: self.one_of(&texts(&["", "", "", "made"])),
                result: self.one_of(&texts(&["SUCCESS", "SUCCESS", "SUCCESS", "FAILURE", ""])),
                environment: self.one_of(&texts(&[
                    "PRODUCTION",
                    "PRODUCTION",
                    "PRODUCTION",
                    "STAGING",
                    "",
                ])),
                original_environment: self.one_of(&texts(&["eu", "eu", "us", ""])),
                finished: (self.dice(15) > 0).then_some(finished),
                repo_id: self.one_of(&[
                    repository.to_owned(),
                    repository.to_owned(),
                    String::new(),
                ]),
                repo_url: self.one_of(&[
                    url(repository),
                    url(repository),
                    url(repository),
                    String::new(),
                ]),
                previous: String::new(),
            };
            self.rows.push(row);
        }
        for _ in 0..self.dice(4) {
            let pair = (self.commit_of("r0"), self.commit_of("r0"));
            let brought = vec![self.commit_of("r0"), self.commit_of("r1")];
            let brought: BTreeSet<String> = brought.into_iter().collect();
            self.differences.insert(pair, brought.into_iter().collect());
        }
    }

    fn make_pull_requests(&mut self) {
        let titles = [
            "Old",
            "New",
            "Revert \"Old\"",
            "Revert \"New (pull request #2)\"",
            "A hotfix",
            "prehotfixes",
            "Revert \"Revert \"Old\"\"",
        ];
        let branches = [
            "feature/x",
            "hotfix/y",
            "revert-pr-1",
            "revert-pr-99",
            "HOTFIX",
            "x/hotfixes",
        ];
        let methods = ["ANCESTRY", "PATCH-ID", "NUMBER"];
        for number in 1..=self.dice(12) {
            let repository = self.one_of(&["r0", "r0", "r1"]);
            let optional = |world: &mut Self| (world.dice(5) > 0).then(|| world.moment());
            let mut tips = Vec::new();
            for _ in 0..self.dice(3) {
                tips.push(MergedCommit {
                    commit_sha: self.commit_of(repository),
                    method: self.one_of(&methods).to_owned(),
                    repo_id: self.one_of(&[repository, "", "r2"]).to_owned(),
                });
            }
            let merge = self.commit_of(repository);
            let pull_request = PullRequest {
                id: format!("p{number}"),
                base_repo_id: repository.to_owned(),
                number: i64::try_from(number).unwrap(),
                title: self.one_of(&titles).to_owned(),
                head_ref: self.one_of(&branches).to_owned(),
                created: optional(self),
                merged: self.moment(),
                merge_commit_sha: if self.dice(4) == 0 {
                    String::new()
                } else {
                    merge
                },
                first_commit: optional(self).map(|at| (at, format!("c{number}"))),
                first_review: optional(self).map(|at| (at, format!("e{number}"))),
                tips,
            };
            self.pull_requests.push(pull_request);
        }
    }

    fn make_incidents(&mut self) {
        for number in 0..self.dice(8) {
            let optional = |world: &mut Self| (world.dice(6) > 0).then(|| world.moment());
            let named = self.one_of(&["", "", "", "", "d1", "d2", "row7", "row14", "nowhere"]);
            let incident = Incident {
                id: format!("i{number}"),
                component: self
                    .one_of(&["", "R1", "team/r0", "r0", "pay", "other"])
                    .to_owned(),
                scope_id: self.one_of(&["r0", "r1", "board"]).to_owned(),
                created: optional(self),
                resolved: optional(self),
                lead_time_minutes: self.one_of(&[None, None, Some(7), Some(-1)]),
                deployment_id: named.to_owned(),
            };
            self.incidents.push(incident);
            if self.dice(3) == 0 {
                let from = self.commit_of("r0");
                self.by_commit.push(NamedIssue {
                    from,
                    issue_id: format!("i{number}"),
                });
            }
            if self.dice(3) == 0 {
                let from = format!("p{}", self.dice(9));
                self.by_pull_request.push(NamedIssue {
                    from,
                    issue_id: format!("i{number}"),
                });
            }
        }
    }

    fn loose_commits(&self) -> HashMap<String, LooseCommit> {
        let all = self.commits.values().flatten();
        let loose = all.map(|(hash, commit)| {
            let parents: BTreeSet<&String> = commit.parents.iter().collect();
            let known = LooseCommit {
                authored: commit.authored,
                is_merge: parents.len() > 1,
            };
            (hash.clone(), known)
        });
        loose.collect()
    }

    pub(super) fn name(repository: &str) -> String {
        format!("team/{repository}")
    }

    pub(super) fn facts(&self) -> Facts {
        let mut reverting_commits = Vec::new();
        let mut histories = BTreeMap::new();
        for (repository, commits) in self.commits.iter().filter(|(id, _)| **id != "r2") {
            let mut graph = GraphBuilder::default();
            let mut authored = Vec::new();
            for (hash, commit) in commits {
                let parents = commit.parents.iter().map(|it| it.parse().unwrap());
                let parents: Vec<_> = parents.collect();
                graph.add(hash.parse().unwrap(), &parents).unwrap();
                authored.extend(commit.authored.map(|at| (hash.parse().unwrap(), at)));
                if commit.message.contains("This reverts commit ") {
                    reverting_commits.push(RevertingCommit {
                        repo_id: (*repository).to_owned(),
                        sha: hash.clone(),
                        message: commit.message.clone(),
                    });
                }
            }
            if !commits.is_empty() {
                let history = History {
                    graph: graph.finish(),
                    authored: Authored::of(authored),
                    names: HashMap::new(),
                };
                histories.insert((*repository).to_owned(), history);
            }
        }
        Facts {
            repositories: ["r0", "r1"].map(str::to_owned).into(),
            scopes: ["r0", "r1"].map(str::to_owned).into(),
            all_repositories: REPOSITORIES
                .map(|id| Repository {
                    id: id.to_owned(),
                    name: Self::name(id),
                    url: url(id),
                })
                .into(),
            deployments: self.rows.clone(),
            pull_requests: self.pull_requests.clone(),
            incidents: self.incidents.clone(),
            histories,
            stored_differences: self.differences.clone(),
            loose_commits: self.loose_commits(),
            reverting_commits,
            commits_of_incidents: self.by_commit.clone(),
            pull_requests_of_incidents: self.by_pull_request.clone(),
        }
    }
}

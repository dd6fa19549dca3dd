//! The agenda of the company, and how it is worked off.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::world::dice::Dice;
use crate::world::generate::LIVE_PACE;
use crate::world::git::NOTHING;
use crate::world::habits::Habits;
use crate::world::model::{Hash, Project, Time, UserId, Verdict, Workspace};
use crate::world::{World, builds::Builds};

use super::delivery::Build;
use super::services::{PROJECTS, SERVICES, Service, Shipping};
use super::{Company, hours, staff, words};

/// How long the company keeps records, in days.
const YEAR: i64 = 365;

/// What a change is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Feature,
    Fix,
    Chore,
    Dependency,
    /// The repair of an incident.
    Hotfix,
    /// Takes a pull request back.
    Revert {
        of: u64,
    },
}

/// A change that someone is going to make.
#[derive(Clone, Debug)]
pub(super) struct Task {
    pub(super) kind: Kind,
    pub(super) title: String,
    pub(super) author: UserId,
    /// The issue that asks for it, or the incident that it repairs.
    pub(super) issue: Option<u64>,
}

impl Task {
    /// Whether it cannot wait.
    pub(super) fn is_urgent(&self) -> bool {
        matches!(self.kind, Kind::Hotfix | Kind::Revert { .. })
    }
}

/// An entry of the agenda.
#[derive(Clone, Debug)]
pub(super) enum Act {
    /// A week begins.
    Week,
    /// An issue asks for a change, or for one that is never made.
    Report {
        task: Task,
        is_made: bool,
    },
    /// The author begins to write.
    Begin(Task),
    /// The author opens a pull request, with what was written since.
    Open {
        task: Task,
        begun: Time,
    },
    /// The author adds commits.
    Push {
        id: u64,
        count: usize,
    },
    /// A reviewer comments.
    Remark {
        id: u64,
        by: UserId,
    },
    /// The author answers the last comment.
    Answer {
        id: u64,
        by: UserId,
    },
    /// A reviewer decides.
    Vote {
        id: u64,
        by: UserId,
        verdict: Verdict,
    },
    Merge {
        id: u64,
        by: UserId,
    },
    Decline {
        id: u64,
        by: UserId,
    },
    /// A pipeline starts.
    Build(Build),
    /// A commit of the main branch arrives where customers are.
    Live {
        commit: Hash,
    },
    /// The main branch becomes a release.
    Release {
        is_patch: bool,
    },
    /// Customers notice what a pull request broke.
    Trouble {
        cause: u64,
    },
    /// Someone writes under an issue.
    Note {
        issue: u64,
        by: UserId,
    },
    /// An issue changes its state.
    Move {
        issue: u64,
        by: UserId,
        state: &'static str,
    },
}

/// What is known of a repository beside what the world shows.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) service: &'static Service,
    /// Place in the world's repositories.
    pub(super) place: usize,
    pub(super) version: (u64, u64, u64),
    pub(super) last_build: u64,
    /// Changes of pull requests, by number.
    pub(super) tasks: BTreeMap<u64, Task>,
    /// Merged, and not yet where customers are: the commit of the main branch, and the number.
    pub(super) waiting: Vec<(Hash, u64)>,
}

/// The company while its year goes by.
pub(super) struct Play {
    pub(super) world: World,
    pub(super) rng: StdRng,
    pub(super) until: Time,
    pub(super) lines: Vec<Line>,
    agenda: BTreeMap<(Time, u64), (usize, Act)>,
    entries: u64,
}

impl Play {
    pub(super) fn new(seed: u64, until: Time) -> Play {
        let begins = hours::monday(until - TimeDelta::days(YEAR));
        let mut play = Play {
            world: empty(seed, begins),
            rng: StdRng::seed_from_u64(seed ^ 0x005e_ed0f_c0de),
            until,
            lines: Vec::new(),
            agenda: BTreeMap::new(),
            entries: 0,
        };
        for service in &SERVICES {
            play.found(service);
        }
        let mut week = begins;
        while week <= until {
            for line in 0..play.lines.len() {
                play.plan(line, week, Act::Week);
            }
            week += TimeDelta::days(7);
        }
        play.releases(begins);
        play
    }

    /// Works the agenda off.
    pub(super) fn played(mut self) -> World {
        while let Some(((at, _), (line, act))) = self.agenda.pop_first() {
            self.world.clock = at;
            self.act(line, at, act);
        }
        self.world.clock = self.until;
        self.world.pace = LIVE_PACE;
        self.world
    }

    /// Puts something on the agenda; what is after the end does not happen.
    pub(super) fn plan(&mut self, line: usize, at: Time, act: Act) {
        if at <= self.until {
            self.entries += 1;
            self.agenda.insert((at, self.entries), (line, act));
        }
    }

    fn act(&mut self, line: usize, at: Time, act: Act) {
        match act {
            Act::Week => self.week(line, at),
            Act::Report { task, is_made } => self.report(line, at, task, is_made),
            Act::Begin(task) => self.begin(line, at, task),
            Act::Open { task, begun } => self.open(line, at, task, begun),
            Act::Push { id, count } => self.push(line, at, (id, count)),
            Act::Remark { id, by } => self.remark(line, id, by),
            Act::Answer { id, by } => self.answer(line, id, by),
            Act::Vote { id, by, verdict } => self.vote(line, (id, by), verdict),
            Act::Merge { id, by } => self.merge(line, at, (id, by)),
            Act::Decline { id, by } => self.decline(line, (id, by)),
            Act::Build(build) => self.build(line, at, build),
            Act::Live { commit } => self.live(line, at, commit),
            Act::Release { is_patch } => self.release(line, at, is_patch),
            Act::Trouble { cause } => self.trouble(line, at, cause),
            Act::Note { issue, by } => self.note(line, at, (issue, by)),
            Act::Move { issue, by, state } => self.move_issue(line, at, (issue, by), state),
        }
    }

    /// Makes a repository, with a first commit.
    fn found(&mut self, service: &'static Service) {
        let world = &mut self.world;
        // Names of this crate: nothing refuses them.
        let _ = world.add_repository(service.name);
        let place = world.repositories.len().saturating_sub(1);
        if let Some(repository) = world.repositories.get_mut(place) {
            service.description.clone_into(&mut repository.description);
            service.language.clone_into(&mut repository.language);
            repository.project = service.project;
            repository.is_private = true;
            (repository.owner, repository.parent) = (None, None);
            repository.mainbranch = Some("main".to_owned());
            repository.builds = Some(Builds {
                environments: service.environments,
                pipelines: Vec::new(),
                deployments: Vec::new(),
            });
        }
        let (major, minor) = service.version;
        self.lines.push(Line {
            service,
            place,
            version: (major, minor, 0),
            last_build: 0,
            tasks: BTreeMap::new(),
            waiting: Vec::new(),
        });
        let (by, at) = (self.someone(service.team, None), self.world.clock);
        let message = "Import from the old server\n".to_owned();
        let first = self.commit(by, (NOTHING, None), at, message);
        if let Some(repository) = self.world.repositories.get_mut(place) {
            repository.main_head = first.hash;
            repository.main.push(first);
        }
    }

    /// Puts the releases of the whole year on the agenda: on Tuesdays, at noon.
    fn releases(&mut self, begins: Time) {
        for line in 0..self.lines.len() {
            let Shipping::Release { weeks } = self.lines[line].service.shipping else {
                continue;
            };
            let mut at = begins + TimeDelta::hours(36);
            while at <= self.until {
                let late = self.minutes(90);
                self.plan(line, at + late, Act::Release { is_patch: false });
                at += TimeDelta::weeks(weeks);
            }
        }
    }

    /// Decides what is begun in a week.
    fn week(&mut self, line: usize, at: Time) {
        let service = self.lines[line].service;
        let percent = service.pace * hours::busyness(at) / 10;
        let chance = self.rng.random_range(0..100);
        let count = percent / 100 + i64::from(percent % 100 > chance);
        for _ in 0..count {
            let task = self.idea(line);
            let begins = self.rng.random_range(0..5 * 510);
            let begins = hours::after(at, staff::zone(task.author), begins);
            match task.kind {
                Kind::Feature | Kind::Fix => {
                    let is_made = true;
                    self.plan(line, begins, Act::Report { task, is_made });
                }
                _ => self.plan(line, begins, Act::Begin(task)),
            }
        }
        // Not everything that is asked for is made.
        if self.rng.random_bool(0.15) {
            let task = self.idea(line);
            let asked = hours::after(at, staff::zone(task.author), chance * 20);
            let is_made = false;
            self.plan(line, asked, Act::Report { task, is_made });
        }
    }

    fn idea(&mut self, line: usize) -> Task {
        let service = self.lines[line].service;
        let kind = match self.rng.random_range(0..100) {
            0..45 => Kind::Feature,
            45..70 => Kind::Fix,
            70..90 => Kind::Chore,
            _ => Kind::Dependency,
        };
        let author = match kind {
            Kind::Dependency => staff::BOT,
            _ => self.someone(service.team, None),
        };
        Task {
            title: words::title(&mut self.rng, &kind, service.things),
            kind,
            author,
            issue: None,
        }
    }

    /// Someone of a team, but not that one.
    pub(super) fn someone(&mut self, team: usize, not: Option<UserId>) -> UserId {
        let mut team = staff::of_team(team);
        team.retain(|member| Some(*member) != not);
        let place = self.rng.random_range(0..team.len().max(1));
        team.get(place).copied().unwrap_or(staff::BOT)
    }

    /// Up to so many minutes.
    pub(super) fn minutes(&mut self, most: i64) -> TimeDelta {
        TimeDelta::seconds(self.rng.random_range(30..most.max(1) * 60))
    }

    /// A number around the usual one: mostly near, now and then far above.
    pub(super) fn around(&mut self, usual: i64) -> i64 {
        const PERCENT: [i64; 12] = [8, 15, 25, 40, 60, 85, 115, 160, 230, 350, 550, 900];
        let place = self.rng.random_range(1..PERCENT.len());
        let percent = self.rng.random_range(PERCENT[place - 1]..PERCENT[place]);
        usual * percent / 100
    }
}

fn empty(seed: u64, begins: Time) -> World {
    let mut dice = Dice::new(seed);
    let workspace = Workspace {
        slug: Company::WORKSPACE.to_owned(),
        uuid: format!("{{{}}}", dice.uuid()),
        name: "Acme Goods".to_owned(),
        created_on: begins - TimeDelta::days(900),
    };
    let projects = PROJECTS.map(|(key, name)| Project {
        key: key.to_owned(),
        name: name.to_owned(),
        uuid: format!("{{{}}}", dice.uuid()),
    });
    World {
        clock: begins,
        pace: 0..1,
        users: staff::users(&mut dice),
        dice,
        habits: Habits::default(),
        former_slugs: BTreeMap::new(),
        workspace,
        projects: projects.into(),
        repositories: Vec::new(),
        next_serial: 0,
        has_trackers: true,
        revision: 0,
        shared_revision: 0,
    }
}

//! What goes wrong where customers are, and how it is put right.

use chrono::TimeDelta;
use rand::Rng as _;

use crate::world::model::{Time, UserId};

use super::play::{Act, Kind, Play, Task};
use super::words;

/// The kind of issue that is an incident here.
pub(super) const INCIDENT: &str = "bug";

impl Play {
    /// Customers notice what a pull request broke: an incident, and someone who puts it right.
    pub(super) fn trouble(&mut self, line: usize, at: Time, cause: u64) {
        let service = self.lines[line].service;
        let reporter = self.someone(service.team, None);
        let fixer = self.someone(service.team, None);
        let title = words::trouble(&mut self.rng, service.things);
        let issue = self.new_issue(line, at, (&title, INCIDENT), reporter);
        let priority = match self.rng.random_range(0..10) {
            0 => "blocker",
            1..4 => "critical",
            _ => "major",
        };
        self.with_issue(line, issue, |issue| {
            issue.priority = priority;
            issue.component = Some(service.name.to_owned());
        });
        let by = fixer;
        let taken = at + TimeDelta::minutes(2) + self.minutes(25);
        let state = "open";
        self.plan(line, taken, Act::Move { issue, by, state });
        let noted = taken + self.minutes(20);
        self.plan(line, noted, Act::Note { issue, by });
        match self.rng.random_range(0..100) {
            0..50 => {
                let thing = title.to_lowercase();
                let title = format!("Hotfix: stop {thing}");
                self.urgent(line, noted, (Kind::Hotfix, title), (fixer, issue));
            }
            50..80 => {
                let title = self.title_of(line, cause);
                let title = format!("Revert \"{title}\" (pull request #{cause})");
                let kind = Kind::Revert { of: cause };
                self.urgent(line, noted, (kind, title), (fixer, issue));
            }
            _ => {
                // Something outside the code was wrong.
                let minutes = self.around(140);
                let resolved = noted + TimeDelta::minutes(minutes);
                let state = "resolved";
                self.plan(line, resolved, Act::Move { issue, by, state });
            }
        }
    }

    fn urgent(
        &mut self,
        line: usize,
        at: Time,
        (kind, title): (Kind, String),
        (author, issue): (UserId, u64),
    ) {
        let task = Task {
            kind,
            title,
            author,
            issue: Some(issue),
        };
        let begins = at + self.minutes(30);
        self.plan(line, begins, Act::Begin(task));
    }

    fn title_of(&self, line: usize, id: u64) -> String {
        let found = self.world.pull_request(self.lines[line].service.name, id);
        found.map_or_else(String::new, |found| found.title.to_string())
    }

    /// The repair of an incident is where customers are.
    pub(super) fn repaired(&mut self, line: usize, at: Time, task: &Task) {
        let (by, state) = (task.author, "resolved");
        if let Some(issue) = task.issue {
            let resolved = at + TimeDelta::minutes(3) + self.minutes(25);
            self.plan(line, resolved, Act::Move { issue, by, state });
        }
    }
}

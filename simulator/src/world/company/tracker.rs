//! Issues of the company: what is asked for, and what was an incident.

use chrono::TimeDelta;
use rand::Rng as _;

use crate::world::model::{Time, UserId};
use crate::world::tracker::{Issue, IssueChange, IssueComment};

use super::play::{Act, Kind, Play, Task};
use super::{hours, staff, words};

impl Play {
    /// Someone asks for a change. Where it is made, it is begun days later.
    pub(super) fn report(&mut self, line: usize, at: Time, task: Task, is_made: bool) {
        let kind = match (&task.kind, self.rng.random_range(0..10)) {
            (Kind::Fix, _) => "task",
            (_, 0..3) => "proposal",
            _ => "enhancement",
        };
        let team = self.rng.random_range(0..staff::TEAMS.len());
        let reporter = self.someone(team, None);
        let issue = self.new_issue(line, at, (&task.title, kind), reporter);
        let (author, zone) = (task.author, staff::zone(task.author));
        if !is_made {
            if self.rng.random_bool(0.4) {
                let state = if self.rng.random_bool(0.5) {
                    "wontfix"
                } else {
                    "on hold"
                };
                let minutes = self.around(4_000);
                let decided = hours::after(at, zone, minutes);
                let by = author;
                self.plan(line, decided, Act::Move { issue, by, state });
            }
            return;
        }
        let minutes = self.around(1_500);
        let begins = hours::after(at, zone, minutes);
        let (by, state) = (author, "open");
        self.plan(line, begins, Act::Move { issue, by, state });
        if self.rng.random_bool(0.3) {
            let minutes = self.around(300);
            let noted = hours::after(at, zone, minutes);
            self.plan(line, noted, Act::Note { issue, by });
        }
        let task = Task {
            issue: Some(issue),
            ..task
        };
        self.plan(line, begins + TimeDelta::minutes(2), Act::Begin(task));
    }

    /// Writes an issue and returns its number.
    pub(super) fn new_issue(
        &mut self,
        line: usize,
        at: Time,
        (title, kind): (&str, &'static str),
        reporter: UserId,
    ) -> u64 {
        let reason = words::reason(&mut self.rng);
        let priority = if self.rng.random_bool(0.7) {
            "minor"
        } else {
            "major"
        };
        let revision = self.world.next_revision();
        let repository = &mut self.world.repositories[self.lines[line].place];
        repository.revision = revision;
        repository.last_issue += 1;
        let id = repository.last_issue;
        let issue = Issue {
            id,
            title: title.to_owned(),
            text: format!("{title}\n\n{reason}"),
            state: "new",
            kind,
            priority,
            component: None,
            reporter: Some(reporter),
            assignee: None,
            created_on: at,
            updated_on: at,
            comments: Vec::new(),
            changes: Vec::new(),
        };
        repository.issues.insert(id, issue);
        id
    }

    pub(super) fn with_issue(&mut self, line: usize, id: u64, change: impl FnOnce(&mut Issue)) {
        let repository = &mut self.world.repositories[self.lines[line].place];
        if let Some(issue) = repository.issues.get_mut(&id) {
            change(issue);
        }
    }

    pub(super) fn note(&mut self, line: usize, at: Time, (issue, by): (u64, UserId)) {
        let text = words::finding(&mut self.rng);
        let id = self.world.dice.comment_id();
        self.with_issue(line, issue, |issue| {
            issue.updated_on = at;
            issue.comments.push(IssueComment {
                id,
                text: text.to_owned(),
                user: Some(by),
                created_on: at,
                updated_on: None,
            });
        });
    }

    /// Gives an issue another state; who moves it first is its assignee.
    pub(super) fn move_issue(
        &mut self,
        line: usize,
        at: Time,
        (issue, by): (u64, UserId),
        state: &'static str,
    ) {
        let (moved, assigned) = (self.world.dice.comment_id(), self.world.dice.comment_id());
        let name = self.world.users.get(by.0);
        let name = name.map_or_else(String::new, |user| user.display_name.clone());
        self.with_issue(line, issue, |issue| {
            let mut log = |id, field, old: &str, new: &str| {
                issue.changes.push(IssueChange {
                    id,
                    user: by,
                    created_on: at,
                    field,
                    old: old.to_owned(),
                    new: new.to_owned(),
                });
            };
            if issue.state != state {
                log(moved, "state", issue.state, state);
            }
            if issue.assignee.is_none() {
                log(assigned, "assignee", "", &name);
            }
            issue.state = state;
            issue.assignee = issue.assignee.or(Some(by));
            issue.updated_on = at;
        });
    }
}

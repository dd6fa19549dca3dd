//! The issue tracker, which Atlassian removed: closed unless a test opens it.

use std::collections::BTreeMap;

use rand::Rng;
use rand::seq::IndexedRandom;

use super::model::{Time, UserId};
use super::{Change, Refused, Touched, World, prose};

/// States of an issue, as payloads spell them.
const STATES: [&str; 8] = [
    "new",
    "open",
    "resolved",
    "on hold",
    "invalid",
    "duplicate",
    "wontfix",
    "closed",
];
const KINDS: [&str; 4] = ["bug", "enhancement", "proposal", "task"];
const PRIORITIES: [&str; 5] = ["trivial", "minor", "major", "critical", "blocker"];

/// An issue with everything that hangs on it.
#[derive(Clone, Debug)]
pub struct Issue {
    /// Number within the repository.
    pub id: u64,
    /// One line.
    pub title: String,
    /// Markdown.
    pub text: String,
    /// Its state.
    pub state: &'static str,
    /// What it is.
    pub kind: &'static str,
    /// How much it matters.
    pub priority: &'static str,
    /// The part of the product.
    pub component: Option<String>,
    /// Who reported it; `None` when the account was deleted.
    pub reporter: Option<UserId>,
    /// Who works on it.
    pub assignee: Option<UserId>,
    /// When it was reported.
    pub created_on: Time,
    /// When anything about it last changed.
    pub updated_on: Time,
    /// Oldest first.
    pub comments: Vec<IssueComment>,
    /// Oldest first.
    pub changes: Vec<IssueChange>,
}

/// One comment on an issue.
#[derive(Clone, Debug)]
pub struct IssueComment {
    /// Unique in the workspace.
    pub id: u64,
    /// Markdown.
    pub text: String,
    /// Who wrote it; `None` when the account was deleted.
    pub user: Option<UserId>,
    /// When it was written.
    pub created_on: Time,
    /// When it was last edited.
    pub updated_on: Option<Time>,
}

/// One entry of an issue's change log.
#[derive(Clone, Debug)]
pub struct IssueChange {
    /// Unique in the workspace.
    pub id: u64,
    /// Who made it.
    pub user: UserId,
    /// When.
    pub created_on: Time,
    /// The attribute.
    pub field: &'static str,
    /// Its value before; empty for none.
    pub old: String,
    /// Its value after; empty for none.
    pub new: String,
}

/// One change to a tracker, with everything that was decided about it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant says what happens to which issue")]
pub enum TrackerChange {
    Report {
        by: Option<UserId>,
        title: String,
        kind: usize,
    },
    Move {
        issue: u64,
        by: UserId,
        state: usize,
    },
    Assign {
        issue: u64,
        by: UserId,
        to: Option<UserId>,
    },
    Comment {
        issue: u64,
        by: Option<UserId>,
        text: String,
    },
    EditComment {
        issue: u64,
        comment: u64,
        text: String,
    },
    DeleteComment {
        issue: u64,
        comment: u64,
    },
    Delete {
        issue: u64,
    },
}

impl World {
    /// Gives every repository a tracker with that many issues, as before August 2026.
    pub fn open_trackers(&mut self, issues: usize) {
        self.has_trackers = true;
        let slugs: Vec<String> = self.repositories.iter().map(|it| it.slug.clone()).collect();
        for slug in slugs {
            for number in 0..issues {
                let by = self.users.get(number % self.users.len().max(1));
                let by = by.map(|user| user.id);
                let title = prose::title(&mut self.dice.rng);
                let report = TrackerChange::Report {
                    by,
                    title,
                    kind: number,
                };
                // The repository is there, so nothing refuses it.
                let _ = self.change_tracker(&slug, &report);
            }
        }
    }

    /// Takes the trackers away, as in August 2026.
    pub fn close_trackers(&mut self) {
        self.has_trackers = false;
    }

    /// Whether issues are served.
    #[must_use]
    pub fn has_trackers(&self) -> bool {
        self.has_trackers
    }

    /// Makes a change to the tracker of a repository.
    pub fn change_tracker(
        &mut self,
        slug: &str,
        change: &TrackerChange,
    ) -> Result<Touched, Refused> {
        let index = self.repository_index(slug)?;
        check(&self.repositories[index].issues, change)?;
        let at = self.tick();
        self.next_revision();
        let id = self.dice.comment_id();
        let roll = self.dice.rng.random_range(0..1000);
        let name = |user: Option<UserId>| {
            let user = user.and_then(|user| self.users.get(user.0));
            user.map(|user| user.display_name.clone())
                .unwrap_or_default()
        };
        let people = match change {
            TrackerChange::Assign { issue, to, .. } => {
                let before = self.repositories[index].issues.get(issue);
                (name(before.and_then(|issue| issue.assignee)), name(*to))
            }
            _ => Default::default(),
        };
        let repository = &mut self.repositories[index];
        if let TrackerChange::Report { by, title, kind } = change {
            repository.last_issue += 1;
            let issue = report(repository.last_issue, (*by, title, *kind), at, roll);
            repository.issues.insert(issue.id, issue);
        } else if let TrackerChange::Delete { issue } = change {
            repository.issues.remove(issue);
        } else if let Some(issue) = repository.issues.get_mut(&change.issue()) {
            issue.updated_on = issue.updated_on.max(at);
            alter(issue, change, (at, id), people);
        }
        Ok(Touched {
            repository: Some(slug.to_owned()),
            ..Touched::default()
        })
    }

    /// Draws a change to the tracker of some repository; none when that one has no issues yet.
    pub(super) fn draw_tracker_change<R: Rng + ?Sized>(&self, rng: &mut R) -> Option<Change> {
        let repository = self.repositories.choose(rng)?;
        let by = self.users.choose(rng)?.id;
        let issues: Vec<&Issue> = repository.issues.values().collect();
        let chosen = issues.choose(rng);
        let roll = rng.random_range(0..100);
        let change = match chosen {
            Some(issue) if roll >= 15 => draw_for(issue, by, roll, rng),
            _ => TrackerChange::Report {
                by: Some(by).filter(|_| roll > 1),
                title: prose::title(rng),
                kind: rng.random_range(0..KINDS.len()),
            },
        };
        Some(Change::Tracker {
            repository: repository.slug.clone(),
            change,
        })
    }
}

fn draw_for<R: Rng + ?Sized>(chosen: &Issue, by: UserId, roll: u32, rng: &mut R) -> TrackerChange {
    let issue = chosen.id;
    let comment = chosen.comments.choose(rng).map(|comment| comment.id);
    match (roll, comment) {
        (15..40, _) => TrackerChange::Move {
            issue,
            by,
            state: rng.random_range(0..STATES.len()),
        },
        (40..55, _) => TrackerChange::Assign {
            issue,
            by,
            to: Some(by).filter(|_| roll < 50),
        },
        (55..65, Some(comment)) => TrackerChange::EditComment {
            issue,
            comment,
            text: prose::remark(rng),
        },
        (65..72, Some(comment)) => TrackerChange::DeleteComment { issue, comment },
        (72..76, _) => TrackerChange::Delete { issue },
        _ => TrackerChange::Comment {
            issue,
            by: Some(by).filter(|_| roll < 97),
            text: prose::remark(rng),
        },
    }
}

impl TrackerChange {
    /// Number of the issue; 0 for one that is not there yet.
    fn issue(&self) -> u64 {
        match self {
            TrackerChange::Report { .. } => 0,
            TrackerChange::Move { issue, .. }
            | TrackerChange::Assign { issue, .. }
            | TrackerChange::Comment { issue, .. }
            | TrackerChange::EditComment { issue, .. }
            | TrackerChange::DeleteComment { issue, .. }
            | TrackerChange::Delete { issue } => *issue,
        }
    }
}

fn check(issues: &BTreeMap<u64, Issue>, change: &TrackerChange) -> Result<(), Refused> {
    let issue = match change {
        TrackerChange::Report { .. } => return Ok(()),
        change => issues.get(&change.issue()).ok_or(Refused::NoIssue)?,
    };
    match change {
        TrackerChange::EditComment { comment, .. }
        | TrackerChange::DeleteComment { comment, .. } => {
            let mut comments = issue.comments.iter();
            let found = comments.any(|known| known.id == *comment);
            found.then_some(()).ok_or(Refused::NoComment)
        }
        _ => Ok(()),
    }
}

fn report(
    id: u64,
    (by, title, kind): (Option<UserId>, &str, usize),
    at: Time,
    roll: usize,
) -> Issue {
    Issue {
        id,
        title: title.to_owned(),
        text: format!("{title}\n\nSeen on the test stand."),
        state: STATES[0],
        kind: KINDS[kind % KINDS.len()],
        priority: PRIORITIES[roll % PRIORITIES.len()],
        component: roll.is_multiple_of(3).then(|| "Engine".to_owned()),
        reporter: by,
        assignee: by.filter(|_| roll.is_multiple_of(2)),
        created_on: at,
        updated_on: at,
        comments: Vec::new(),
        changes: Vec::new(),
    }
}

fn alter(
    issue: &mut Issue,
    change: &TrackerChange,
    (at, id): (Time, u64),
    (assigned, to_assign): (String, String),
) {
    let mut log = |user: UserId, field, old: String, new: String| {
        issue.changes.push(IssueChange {
            id,
            user,
            created_on: at,
            field,
            old,
            new,
        });
    };
    match change {
        TrackerChange::Move { by, state, .. } => {
            let state = STATES[state % STATES.len()];
            log(*by, "state", issue.state.to_owned(), state.to_owned());
            issue.state = state;
        }
        TrackerChange::Assign { by, to, .. } => {
            log(*by, "assignee", assigned, to_assign);
            issue.assignee = *to;
        }
        TrackerChange::Comment { by, text, .. } => issue.comments.push(IssueComment {
            id,
            text: text.clone(),
            user: *by,
            created_on: at,
            updated_on: None,
        }),
        TrackerChange::EditComment { comment, text, .. } => {
            let mut comments = issue.comments.iter_mut();
            if let Some(found) = comments.find(|known| known.id == *comment) {
                found.text.clone_from(text);
                found.updated_on = Some(at);
            }
        }
        TrackerChange::DeleteComment { comment, .. } => {
            issue.comments.retain(|known| known.id != *comment);
        }
        TrackerChange::Report { .. } | TrackerChange::Delete { .. } => {}
    }
}

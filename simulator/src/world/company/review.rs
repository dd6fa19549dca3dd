//! The life of a pull request: written, reviewed, merged.

use chrono::{SubsecRound as _, TimeDelta};
use rand::Rng as _;

use crate::world::git::NOTHING;
use crate::world::model::{
    Commit, Difference, Hash, Inline, Participant, PullRequest, Repository, SourceRepository,
    State, Time, UserId, Verdict,
};
use crate::world::step::record_update;

use super::delivery::Build;
use super::play::{Act, Kind, Play, Task};
use super::services::{Merging, Shipping};
use super::{hours, staff, words};

/// What comes next in the life of a pull request, and when.
struct Diary {
    at: Time,
    id: u64,
    author: UserId,
    reviewer: UserId,
}

impl Play {
    /// Writes code for a while.
    pub(super) fn begin(&mut self, line: usize, at: Time, task: Task) {
        let usual = match task.kind {
            Kind::Feature => 420,
            Kind::Dependency => 2,
            Kind::Revert { .. } => 5,
            Kind::Hotfix => 25,
            _ => 150,
        };
        let minutes = self.around(usual) + 1;
        let opened = if task.is_urgent() || task.kind == Kind::Dependency {
            at + TimeDelta::minutes(minutes)
        } else {
            hours::after(at, staff::zone(task.author), minutes)
        };
        let begun = at;
        self.plan(line, opened, Act::Open { task, begun });
    }

    /// Opens a pull request.
    pub(super) fn open(&mut self, line: usize, at: Time, task: Task, begun: Time) {
        let place = self.lines[line].place;
        let count = match task.kind {
            Kind::Feature => self.rng.random_range(1..5),
            Kind::Fix | Kind::Chore => self.rng.random_range(1..3),
            _ => 1,
        };
        let head = self.world.repositories[place].main_head;
        let span = (at - begun) * 9 / 10;
        let commits = self.commits(line, &task, (head, begun, span), count);
        let reviewer = self.someone(self.lines[line].service.team, Some(task.author));
        let revision = self.world.next_revision();
        let text = words::description(&mut self.rng, task.issue);
        let source_branch = words::branch(&task.kind, task.issue, &task.title);
        let repository = &mut self.world.repositories[place];
        let id = repository.next_pull_request;
        repository.next_pull_request += 1;
        repository.size += 9_000;
        repository.updated_on = at;
        repository.revision = revision;
        let mut opened = PullRequest {
            id,
            description: text.as_str().into(),
            source_branch,
            destination_commit: head,
            participants: vec![asked(reviewer)],
            revision,
            ..new_pull_request(&task, at, commits)
        };
        record_update(&mut opened, at, Some(task.author), Vec::new());
        let build = Build::of_pull_request(&opened);
        repository.pull_requests.insert(id, opened);
        self.plan(line, at + TimeDelta::seconds(4), Act::Build(build));
        let diary = Diary {
            at,
            id,
            author: task.author,
            reviewer,
        };
        if task.is_urgent() {
            self.review_at_once(line, &diary);
        } else {
            self.review(line, diary, &task.kind);
        }
        self.lines[line].tasks.insert(id, task);
    }

    /// Someone looks at it at once, and it is merged.
    fn review_at_once(&mut self, line: usize, diary: &Diary) {
        let (id, reviewer) = (diary.id, diary.reviewer);
        let approved = diary.at + self.minutes(35);
        let verdict = Verdict::Approved;
        let by = reviewer;
        self.plan(line, approved, Act::Vote { id, by, verdict });
        let merged = approved + self.minutes(12);
        let by = diary.author;
        self.plan(line, merged, Act::Merge { id, by });
    }

    /// Rounds of remarks and answers, until it is merged or given up.
    fn review(&mut self, line: usize, mut diary: Diary, kind: &Kind) {
        let (id, by) = (diary.id, diary.reviewer);
        let usual = if *kind == Kind::Feature { 170 } else { 110 };
        // Now and then nobody finds the time.
        let pickup = if self.rng.random_bool(0.04) {
            usual * 15
        } else {
            usual
        };
        diary.at = self.later(&diary, by, pickup);
        let rounds = match kind {
            Kind::Feature => self.rng.random_range(0..4),
            Kind::Dependency => 0,
            _ => self.rng.random_range(0..2),
        };
        for _ in 0..rounds {
            self.round(line, &mut diary);
        }
        if self.rng.random_bool(0.06) {
            let at = self.later(&diary, by, 900);
            let by = diary.reviewer;
            self.plan(line, at, Act::Decline { id, by });
            return;
        }
        let verdict = Verdict::Approved;
        self.plan(line, diary.at, Act::Vote { id, by, verdict });
        if *kind == Kind::Feature && self.rng.random_bool(0.4) {
            let by = self.guest(line, &diary);
            let at = self.later(&diary, by, 120);
            self.plan(line, at, Act::Vote { id, by, verdict });
            diary.at = at;
        }
        let by = match kind {
            Kind::Dependency => diary.reviewer,
            _ => diary.author,
        };
        let at = self.later(&diary, by, 45);
        self.plan(line, at, Act::Merge { id, by });
    }

    /// Remarks of the reviewer, then an answer and a push of the author.
    fn round(&mut self, line: usize, diary: &mut Diary) {
        let (id, by) = (diary.id, diary.reviewer);
        for _ in 0..self.rng.random_range(1..4) {
            self.plan(line, diary.at, Act::Remark { id, by });
            diary.at += self.minutes(9);
        }
        if self.rng.random_bool(0.35) {
            let verdict = Verdict::ChangesRequested;
            self.plan(line, diary.at, Act::Vote { id, by, verdict });
        }
        let author = diary.author;
        diary.at = self.later(diary, author, 90);
        let by = author;
        self.plan(line, diary.at, Act::Answer { id, by });
        let count = 1;
        let pushed = diary.at + self.minutes(6);
        self.plan(line, pushed, Act::Push { id, count });
        let reviewer = diary.reviewer;
        diary.at = pushed;
        diary.at = self.later(diary, reviewer, 70);
    }

    /// When a person gets round to it, around so many minutes of work later.
    fn later(&mut self, diary: &Diary, person: UserId, usual: i64) -> Time {
        let minutes = self.around(usual) + 1;
        hours::after(diary.at, staff::zone(person), minutes) + self.minutes(1)
    }

    /// A second reviewer, of any team.
    fn guest(&mut self, line: usize, diary: &Diary) -> UserId {
        let team = self.rng.random_range(0..staff::TEAMS.len());
        let guest = self.someone(team, Some(diary.author));
        if guest == diary.reviewer || guest == staff::BOT {
            return self.someone(self.lines[line].service.team, Some(diary.author));
        }
        guest
    }

    /// Commits on top of one, evenly over a span.
    fn commits(
        &mut self,
        line: usize,
        task: &Task,
        (onto, begun, span): (Hash, Time, TimeDelta),
        count: usize,
    ) -> Vec<Commit> {
        let mut commits: Vec<Commit> = Vec::new();
        let steps = i32::try_from(count).unwrap_or(1);
        for number in 0..steps {
            let subject = match (number, &task.kind) {
                (0, Kind::Revert { of }) => self.reverting(line, *of),
                (0, _) => task.title.clone(),
                _ => {
                    let things = self.lines[line].service.things;
                    words::title(&mut self.rng, &Kind::Chore, things)
                }
            };
            let issue = task.issue.filter(|_| number == 0);
            let message = match issue {
                Some(issue) => format!("{subject}\n\nFor #{issue}\n"),
                None => format!("{subject}\n"),
            };
            let parent = commits.last().map_or(onto, |commit| commit.hash);
            let at = begun + span * number / steps;
            commits.push(self.commit(task.author, (parent, None), at, message));
        }
        commits
    }

    /// The message of a commit that takes a pull request back.
    fn reverting(&self, line: usize, of: u64) -> String {
        let repository = &self.world.repositories[self.lines[line].place];
        let reverted = repository.pull_requests.get(&of);
        let title = reverted.map_or("", |found| &*found.title);
        let commit = reverted.and_then(|found| found.merge_commit);
        let commit = commit.unwrap_or(NOTHING);
        format!("Revert \"{title}\"\n\nThis reverts commit {commit}.")
    }

    pub(super) fn commit(
        &mut self,
        by: UserId,
        (parent, merged): (Hash, Option<Hash>),
        at: Time,
        message: String,
    ) -> Commit {
        let author = self.world.users.get(by.0);
        let author = author.map(|user| format!("{} <{}>", user.display_name, user.email));
        let commit = Commit {
            hash: NOTHING,
            parent,
            merged,
            date: at.trunc_subsecs(0),
            message,
            author: author.unwrap_or_default(),
            user: Some(by),
            salt: self.world.dice.hash(),
        };
        commit.hashed()
    }

    /// Adds commits of the author to an open pull request.
    pub(super) fn push(&mut self, line: usize, at: Time, (id, count): (u64, usize)) {
        let Some(task) = self.lines[line].tasks.get(&id).cloned() else {
            return;
        };
        let task = Task {
            title: words::answer(&mut self.rng)
                .trim_end_matches('.')
                .to_owned(),
            issue: None,
            ..task
        };
        let place = self.lines[line].place;
        let head = self.world.repositories[place].pull_requests.get(&id);
        let Some(head) = head.map(|found| found.source_commit) else {
            return;
        };
        let before = at - TimeDelta::minutes(3);
        let commits = self.commits(line, &task, (head, before, TimeDelta::minutes(2)), count);
        let revision = self.world.next_revision();
        let repository = &mut self.world.repositories[place];
        repository.revision = revision;
        let Some(found) = repository.pull_requests.get_mut(&id) else {
            return;
        };
        found.source_commit = commits.last().map_or(head, |commit| commit.hash);
        found.commits.extend(commits);
        found.updated_on = at;
        found.revision = revision;
        record_update(found, at, Some(task.author), Vec::new());
        let build = Build::of_pull_request(found);
        self.plan(line, at + TimeDelta::seconds(5), Act::Build(build));
    }

    pub(super) fn remark(&mut self, line: usize, id: u64, by: UserId) {
        let service = self.lines[line].service;
        let text = words::remark(&mut self.rng);
        let number = self.rng.random_range(4..300);
        let inline = self.rng.random_bool(0.7).then(|| Inline {
            path: words::file(&mut self.rng, service.language),
            from: None,
            to: Some(number),
        });
        // Refused only where the pull request was closed meanwhile.
        let _ = self.world.comment(service.name, id, Some(by), text, inline);
    }

    pub(super) fn answer(&mut self, line: usize, id: u64, by: UserId) {
        let name = self.lines[line].service.name;
        let text = words::answer(&mut self.rng);
        let found = self.world.pull_request(name, id);
        let last = found.and_then(|found| found.comments.last());
        if let Some(last) = last.map(|comment| comment.id) {
            let _ = self.world.reply(name, id, Some(by), last, text);
        }
    }

    pub(super) fn vote(&mut self, line: usize, (id, by): (u64, UserId), verdict: Verdict) {
        let name = self.lines[line].service.name;
        // Who approved before has nothing to add.
        let _ = match verdict {
            Verdict::Approved => self.world.approve(name, id, by),
            Verdict::ChangesRequested => self.world.request_changes(name, id, by),
        };
    }

    pub(super) fn decline(&mut self, line: usize, (id, by): (u64, UserId)) {
        let name = self.lines[line].service.name;
        let reason = words::reason(&mut self.rng);
        let _ = self.world.decline(name, id, by, reason);
    }

    /// Merges a pull request in the way of its repository; then its pipeline starts.
    pub(super) fn merge(&mut self, line: usize, at: Time, (id, by): (u64, UserId)) {
        let (place, service) = (self.lines[line].place, self.lines[line].service);
        let repository = &self.world.repositories[place];
        let Some(found) = repository.pull_requests.get(&id) else {
            return;
        };
        let message = self.merged_message(found);
        let parent = repository.main_head;
        let (by_whom, merged) = match service.merging {
            Merging::Squash => (found.author.unwrap_or(by), None),
            Merging::MergeCommit => (by, Some(found.source_commit)),
        };
        let commit = self.commit(by_whom, (parent, merged), at, message);
        let hash = commit.hash;
        let revision = self.world.next_revision();
        let repository = &mut self.world.repositories[place];
        close(repository, (id, by), (at, hash, revision));
        if merged.is_some()
            && let Some(found) = repository.pull_requests.get(&id)
        {
            repository.main.extend(found.commits.iter().cloned());
        }
        repository.main.push(commit);
        repository.main_head = hash;
        self.lines[line].waiting.push((hash, id));
        let build = Build::of_main(hash, service.shipping == Shipping::EachMerge);
        self.plan(line, at + TimeDelta::seconds(6), Act::Build(build));
        let task = self.lines[line].tasks.get(&id).cloned();
        let Some(task) = task else { return };
        if task.is_urgent() && service.shipping != Shipping::EachMerge {
            let released = at + self.minutes(25);
            self.plan(line, released, Act::Release { is_patch: true });
        } else if let Some(issue) = task.issue.filter(|_| !task.is_urgent()) {
            let state = "resolved";
            let closed = at + self.minutes(30);
            self.plan(line, closed, Act::Move { issue, by, state });
        }
    }

    /// The message of the commit that merges, as the service writes it.
    fn merged_message(&self, found: &PullRequest) -> String {
        let (branch, id, title) = (&found.source_branch, found.id, &found.title);
        let approvals = found.participants.iter().filter_map(|part| {
            let name = self.world.users.get(part.user.0)?;
            (part.verdict == Some(Verdict::Approved))
                .then(|| format!("\nApproved-by: {}", name.display_name))
        });
        let approvals: String = approvals.collect();
        format!("Merged in {branch} (pull request #{id})\n\n{title}\n{approvals}\n")
    }
}

/// A reviewer who has not looked at it yet.
fn asked(user: UserId) -> Participant {
    Participant {
        user,
        reviewer: true,
        verdict: None,
        participated_on: None,
    }
}

/// A pull request as it is opened.
fn new_pull_request(task: &Task, at: Time, commits: Vec<Commit>) -> PullRequest {
    PullRequest {
        id: 0,
        title: task.title.as_str().into(),
        description: "".into(),
        state: State::Open,
        draft: false,
        author: Some(task.author),
        closed_by: None,
        reason: String::new(),
        merge_commit: None,
        close_source_branch: true,
        task_count: 0,
        created_on: at,
        updated_on: at,
        source: SourceRepository::Same,
        source_branch: String::new(),
        source_commit: commits.last().map_or(NOTHING, |commit| commit.hash),
        destination_branch: "main".to_owned(),
        destination_commit: NOTHING,
        participants: Vec::new(),
        comments: Vec::new(),
        commits,
        activity: Vec::new(),
        revision: 0,
    }
}

/// Marks a pull request as merged.
fn close(
    repository: &mut Repository,
    (id, by): (u64, UserId),
    (at, hash, revision): (Time, Hash, u64),
) {
    repository.revision = revision;
    repository.updated_on = at;
    let Some(found) = repository.pull_requests.get_mut(&id) else {
        return;
    };
    found.state = State::Merged;
    found.closed_by = Some(by);
    found.merge_commit = Some(hash);
    found.updated_on = at;
    found.revision = revision;
    record_update(found, at, Some(by), vec![Difference::State(State::Merged)]);
}

//! A plausible past: the same changes that tests make later, played from a seed.

use chrono::{DateTime, TimeDelta, Utc};
use rand::Rng;
use rand::seq::SliceRandom;

use super::dice::Dice;
use super::habits::Habits;
use super::model::{Inline, Project, SourceRepository, State, Time, User, UserId, Workspace};
use super::repositories::avatar;
use super::{Touched, World, prose};

/// 2026-03-02T09:00:00Z, a Monday morning.
const BEGINNING: i64 = 1_772_442_000;
/// All pull requests start within half a year, however many there are.
const HISTORY: i64 = 180 * 24 * 3600;
/// Seconds between two changes of a generated past, and between two changes made later.
const PAST_PACE: std::ops::Range<i64> = 60..7_200;
pub(super) const LIVE_PACE: std::ops::Range<i64> = 3..300;

/// How much there is of everything. Means are per pull request.
#[derive(Clone, Debug)]
pub struct Size {
    /// Repositories with pull requests.
    pub repositories: usize,
    /// Further repositories without a push.
    pub empty_repositories: usize,
    /// Pull requests in each repository that has any.
    pub pull_requests_per_repository: usize,
    /// Mean number of comments.
    pub comments_per_pull_request: f64,
    /// Mean number of approvals and requests for changes.
    pub verdicts_per_pull_request: f64,
    /// Mean number of title and description edits.
    pub edits_per_pull_request: f64,
    /// Mean number of commits; at least one.
    pub commits_per_pull_request: f64,
    /// Accounts.
    pub people: usize,
    /// How counts vary around their means.
    pub spread: Spread,
}

/// How counts per pull request vary around their mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spread {
    /// As in life: many have none, a few have very many.
    Skewed,
    /// Evenly, so that totals are exact.
    Even,
}

impl Default for Size {
    /// A small company: six repositories with twenty pull requests each, and an empty one.
    fn default() -> Size {
        Size {
            repositories: 6,
            empty_repositories: 1,
            pull_requests_per_repository: 20,
            comments_per_pull_request: 3.0,
            verdicts_per_pull_request: 1.2,
            edits_per_pull_request: 0.4,
            commits_per_pull_request: 2.5,
            people: 12,
            spread: Spread::Skewed,
        }
    }
}

impl Size {
    /// Just enough to see every kind of thing.
    #[must_use]
    pub fn tiny() -> Size {
        Size {
            repositories: 2,
            pull_requests_per_repository: 5,
            people: 4,
            ..Size::default()
        }
    }

    /// Forty repositories with ten thousand pull requests between them.
    #[must_use]
    pub fn company() -> Size {
        Size {
            repositories: 40,
            empty_repositories: 4,
            pull_requests_per_repository: 250,
            comments_per_pull_request: 6.0,
            people: 60,
            ..Size::default()
        }
    }

    /// One repository with exactly that many pull requests and comments.
    #[must_use]
    pub fn benchmark(pull_requests: usize, comments: usize) -> Size {
        Size {
            repositories: 1,
            empty_repositories: 0,
            pull_requests_per_repository: pull_requests,
            comments_per_pull_request: ratio(comments, pull_requests),
            people: 50,
            spread: Spread::Even,
            ..Size::default()
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn ratio(part: usize, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64
}

pub(super) fn world(seed: u64, workspace: &str, size: &Size) -> World {
    let mut world = empty(seed, workspace, size.people);
    let mut latest = world.clock;
    for number in 0..size.repositories + size.empty_repositories {
        let added = world.add_repository(&prose::repository(number));
        let Ok(Touched {
            repository: Some(slug),
            ..
        }) = added
        else {
            continue;
        };
        if number < size.repositories {
            let opened = world.clock;
            latest = latest.max(fill(&mut world, &slug, size));
            world.clock = opened;
        }
    }
    world.clock = latest.max(world.clock);
    world.pace = LIVE_PACE;
    world.tick();
    world
}

fn empty(seed: u64, workspace: &str, people: usize) -> World {
    let mut dice = Dice::new(seed);
    let clock: Time = DateTime::<Utc>::from_timestamp(BEGINNING, 0).unwrap_or_default();
    let workspace = Workspace {
        slug: workspace.to_owned(),
        uuid: format!("{{{}}}", dice.uuid()),
        name: format!("{workspace} GmbH & Co. 株式会社"),
        created_on: clock - TimeDelta::days(900),
    };
    let projects = prose::PROJECTS.map(|(key, name)| Project {
        key: key.to_owned(),
        name: name.to_owned(),
        uuid: format!("{{{}}}", dice.uuid()),
    });
    let users = (0..people).map(|index| person(&mut dice, index)).collect();
    World {
        clock,
        pace: PAST_PACE,
        dice,
        habits: Habits::default(),
        former_slugs: std::collections::BTreeMap::new(),
        workspace,
        projects: projects.into(),
        users,
        repositories: Vec::new(),
        next_serial: 0,
        has_trackers: false,
        revision: 0,
        shared_revision: 0,
    }
}

fn person(dice: &mut Dice, index: usize) -> User {
    let (display_name, nickname) = prose::person(index);
    User {
        id: UserId(index),
        uuid: format!("{{{}}}", dice.uuid()),
        account_id: dice.account_id(),
        email: format!("{nickname}@example.com"),
        avatar: avatar(dice),
        display_name,
        nickname,
    }
}

/// Plays the past of one repository and returns when it ended.
fn fill(world: &mut World, slug: &str, size: &Size) -> Time {
    let count = i64::try_from(size.pull_requests_per_repository)
        .unwrap_or(i64::MAX)
        .max(1);
    let gap = (HISTORY / count).clamp(2, 6 * 3600);
    let mut start = world.clock;
    let mut latest = start;
    for number in 0..size.pull_requests_per_repository {
        start += world.dice.span(gap / 2..gap + gap / 2);
        world.clock = start;
        play(world, slug, size, number);
        latest = latest.max(world.clock);
    }
    latest
}

#[derive(Clone, Copy)]
enum Act {
    Comment,
    Vote,
    Edit,
    Push,
}

/// Plays the life of one pull request, from now on.
fn play(world: &mut World, slug: &str, size: &Size, number: usize) {
    let author = anyone(world).filter(|_| !chance(world, 0.02));
    let title = prose::title(&mut world.dice.rng);
    let description = prose::description(&mut world.dice.rng);
    let Ok(Touched {
        pull_request: Some(id),
        ..
    }) = world.create_pull_request(slug, author, &title, &description)
    else {
        return;
    };
    let means = [
        (Act::Comment, size.comments_per_pull_request),
        (Act::Vote, size.verdicts_per_pull_request),
        (Act::Edit, size.edits_per_pull_request),
        (Act::Push, (size.commits_per_pull_request - 1.0).max(0.0)),
    ];
    let mut acts = Vec::new();
    for (act, mean) in means {
        let count = draw(world, size.spread, mean, number);
        acts.extend(std::iter::repeat_n(act, count));
    }
    acts.shuffle(&mut world.dice.rng);
    for act in acts {
        perform(world, slug, id, act, size.spread);
    }
    finish(world, slug, id);
}

fn perform(world: &mut World, slug: &str, id: u64, act: Act, spread: Spread) {
    let Some(someone) = anyone(world) else { return };
    // A refusal only means that this person already voted: the past is one event shorter.
    let _ = match act {
        Act::Comment => {
            discuss(world, slug, id, someone, spread);
            return;
        }
        Act::Vote if chance(world, 0.8) => world.approve(slug, id, someone),
        Act::Vote => world.request_changes(slug, id, someone),
        Act::Edit if chance(world, 0.5) => {
            let title = prose::title(&mut world.dice.rng);
            world.edit_pull_request(slug, id, someone, Some(&title), None)
        }
        Act::Edit => {
            let description = prose::description(&mut world.dice.rng);
            world.edit_pull_request(slug, id, someone, None, Some(&description))
        }
        Act::Push => world.push_commits(slug, id, someone, 1),
    };
}

fn discuss(world: &mut World, slug: &str, id: u64, someone: UserId, spread: Spread) {
    let by = Some(someone).filter(|_| !chance(world, 0.03));
    let text = prose::remark(&mut world.dice.rng);
    let earlier = world
        .pull_request(slug, id)
        .map_or(0, |found| found.comments.len());
    let parent = (earlier > 0 && chance(world, 0.3))
        .then(|| world.dice.rng.random_range(0..earlier))
        .and_then(|index| world.pull_request(slug, id)?.comments.get(index))
        .filter(|comment| !comment.deleted)
        .map(|comment| comment.id);
    let written = if let Some(parent) = parent {
        world.reply(slug, id, by, parent, &text)
    } else {
        let inline = chance(world, 1.0 / 3.0).then(|| anchor(&mut world.dice.rng));
        world.comment(slug, id, by, &text, inline)
    };
    let Ok(Touched {
        comment: Some(comment),
        ..
    }) = written
    else {
        return;
    };
    if chance(world, 0.05) {
        let text = prose::remark(&mut world.dice.rng);
        let _ = world.edit_comment(slug, id, comment, &text);
    } else if chance(world, 0.04) {
        let disappear = spread == Spread::Skewed && chance(world, 0.2);
        let _ = world.delete_comment(slug, id, comment, disappear);
    }
}

/// A line of some file; old lines are numbered on the left, new ones on the right.
pub(super) fn anchor<R: Rng + ?Sized>(rng: &mut R) -> Inline {
    let line = rng.random_range(1..900);
    let old = rng.random_bool(0.25);
    Inline {
        path: prose::path(rng).to_owned(),
        from: old.then_some(line),
        to: (!old).then_some(line),
    }
}

fn finish(world: &mut World, slug: &str, id: u64) {
    let Some(someone) = anyone(world) else { return };
    let _ = match world.dice.rng.random_range(0..100) {
        0..70 => world.merge(slug, id, someone),
        70..80 => {
            let reason = if chance(world, 0.5) {
                prose::sentence(&mut world.dice.rng)
            } else {
                ""
            };
            world.decline(slug, id, someone, reason)
        }
        80..82 => world.supersede(slug, id, someone),
        _ => return,
    };
    let closed_fork = world.pull_request(slug, id).is_some_and(|found| {
        found.state != State::Open && matches!(found.source, SourceRepository::Fork(_))
    });
    if closed_fork && chance(world, 0.4) {
        let _ = world.remove_fork(slug, id);
    }
}

fn anyone(world: &mut World) -> Option<UserId> {
    let people = world.users.len();
    (people > 0).then(|| UserId(world.dice.rng.random_range(0..people)))
}

fn chance(world: &mut World, probability: f64) -> bool {
    world.dice.rng.random_bool(probability)
}

/// How many of something the n-th pull request has.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "small, non-negative counts"
)]
fn draw(world: &mut World, spread: Spread, mean: f64, number: usize) -> usize {
    if spread == Spread::Even {
        // Rounding the running total, not each count, makes the sum exact.
        let until = |count: usize| (mean * count as f64).round() as usize;
        return until(number + 1) - until(number);
    }
    if mean <= 0.0 {
        return 0;
    }
    // Geometric: the chance of one more stays the same however many there are.
    let more = mean / (1.0 + mean);
    let uniform: f64 = world.dice.rng.random_range(f64::EPSILON..1.0);
    let count = (uniform.ln() / more.ln()) as usize;
    if world.dice.rng.random_bool(0.01) {
        count * 10
    } else {
        count
    }
}

//! Every fault of the simulator, alone and combined: when it is over, the tables are right.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt as _, stream};
use headwater::exit::Exit;
use headwater::plan::Depth;
use headwater_simulator::{Change, FaultKind, FaultPlan, FaultSettings, Simulator};
use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use tokio_util::sync::CancellationToken;

use super::worlds::{is_followed, is_untold, paged, small};
use crate::lake::{ALL, How, Lake, with_everything};

/// Trials at the same time: most of their time is pauses before requests are tried again.
const AT_ONCE: usize = 4;

/// Changes between the first disturbed sync and the second.
const CHANGES: usize = 12;

/// What was tried, and what came of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Trial {
    /// How often each fault took effect, by name.
    pub(super) given: BTreeMap<String, u64>,
    /// Exit codes of the disturbed syncs.
    pub(super) exits: BTreeSet<u8>,
    /// What made the tables equal a first sync's.
    pub(super) recovery: Recovery,
    seconds: f64,
}

/// What it takes to be right again.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Recovery {
    /// The next `sync`.
    #[default]
    Sync,
    /// `reconcile --deep`, because the lists did not tell.
    Deep,
    /// Nothing: this is what still differs.
    None(Vec<String>),
}

/// Syncs twice under these faults, with changes between, then recovers without them. `None` where
/// tests have no such database.
pub(super) async fn trial(on: On, kinds: &[FaultKind], seed: u64) -> Option<Trial> {
    let simulator = if kinds.iter().any(|kind| needs_more(*kind)) {
        paged(seed).await
    } else {
        small(seed).await
    };
    let mut text = with_everything(&simulator.endpoint(), ALL);
    text.push_str("timeout_seconds = { connect = 5, read = 1, total = 30 }\n");
    let lake = Lake::with(on, &text).await?;
    let began = std::time::Instant::now();
    let mut trial = Trial::default();
    let mut untold = false;
    let asked = simulator.request_count();
    for round in 0..2 {
        begin(&simulator, kinds, seed * 2 + round);
        let done = lake.try_sync(How::default(), CancellationToken::new());
        let (exit, _) = done.await.unwrap_or_else(|failure| {
            panic!("{kinds:?} on {on:?}: {}", failure.chain());
        });
        trial.exits.insert(exit.code());
        if round == 0 {
            let hidden = change(&simulator, seed);
            untold |= hidden.values().any(|count| *count > 0);
            trial.given.extend(hidden);
        }
    }
    trial.given.extend(simulator.faults_given());
    let skewed = [FaultKind::DateAhead, FaultKind::DateBehind];
    for kind in skewed.iter().filter(|kind| kinds.contains(kind)) {
        // Every answer has a date.
        let answers = simulator.request_count() - asked;
        trial.given.insert(kind.name().to_owned(), answers);
    }
    simulator.behave();
    untold |= simulator.take_shifts().iter().any(is_untold);
    trial.recovery = recover(&lake, &simulator, untold).await;
    trial.seconds = began.elapsed().as_secs_f64();
    Some(trial)
}

/// Whether a fault needs many requests, or lists of pull requests with several pages.
fn needs_more(kind: FaultKind) -> bool {
    matches!(
        kind,
        FaultKind::ForbiddenContinuation
            | FaultKind::MissingContinuation
            | FaultKind::ShiftInsert
            | FaultKind::ShiftDelete
            | FaultKind::ShiftUpdate
            | FaultKind::ListsWithoutNext
            | FaultKind::RollingHour
    )
}

fn begin(simulator: &Simulator, kinds: &[FaultKind], seed: u64) {
    simulator.behave();
    let mut plan = FaultPlan::seeded(seed);
    for kind in kinds {
        let slow = matches!(
            kind,
            FaultKind::Hang | FaultKind::Stall | FaultKind::HugeBody | FaultKind::PackedHugeBody
        );
        let settings = FaultSettings {
            at_most: if slow { 1 } else { 10 },
            ..FaultSettings::default()
        };
        plan = kind.begin(simulator, plan, &settings);
    }
    simulator.follow(plan);
}

/// Changes the world; gives how many changes each fault hid.
fn change(simulator: &Simulator, seed: u64) -> BTreeMap<String, u64> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut world = simulator.world();
    let mut hidden = BTreeMap::new();
    let mut made = 0;
    while made < CHANGES {
        let change = world.propose(&mut random);
        if !is_followed(&change) || is_untold(&change) || world.apply(&change).is_err() {
            continue;
        }
        made += 1;
        let habits = world.habits();
        let hides = match change.plain() {
            Change::Comment { .. }
            | Change::Reply { .. }
            | Change::EditComment { .. }
            | Change::DeleteComment { .. } => {
                (!habits.comments_move_updated_on).then_some(FaultKind::SilentComments)
            }
            Change::Approve { .. } | Change::Unapprove { .. } | Change::RequestChanges { .. } => {
                (!habits.verdicts_move_updated_on).then_some(FaultKind::SilentVerdicts)
            }
            _ => None,
        };
        if let Some(kind) = hides {
            *hidden.entry(kind.name().to_owned()).or_default() += 1;
        }
    }
    hidden
}

/// Syncs without faults until the tables are right. Where the lists showed everything, a plain sync
/// is tried first.
async fn recover(lake: &Lake, simulator: &Simulator, untold: bool) -> Recovery {
    let fresh = Lake::beside(simulator).await;
    let (exit, _) = fresh.sync(How::default()).await;
    assert_eq!(exit, Exit::Ok);
    // What no pipeline deployed is looked for once a day.
    lake.days_pass(1).await;
    let mut shown = Vec::new();
    for recovery in [Recovery::Sync, Recovery::Deep] {
        let (exit, summary) = match recovery {
            Recovery::Deep => lake.reconcile(Depth::Everything).await,
            _ if untold => continue,
            _ => lake.sync(How::default()).await,
        };
        let differences = lake.differences(&fresh).await;
        if exit == Exit::Ok && differences.is_empty() {
            return recovery;
        }
        shown = vec![format!("it ended with {exit:?}: {summary:?}")];
        shown.extend(differences.iter().map(ToString::to_string));
    }
    Recovery::None(shown)
}

/// Each of these sets of faults on a database, several at the same time.
pub(super) async fn trials(
    on: On,
    sets: Vec<(Vec<FaultKind>, u64)>,
) -> Vec<(Vec<FaultKind>, Trial)> {
    let tried = stream::iter(sets).map(|(kinds, seed)| async move {
        let done = trial(on, &kinds, seed).await;
        done.map(|trial| (kinds, trial))
    });
    let tried: Vec<_> = tried.buffered(AT_ONCE).collect().await;
    tried.into_iter().flatten().collect()
}

/// Fails with everything that went wrong in these trials.
pub(super) fn assert_recovered(on: On, tried: &[(Vec<FaultKind>, Trial)]) {
    let mut wrong = Vec::new();
    for (kinds, trial) in tried {
        if let Recovery::None(differences) = &trial.recovery {
            wrong.push(format!("{kinds:?} on {on:?}: {differences:#?}"));
        }
        let given = |kind: &FaultKind| trial.given.get(kind.name()).copied().unwrap_or(0);
        if kinds.len() == 1 && given(&kinds[0]) == 0 {
            wrong.push(format!("{kinds:?} on {on:?} was never given"));
        }
        let names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
        let Trial {
            given,
            exits,
            recovery,
            seconds,
        } = trial;
        println!(
            "{on:?}: {names:?}: {given:?}, exits {exits:?}, right after {recovery:?} ({seconds:.1} s)"
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

async fn each_alone(on: On) {
    let sets = FaultKind::all().into_iter().map(|kind| (vec![kind], 1));
    assert_recovered(on, &trials(on, sets.collect()).await);
}

/// Three to five faults at the same time, as the seed draws them.
pub(super) fn drawn(seed: u64) -> Vec<FaultKind> {
    let mut random = StdRng::seed_from_u64(seed);
    let count = random.random_range(3..=5);
    let all = FaultKind::all();
    all.choose_multiple(&mut random, count).copied().collect()
}

async fn some_combined(on: On) {
    let seeds = match (super::is_soak(), on) {
        (true, _) => 1..=40,
        (false, Sqlite) => 1..=4,
        (false, _) => 3..=4,
    };
    let sets = seeds.map(|seed| (drawn(seed), seed));
    assert_recovered(on, &trials(on, sets.collect()).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_alone_on_sqlite_leaves_nothing_behind() {
    each_alone(Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_alone_on_postgres_leaves_nothing_behind() {
    each_alone(Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_alone_on_mariadb_leaves_nothing_behind() {
    each_alone(MariaDb).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_together_on_sqlite_leave_nothing_behind() {
    some_combined(Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_together_on_postgres_leave_nothing_behind() {
    some_combined(Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_together_on_mariadb_leave_nothing_behind() {
    some_combined(MariaDb).await;
}

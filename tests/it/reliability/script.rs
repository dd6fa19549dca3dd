//! A random history as data, so that it can be played again, in part or as a whole.

use std::collections::BTreeSet;
use std::fmt;
use std::fmt::Write as _;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use headwater::exit::Exit;
use headwater::plan::Depth;
use headwater_domain::Row as _;
use headwater_domain::crossdomain::{team, team_user, user, user_account};
use headwater_simulator::{
    Behaviour, Change, FaultKind, FaultPlan, FaultSettings, Habits, Options, SECRET, Simulator,
    Size, World,
};
use headwater_store::compare::{Tables, tables_equal};
use headwater_store::query::Cell;
use headwater_testing::On;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng, SeedableRng};
use tokio_util::sync::CancellationToken;

use super::worlds::{is_followed, is_untold};
use crate::dora::case::fill;
use crate::lake::{ALL, Answer, How, Lake, headwater, stdout, with_everything};
use crate::secrets::cells_with;

/// One thing that happens.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Something changes at the source.
    Change(Change),
    /// A sync that nothing disturbs.
    Sync,
    /// A sync with faults, which this seed chooses.
    Disturbed(u64),
    /// A sync that is cancelled at its n-th request.
    Cancelled(u64),
    /// A sync during which lists have another order at every request.
    Unstable,
    /// A sync with credentials that have lost their access, which they regain.
    Blind,
    /// The service has another address from now on, and the configuration with it.
    Moved,
    /// Users and teams are imported, and accounts are joined with them.
    People,
}

/// What the changes of a script are like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Temper {
    /// The lists tell of every change, some late: a plain sync must suffice.
    Told,
    /// With deletions, renamed users and silent edits: lists have to be read again.
    Untold,
}

/// What happens, in order.
#[derive(Clone, Debug)]
pub(super) struct Script {
    pub(super) seed: u64,
    pub(super) steps: Vec<Step>,
}

/// What a test does to prove that it would notice: a cell is broken in the end if a step like
/// this was played.
pub(super) type Sabotage = fn(&Step) -> bool;

impl Script {
    /// Draws a script. Scripts of odd seeds tell everything.
    pub(super) fn draw(seed: u64, length: usize) -> Self {
        let temper = match seed % 2 {
            1 => Temper::Told,
            _ => Temper::Untold,
        };
        let mut world = World::generate(seed, "acme", &Size::tiny());
        world.set_habits(match temper {
            Temper::Told => Habits {
                late_share: 0.1,
                git_share: 0.15,
                creation_is_logged_twice: true,
                ..Habits::default()
            },
            Temper::Untold => Habits {
                git_share: 0.15,
                rename_share: 0.02,
                account_share: 0.02,
                creation_is_logged_twice: true,
                ..Habits::nasty()
            },
        });
        let mut random = StdRng::seed_from_u64(seed);
        let mut steps = Vec::with_capacity(length);
        while steps.len() < length {
            let step = match random.random_range(0..100) {
                0..4 => Step::Sync,
                4..7 => Step::Disturbed(random.random()),
                7..10 => Step::Cancelled(random.random_range(1..40)),
                10 => Step::Unstable,
                11 => Step::Blind,
                // What did not change keeps the old address until everything is read again.
                12 if temper == Temper::Untold => Step::Moved,
                13 => Step::People,
                _ => {
                    let change = world.propose(&mut random);
                    let is_wanted = temper == Temper::Untold || !is_untold(&change);
                    if !is_followed(&change) || !is_wanted || world.apply(&change).is_err() {
                        continue;
                    }
                    Step::Change(change)
                }
            };
            steps.push(step);
        }
        Self { seed, steps }
    }

    /// The same script with only these of its steps.
    pub(super) fn only(&self, kept: &[usize]) -> Self {
        let steps = kept.iter().filter_map(|step| self.steps.get(*step));
        Self {
            seed: self.seed,
            steps: steps.cloned().collect(),
        }
    }

    /// Plays the script from the beginning: nothing when the tables equal a first sync, else what
    /// went wrong. `None` where tests have no such database.
    pub(super) async fn play(&self, on: On, sabotage: Option<Sabotage>) -> Option<Vec<String>> {
        let options = Options {
            seed: self.seed,
            size: Size::tiny(),
            ..Options::default()
        };
        let simulator = Simulator::start(options).await.unwrap();
        simulator.world().set_habits(Habits {
            creation_is_logged_twice: true,
            ..Habits::default()
        });
        let lake = Lake::with(on, &configured(&simulator.endpoint(), self.seed)).await?;
        measure_everything(&lake, &simulator).await;
        let mut history = History {
            simulator: &simulator,
            seed: self.seed,
            lake,
            is_untold: false,
            has_people: false,
            endpoint: simulator.endpoint(),
            usual: Behaviour {
                unending_pipelines: self.seed.is_multiple_of(3).then_some(4),
                secrets: !self.seed.is_multiple_of(3),
                ..Behaviour::default()
            },
        };
        simulator.set_behaviour(history.usual.clone());
        for (place, step) in self.steps.iter().enumerate() {
            if let Err(wrong) = history.step(step).await {
                return Some(vec![format!("at step {place}, {step:?}: {wrong}")]);
            }
        }
        if let Err(wrong) = history.sync().await {
            return Some(vec![format!("at the last sync: {wrong}")]);
        }
        let missed = history.missed_releases().await;
        if !missed.is_empty() {
            return Some(missed);
        }
        // What no pipeline deployed is looked for once a day.
        history.lake.days_pass(1).await;
        if let Err(wrong) = history.sync().await {
            return Some(vec![format!("at the sync a day later: {wrong}")]);
        }
        let History {
            lake,
            is_untold,
            has_people,
            endpoint,
            ..
        } = history;
        if is_untold {
            let (exit, summary) = lake.reconcile(Depth::Everything).await;
            if exit != Exit::Ok {
                return Some(vec![format!("reconcile ended with {exit:?}: {summary:?}")]);
            }
        }
        if sabotage.is_some_and(|would_break| self.steps.iter().any(would_break)) {
            break_a_cell(&lake).await;
        }
        let leaks = cells_with(&lake, SECRET).await;
        if !leaks.is_empty() {
            return Some(leaks);
        }
        let fresh = Lake::with(On::Sqlite, &configured(&endpoint, self.seed)).await;
        let fresh = fresh.unwrap();
        // Of repositories with the names of now, and of those that the script began with.
        let mapping = lake
            .ask("SELECT project_name, row_id FROM project_mapping")
            .await;
        assert!(!mapping.rows.is_empty());
        measure_as(&fresh, &mapped_in(&mapping)).await;
        let (exit, _) = fresh.sync(How::default()).await;
        assert_eq!(exit, Exit::Ok);
        if has_people {
            join_people(&lake);
            import_people(&fresh);
            join_people(&fresh);
        }
        let mut differences = lake.differences(&fresh).await;
        let people = tables_equal(&lake.store, &fresh.store, &people_tables(), 20).await;
        differences.extend(people.unwrap());
        Some(differences.iter().map(ToString::to_string).collect())
    }
}

/// Some people of a company, with a team; one of them has an account that no source knows.
const PEOPLE: [(&str, &str); 4] = [
    (
        "users",
        "id,name,email\nu1,Ada Lovelace,ada@acme.example\nu2,Nobody Else,\n",
    ),
    ("user_accounts", "user_id,account_id\nu2,elsewhere\n"),
    ("teams", "id,name,alias\nt1,Platform,p\n"),
    ("team_users", "team_id,user_id\nt1,u1\nt1,u2\n"),
];

/// Imports them with the program.
fn import_people(lake: &Lake) {
    for (table, rows) in PEOPLE {
        std::fs::write(lake.folder().join("people.csv"), rows).unwrap();
        let import = ["table", "import", table, "people.csv"];
        stdout(&headwater(lake.folder(), &import));
    }
}

/// Says which accounts are one person.
fn join_people(lake: &Lake) {
    stdout(&headwater(lake.folder(), &["people", "join", "--by-name"]));
}

fn people_tables() -> Tables {
    Tables {
        raw: Vec::new(),
        rows: vec![
            user::Model::table(),
            user_account::Model::table(),
            team::Model::table(),
            team_user::Model::table(),
        ],
    }
}

/// The seed chooses which pipelines' steps are collected.
fn configured(endpoint: &str, seed: u64) -> String {
    let mut text = with_everything(endpoint, ALL);
    let steps = match seed % 3 {
        0 => "all",
        1 => "deployments",
        _ => "matching\"\ndeployment_ref_pattern = \"^(feature|bugfix)/",
    };
    let rules = format!("commit_statuses = true\nsteps = \"{steps}\"\n");
    text = text.replacen("commit_statuses = true\n", &rules, 1);
    text.push_str("timeout_seconds = { connect = 5, read = 1, total = 30 }\n");
    text
}

/// Two projects: of all repositories that there are, and of the first one.
async fn measure_everything(lake: &Lake, simulator: &Simulator) {
    let slugs: Vec<String> = {
        let world = simulator.world();
        let repositories = world.repositories().iter();
        repositories.map(|it| it.slug.clone()).collect()
    };
    let all = slugs.iter().map(|slug| ("all", slug));
    let first = slugs.iter().take(1).map(|slug| ("first", slug));
    let mapping = all.chain(first).map(|(project, slug)| {
        let id = format!("bitbucket:BitbucketRepo:1:acme/{slug}");
        (project.to_owned(), id)
    });
    measure_as(lake, &mapping.collect()).await;
}

/// Maps repositories to projects: each with its pipelines and its issues.
async fn measure_as(lake: &Lake, mapping: &BTreeSet<(String, String)>) {
    let mut csv = "project_name,table,row_id\n".to_owned();
    for (project, id) in mapping {
        for table in ["repos", "cicd_scopes", "boards"] {
            // Writing to a text cannot fail.
            let _ = writeln!(csv, "{project},{table},{id}");
        }
    }
    fill(&lake.store, "project_mapping", &csv, "\\N").await;
}

fn mapped_in(answer: &Answer) -> BTreeSet<(String, String)> {
    let rows = answer.rows.iter();
    rows.map(|row| (text(&row[0]), text(&row[1]))).collect()
}

fn text(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => text.clone(),
        other => panic!("{other:?}"),
    }
}

/// Keys of the deployments that are stored.
const STORED_RELEASES: &str = "SELECT item_key FROM _raw_bitbucket_api_deployments";

/// Changes one cell of one row.
async fn break_a_cell(lake: &Lake) {
    use sea_orm::ConnectionTrait as _;
    let key = lake.ask("SELECT MIN(id) FROM pull_requests").await;
    let key = text(&key.rows[0][0]);
    let sql = format!("UPDATE pull_requests SET title = 'broken' WHERE id = '{key}'");
    let connection = lake.store.connection();
    connection.execute_unprepared(&sql).await.unwrap();
}

/// A script being played.
struct History<'a> {
    simulator: &'a Simulator,
    seed: u64,
    lake: Lake,
    is_untold: bool,
    /// Users and teams were imported.
    has_people: bool,
    /// Where the service is now.
    endpoint: String,
    /// How the service behaves when nothing disturbs it. Some pipelines never end.
    usual: Behaviour,
}

impl History<'_> {
    async fn step(&mut self, step: &Step) -> Result<(), String> {
        match step {
            // Refused where steps before it were left out.
            Step::Change(change) => {
                let made = self.simulator.world().apply(change).is_ok();
                self.is_untold |= made && is_untold(change);
                Ok(())
            }
            Step::Sync => self.sync().await,
            Step::Disturbed(seed) => self.disturbed(*seed).await,
            Step::Cancelled(after) => self.cancelled(*after).await,
            Step::Unstable => self.unstable().await,
            Step::Blind => self.blind().await,
            Step::Moved => {
                self.moved();
                Ok(())
            }
            Step::People => {
                self.has_people = true;
                import_people(&self.lake);
                join_people(&self.lake);
                Ok(())
            }
        }
    }

    /// Another address of the same service: lists that were being read go on there, or anew.
    fn moved(&mut self) {
        let (one, other) = (self.simulator.endpoint(), self.simulator.other_endpoint());
        self.endpoint = if self.endpoint == one { other } else { one };
        self.lake.configure(&configured(&self.endpoint, self.seed));
        self.is_untold = true;
    }

    /// What several readings do not show together is said, and never taken for all there is.
    async fn unstable(&self) -> Result<(), String> {
        self.simulator.set_behaviour(Behaviour {
            unstable_order: vec![String::new()],
            ..self.usual.clone()
        });
        let done = self.lake.try_sync(How::default(), CancellationToken::new());
        let done = done.await;
        self.simulator.set_behaviour(self.usual.clone());
        done.map(|_| ()).map_err(|failure| failure.chain())
    }

    /// It must not pass for success.
    async fn blind(&self) -> Result<(), String> {
        self.simulator.set_behaviour(Behaviour {
            hidden: vec![String::new()],
            ..self.usual.clone()
        });
        let done = self.lake.try_sync(How::default(), CancellationToken::new());
        let done = done.await;
        self.simulator.set_behaviour(self.usual.clone());
        match done.map_err(|failure| failure.chain())? {
            (Exit::Ok, summary) => Err(format!("lost access passed for success: {summary:?}")),
            _ => Ok(()),
        }
    }

    /// Releases that pipelines deployed and that are not stored: the rules promise them at once.
    async fn missed_releases(&self) -> Vec<String> {
        let stored = self.lake.ask(STORED_RELEASES).await;
        let stored: BTreeSet<String> = stored.rows.iter().map(|row| text(&row[0])).collect();
        let world = self.simulator.world();
        let mut missed = Vec::new();
        for repository in world.repositories() {
            let mut known = BTreeSet::new();
            for release in repository.deployments(world.now()) {
                // One that is deployed again needs no pipeline of its own.
                let is_first = known.insert((release.pipeline.uuid.clone(), release.environment));
                if is_first && !stored.contains(&release.uuid) {
                    missed.push(format!("{}: {} is missing", repository.slug, release.uuid));
                }
            }
        }
        missed
    }

    async fn sync(&self) -> Result<(), String> {
        let done = self.lake.try_sync(How::default(), CancellationToken::new());
        let done = done.await;
        match done.map_err(|failure| failure.chain())? {
            (Exit::Ok, _) => Ok(()),
            (exit, summary) => Err(format!("the sync ended with {exit:?}: {summary:?}")),
        }
    }

    /// Whatever comes of it: only the database must not fail.
    async fn disturbed(&mut self, seed: u64) -> Result<(), String> {
        let mut random = StdRng::seed_from_u64(seed);
        let kinds = disturbances();
        let settings = FaultSettings {
            share: 0.08,
            at_most: 2,
            unauthorized_from: random.random_range(1..30),
            ..FaultSettings::default()
        };
        let mut plan = FaultPlan::seeded(seed);
        for _ in 0..random.random_range(1..=3) {
            let kind = kinds.choose(&mut random).unwrap();
            plan = kind.begin(self.simulator, plan, &settings);
        }
        self.simulator.follow(plan);
        let done = self.lake.try_sync(How::default(), CancellationToken::new());
        let done = done.await;
        self.simulator.behave();
        self.simulator.set_behaviour(self.usual.clone());
        let shifts = self.simulator.take_shifts();
        self.is_untold |= shifts.iter().any(is_untold);
        done.map(|_| ()).map_err(|failure| failure.chain())
    }

    async fn cancelled(&self, after: u64) -> Result<(), String> {
        let cancel = CancellationToken::new();
        let token = cancel.clone();
        let seen = AtomicU64::new(0);
        self.simulator.set_faults(Some(Arc::new(move |_| {
            if seen.fetch_add(1, Ordering::SeqCst) + 1 == after {
                token.cancel();
            }
            None
        })));
        let done = self.lake.try_sync(How::default(), cancel).await;
        self.simulator.set_faults(None);
        match done.map_err(|failure| failure.chain())? {
            (Exit::Ok | Exit::Cancelled, _) => Ok(()),
            (exit, _) => Err(format!("the cancelled sync ended with {exit:?}")),
        }
    }
}

/// Faults that single requests meet, and refused credentials. Huge bodies take too long to send
/// again and again; they are tried elsewhere.
fn disturbances() -> Vec<FaultKind> {
    let is_huge = |kind| matches!(kind, FaultKind::HugeBody | FaultKind::PackedHugeBody);
    FaultKind::all()
        .into_iter()
        .filter(|kind| kind.is_transient() || *kind == FaultKind::UnauthorizedMidRun)
        .filter(|kind| !is_huge(*kind))
        .collect()
}

impl fmt::Display for Script {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, step) in self.steps.iter().enumerate() {
            writeln!(out, "  {place}: {step:?}")?;
        }
        Ok(())
    }
}

/// Places of steps as `3,9,14-20`, to write and to read.
pub(super) fn places(kept: &[usize]) -> String {
    let mut runs: Vec<RangeInclusive<usize>> = Vec::new();
    for &place in kept {
        match runs.last_mut() {
            Some(run) if *run.end() + 1 == place => *run = *run.start()..=place,
            _ => runs.push(place..=place),
        }
    }
    let shown = runs.iter().map(|run| match (run.start(), run.end()) {
        (start, end) if start == end => start.to_string(),
        (start, end) => format!("{start}-{end}"),
    });
    shown.collect::<Vec<_>>().join(",")
}

/// Reads what [`places`] writes.
pub(super) fn read_places(text: &str) -> Vec<usize> {
    let mut kept = Vec::new();
    for part in text.split(',').filter(|part| !part.is_empty()) {
        let (start, end) = part.split_once('-').unwrap_or((part, part));
        kept.extend(start.parse::<usize>().unwrap()..=end.parse().unwrap());
    }
    kept
}

#[test]
fn places_are_read_as_they_are_written() {
    for (kept, text) in [
        (vec![], ""),
        (vec![4], "4"),
        (vec![1, 2, 3, 7, 9, 10], "1-3,7,9-10"),
    ] {
        assert_eq!(places(&kept), text);
        assert_eq!(read_places(text), kept);
    }
}

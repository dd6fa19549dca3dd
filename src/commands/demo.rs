//! `demo`: a made-up company over real HTTP, synced, measured, and questioned.

mod answers;
mod place;

use std::sync::Arc;
use std::time::Instant;

use chrono::{DateTime, Datelike as _, NaiveDate, NaiveTime, SubsecRound as _, TimeDelta, Utc};
use headwater_git::Git;
use headwater_simulator::{Company, Options, Simulator};
use headwater_store::Store;
use headwater_store::ledger::Window;
use tokio_util::sync::CancellationToken;

use crate::cli::{DemoArgs, Shared};
use crate::clock::Clock;
use crate::config::{self, Config};
use crate::connect::Connector;
use crate::exit::{Exit, Failure};
use crate::input::Input;
use crate::people::{self, Sources as PeopleSources};
use crate::plan::{Depth, Plan, Stages};
use crate::report::{Json, Lines, Quiet, Reporter, Reporters};
use crate::resolve::Selection;
use crate::session::{Session, SyncRequest};
use crate::sources::Sources;
use crate::table_files::{TableFile, domain_table};

use answers::Answers;
use place::Place;

/// The project of all its repositories.
const PROJECT: &str = "shop";

/// Years that the company can live in: git's times begin in 1970, and headers have years of four
/// digits.
const YEARS: std::ops::RangeInclusive<i32> = 1990..=2100;

/// The company's last hour of a day that is asked for.
const EVENING: (u32, u32) = (18, 0);

/// Runs the demo. A database of an earlier demo is replaced.
///
/// # Errors
/// When the simulator cannot listen on loopback, the database holds something else, or it cannot be
/// written.
pub(super) async fn run(
    shared: &Shared,
    arguments: DemoArgs,
    clock: Clock,
    cancel: CancellationToken,
) -> Result<Exit, Failure> {
    let until = last_moment(arguments.as_of, &clock)?;
    let place = Place::of(shared, arguments.output)?;
    let clock = running_from(until);
    let (_lock, store) = place.open(&clock).await?;
    let simulator = start(arguments.seed, until).await?;
    let demo = Demo {
        shared,
        place,
        clock,
        cancel,
        store,
    };
    let shown = demo.show(&simulator).await;
    simulator.stop().await;
    let closed = demo.store.close().await;
    let exit = shown?;
    closed?;
    Ok(exit)
}

/// The last moment of the company (UTC): now, or the evening of a day.
fn last_moment(as_of: Option<NaiveDate>, clock: &Clock) -> Result<DateTime<Utc>, Failure> {
    let Some(day) = as_of else {
        return Ok(clock.now().trunc_subsecs(0));
    };
    if !YEARS.contains(&day.year()) {
        let (first, last) = (YEARS.start(), YEARS.end());
        return Err(Failure::usage(format!(
            "--as-of {day}: the company lives from {first} to {last}; name a day of those years"
        )));
    }
    let (hour, minute) = EVENING;
    let evening = NaiveTime::from_hms_opt(hour, minute, 0).unwrap_or_default();
    Ok(day.and_time(evening).and_utc())
}

/// A clock that shows this time now and goes on from there, as the company's own does.
fn running_from(moment: DateTime<Utc>) -> Clock {
    let begun = Instant::now();
    Clock::of(move || moment + TimeDelta::from_std(begun.elapsed()).unwrap_or_default())
}

async fn start(seed: u64, until: DateTime<Utc>) -> Result<Simulator, Failure> {
    let options = Options {
        workspace: Company::WORKSPACE.to_owned(),
        log_requests: false,
        gzip: false,
        ..Options::default()
    };
    let world = Company::new(seed, until).world();
    let started = Simulator::serve(options, world).await;
    started.map_err(|error| {
        Failure::because(
            Exit::Failed,
            "the demo's server could not be started on 127.0.0.1",
            error,
        )
    })
}

/// One run of the demo.
struct Demo<'a> {
    shared: &'a Shared,
    place: Place,
    clock: Clock,
    cancel: CancellationToken,
    store: Store,
}

impl Demo<'_> {
    async fn show(&self, simulator: &Simulator) -> Result<Exit, Failure> {
        let has_git = Git::find(None).await.is_ok();
        let text = self.place.configuration(simulator, has_git);
        let config = configured(&text)?;
        let begun = Instant::now();
        let exit = self.sync(&config).await?;
        if exit != Exit::Ok {
            return Ok(exit);
        }
        self.bring_people().await?;
        let took = begun.elapsed();
        let config_file = self.place.write_configuration(&text)?;
        if self.shared.quiet {
            return Ok(Exit::Ok);
        }
        let answers = Answers::of(&self.store, &config, self.clock.now()).await?;
        if self.shared.json {
            answers.json();
        } else {
            let server = self.place.server_variable();
            answers.tell(took, &config_file, server)?;
        }
        Ok(Exit::Ok)
    }

    async fn sync(&self, config: &Config) -> Result<Exit, Failure> {
        let sources = Sources::all();
        let folder = self.place.folder();
        let ledger = self.store.ledger(Window::HOUR).await?.in_steady_time();
        let request = SyncRequest {
            plan: Plan {
                command: "sync",
                stages: Stages::ALL,
                streams: sources.stream_names(),
                depth: Depth::Changes,
            },
            selection: Selection::default(),
            since: None,
            run: None,
        };
        let session = Session {
            config: Arc::new(config.clone()),
            connector: Connector::recording((&folder, &self.clock), &sources, ledger),
            folder,
            store: self.store.clone(),
            sources,
            reporter: Reporters::of(self.reporter(), &self.clock),
            clock: self.clock.clone(),
            cancel: self.cancel.clone(),
        };
        let (exit, _) = Box::pin(session.sync(&request)).await?;
        Ok(exit)
    }

    /// The sync itself is only shown where that is asked for: the answers are what matters here.
    fn reporter(&self) -> Arc<dyn Reporter> {
        match (self.shared.json, self.shared.verbose) {
            (true, _) => Arc::new(Json),
            (false, 0) => Arc::new(Quiet::default()),
            (false, _) => Arc::new(Lines::verbose()),
        }
    }

    /// Imports the company's people and teams, and joins accounts with people.
    async fn bring_people(&self) -> Result<(), Failure> {
        let files = [
            ("users", Company::users_csv()),
            ("teams", Company::teams_csv()),
            ("team_users", Company::team_users_csv()),
        ];
        let sources = Sources::all();
        for (table, text) in files {
            let input = Input::of_text(&format!("{table}.csv"), &text)?;
            let file = TableFile::of(&input, domain_table(&sources, table)?, "\\N");
            file.check()?;
            file.import(&self.store, self.clock.now()).await?;
        }
        let people = people::join(&PeopleSources {
            accounts: self.store.accounts_to_join().await?,
            authors: self.store.authors().await?,
            given: self.store.given_people().await?,
            ..PeopleSources::default()
        });
        let now = self.clock.now();
        let kept = self.store.keep_people(people.users, people.accounts, now);
        kept.await?;
        Ok(())
    }
}

fn configured(text: &str) -> Result<Config, Failure> {
    let (config, problems) = config::parse(text, "demo");
    config.ok_or_else(|| {
        let problems = problems.iter().filter(|problem| problem.is_error());
        let problems: Vec<String> = problems.map(ToString::to_string).collect();
        Failure::new(Exit::Configuration, problems.join("\n"))
    })
}

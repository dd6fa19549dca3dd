//! `demo`: a made-up company over real HTTP, synced into SQLite, and three questions.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use headwater_metrics::{Range, Rules, stored};
use headwater_simulator::{Options, Simulator, Size};
use headwater_store::ledger::Window;
use headwater_store::query;
use tokio_util::sync::CancellationToken;

use crate::cli::Format;
use crate::clock::Clock;
use crate::commands::metrics;
use crate::config::{self, DatabaseAddress};
use crate::connect::Connector;
use crate::database;
use crate::exit::{Exit, Failure};
use crate::output::{self, Printer, written};
use crate::plan::{Depth, Plan, Stages};
use crate::report::{Reporter, Reporters};
use crate::resolve::Selection;
use crate::session::{Session, SyncRequest};
use crate::sources::Sources;

/// The company's workspace.
const WORKSPACE: &str = "acme";

/// The project of all its repositories.
const PROJECT: &str = "shop";

/// A question and the SQL that answers it.
struct Question {
    text: &'static str,
    sql: &'static str,
}

const ARRIVED: Question = Question {
    text: "What arrived",
    sql: "SELECT 'repositories' AS what, COUNT(*) AS row_count FROM repos \
          UNION ALL SELECT 'pull requests', COUNT(*) FROM pull_requests \
          UNION ALL SELECT 'reviewers', COUNT(*) FROM pull_request_reviewers \
          UNION ALL SELECT 'comments', COUNT(*) FROM pull_request_comments \
          UNION ALL SELECT 'commits of pull requests', COUNT(*) FROM pull_request_commits \
          UNION ALL SELECT 'events', COUNT(*) FROM pull_request_events \
          UNION ALL SELECT 'accounts', COUNT(*) FROM accounts",
};

const QUESTIONS: [Question; 3] = [
    Question {
        text: "Who waits longest for a first review? (hours, median over merged and open ones)",
        sql: "WITH first_review AS (\n\
                SELECT pr.id, accounts.full_name AS author, MIN(\n\
                  (julianday(review.at) - julianday(pr.created_date)) * 24) AS hours\n\
                FROM pull_requests AS pr\n\
                JOIN accounts ON accounts.id = pr.author_id\n\
                JOIN pull_request_events AS review ON review.pull_request_id = pr.id\n\
                WHERE review.kind IN ('commented', 'approved', 'changes requested')\n\
                  AND review.actor_id <> pr.author_id AND review.at >= pr.created_date\n\
                GROUP BY pr.id, accounts.full_name),\n\
              placed AS (\n\
                SELECT author, hours, ROW_NUMBER() OVER (PARTITION BY author ORDER BY hours) AS place,\n\
                COUNT(*) OVER (PARTITION BY author) AS total FROM first_review)\n\
              SELECT author, total AS pull_requests, ROUND(hours, 1) AS median_hours\n\
              FROM placed WHERE place = (total + 1) / 2 AND total >= 3\n\
              ORDER BY hours DESC LIMIT 5",
    },
    Question {
        text: "How long from opening to merging, by repository? (hours, median)",
        sql: "WITH merged AS (\n\
                SELECT repos.name, (julianday(pr.merged_date) - julianday(pr.created_date)) * 24\n\
                  AS hours\n\
                FROM pull_requests AS pr JOIN repos ON repos.id = pr.base_repo_id\n\
                WHERE pr.status = 'MERGED' AND pr.merged_date IS NOT NULL),\n\
              placed AS (\n\
                SELECT name, hours, ROW_NUMBER() OVER (PARTITION BY name ORDER BY hours) AS place,\n\
                COUNT(*) OVER (PARTITION BY name) AS total FROM merged)\n\
              SELECT name AS repository, total AS merged, ROUND(hours, 1) AS median_hours\n\
              FROM placed WHERE place = (total + 1) / 2 ORDER BY hours DESC LIMIT 8",
    },
    Question {
        text: "Which open pull requests have most commits?",
        sql: "SELECT repos.name AS repository, pr.pull_request_key AS number, pr.title,\n\
                COUNT(commits.commit_sha) AS commits\n\
              FROM pull_requests AS pr JOIN repos ON repos.id = pr.base_repo_id\n\
              JOIN pull_request_commits AS commits ON commits.pull_request_id = pr.id\n\
              WHERE pr.status = 'OPEN'\n\
              GROUP BY repos.name, pr.pull_request_key, pr.title\n\
              ORDER BY commits DESC, repository, number LIMIT 5",
    },
];

/// Runs the demo. A database of an earlier demo is replaced. Without narration only the
/// reporter speaks.
///
/// # Errors
/// When the simulator cannot listen on loopback, or the file cannot be written.
pub(super) async fn run(
    reporter: Arc<dyn Reporter>,
    cancel: CancellationToken,
    output: Option<PathBuf>,
    narrate: bool,
) -> Result<Exit, Failure> {
    let path = output.unwrap_or_else(|| PathBuf::from("headwater-demo.db"));
    if narrate {
        output::line(
            "A made-up company with its own Bitbucket on this machine; nothing leaves it.\n",
        );
    }
    let simulator = start_simulator().await?;
    let exit = sync(&simulator, reporter, cancel, &path).await;
    simulator.stop().await;
    let exit = exit?;
    if exit != Exit::Ok || !narrate {
        return Ok(exit);
    }
    ask(&path, &ARRIVED, false).await?;
    for question in &QUESTIONS {
        ask(&path, question, true).await?;
    }
    let days = measure(&path).await?;
    say_what_is_next(&path, days.as_ref());
    Ok(Exit::Ok)
}

async fn start_simulator() -> Result<Simulator, Failure> {
    let options = Options {
        seed: 2026,
        size: Size {
            repositories: 8,
            empty_repositories: 1,
            pull_requests_per_repository: 60,
            people: 24,
            ..Size::company()
        },
        workspace: WORKSPACE.to_owned(),
        ..Options::default()
    };
    let started = Simulator::start(options).await;
    started.map_err(|error| {
        Failure::because(
            Exit::Failed,
            "the demo's server could not be started",
            error,
        )
    })
}

async fn sync(
    simulator: &Simulator,
    reporter: Arc<dyn Reporter>,
    cancel: CancellationToken,
    path: &Path,
) -> Result<Exit, Failure> {
    remove_old(path)?;
    let (config, problems) = config::parse(&configuration(simulator), "demo");
    let Some(config) = config else {
        let problems: Vec<String> = problems
            .iter()
            .filter(|p| p.is_error())
            .map(ToString::to_string)
            .collect();
        return Err(Failure::new(Exit::Configuration, problems.join("\n")));
    };
    let address = DatabaseAddress::of_file(path);
    let clock = Clock::system();
    let _lock = database::lock(&address, "demo", clock.now())?;
    let store = database::open(&address).await?;
    let sources = Sources::all();
    let folder = PathBuf::from(".");
    let ledger = store.ledger(Window::HOUR).await?.in_steady_time();
    let request = SyncRequest {
        plan: Plan {
            command: "sync",
            stages: Stages::ALL,
            streams: sources.stream_names(),
            depth: Depth::Changes,
        },
        selection: Selection::default(),
        since: None,
    };
    let session = Session {
        config: Arc::new(config),
        connector: Connector::recording((&folder, &clock), &sources, ledger),
        folder,
        store: store.clone(),
        sources,
        reporter: Reporters::of(reporter, &clock),
        clock,
        cancel,
    };
    let (exit, _) = Box::pin(session.sync(&request)).await?;
    store.close().await?;
    Ok(exit)
}

/// What a person would write for a real account, but for the address and the pace.
fn configuration(simulator: &Simulator) -> String {
    format!(
        "[[connection]]\n\
         id = 1\n\
         name = \"demo\"\n\
         kind = \"bitbucket-cloud\"\n\
         endpoint = \"{}\"\n\
         auth.kind = \"api-token\"\n\
         auth.email = \"me@example.com\"\n\
         auth.token = \"api-token\"\n\
         requests_per_hour = 100000000\n\
         scopes = [\"{WORKSPACE}/*\"]\n\n\
         [[project]]\n\
         name = \"{PROJECT}\"\n\
         scopes = [\"demo:{WORKSPACE}/*\"]\n",
        simulator.endpoint()
    )
}

fn remove_old(path: &Path) -> Result<(), Failure> {
    for ending in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        match std::fs::remove_file(&name) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                let message = format!(
                    "removing the database of an earlier demo, {}",
                    path.display()
                );
                return Err(Failure::because(Exit::Failed, message, error));
            }
        }
    }
    Ok(())
}

async fn ask(path: &Path, question: &Question, show_sql: bool) -> Result<(), Failure> {
    output::line(format_args!("\n{}", question.text));
    if show_sql {
        for line in question.sql.lines() {
            output::line(format_args!("  {line}"));
        }
    }
    output::line("");
    let failed = |error| Failure::because(Exit::Failed, "the demo's question failed", error);
    let mut printer = Printer::new(Format::Table, output::data());
    let done = match query::run_sqlite(path, question.sql, &mut printer).await {
        Ok(()) => printer.finish(),
        Err(query::QueryError::Output(error)) => Err(error),
        Err(error) => return Err(failed(error)),
    };
    written(done).map(|_| ())
}

/// Shows the DORA metrics over the days in which the company deployed; none where it never did.
async fn measure(path: &Path) -> Result<Option<Range>, Failure> {
    let store = database::open(&DatabaseAddress::of_file(path)).await?;
    let rules = Rules::default();
    let facts = stored::load(&store, PROJECT, &rules).await?;
    store.close().await?;
    let ends = facts.deployments.iter().filter_map(|row| row.finished);
    let ends: Vec<DateTime<Utc>> = ends.filter_map(DateTime::from_timestamp_millis).collect();
    let range = ends
        .iter()
        .min()
        .zip(ends.iter().max())
        .and_then(|(first, last)| {
            let after = last.date_naive().succ_opt()?;
            Range::new(first.date_naive(), after, rules.timezone).ok()
        });
    if let Some(range) = &range {
        output::line("\nHow does it deliver? (DORA metrics over the days in which it deployed)\n");
        metrics::show(&facts, PROJECT, &rules, range)?;
    }
    Ok(range)
}

fn say_what_is_next(path: &Path, days: Option<&Range>) {
    let file = path.display();
    if let Some(days) = days {
        let (from, to) = (days.from(), days.to());
        output::line(format_args!(
            "\nWhat makes a number, and what makes it wrong:\n  \
             headwater --database sqlite:{file} explain metric {PROJECT} lead_time --from {from} \
             --to {to}\n  \
             headwater --database sqlite:{file} explain pr {WORKSPACE}/web-shop#12\n  \
             headwater --database sqlite:{file} doctor {PROJECT}"
        ));
    }
    output::line(format_args!(
        "\nThe database is {file}. Ask it more:\n  \
         headwater --database sqlite:{file} query \"SELECT status, COUNT(*) FROM pull_requests \
         GROUP BY status\"\n  headwater tables\n\n\
         With a real account:\n  \
         1. headwater init            writes headwater.toml; put your e-mail address and \
         repositories into it\n  \
         2. export BITBUCKET_TOKEN=   an API token from id.atlassian.com with the scopes \
         read:repository:bitbucket, read:pullrequest:bitbucket and read:pipeline:bitbucket\n  \
         3. headwater sync            collects; run it again whenever you like, it asks only for \
         what changed"
    ));
}

//! What watches over a server: whether it lives, whether it can work, and its figures.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use headwater_store::Store;
use headwater_store::figures::Figures;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::exit::{Exit, Failure};

/// Longest time that the database may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// The form of Prometheus's text.
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What the answers are made from.
#[derive(Clone)]
pub struct Health {
    /// The database.
    pub store: Store,
    /// Tells the time.
    pub clock: Clock,
}

/// A port that is listened to.
pub struct Listening {
    listener: TcpListener,
    /// Where it is.
    pub address: SocketAddr,
}

impl Listening {
    /// Listens to an address; port 0 takes a free one.
    ///
    /// # Errors
    /// Exit 6 when it cannot, as when another process does.
    pub async fn at(address: SocketAddr) -> Result<Self, Failure> {
        let failed = |error| {
            let message = format!("{address} cannot be listened to; --listen takes another one");
            Failure::because(Exit::Failed, message, error)
        };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address })
    }

    /// Answers until the token is cancelled.
    ///
    /// # Errors
    /// When the port is lost.
    pub async fn answer(self, health: Health, cancel: CancellationToken) -> std::io::Result<()> {
        let routes = Router::new()
            .route("/healthz", get(|| async { "ok\n" }))
            .route("/readyz", get(readiness))
            .route("/metrics", get(metrics))
            .with_state(health);
        let ended = cancel.cancelled_owned();
        axum::serve(self.listener, routes)
            .with_graceful_shutdown(ended)
            .await
    }
}

/// The figures, unless the database is away.
async fn figures(health: &Health) -> Option<Figures> {
    let asked = health.store.figures(health.clock.now());
    tokio::time::timeout(PATIENCE, asked).await.ok()?.ok()
}

async fn readiness(State(health): State<Health>) -> Response {
    match figures(&health).await {
        Some(_) => "ready\n".into_response(),
        None => (
            StatusCode::SERVICE_UNAVAILABLE,
            "the database does not answer\n",
        )
            .into_response(),
    }
}

async fn metrics(State(health): State<Health>) -> Response {
    let Some(figures) = figures(&health).await else {
        return (
            StatusCode::SERVICE_UNAVAILABLE,
            "the database does not answer\n",
        )
            .into_response();
    };
    ([(header::CONTENT_TYPE, PROMETHEUS)], text(&figures)).into_response()
}

/// The figures in Prometheus's form.
fn text(figures: &Figures) -> String {
    let mut text = String::new();
    let mut family = |name: &str, kind: &str, help: &str, samples: Vec<(String, i64)>| {
        // Writing to a text does not fail.
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for (labels, value) in samples {
            let _ = writeln!(text, "{name}{labels} {value}");
        }
    };
    let labelled = |name: &str, counts: &[(String, i64)]| {
        let samples = counts.iter();
        let samples = samples.map(|(label, count)| (labels(&[(name, label)]), *count));
        samples.collect::<Vec<_>>()
    };
    family(
        "headwater_runs",
        "gauge",
        "Runs that are stored, by state.",
        labelled("state", &figures.runs),
    );
    family(
        "headwater_freshness_seconds",
        "gauge",
        "Time since the oldest collection that a repository's tables rest on.",
        labelled("scope", &figures.ages_sec),
    );
    family(
        "headwater_dead_letters",
        "gauge",
        "Items that could not be processed and are tried again.",
        vec![(String::new(), figures.dead_letters)],
    );
    family(
        "headwater_requests_last_hour",
        "gauge",
        "Requests sent within the last hour, of all credentials.",
        vec![(String::new(), figures.requests_last_hour)],
    );
    family(
        "headwater_schedule_late_seconds",
        "gauge",
        "Time since a project was due; 0 when it is not.",
        labelled("project", &figures.late_sec),
    );
    text
}

/// Labels as Prometheus has them: backslashes, quotes and line ends are written out.
fn labels(pairs: &[(&str, &str)]) -> String {
    let written = pairs.iter().map(|(name, value)| {
        let value = value.replace('\\', "\\\\").replace('"', "\\\"");
        format!("{name}=\"{}\"", value.replace('\n', "\\n"))
    });
    format!("{{{}}}", written.collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_written_as_prometheus_reads_them() {
        let figures = Figures {
            runs: vec![("failed".to_owned(), 1), ("success".to_owned(), 41)],
            ages_sec: vec![("1 acme/rocket".to_owned(), 95)],
            late_sec: vec![("sh\"op\\\n".to_owned(), 0)],
            dead_letters: 2,
            requests_last_hour: 310,
        };
        insta::assert_snapshot!(text(&figures));
    }
}

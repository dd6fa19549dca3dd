//! What is said of the rate limit: an estimate before, and every longer wait.

use chrono::{DateTime, TimeDelta, Utc};
use headwater_collectors::Client;
use tokio_util::task::AbortOnDropHandle;

use super::Session;
use crate::estimate::{Basis, estimate};
use crate::exit::Failure;
use crate::plan::Plan;
use crate::report::Event;
use crate::run::Job;

/// Shorter waits are not worth a line.
const WORTH_TELLING: TimeDelta = TimeDelta::seconds(60);

/// Tells what collecting is going to cost, for each connection. Returns the requests that went
/// into finding out.
pub(super) async fn tell_estimates(
    session: &Session,
    plan: &Plan,
    jobs: &[Job],
) -> Result<u64, Failure> {
    let sent = |jobs: &[Job]| jobs[0].client.as_ref().map_or(0, Client::requests);
    let mut asked = 0;
    let basis = Basis {
        store: &session.store,
        plan,
        cancel: &session.cancel,
    };
    for of_connection in jobs.chunk_by(|a, b| a.connection == b.connection) {
        if of_connection[0].client.is_none() {
            // No API, no budget.
            continue;
        }
        let connection = of_connection[0].connection.clone();
        let before = sent(of_connection);
        let estimate = estimate(&basis, &of_connection.iter().collect::<Vec<_>>()).await?;
        asked += sent(of_connection) - before;
        session.reporter.event(&Event::Estimate {
            connection,
            estimate,
        });
    }
    Ok(asked)
}

/// Tells until when no request of a connection goes out, until the handle is dropped.
pub(super) fn watch_limit(
    session: &Session,
    connection: &str,
    client: &Client,
) -> AbortOnDropHandle<()> {
    let (reporter, clock) = (session.reporter.clone(), session.clock.clone());
    let connection = connection.to_owned();
    let mut hold = client.rate_limiter().hold();
    AbortOnDropHandle::new(tokio::spawn(async move {
        let mut told: Option<DateTime<Utc>> = None;
        while hold.changed().await.is_ok() {
            let Some(wait) = *hold.borrow_and_update() else {
                continue;
            };
            // A wait that is a little longer than was said is no news.
            let known = told.is_some_and(|told| wait.until < told + WORTH_TELLING);
            if known || wait.until < clock.now() + WORTH_TELLING {
                continue;
            }
            told = Some(wait.until);
            reporter.event(&Event::RateLimited {
                connection: connection.clone(),
                until: wait.until,
                cause: if wait.by_server { "server" } else { "budget" },
            });
        }
    }))
}

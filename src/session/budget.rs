//! What is said of the rate limit: an estimate before, and every longer wait.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use headwater_collectors::{Client, Hold};
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

use super::Session;
use crate::clock::Clock;
use crate::estimate::{Basis, Estimate, estimate};
use crate::exit::Failure;
use crate::plan::{Depth, Plan};
use crate::report::{Event, Reporters, counted};
use crate::run::{Job, lacks, windows};

/// Shorter waits are not worth a line.
const WORTH_TELLING: TimeDelta = TimeDelta::seconds(60);

/// How often it is said how long a wait still is.
const EVERY: Duration = Duration::from_mins(1);

/// What collecting is going to cost, as it was told.
pub(super) struct Told {
    /// Requests that went into finding out.
    pub(super) requests: u64,
    /// Tell of requests that go evenly for as long as they are kept.
    pub(super) _watched: Vec<AbortOnDropHandle<()>>,
}

/// Tells what collecting is going to cost, for each connection, and has the newest read first where
/// that is more than the hour has room for.
pub(super) async fn tell_estimates(
    session: &Session,
    plan: &Plan,
    jobs: &mut [Job],
) -> Result<Told, Failure> {
    let sent = |jobs: &[Job]| jobs[0].client.as_ref().map_or(0, Client::requests);
    let (mut asked, mut watched) = (0, Vec::new());
    let basis = Basis {
        store: &session.store,
        plan,
        only: None,
        cancel: &session.cancel,
        now: session.clock.now(),
    };
    for of_connection in jobs.chunk_by_mut(|a, b| a.connection == b.connection) {
        // No API, no budget.
        let Some(client) = of_connection[0].client.clone() else {
            continue;
        };
        let connection = of_connection[0].connection.clone();
        let before = sent(of_connection);
        let estimate = estimate(&basis, &of_connection.iter().collect::<Vec<_>>()).await?;
        asked += sent(of_connection) - before;
        watched.extend(watch_pace(session, &client, &connection, &estimate));
        let fits = fits(&estimate);
        session.reporter.event(&Event::Estimate {
            connection,
            estimate,
        });
        if !fits {
            read_newest_first(&basis, &session.reporter, of_connection).await?;
        }
    }
    Ok(Told {
        requests: asked,
        _watched: watched,
    })
}

/// Tells every minute that requests go evenly, and when the last of them is sent, as the estimate
/// has it. None where the estimate knows no such time.
fn watch_pace(
    session: &Session,
    client: &Client,
    connection: &str,
    estimate: &Estimate,
) -> Option<AbortOnDropHandle<()>> {
    let limiter = client.rate_limiter().clone();
    let hold = limiter.hold();
    let (reporter, clock) = (session.reporter.clone(), session.clock.clone());
    let now = clock.clone();
    // A longer wait of all requests is told by itself.
    let is_short = move |hold: Hold| hold.until < now.now() + WORTH_TELLING;
    let pace = Pace {
        connection: connection.to_owned(),
        finishes_at: estimate.finishes_at?,
        waits: move || limiter.waiting() > 0 && hold.borrow().is_none_or(&is_short),
        tell: move |event: &Event| reporter.event(event),
        clock,
    };
    Some(AbortOnDropHandle::new(tokio::spawn(pace.follow())))
}

/// Requests that go evenly.
struct Pace<W, T> {
    connection: String,
    /// When the last request is sent (UTC).
    finishes_at: DateTime<Utc>,
    /// Whether requests wait, and none of them for long.
    waits: W,
    tell: T,
    clock: Clock,
}

impl<W: Fn() -> bool, T: Fn(&Event)> Pace<W, T> {
    async fn follow(self) {
        loop {
            tokio::time::sleep(EVERY).await;
            let left = (self.finishes_at - self.clock.now()).num_seconds();
            // What was not known before takes longer, and no one can say how long.
            if let (Ok(seconds @ 1..), true) = (u64::try_from(left), (self.waits)()) {
                (self.tell)(&Event::RatePaced {
                    connection: self.connection.clone(),
                    finishes_at: self.finishes_at,
                    seconds,
                });
            }
        }
    }
}

/// Whether the hour has room for all requests of a run.
fn fits(estimate: &Estimate) -> bool {
    let left = |limit| u64::from(limit).saturating_sub(estimate.used);
    let left = estimate.per_hour.map(left);
    left.is_none_or(|left| estimate.requests <= left)
}

/// Has the repositories of a connection that lack something read from today backwards.
async fn read_newest_first(
    basis: &Basis<'_>,
    reporter: &Reporters,
    jobs: &mut [Job],
) -> Result<(), Failure> {
    if basis.plan.depth != Depth::Changes || !basis.plan.stages.collect {
        return Ok(());
    }
    let (mut lacking, mut nearest) = (0, None);
    for job in jobs.iter_mut() {
        let windows = windows(basis.now, job.data_after);
        if windows.is_empty() || !lacks(basis.store, basis.plan, job, None).await? {
            continue;
        }
        lacking += 1;
        nearest = nearest.max(windows.first().copied());
        job.windows = windows.into();
    }
    let (Some(nearest), Some(job)) = (nearest, jobs.first()) else {
        return Ok(());
    };
    let message = format!(
        "{}: more than this hour has room for: the newest is read first, back to {} of {}, then \
         what is older",
        job.connection,
        nearest.format("%Y-%m-%d"),
        counted(lacking, "repository", "repositories"),
    );
    reporter.event(&Event::Notice { message });
    Ok(())
}

/// Tells until when no request of a connection goes out, every minute how long that still is, and
/// when they go on, until the handle is dropped.
pub(super) fn watch_limit(
    session: &Session,
    connection: &str,
    client: &Client,
) -> AbortOnDropHandle<()> {
    let (reporter, clock) = (session.reporter.clone(), session.clock.clone());
    let hold = client.rate_limiter().hold();
    let waits = Waits {
        connection: connection.to_owned(),
        tell: move |event: &Event| reporter.event(event),
        clock,
        told: None,
    };
    AbortOnDropHandle::new(tokio::spawn(waits.follow(hold)))
}

/// What was said of a wait.
struct Waits<T> {
    connection: String,
    tell: T,
    clock: Clock,
    /// Until when requests wait, as it was said.
    told: Option<DateTime<Utc>>,
}

impl<T: Fn(&Event)> Waits<T> {
    async fn follow(mut self, mut hold: watch::Receiver<Option<Hold>>) {
        loop {
            let changed = tokio::select! {
                changed = hold.changed() => changed.is_ok(),
                () = tokio::time::sleep(EVERY), if self.told.is_some() => {
                    self.still_waits();
                    continue;
                }
            };
            if !changed {
                return;
            }
            match *hold.borrow_and_update() {
                Some(wait) => self.waits(wait),
                None => self.goes_on(),
            }
        }
    }

    fn waits(&mut self, wait: Hold) {
        // A wait that is a little longer than was said is no news.
        let known = self
            .told
            .is_some_and(|told| wait.until < told + WORTH_TELLING);
        if known || wait.until < self.clock.now() + WORTH_TELLING {
            return;
        }
        self.told = Some(wait.until);
        (self.tell)(&Event::RateLimited {
            connection: self.connection.clone(),
            until: wait.until,
            cause: if wait.by_server { "server" } else { "budget" },
        });
    }

    fn still_waits(&mut self) {
        let Some(until) = self.told else { return };
        let left = (until - self.clock.now()).num_seconds();
        // What is left is said once more by the line that comes when it is over.
        if let Ok(seconds @ 1..) = u64::try_from(left) {
            (self.tell)(&Event::RateWaiting {
                connection: self.connection.clone(),
                until,
                seconds,
            });
        }
    }

    fn goes_on(&mut self) {
        if self.told.take().is_some() {
            let connection = self.connection.clone();
            (self.tell)(&Event::RateResumed { connection });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, Mutex};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn requests_that_go_evenly_are_told_every_minute_with_the_one_time_at_which_they_end() {
        let told: Arc<Mutex<Vec<String>>> = Arc::default();
        let log = Arc::clone(&told);
        let waiting = Arc::new(AtomicBool::new(true));
        let waits = Arc::clone(&waiting);
        let began = tokio::time::Instant::now();
        let now =
            move || DateTime::UNIX_EPOCH + TimeDelta::from_std(began.elapsed()).unwrap_or_default();
        let pace = Pace {
            connection: "acme".to_owned(),
            finishes_at: DateTime::UNIX_EPOCH + TimeDelta::seconds(250),
            waits: move || waits.load(Ordering::Relaxed),
            tell: move |event: &Event| {
                let event = serde_json::to_string(event).unwrap();
                log.lock().unwrap().push(event);
            },
            clock: Clock::of(now),
        };
        let following = AbortOnDropHandle::new(tokio::spawn(pace.follow()));
        tokio::time::sleep(Duration::from_secs(125)).await;
        waiting.store(false, Ordering::Relaxed);
        tokio::time::sleep(EVERY).await;
        waiting.store(true, Ordering::Relaxed);
        tokio::time::sleep(EVERY * 5).await;
        drop(following);
        // Two minutes, none while nothing waits, one more, and none after the end.
        let lines = told.lock().unwrap().clone();
        let line = |seconds: u64| {
            format!(
                "{{\"event\":\"rate_paced\",\"connection\":\"acme\",\
                 \"finishes_at\":\"1970-01-01T00:04:10Z\",\"seconds\":{seconds}}}"
            )
        };
        assert_eq!(lines, [line(190), line(130), line(10)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_is_said_once_then_every_minute_and_when_it_is_over() {
        let told: Arc<Mutex<Vec<String>>> = Arc::default();
        let log = Arc::clone(&told);
        let began = tokio::time::Instant::now();
        let now =
            move || DateTime::UNIX_EPOCH + TimeDelta::from_std(began.elapsed()).unwrap_or_default();
        let waits = Waits {
            connection: "acme".to_owned(),
            tell: move |event: &Event| {
                let event = serde_json::to_string(event).unwrap();
                log.lock().unwrap().push(event);
            },
            clock: Clock::of(now),
            told: None,
        };
        let (hold, follows) = watch::channel(None);
        let following = tokio::spawn(waits.follow(follows));
        tokio::time::sleep(Duration::from_secs(1)).await;
        for seconds in [150, 170] {
            let until = DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds);
            let wait = Hold {
                until,
                by_server: false,
            };
            hold.send_replace(Some(wait));
            tokio::task::yield_now().await;
        }
        tokio::time::sleep(Duration::from_secs(149)).await;
        hold.send_replace(None);
        tokio::time::sleep(Duration::from_mins(5)).await;
        drop(hold);
        following.await.unwrap();
        insta::assert_snapshot!(told.lock().unwrap().join("\n"));
    }
}

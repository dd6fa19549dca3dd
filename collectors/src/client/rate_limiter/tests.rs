use std::path::PathBuf;
use std::sync::Mutex;

use headwater_store::Store;
use headwater_store::ledger::Window;
use headwater_testing::small_server::{SmallServer, answer, ok};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::super::{Auth, Client, Settings};
use super::*;
use crate::error::RequestErrorKind;

const MINUTE: Duration = Duration::from_mins(1);

/// A world whose clock moves only when every client waits for its pace, so that nothing depends on
/// how fast the machine is, though requests are real ones.
struct World {
    folder: TempDir,
    server: SmallServer,
    began: Instant,
    /// When requests arrived at the server, since the beginning.
    arrived: Arc<Mutex<Vec<Duration>>>,
    /// How many of them were refused.
    refused: Arc<AtomicUsize>,
    clients: Vec<Sending>,
    // While this runs the runtime leaves the clock alone.
    _still: std::sync::mpsc::Sender<()>,
}

/// A client that always has more to ask.
struct Sending {
    rate_limiter: RateLimiter,
    tasks: Vec<JoinHandle<()>>,
}

/// Requests that each client has under way at the same time.
const AT_ONCE: usize = 3;

impl World {
    /// A server that allows so many requests in any hour.
    async fn new(limit: usize) -> Self {
        Self::answering(move |place, now, arrived| {
            let hour_ago = now.checked_sub(HOUR);
            let in_hour = arrived[..place].iter().filter(|&&at| Some(at) > hour_ago);
            if in_hour.count() < limit {
                ok("{}")
            } else {
                answer(429, &[], b"Rate limit for this resource has been exceeded")
            }
        })
        .await
    }

    /// A server that decides by the number of requests before, the time, and all arrivals.
    async fn answering(
        answers: impl Fn(usize, Duration, &[Duration]) -> Option<Vec<u8>> + Send + Sync + 'static,
    ) -> Self {
        let (still, wait) = std::sync::mpsc::channel::<()>();
        tokio::task::spawn_blocking(move || wait.recv());
        tokio::time::pause();
        let began = Instant::now();
        let arrived: Arc<Mutex<Vec<Duration>>> = Arc::default();
        let refused: Arc<AtomicUsize> = Arc::default();
        let (log, refusals) = (Arc::clone(&arrived), Arc::clone(&refused));
        let server = SmallServer::start(move |_, _| {
            let mut log = log.lock().unwrap();
            let now = began.elapsed();
            log.push(now);
            let answer = answers(log.len() - 1, now, &log);
            if answer
                .as_ref()
                .is_some_and(|a| a.starts_with(b"HTTP/1.1 429"))
            {
                refusals.fetch_add(1, Ordering::Relaxed);
            }
            answer
        });
        let world = Self {
            folder: tempfile::tempdir().unwrap(),
            server: server.await,
            began,
            arrived,
            refused,
            clients: Vec::new(),
            _still: still,
        };
        headwater_testing::migrated_sqlite(&world.database()).await;
        world
    }

    async fn store(&self) -> Store {
        Store::open_sqlite(&self.database()).await.unwrap()
    }

    fn database(&self) -> PathBuf {
        self.folder.path().join("ledger.db")
    }

    /// A pace as a process that begins now makes it.
    async fn rate_limiter(&self, limit: u32) -> RateLimiter {
        let ledger = self.store().await.ledger(Window::HOUR).await.unwrap();
        let began = self.began;
        let now = move || {
            let epoch = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
            epoch + TimeDelta::from_std(began.elapsed()).unwrap()
        };
        RateLimiter::recorded(limit, ledger, "me".to_owned(), now)
    }

    fn client(&self, rate_limiter: &RateLimiter) -> Client {
        let settings = Settings {
            connection: "acme".to_owned(),
            endpoint: self.server.endpoint.clone(),
            dialect: crate::bitbucket::DIALECT,
            auth: Auth::None,
            rate_limiter: rate_limiter.clone(),
            refusal: crate::client::Refusal::default(),
            concurrency: AT_ONCE,
            largest_answer: 1 << 20,
            connect_timeout: MINUTE,
            read_timeout: MINUTE,
            total_timeout: MINUTE,
            proxy: None,
            authorities: Vec::new(),
        };
        Client::new(settings).unwrap()
    }

    /// Starts a client that asks and asks.
    async fn start(&mut self, limit: u32) {
        let rate_limiter = self.rate_limiter(limit).await;
        self.start_with(rate_limiter);
    }

    fn start_with(&mut self, rate_limiter: RateLimiter) {
        let client = self.client(&rate_limiter);
        let tasks = (0..AT_ONCE).map(|_| {
            let client = client.clone();
            tokio::spawn(async move {
                let cancel = CancellationToken::new();
                loop {
                    let url = client.endpoint().clone();
                    client.get(&url, &cancel, |_| Ok(())).await.unwrap();
                }
            })
        });
        let tasks = tasks.collect();
        self.clients.push(Sending {
            rate_limiter,
            tasks,
        });
    }

    /// Ends a client as a finished run does.
    async fn end(&mut self) {
        let rate_limiter = self.kill();
        rate_limiter.close().await.unwrap();
    }

    /// Ends a client as a kill does.
    fn kill(&mut self) -> RateLimiter {
        let Sending {
            rate_limiter,
            tasks,
        } = self.clients.remove(0);
        for task in tasks {
            task.abort();
        }
        rate_limiter
    }

    /// Lets time pass.
    async fn pass(&self, time: Duration) {
        let until = Instant::now() + time;
        while Instant::now() < until {
            self.settle().await;
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        self.settle().await;
    }

    /// Returns when every client waits.
    async fn settle(&self) {
        // Whoever was woken a moment ago gets going first.
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        for client in &self.clients {
            while client.rate_limiter.waiting() < AT_ONCE {
                assert!(client.tasks.iter().all(|task| !task.is_finished()));
                tokio::task::yield_now().await;
            }
        }
    }

    fn arrived_between(&self, from: Duration, to: Duration) -> usize {
        let arrived = self.arrived.lock().unwrap();
        let within = arrived.iter().filter(|&&at| from <= at && at < to);
        within.count()
    }

    /// Most arrivals in any hour, had each request been under way for up to half a minute.
    fn most_in_an_hour(&self) -> usize {
        let arrived = self.arrived.lock().unwrap();
        let late =
            |(number, at): (u32, &Duration)| *at + Duration::from_millis(7919) * (number % 4);
        let mut late: Vec<Duration> = (0..).zip(arrived.iter()).map(late).collect();
        late.sort_unstable();
        let in_hour = |(place, &last): (usize, &Duration)| {
            let first = late.partition_point(|&at| at + HOUR <= last);
            place + 1 - first
        };
        late.iter().enumerate().map(in_hour).max().unwrap_or(0)
    }

    fn refused(&self) -> usize {
        self.refused.load(Ordering::Relaxed)
    }
}

#[tokio::test]
async fn a_rolling_hour_is_used_to_95_percent_and_never_exceeded_across_restarts() {
    const LIMIT: u32 = 240;
    let mut world = World::new(LIMIT as usize).await;
    world.start(LIMIT).await;
    world.pass(100 * MINUTE).await;
    world.end().await;
    world.start(LIMIT).await;
    world.pass(50 * MINUTE).await;
    world.kill();
    // Two processes share what is left.
    world.start(LIMIT).await;
    world.start(LIMIT).await;
    world.pass(150 * MINUTE).await;
    assert_eq!(world.refused(), 0, "not one 429");
    assert!(world.most_in_an_hour() <= LIMIT as usize);
    for (from, to) in [(0, 300), (60, 300), (120, 300)] {
        let used = world.arrived_between(from * MINUTE, to * MINUTE);
        let whole = (to - from) * LIMIT / 60;
        assert!(
            used * 100 >= whole as usize * 95,
            "{used} of {whole} from minute {from}"
        );
    }
}

#[tokio::test]
async fn a_refusal_for_too_many_requests_pauses_every_request_of_the_credential() {
    // The server lies about its limit: it refuses the fifth request and for a minute all others.
    let mut world = World::answering(|number, now, arrived| {
        let refused = arrived.get(4).is_some_and(|&fifth| now < fifth + MINUTE);
        match number {
            0..4 => ok("{}"),
            _ if refused => answer(429, &["retry-after: 60"], b"too many"),
            _ => ok("{}"),
        }
    })
    .await;
    world.start(1_000).await;
    let hold = world.clients[0].rate_limiter.hold();
    world.settle().await;
    // What was under way at that moment is refused too; nothing else is sent.
    let refused = world.refused();
    assert!((1..=AT_ONCE).contains(&refused), "{refused}");
    let told = hold.borrow().unwrap();
    assert!(told.by_server);
    assert_eq!(told.until.timestamp(), 1_790_000_060);
    world.pass(59 * Duration::from_secs(1)).await;
    assert_eq!(world.arrived_between(Duration::ZERO, MINUTE), 4 + refused);
    world.pass(Duration::from_secs(2)).await;
    assert_eq!(world.refused(), refused);
    assert!(world.arrived_between(MINUTE, HOUR) > 100);
    assert_eq!(*hold.borrow(), None);
}

/// Requests in an hour of a client that may send 240, as the server names another limit.
async fn sent_under(told: &'static str) -> usize {
    let mut world = World::answering(move |_, _, _| answer(200, &[told], b"{}")).await;
    world.start(240).await;
    world.pass(60 * MINUTE).await;
    world.arrived_between(Duration::ZERO, HOUR)
}

#[tokio::test]
async fn a_lower_limit_that_the_server_tells_is_respected() {
    let sent = sent_under("x-ratelimit-limit: 120").await;
    assert!((114..=120).contains(&sent), "{sent}");
}

#[tokio::test]
async fn a_higher_limit_that_the_server_tells_changes_nothing() {
    let sent = sent_under("x-ratelimit-limit: 5000").await;
    assert!((228..=240).contains(&sent), "{sent}");
}

#[tokio::test]
async fn near_the_limit_requests_slow_down_and_what_others_use_is_left_to_them() {
    let near = "x-ratelimit-nearlimit: true";
    let mut world = World::answering(move |_, now, _| {
        let header = if now < 30 * MINUTE { near } else { "x-a: b" };
        answer(200, &[header], b"{}")
    })
    .await;
    world.start(240).await;
    world.pass(30 * MINUTE).await;
    // The ledger knows of little, so another client uses the credential: half of 120.
    let sent = world.arrived_between(Duration::ZERO, 30 * MINUTE);
    assert!((50..=65).contains(&sent), "{sent}");
}

#[tokio::test]
async fn near_the_limit_by_ones_own_doing_the_whole_hour_is_still_used() {
    let near = |used: usize| match used {
        0..192 => "x-ratelimit-nearlimit: false",
        _ => "x-ratelimit-nearlimit: true",
    };
    let mut world = World::answering(move |place, now, arrived| {
        let hour_ago = now.checked_sub(HOUR);
        let in_hour = arrived[..place].iter().filter(|&&at| Some(at) > hour_ago);
        answer(200, &[near(in_hour.count())], b"{}")
    })
    .await;
    world.start(240).await;
    world.pass(246 * MINUTE).await;
    let used = world.arrived_between(Duration::ZERO, 246 * MINUTE);
    assert!(used * 100 >= 246 * 4 * 95, "{used}");
}

#[tokio::test]
async fn nothing_is_sent_while_the_server_says_that_nothing_remains() {
    let mut world = World::answering(|number, _, _| match number {
        9 => answer(
            200,
            &["x-ratelimit-remaining: 0", "x-ratelimit-reset: 300"],
            b"{}",
        ),
        _ => answer(
            200,
            &["x-ratelimit-remaining: 9", "x-ratelimit-reset: 300"],
            b"{}",
        ),
    })
    .await;
    world.start(1_000).await;
    world.pass(4 * MINUTE).await;
    let sent = world.arrived_between(Duration::ZERO, 5 * MINUTE);
    assert!(sent < 10 + AT_ONCE, "{sent}");
    world.pass(2 * MINUTE).await;
    assert!(world.arrived_between(5 * MINUTE, HOUR) > 100);
}

#[tokio::test]
async fn whoever_waits_for_the_budget_is_told_until_when_and_can_be_cancelled() {
    let world = World::new(10).await;
    let rate_limiter = world.rate_limiter(10).await;
    let client = world.client(&rate_limiter);
    let cancel = CancellationToken::new();
    let url = client.endpoint().clone();
    for _ in 0..5 {
        client.get(&url, &cancel, |_| Ok(())).await.unwrap();
    }
    let other = world.rate_limiter(5).await;
    assert_eq!(other.budget().await.unwrap().unwrap().used(), 5);
    rate_limiter.at_most(5);
    let sixth = client.get(&url, &cancel, |_| Ok(()));
    let cancelled = async {
        while rate_limiter.waiting() == 0 {
            tokio::task::yield_now().await;
        }
        tokio::time::advance(6 * MINUTE).await;
        let mut hold = rate_limiter.hold();
        let told = hold.wait_for(Option::is_some).await.unwrap().unwrap();
        assert!(!told.by_server);
        let minutes = (told.until.timestamp() - 1_790_000_000) / 60;
        assert!((60..=62).contains(&minutes), "{minutes}");
        cancel.cancel();
    };
    let (error, ()) = tokio::join!(sixth, cancelled);
    assert_eq!(error.unwrap_err().kind, RequestErrorKind::Cancelled);
}

#[tokio::test]
async fn a_redirect_counts_as_a_request() {
    let world = World::answering(|number, _, _| match number {
        0 => answer(301, &["location: /2.0/new"], b""),
        _ => ok("{}"),
    })
    .await;
    let rate_limiter = world.rate_limiter(100).await;
    let client = world.client(&rate_limiter);
    let url = client.endpoint().clone();
    for _ in 0..3 {
        let cancel = CancellationToken::new();
        client.get(&url, &cancel, |_| Ok(())).await.unwrap();
    }
    let used = rate_limiter.budget().await.unwrap().unwrap().used();
    assert_eq!((used, world.arrived.lock().unwrap().len()), (4, 4));
}

#[tokio::test]
async fn each_hop_of_a_redirect_waits_for_the_limit_and_a_killed_process_owes_nothing() {
    let world = World::answering(|number, _, _| match number % 6 {
        5 => ok("{}"),
        _ => answer(302, &[&format!("location: /2.0/{number}")], b""),
    })
    .await;
    // Each process reads one address, and is killed: it gives nothing back.
    for _ in 0..20 {
        let rate_limiter = world.rate_limiter(50).await;
        let client = world.client(&rate_limiter);
        let url = client.endpoint().clone();
        let reading = tokio::spawn(async move {
            let cancel = CancellationToken::new();
            client.get(&url, &cancel, |_| Ok(())).await
        });
        while !reading.is_finished() && rate_limiter.waiting() == 0 {
            tokio::task::yield_now().await;
        }
        reading.abort();
    }
    let arrived = world.arrived.lock().unwrap().len();
    assert!((45..=50).contains(&arrived), "{arrived} requests of 50");
}

#[tokio::test]
async fn without_a_database_the_hour_of_this_process_is_kept() {
    let mut world = World::new(100).await;
    world.start_with(RateLimiter::per_hour(100, Utc::now));
    world.pass(150 * MINUTE).await;
    assert_eq!(world.refused(), 0);
    assert!(world.arrived_between(Duration::ZERO, 150 * MINUTE) > 220);
}

#[tokio::test(start_paused = true)]
async fn a_pace_by_the_second_saves_a_burst_up_and_remembers_nothing() {
    let rate_limiter = RateLimiter::per_second(5, 60, Utc::now);
    let began = Instant::now();
    for _ in 0..60 {
        rate_limiter.permit().await.unwrap();
    }
    assert_eq!(began.elapsed(), Duration::ZERO);
    for _ in 0..50 {
        rate_limiter.permit().await.unwrap();
    }
    let seconds = began.elapsed().as_secs_f64();
    assert!((9.9..=10.5).contains(&seconds), "{seconds}");
    assert_eq!(rate_limiter.budget().await.unwrap(), None);
}

#[tokio::test]
async fn the_time_that_the_budget_makes_of_requests_is_right_within_a_tenth_over_hours() {
    const LIMIT: u32 = 240;
    let mut world = World::new(LIMIT as usize).await;
    for (idle, requests) in [(0, 200), (0, 700), (25, 400), (90, 150)] {
        world.pass(idle * MINUTE).await;
        world.start(LIMIT).await;
        let budget = world.clients[0]
            .rate_limiter
            .budget()
            .await
            .unwrap()
            .unwrap();
        let estimated = Duration::from_secs(budget.seconds(requests));
        let (from, before) = (world.began.elapsed(), world.arrived.lock().unwrap().len());
        let sent = |world: &World| (world.arrived.lock().unwrap().len() - before) as u64;
        while sent(&world) < requests {
            world.pass(MINUTE).await;
        }
        world.end().await;
        let took = world.began.elapsed().checked_sub(from).unwrap();
        // The world is looked at once a minute, and a grant may be a minute old.
        let apart = took.abs_diff(estimated);
        assert!(
            apart <= (took / 10).max(2 * MINUTE),
            "{estimated:?} estimated, {took:?} needed"
        );
    }
}

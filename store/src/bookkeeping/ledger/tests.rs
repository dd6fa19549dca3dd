use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

/// An hour of six seconds, in the proportions of the real one.
const SHORT: Window = Window {
    length: Duration::from_secs(6),
    bucket: Duration::from_millis(100),
    slack: Duration::from_millis(50),
};

const CREDENTIAL: &str = "me";

struct Fresh {
    store: Store,
    /// Removed when dropped.
    folder: TempDir,
}

impl Fresh {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        headwater_testing::migrated_sqlite(&path).await;
        let store = Store::open_sqlite(&path).await.unwrap();
        Self { store, folder }
    }

    async fn ledger(&self, window: Window) -> Ledger {
        self.store.ledger(window).await.unwrap()
    }
}

fn at(millis: i64) -> DateTime<Utc> {
    time(1_790_000_000_000 + millis)
}

async fn take(ledger: &Ledger, requests: u32, limit: u32, millis: i64) -> Taken {
    let wanted = RequestQuota {
        credential: CREDENTIAL,
        requests,
        limit,
    };
    ledger.take(wanted, at(millis)).await.unwrap()
}

fn granted(taken: Taken) -> u32 {
    match taken {
        Taken::Granted(grant) => grant.requests,
        Taken::Exhausted(_) => 0,
    }
}

#[tokio::test]
async fn what_is_granted_counts_until_its_minute_has_left_the_hour() {
    let fresh = Fresh::new().await;
    let ledger = fresh.ledger(Window::HOUR).await;
    let minute = 60_000;
    let begin = Window::HOUR.begin(at(0).timestamp_millis()) - at(0).timestamp_millis();
    assert_eq!(granted(take(&ledger, 8, 10, begin).await), 8);
    assert_eq!(granted(take(&ledger, 8, 10, begin + minute).await), 2);
    let until = Taken::Exhausted(at(begin + 61 * minute + minute / 2));
    for later in [minute, 30 * minute, 61 * minute] {
        assert_eq!(take(&ledger, 1, 10, begin + later).await, until, "{later}");
    }
    let free = begin + 61 * minute + minute / 2;
    assert_eq!(granted(take(&ledger, 100, 10, free).await), 8);
}

#[tokio::test]
async fn what_is_given_back_can_be_granted_again() {
    let fresh = Fresh::new().await;
    let ledger = fresh.ledger(Window::HOUR).await;
    let Taken::Granted(grant) = take(&ledger, 10, 10, 0).await else {
        panic!("nothing granted");
    };
    assert_eq!(grant.used, 10);
    ledger.give_back(CREDENTIAL, grant.bucket, 4).await.unwrap();
    assert_eq!(ledger.used(CREDENTIAL, at(0)).await.unwrap(), 6);
    assert_eq!(granted(take(&ledger, 10, 10, 0).await), 4);
    // More than was granted is a mistake of a client and unlocks nothing.
    ledger
        .give_back(CREDENTIAL, grant.bucket, 11)
        .await
        .unwrap();
    assert_eq!(granted(take(&ledger, 1, 10, 0).await), 0);
}

#[tokio::test]
async fn credentials_do_not_share_their_hours() {
    let fresh = Fresh::new().await;
    let ledger = fresh.ledger(Window::HOUR).await;
    assert_eq!(granted(take(&ledger, 10, 10, 0).await), 10);
    let other = RequestQuota {
        credential: "you",
        requests: 10,
        limit: 10,
    };
    assert_eq!(granted(ledger.take(other, at(0)).await.unwrap()), 10);
}

#[tokio::test]
async fn a_lower_limit_holds_for_what_was_sent_before_it() {
    let fresh = Fresh::new().await;
    let ledger = fresh.ledger(SHORT).await;
    for bucket in 0..10 {
        assert_eq!(granted(take(&ledger, 10, 100, bucket * 100).await), 10);
    }
    // 100 were sent; under a limit of 35 one more may go when seven buckets have left.
    let Taken::Exhausted(until) = take(&ledger, 1, 35, 1000).await else {
        panic!("granted beyond the limit");
    };
    assert_eq!(until, at(6 * 100 + 100 + 6000 + 50));
    assert_eq!(granted(ledger_take_at(&ledger, until, 35).await), 5);
}

async fn ledger_take_at(ledger: &Ledger, now: DateTime<Utc>, limit: u32) -> Taken {
    let wanted = RequestQuota {
        credential: CREDENTIAL,
        requests: limit,
        limit,
    };
    ledger.take(wanted, now).await.unwrap()
}

#[tokio::test]
async fn a_clock_that_jumps_back_unlocks_nothing() {
    let fresh = Fresh::new().await;
    let ledger = fresh.ledger(SHORT).await;
    assert_eq!(granted(take(&ledger, 10, 10, 100_000).await), 10);
    for back in [99_950, 99_000, 94_000] {
        assert_eq!(granted(take(&ledger, 1, 10, back).await), 0, "{back}");
    }
    // Far back, as when the clock was wrong before: it all counts as sent now, for one window.
    assert_eq!(granted(take(&ledger, 1, 10, 0).await), 0);
    assert_eq!(granted(take(&ledger, 1, 10, 6000).await), 0);
    assert_eq!(granted(take(&ledger, 10, 10, 6150).await), 10);
}

#[tokio::test]
async fn minutes_that_left_long_ago_are_forgotten() {
    let fresh = Fresh::new().await;
    let ledger = fresh.ledger(SHORT).await;
    for second in 0..60 {
        take(&ledger, 1, 10, second * 1000).await;
    }
    let rows = fresh
        .store
        .count("SELECT COUNT(*) FROM _headwater_requests", Vec::new());
    assert!(rows.await.unwrap() <= 14);
}

#[tokio::test]
async fn a_salt_is_made_once_for_a_database() {
    let fresh = Fresh::new().await;
    let first = fresh.ledger(SHORT).await;
    assert_eq!(first.salt().len(), 32);
    assert_eq!(fresh.ledger(SHORT).await.salt(), first.salt());
    assert_ne!(Fresh::new().await.ledger(SHORT).await.salt(), first.salt());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn processes_that_ask_at_the_same_time_get_no_more_than_there_is() {
    let fresh = Fresh::new().await;
    let path = fresh.folder.path().join("ledger.db");
    let asking = (0..4).map(|_| {
        let path = path.clone();
        tokio::spawn(async move {
            // A store of its own is what another process has.
            let store = Store::open_sqlite(&path).await.unwrap();
            let ledger = store.ledger(Window::HOUR).await.unwrap();
            let mut sum = 0;
            for _ in 0..50 {
                sum += granted(take(&ledger, 3, 100, 0).await);
            }
            sum
        })
    });
    let mut sum = 0;
    for asked in asking.collect::<Vec<_>>() {
        sum += asked.await.unwrap();
    }
    assert_eq!(sum, 100);
}

/// What a user of the ledger does next.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// Time passes, in milliseconds.
    Pass(i64),
    /// The clock of the machine is set back, in milliseconds.
    SetBack(i64),
    /// A process sends what it may, up to so many.
    Send { process: usize, requests: u32 },
    /// A process ends and gives back what it holds.
    End { process: usize },
    /// A process is killed.
    Kill { process: usize },
}

fn step() -> impl Strategy<Value = Step> {
    let process = 0usize..3;
    prop_oneof![
        4 => (1i64..400).prop_map(Step::Pass),
        1 => (400i64..7000).prop_map(Step::Pass),
        1 => (1i64..9000).prop_map(Step::SetBack),
        6 => (process.clone(), 1u32..40)
            .prop_map(|(process, requests)| Step::Send { process, requests }),
        1 => process.clone().prop_map(|process| Step::End { process }),
        1 => process.prop_map(|process| Step::Kill { process }),
    ]
}

/// Processes that share a credential, as the client's pace uses the ledger.
struct Processes<'a> {
    ledger: &'a Ledger,
    limit: u32,
    held: [Option<Grant>; 3],
    /// How far the clock was set back, in milliseconds.
    back: i64,
    /// When requests arrived at the server, in milliseconds, each up to the slack late.
    arrived: Vec<i64>,
}

impl Processes<'_> {
    async fn send(&mut self, process: usize, requests: u32, now: i64) {
        for request in 0..requests {
            if !self.may_send(process, now).await {
                return;
            }
            let late = i64::from(request * 7) % millis(SHORT.slack);
            self.arrived.push(now + late);
        }
    }

    async fn may_send(&mut self, process: usize, now: i64) -> bool {
        let now = now - self.back;
        let bucket = SHORT.begin(at(now).timestamp_millis());
        if self.held[process].is_some_and(|grant| grant.bucket != bucket || grant.requests == 0) {
            self.end(process).await;
        }
        if self.held[process].is_none()
            && let Taken::Granted(grant) = take(self.ledger, self.limit / 20, self.limit, now).await
        {
            self.held[process] = Some(grant);
        }
        match &mut self.held[process] {
            Some(grant) => {
                grant.requests -= 1;
                true
            }
            None => false,
        }
    }

    async fn end(&mut self, process: usize) {
        if let Some(grant) = self.held[process].take() {
            let given = self
                .ledger
                .give_back(CREDENTIAL, grant.bucket, grant.requests);
            given.await.unwrap();
        }
    }

    /// Most requests that any window of the server held.
    fn most(&mut self) -> usize {
        self.arrived.sort_unstable();
        let window = millis(SHORT.length);
        let in_window = |(place, &last): (usize, &i64)| {
            let first = self.arrived.partition_point(|&at| at <= last - window);
            place + 1 - first
        };
        self.arrived
            .iter()
            .enumerate()
            .map(in_window)
            .max()
            .unwrap_or(0)
    }
}

async fn play(steps: &[Step], limit: u32) -> usize {
    let fresh = Fresh::new().await;
    let ledger = fresh.ledger(SHORT).await;
    let mut processes = Processes {
        ledger: &ledger,
        limit,
        held: [None; 3],
        back: 0,
        arrived: Vec::new(),
    };
    let mut now = 0;
    for step in steps {
        match *step {
            Step::Pass(time) => now += time,
            Step::SetBack(time) => processes.back += time,
            Step::Send { process, requests } => processes.send(process, requests, now).await,
            Step::End { process } => processes.end(process).await,
            Step::Kill { process } => processes.held[process] = None,
        }
    }
    processes.most()
}

/// Requests sent over ten windows by whoever always has more to send, restarted now and then.
async fn used_by_the_greedy(limit: u32, restarts: &[i64]) -> usize {
    let fresh = Fresh::new().await;
    let ledger = fresh.ledger(SHORT).await;
    let mut processes = Processes {
        ledger: &ledger,
        limit,
        held: [None; 3],
        back: 0,
        arrived: Vec::new(),
    };
    for now in (0..60_000).step_by(25) {
        let process = usize::try_from(now / 25 % 2).unwrap();
        if restarts.iter().any(|&restart| restart / 25 == now / 25) {
            processes.end(process).await;
        }
        processes.send(process, limit, now).await;
    }
    processes.arrived.len()
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(future)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn no_window_ever_holds_more_than_the_limit(
        steps in prop::collection::vec(step(), 1..150),
        limit in 20u32..120,
    ) {
        prop_assert!(block_on(play(&steps, limit)) <= usize::try_from(limit).unwrap());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]

    #[test]
    fn whoever_always_has_more_to_send_can_use_95_percent_across_restarts(
        limit in 20u32..200,
        restarts in prop::collection::vec(0i64..60_000, 0..8),
    ) {
        let used = block_on(used_by_the_greedy(limit, &restarts));
        let whole = usize::try_from(limit * 10).unwrap();
        prop_assert!(used * 100 >= whole * 95, "{used} of {whole}");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn after_a_start_of_the_machine_its_wall_clock_tells_what_passed() {
    let fresh = Fresh::new().await;
    let hour = 3_600_000;
    for (told, expected) in [(3 * hour, 10), (-3 * hour, 0), (hour / 2, 0)] {
        let text = "DELETE FROM _headwater_requests";
        fresh.store.execute(text, Vec::new()).await.unwrap();
        let text = "DELETE FROM _headwater_credentials";
        fresh.store.execute(text, Vec::new()).await.unwrap();
        let ledger = fresh.ledger(Window::HOUR).await.in_steady_time();
        assert_eq!(granted(take(&ledger, 10, 10, 0).await), 10);
        let text = "UPDATE _headwater_credentials SET machine = 'before', uptime = 1";
        fresh.store.execute(text, Vec::new()).await.unwrap();
        assert_eq!(
            granted(take(&ledger, 10, 10, told).await),
            expected,
            "{told}"
        );
    }
}

//! Faults on a schedule.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Fault, OnRequest};
use crate::requests::RequestRecord;

/// Which requests a fault hits. Conditions add up.
///
/// ```
/// use headwater_simulator::When;
///
/// // Of the pages after the first one of pull request lists, from the hundredth request on, a
/// // tenth; each of them twice running, and five requests altogether.
/// let when = When::share(0.1).on("/pullrequests").continuation().from_request(100).lasting(2).at_most(5);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct When {
    share: Option<f64>,
    part: String,
    below: String,
    continuation: bool,
    from: u64,
    at_most: u64,
    lasting: u64,
}

impl When {
    /// Every request there is, again and again. Narrow it down, or no request ever succeeds.
    #[must_use]
    pub fn always() -> When {
        When {
            share: None,
            part: String::new(),
            below: String::new(),
            continuation: false,
            from: 1,
            at_most: u64::MAX,
            lasting: 1,
        }
    }

    /// A share (0 to 1) of the requests. Which ones follows from the plan's seed, the address and
    /// how often it was asked for, not from the order of arrival. A request that was hit is spared
    /// the next time, by all shares of the plan: who tries again succeeds.
    #[must_use]
    pub fn share(share: f64) -> When {
        When {
            share: Some(share),
            ..When::always()
        }
    }

    /// The first so many requests that meet the conditions, one after the other.
    #[must_use]
    pub fn first(times: u64) -> When {
        When::always().at_most(times)
    }

    /// Only requests with this in path or query, as in `/2.0/repositories/...?page=2`.
    #[must_use]
    pub fn on(mut self, part: &str) -> When {
        part.clone_into(&mut self.part);
        self
    }

    /// Only this path and all below it: `/2.0/repositories/acme/api` with its pull requests, but
    /// not `/2.0/repositories/acme/api-docs`.
    #[must_use]
    pub fn below(mut self, path: &str) -> When {
        path.trim_end_matches('/').clone_into(&mut self.below);
        self
    }

    /// Only pages after the first one.
    #[must_use]
    pub fn continuation(mut self) -> When {
        self.continuation = true;
        self
    }

    /// Only from the n-th request on, counted from 1 since the plan began.
    #[must_use]
    pub fn from_request(mut self, number: u64) -> When {
        self.from = number;
        self
    }

    /// So many requests at most.
    #[must_use]
    pub fn at_most(mut self, times: u64) -> When {
        self.at_most = times;
        self
    }

    /// A request that a share hits is hit so many times running before it is spared.
    #[must_use]
    pub fn lasting(mut self, times: u64) -> When {
        self.lasting = times.max(1);
        self
    }

    fn admits(&self, number: u64, target: &str, request: &RequestRecord) -> bool {
        number >= self.from
            && target.contains(&self.part)
            && request
                .path
                .strip_prefix(&self.below)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            && (!self.continuation || request.is_continuation())
    }
}

/// Faults and the requests they hit, decided by a seed.
///
/// Of several rules that hit the same request the one given first wins; [`Fault::Together`] makes
/// them coincide.
///
/// ```
/// use headwater_simulator::{Fault, FaultPlan, When};
///
/// let plan = FaultPlan::seeded(7)
///     .every(0.05, Fault::status(503))                       // one in twenty, gone when retried
///     .once("/pullrequests", Fault::CutConnection)           // the first such request only
///     .times(2, "/comments", Fault::retry_after_seconds(0))  // the first two
///     .always("/acme/secret/", Fault::status(403))           // for good
///     .from_request(400, Fault::status(401))                 // everything from there on
///     .add(When::share(0.5).continuation().lasting(2), Fault::Hang);
/// let faults = plan.start();                                 // for Options or `set_faults`
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct FaultPlan {
    seed: u64,
    rules: Vec<(When, Fault)>,
}

impl FaultPlan {
    /// A plan without any fault. Equal seeds and rules give equal fates.
    #[must_use]
    pub fn seeded(seed: u64) -> FaultPlan {
        FaultPlan {
            seed,
            rules: Vec::new(),
        }
    }

    /// Adds a fault and when it strikes.
    #[must_use]
    pub fn add(mut self, when: When, fault: Fault) -> FaultPlan {
        self.rules.push((when, fault));
        self
    }

    /// A share of all requests; see [`When::share`].
    #[must_use]
    pub fn every(self, share: f64, fault: Fault) -> FaultPlan {
        self.add(When::share(share), fault)
    }

    /// The first request with this in its path or query.
    #[must_use]
    pub fn once(self, part: &str, fault: Fault) -> FaultPlan {
        self.times(1, part, fault)
    }

    /// The first so many requests with this in path or query.
    #[must_use]
    pub fn times(self, times: u64, part: &str, fault: Fault) -> FaultPlan {
        self.add(When::first(times).on(part), fault)
    }

    /// Every request with this in its path or query, for good.
    #[must_use]
    pub fn always(self, part: &str, fault: Fault) -> FaultPlan {
        self.add(When::always().on(part), fault)
    }

    /// Everything from the n-th request on, counted from 1 since the plan began, for good.
    #[must_use]
    pub fn from_request(self, number: u64, fault: Fault) -> FaultPlan {
        self.add(When::always().from_request(number), fault)
    }

    /// Whether the plan has no faults.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The plan in action, with its counts at zero.
    #[must_use]
    pub fn start(self) -> OnRequest {
        let given = vec![0; self.rules.len()];
        let progress = Mutex::new(Progress {
            given,
            ..Progress::default()
        });
        Arc::new(move |request| {
            let mut progress = progress.lock().unwrap_or_else(PoisonError::into_inner);
            self.decide(&mut progress, request)
        })
    }

    fn decide(&self, progress: &mut Progress, request: &RequestRecord) -> Option<Fault> {
        progress.seen += 1;
        let number = progress.seen;
        let target = request.target();
        let visit = progress.visits.entry(target.clone()).or_default();
        visit.count += 1;
        let spared = std::mem::take(&mut visit.spared);
        for (index, (when, fault)) in self.rules.iter().enumerate() {
            let given = &mut progress.given[index];
            if *given >= when.at_most
                || !when.admits(number, &target, request)
                || !fault.suits(request)
            {
                continue;
            }
            if let Some(share) = when.share {
                let goes_on = visit.running.filter(|(rule, _)| *rule == index);
                if goes_on.is_none()
                    && (spared
                        || visit.running.is_some()
                        || chance(self.seed, index, &target, visit.count) >= share)
                {
                    continue;
                }
                let left = goes_on.map_or(when.lasting, |(_, left)| left) - 1;
                let left = left.min(when.at_most - *given - 1);
                visit.running = (left > 0).then_some((index, left));
                visit.spared = left == 0;
            }
            *given += 1;
            return Some(fault.clone());
        }
        None
    }
}

/// What a plan has seen and done so far.
#[derive(Debug, Default)]
struct Progress {
    seen: u64,
    given: Vec<u64>,
    visits: HashMap<String, Visit>,
}

/// What happened to requests for one address.
#[derive(Debug, Default)]
struct Visit {
    count: u64,
    /// The last one was hit, and for the last time.
    spared: bool,
    /// The rule that goes on hitting it, and how many times more.
    running: Option<(usize, u64)>,
}

/// A number from 0 up to 1 that depends on everything given and looks like chance.
#[expect(
    clippy::cast_precision_loss,
    reason = "53 bits are what a float has room for"
)]
fn chance(seed: u64, rule: usize, target: &str, visit: u64) -> f64 {
    let mut state = seed ^ 0xcbf2_9ce4_8422_2325;
    let numbers = [rule as u64, visit].map(u64::to_le_bytes);
    for byte in target.bytes().chain(numbers.into_iter().flatten()) {
        state = (state ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    // The bits of the hash above are not even enough: mix them as splitmix64 does.
    state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^= state >> 31;
    (state >> 11) as f64 / (1_u64 << 53) as f64
}

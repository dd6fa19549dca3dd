//! Every fault there is, by name, so that a test can try them all.

use std::time::Duration;

use bytes::Bytes;
use chrono::TimeDelta;

use super::{Fault, FaultPlan, Loop, RetryForm, Shift, When};
use crate::behaviour::{Behaviour, RateLimit, Removed};
use crate::server::Simulator;

/// Everything that can go wrong, as documents and counts name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(
    missing_docs,
    reason = "`name` says what each is, `begin` what it does"
)]
pub enum FaultKind {
    RetryAfterSeconds,
    RetryAfterDate,
    TooManyRequests,
    TooManyRequestsText,
    Status500,
    Status502,
    Status503,
    Status555,
    Hang,
    Stall,
    CutBeforeHead,
    CutInBody,
    TruncatedJson,
    Garbage,
    WebPage,
    HugeBody,
    PackedHugeBody,
    NextToSamePage,
    NextToFirstPage,
    NextElsewhere,
    UnauthorizedMidRun,
    RemovedEndpoint,
    ForbiddenRepository,
    MissingRepository,
    ForbiddenContinuation,
    MissingContinuation,
    RollingHour,
    ShiftInsert,
    ShiftDelete,
    ShiftUpdate,
    ListsWithoutSize,
    ListsWithoutNext,
    SilentComments,
    SilentVerdicts,
    DateAhead,
    DateBehind,
}

/// How hard the faults of the catalogue strike. The default is made for a test with a tiny world.
#[derive(Clone, Debug, PartialEq)]
pub struct FaultSettings {
    /// Share (0 to 1) of the requests that transient faults hit.
    pub share: f64,
    /// The same among pages after the first one, of which there are few in a small world: for
    /// lists that shift and for continuation pages that are refused.
    pub continuation_share: f64,
    /// How many requests each transient fault hits at most.
    pub at_most: u64,
    /// What `Retry-After` says; whole seconds are sent, fractions rounded up.
    pub retry_after: Duration,
    /// Length of a huge body in bytes. The collectors read 64 MiB at most.
    pub huge_bytes: u64,
    /// Where a foreign `next` leads, `http://host:port`. Let something listen there to see that
    /// nothing arrives.
    pub elsewhere: String,
    /// The request from which on everything answers 401, counted since the plan began.
    pub unauthorized_from: u64,
    /// Which endpoint is removed: what its path contains.
    pub removed: String,
    /// Slug of the repository that is forbidden or missing; `None` for the oldest one.
    pub repository: Option<String>,
    /// The rolling limit.
    pub limit: RateLimit,
    /// How far `Date` is off. The collectors bear two minutes.
    pub skew: Duration,
}

impl Default for FaultSettings {
    /// A tenth of the requests and half of the continuation pages, no wait, 65 MiB, 60 seconds off, 20 requests in 200 milliseconds.
    fn default() -> FaultSettings {
        FaultSettings {
            share: 0.1,
            continuation_share: 0.5,
            at_most: u64::MAX,
            retry_after: Duration::ZERO,
            huge_bytes: 65 << 20,
            elsewhere: "http://127.0.0.1:9".to_owned(),
            unauthorized_from: 8,
            removed: "/comments".to_owned(),
            repository: None,
            limit: RateLimit::new(20, Duration::from_millis(200)),
            skew: Duration::from_mins(1),
        }
    }
}

const NAMES: [(FaultKind, &str); 36] = [
    (
        FaultKind::RetryAfterSeconds,
        "429 with Retry-After in seconds",
    ),
    (FaultKind::RetryAfterDate, "429 with Retry-After as a date"),
    (FaultKind::TooManyRequests, "429 without Retry-After"),
    (FaultKind::TooManyRequestsText, "429 as plain text"),
    (FaultKind::Status500, "status 500"),
    (FaultKind::Status502, "status 502"),
    (FaultKind::Status503, "status 503"),
    (FaultKind::Status555, "status 555"),
    (FaultKind::Hang, "no answer"),
    (FaultKind::Stall, "an answer that stalls"),
    (FaultKind::CutBeforeHead, "connection cut before the answer"),
    (FaultKind::CutInBody, "connection cut within the answer"),
    (FaultKind::TruncatedJson, "truncated JSON"),
    (FaultKind::Garbage, "garbage instead of JSON"),
    (FaultKind::WebPage, "a web page with status 200"),
    (FaultKind::HugeBody, "a huge body"),
    (FaultKind::PackedHugeBody, "a huge body, compressed"),
    (FaultKind::NextToSamePage, "next that leads to its own page"),
    (
        FaultKind::NextToFirstPage,
        "next that leads to the first page",
    ),
    (
        FaultKind::NextElsewhere,
        "next that leads to another origin",
    ),
    (FaultKind::UnauthorizedMidRun, "401 in the middle of a run"),
    (FaultKind::RemovedEndpoint, "410 with a change number"),
    (FaultKind::ForbiddenRepository, "403 on one repository"),
    (FaultKind::MissingRepository, "404 on one repository"),
    (
        FaultKind::ForbiddenContinuation,
        "403 on a continuation page",
    ),
    (FaultKind::MissingContinuation, "404 on a continuation page"),
    (FaultKind::RollingHour, "rolling-hour limit"),
    (
        FaultKind::ShiftInsert,
        "an item appears while its list is paged",
    ),
    (
        FaultKind::ShiftDelete,
        "an item disappears while its list is paged",
    ),
    (
        FaultKind::ShiftUpdate,
        "an item changes while its list is paged",
    ),
    (FaultKind::ListsWithoutSize, "lists without size"),
    (FaultKind::ListsWithoutNext, "lists without next"),
    (
        FaultKind::SilentComments,
        "comments that leave updated_on alone",
    ),
    (
        FaultKind::SilentVerdicts,
        "approvals that leave updated_on alone",
    ),
    (FaultKind::DateAhead, "Date ahead of the timestamps"),
    (FaultKind::DateBehind, "Date behind the timestamps"),
];

impl FaultKind {
    /// Every kind, in the order of the documents.
    #[must_use]
    pub fn all() -> Vec<FaultKind> {
        NAMES.iter().map(|(kind, _)| *kind).collect()
    }

    /// The stable name, as [`Simulator::faults_given`] counts it.
    #[must_use]
    pub fn name(self) -> &'static str {
        let found = NAMES.iter().find(|(kind, _)| *kind == self);
        found.map_or("", |(_, name)| name)
    }

    /// Whether a single request is hit, so that trying again helps.
    ///
    /// The others last until [`Simulator::behave`]: a credential that is refused, an endpoint or a
    /// repository that is gone, and ways in which the whole service behaves.
    #[must_use]
    pub fn is_transient(self) -> bool {
        self.fault(&FaultSettings::default()).is_some()
    }

    /// Whether it hides changes from those who only read what `updated_on` says has changed.
    #[must_use]
    pub fn hides_changes(self) -> bool {
        matches!(self, FaultKind::SilentComments | FaultKind::SilentVerdicts)
    }

    /// Lets the simulator misbehave in this way: at once where it is the way of the whole service,
    /// and by adding to the plan, which the caller starts, where requests are hit.
    ///
    /// Kinds combine: pass the plan through several of them. [`Simulator::behave`] ends them all.
    #[must_use = "faults that hit requests are in the plan that is returned"]
    pub fn begin(
        self,
        simulator: &Simulator,
        plan: FaultPlan,
        settings: &FaultSettings,
    ) -> FaultPlan {
        if let Some(fault) = self.fault(settings) {
            let when = if self.needs_continuation() {
                When::share(settings.continuation_share).continuation()
            } else {
                When::share(settings.share)
            };
            let when = when.at_most(settings.at_most);
            return plan.add(when, fault.named(self.name()));
        }
        match self {
            FaultKind::UnauthorizedMidRun => {
                let fault = Fault::status(401).named(self.name());
                return plan.from_request(settings.unauthorized_from, fault);
            }
            FaultKind::ForbiddenRepository | FaultKind::MissingRepository => {
                let status = if self == FaultKind::ForbiddenRepository {
                    403
                } else {
                    404
                };
                let fault = Fault::status(status).named(self.name());
                return match address(simulator, settings) {
                    Some(path) => plan.add(When::always().below(&path), fault),
                    None => plan,
                };
            }
            FaultKind::SilentComments | FaultKind::SilentVerdicts => {
                let mut world = simulator.world();
                let mut habits = world.habits().clone();
                habits.comments_move_updated_on &= self != FaultKind::SilentComments;
                habits.verdicts_move_updated_on &= self != FaultKind::SilentVerdicts;
                world.set_habits(habits);
            }
            _ => {
                let mut behaviour = simulator.behaviour();
                self.change(&mut behaviour, settings);
                simulator.set_behaviour(behaviour);
            }
        }
        plan
    }

    /// Whether only pages after the first one are hit.
    fn needs_continuation(self) -> bool {
        matches!(
            self,
            FaultKind::ForbiddenContinuation
                | FaultKind::MissingContinuation
                | FaultKind::ShiftInsert
                | FaultKind::ShiftDelete
                | FaultKind::ShiftUpdate
        )
    }

    /// What the kind makes of the service as a whole.
    fn change(self, behaviour: &mut Behaviour, settings: &FaultSettings) {
        let skew = TimeDelta::from_std(settings.skew).unwrap_or_default();
        match self {
            FaultKind::RemovedEndpoint => {
                behaviour.removed.push(Removed::new(&settings.removed));
            }
            FaultKind::RollingHour => behaviour.limit = Some(settings.limit.clone()),
            FaultKind::ListsWithoutSize => behaviour.without_size.push(String::new()),
            FaultKind::ListsWithoutNext => behaviour.without_next.push(String::new()),
            FaultKind::DateAhead => behaviour.date_skew = skew,
            FaultKind::DateBehind => behaviour.date_skew = -skew,
            _ => {}
        }
    }

    /// The fault for single requests; `None` where the kind is none of one request.
    fn fault(self, settings: &FaultSettings) -> Option<Fault> {
        let limited = |form| Fault::RateLimited(Some((form, settings.retry_after)));
        Some(match self {
            FaultKind::RetryAfterSeconds => limited(RetryForm::Seconds),
            FaultKind::RetryAfterDate => limited(RetryForm::Date),
            FaultKind::TooManyRequests => Fault::error(429, "Too many requests"),
            FaultKind::TooManyRequestsText => Fault::RateLimited(None),
            FaultKind::Status500 => Fault::status(500),
            FaultKind::Status502 => Fault::status(502),
            FaultKind::Status503 => Fault::status(503),
            FaultKind::Status555 => Fault::status(555),
            FaultKind::Hang => Fault::Hang,
            FaultKind::Stall => Fault::Stall,
            FaultKind::CutBeforeHead => Fault::CutBeforeHead,
            FaultKind::CutInBody => Fault::CutConnection,
            FaultKind::TruncatedJson => Fault::Truncate,
            FaultKind::Garbage => Fault::garbage(),
            FaultKind::WebPage => Fault::web_page(),
            FaultKind::HugeBody | FaultKind::PackedHugeBody => Fault::Huge {
                bytes: settings.huge_bytes,
                packed: self == FaultKind::PackedHugeBody,
            },
            FaultKind::NextToSamePage => Fault::NextLoops(Loop::SamePage),
            FaultKind::NextToFirstPage => Fault::NextLoops(Loop::FirstPage),
            FaultKind::NextElsewhere => Fault::NextElsewhere(settings.elsewhere.clone()),
            FaultKind::ForbiddenContinuation => Fault::status(403),
            FaultKind::MissingContinuation => Fault::status(404),
            FaultKind::ShiftInsert => Fault::Shift(Shift::Insert),
            FaultKind::ShiftDelete => Fault::Shift(Shift::Delete),
            FaultKind::ShiftUpdate => Fault::Shift(Shift::Update),
            _ => return None,
        })
    }

    /// The kind that a fault is an example of.
    pub(super) fn of(fault: &Fault) -> Option<FaultKind> {
        Some(match fault {
            Fault::Status(status, body, headers) => {
                return FaultKind::of_status(*status, body, headers);
            }
            Fault::Body(_, kind) if kind.contains("html") => FaultKind::WebPage,
            Fault::Body(_, kind) if kind.contains("json") => FaultKind::Garbage,
            Fault::RateLimited(None) => FaultKind::TooManyRequestsText,
            Fault::RateLimited(Some((RetryForm::Seconds, _))) => FaultKind::RetryAfterSeconds,
            Fault::RateLimited(Some((RetryForm::Date, _))) => FaultKind::RetryAfterDate,
            Fault::Hang => FaultKind::Hang,
            Fault::Stall => FaultKind::Stall,
            Fault::CutConnection => FaultKind::CutInBody,
            Fault::CutBeforeHead => FaultKind::CutBeforeHead,
            Fault::Truncate => FaultKind::TruncatedJson,
            Fault::Huge { packed: false, .. } => FaultKind::HugeBody,
            Fault::Huge { packed: true, .. } => FaultKind::PackedHugeBody,
            Fault::NextLoops(Loop::SamePage) => FaultKind::NextToSamePage,
            Fault::NextLoops(Loop::FirstPage) => FaultKind::NextToFirstPage,
            Fault::NextElsewhere(_) => FaultKind::NextElsewhere,
            Fault::Shift(Shift::Insert) => FaultKind::ShiftInsert,
            Fault::Shift(Shift::Delete) => FaultKind::ShiftDelete,
            Fault::Shift(Shift::Update) => FaultKind::ShiftUpdate,
            _ => return None,
        })
    }

    fn of_status(status: u16, body: &Bytes, headers: &[(String, String)]) -> Option<FaultKind> {
        let retry_after = headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("retry-after"))
            .map(|(_, value)| value.bytes().all(|byte| byte.is_ascii_digit()));
        match (status, retry_after) {
            (429, Some(true)) => Some(FaultKind::RetryAfterSeconds),
            (429, Some(false)) => Some(FaultKind::RetryAfterDate),
            (429, None) if body.starts_with(b"{") => Some(FaultKind::TooManyRequests),
            (429, None) => Some(FaultKind::TooManyRequestsText),
            (410, _) => Some(FaultKind::RemovedEndpoint),
            (500, _) => Some(FaultKind::Status500),
            (502, _) => Some(FaultKind::Status502),
            (503, _) => Some(FaultKind::Status503),
            (555, _) => Some(FaultKind::Status555),
            _ => None,
        }
    }
}

/// The path of one repository.
fn address(simulator: &Simulator, settings: &FaultSettings) -> Option<String> {
    let world = simulator.world();
    let slug = match &settings.repository {
        Some(slug) => slug,
        None => &world.repositories().first()?.slug,
    };
    Some(format!(
        "/2.0/repositories/{}/{slug}",
        world.workspace().slug
    ))
}

//! How the service as a whole behaves, apart from faults of single requests.

mod limit;

use chrono::TimeDelta;

pub use limit::{RateLimit, RateUse};

pub(crate) use limit::{Admission, Limiter};

use crate::fault::FaultKind;

/// Ways of the service that have been reported of some sites, endpoints or times. They may change
/// while it is served; the default is the usual service.
///
/// Lists of parts say where: a request is meant when its path contains one of them. The empty part
/// is in every path.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Behaviour {
    /// Numbered lists that do not tell their `size`.
    pub without_size: Vec<String>,
    /// Numbered lists without `next`, as `/pipelines/` was: ask for the next number until a page
    /// is empty. Pages after the last one are empty there and no error.
    pub without_next: Vec<String>,
    /// Numbered lists whose order is another one at every request.
    pub unstable_order: Vec<String>,
    /// Numbered lists whose `next` repeats nothing of the request but the length of pages, as was
    /// reported of `/pipelines/`.
    pub forgetful_next: Vec<String>,
    /// Numbered lists whose last page has a `next`, too, with that page again.
    pub endless: Vec<String>,
    /// Short names of repositories that the credentials do not see (any more): they are left out
    /// of lists, and answer 404. The empty name means all of them.
    pub hidden: Vec<String>,
    /// The list of branches and tags together writes branches in another way than their own list.
    pub refs_differ: bool,
    /// Pipelines whose number is a multiple of this one wait for a person and never end.
    pub unending_pipelines: Option<u64>,
    /// Status of the lists of pipelines, deployments and environments in repositories without
    /// pipelines, which then are all of them; none where pipelines are switched on.
    pub pipelines_off: Option<PipelinesOff>,
    /// Every item has members that the API's description marks as secret, with other values at
    /// each request. All values contain [`SECRET`].
    pub secrets: bool,
    /// Answers have the members that `fields` leaves out.
    pub ignores_fields: bool,
    /// Endpoints that are gone.
    pub removed: Vec<Removed>,
    /// How much a credential may ask.
    pub limit: Option<RateLimit>,
    /// How far the `Date` header is ahead of (or, negative, behind) the clock that stamps
    /// everything else. [`World::turn_clock`](crate::World::turn_clock) turns that clock.
    pub date_skew: TimeDelta,
}

/// What every secret contains that [`Behaviour::secrets`] puts into items.
pub const SECRET: &str = "seekret";

/// How a repository without pipelines answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PipelinesOff {
    /// What its lists answer: 404 and 403 have been reported.
    pub status: u16,
    /// The switch was never touched: the configuration is missing, too.
    pub untouched: bool,
}

/// What is wrong with a list.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ListQuirks {
    /// Decides the order, where that is not stable.
    pub(crate) order: Option<u64>,
    pub(crate) forgetful_next: bool,
    pub(crate) endless: bool,
    pub(crate) refs_differ: bool,
}

/// An endpoint that is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removed {
    /// What its path contains.
    pub part: String,
    /// What it answers: 410, or 404 with the usual message for an unknown address.
    pub status: u16,
    /// The changelog entry that a 410 names, with the address of the announcement.
    pub change: String,
}

impl Removed {
    /// 410 with `CHANGE-2770` for every path that contains the part.
    #[must_use]
    pub fn new(part: &str) -> Removed {
        Removed {
            part: part.to_owned(),
            status: 410,
            change: "CHANGE-2770".to_owned(),
        }
    }
}

impl Behaviour {
    /// The entry that removed the endpoint of that path.
    pub(crate) fn removal(&self, path: &str) -> Option<&Removed> {
        self.removed
            .iter()
            .find(|removed| path.contains(&removed.part))
    }

    pub(crate) fn hides_size(&self, path: &str) -> bool {
        self.without_size.iter().any(|part| path.contains(part))
    }

    pub(crate) fn hides_next(&self, path: &str) -> bool {
        self.without_next.iter().any(|part| path.contains(part))
    }

    /// What lists at that path are like; the number is that of the request.
    pub(crate) fn of_lists(&self, path: &str, number: u64) -> ListQuirks {
        let is_in = |parts: &[String]| parts.iter().any(|part| path.contains(part));
        ListQuirks {
            order: is_in(&self.unstable_order).then_some(number),
            forgetful_next: is_in(&self.forgetful_next),
            endless: is_in(&self.endless),
            refs_differ: self.refs_differ,
        }
    }

    /// The kinds that show in a page of a list at that path.
    pub(crate) fn in_pages(&self, path: &str) -> Vec<FaultKind> {
        let mut kinds = Vec::new();
        if self.hides_size(path) {
            kinds.push(FaultKind::ListsWithoutSize);
        }
        if self.hides_next(path) {
            kinds.push(FaultKind::ListsWithoutNext);
        }
        kinds
    }
}

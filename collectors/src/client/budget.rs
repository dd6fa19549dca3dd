//! How much of a credential's hour is used, and how long requests take under it.

use std::collections::VecDeque;
use std::time::Duration;

/// Steps in which time is looked at, in seconds.
const STEP: u64 = 60;

/// Steps after which what is left is taken for evenly spread: a month.
const MOST_STEPS: u64 = 30 * 24 * 60;

/// How much of a credential's budget is used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    /// Requests allowed in any hour.
    pub per_hour: u32,
    /// Requests that may go at once before they are spread over the hour.
    pub at_once: u32,
    /// Requests that follow in an hour after those.
    pub evenly: u32,
    /// Requests that count now, by the time in which they no longer do, soonest first; none where
    /// they were not counted.
    pub returning: Vec<(Duration, u64)>,
    /// How long a request counts from its minute on; none where no request is counted.
    pub counts: Option<Duration>,
}

impl Budget {
    /// Requests of the last hour.
    #[must_use]
    pub fn used(&self) -> u64 {
        self.returning.iter().map(|(_, requests)| requests).sum()
    }

    /// Seconds until the last of so many requests is sent, were the server endlessly fast: first
    /// those that may go at once, then evenly, as far as the hour has room. What was sent has its
    /// room back when it no longer counts.
    #[must_use]
    pub fn seconds(&self, requests: u64) -> u64 {
        let limit = u64::from(self.per_hour.max(1));
        let whole = |time: Duration| time.as_secs() + u64::from(time.subsec_nanos() > 0);
        let mut counting: VecDeque<(u64, u64)> = self
            .returning
            .iter()
            .map(|&(time, requests)| (whole(time), requests))
            .collect();
        let mut used = self.used();
        // In parts of a request, so that an even flow of few requests is not rounded to none.
        let (full, flow) = (
            u64::from(self.at_once) * 3600,
            u64::from(self.evenly) * STEP,
        );
        let (mut ready, mut left, mut now) = (full, requests, 0);
        for _ in 0..MOST_STEPS {
            while let Some((_, returned)) = counting.pop_front_if(|(time, _)| *time <= now) {
                used = used.saturating_sub(returned);
            }
            let room = match self.counts {
                Some(_) => limit.saturating_sub(used),
                None => u64::MAX,
            };
            let sent = left.min(ready / 3600).min(room);
            left -= sent;
            if left == 0 {
                return now;
            }
            if let (Some(counts), 1..) = (self.counts, sent) {
                used += sent;
                counting.push_back((now + whole(counts), sent));
            }
            ready = (ready - sent * 3600 + flow).min(full.max(3600));
            now += STEP;
        }
        now + left.saturating_mul(3600) / limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    fn budget(returning: &[(u64, u64)]) -> Budget {
        Budget {
            per_hour: 1000,
            at_once: 500,
            evenly: 1000,
            returning: returning
                .iter()
                .map(|&(minutes, requests)| (MINUTE * u32::try_from(minutes).unwrap(), requests))
                .collect(),
            counts: Some(Duration::from_secs(3690)),
        }
    }

    #[test]
    fn what_was_used_is_back_an_hour_after_it_was_used() {
        let cases = [
            // Nothing was used: half at once, the rest in half an hour, then none for as long.
            (&[][..], 500, 0),
            (&[], 750, 15),
            (&[], 1000, 30),
            (&[], 1001, 62),
            (&[], 1500, 62),
            (&[], 2000, 92),
            (&[], 2001, 124),
            // All is used, and comes back in 20 minutes.
            (&[(20, 1000)], 1, 20),
            (&[(20, 1000)], 500, 20),
            (&[(20, 600), (50, 400)], 700, 50),
            // The case: few minutes by the pace, an hour by the budget.
            (&[(61, 900)], 220, 61),
        ];
        for (returning, requests, minutes) in cases {
            let seconds = budget(returning).seconds(requests);
            assert_eq!(seconds.div_ceil(60), minutes, "{requests} of {returning:?}");
        }
    }

    #[test]
    fn a_pace_that_remembers_nothing_has_no_hour_to_wait_for() {
        let budget = Budget {
            per_hour: 60,
            at_once: 6,
            evenly: 54,
            ..Budget::default()
        };
        assert_eq!(budget.seconds(6), 0);
        assert_eq!(budget.seconds(60).div_ceil(60), 60);
    }

    #[test]
    fn a_run_of_weeks_is_estimated_without_counting_every_minute() {
        let seconds = budget(&[]).seconds(10_000_000);
        let hours = seconds / 3600;
        assert!((9_900..10_300).contains(&hours), "{hours}");
    }
}

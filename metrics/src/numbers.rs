//! Spans, percentiles and ratios, in integers, so that they are the same on every machine.

use crate::Moment;

const MINUTE: i64 = 60_000;

/// Minutes from `from` to `to`, rounded up. None if an end is missing or the rounded number is
/// negative: -30 seconds are 0 minutes, -60 seconds are none.
#[must_use]
pub fn span(from: Option<Moment>, to: Option<Moment>) -> Option<i64> {
    let minutes = -(from?.checked_sub(to?)?.div_euclid(MINUTE));
    (minutes >= 0).then_some(minutes)
}

/// Whole seconds from `from` to `to`, rounded down; none where [`span`] is none.
#[must_use]
pub fn seconds(from: Option<Moment>, to: Option<Moment>) -> Option<i64> {
    milliseconds(from, to).map(|exact| exact / 1000)
}

/// Milliseconds from `from` to `to`, at least 0; none where [`span`] is none.
pub(crate) fn milliseconds(from: Option<Moment>, to: Option<Moment>) -> Option<i64> {
    span(from, to)?;
    Some((to? - from?).max(0))
}

/// Whole minutes from `from` to `to`, rounded down. May be negative.
pub(crate) fn whole_minutes(from: Moment, to: Moment) -> i64 {
    (to - from).div_euclid(MINUTE)
}

/// The value at place `ceil(percent * n / 100)` of the values in ascending order (nearest rank);
/// `percent` 50 is the lower median. None of no values.
#[must_use]
pub fn percentile(values: &mut [i64], percent: usize) -> Option<i64> {
    values.sort_unstable();
    let place = (percent * values.len()).div_ceil(100);
    values.get(place.saturating_sub(1)).copied()
}

/// The lower median.
pub(crate) fn median(values: &mut [i64]) -> Option<i64> {
    percentile(values, 50)
}

/// `part / whole` in ten-thousandths, rounded half up; none where `whole` is 0.
#[must_use]
pub fn ratio(part: i64, whole: i64) -> Option<i64> {
    (whole > 0).then(|| (2 * part * 10_000 + whole) / (2 * whole))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn minutes_are_rounded_up_before_a_negative_span_is_refused() {
        for (milliseconds, minutes, exact) in [
            (0, Some(0), Some(0)),
            (1, Some(1), Some(0)),
            (60_000, Some(1), Some(60)),
            (60_001, Some(2), Some(60)),
            (-30_000, Some(0), Some(0)),
            (-59_999, Some(0), Some(0)),
            (-60_000, None, None),
        ] {
            assert_eq!(span(Some(0), Some(milliseconds)), minutes, "{milliseconds}");
            assert_eq!(
                seconds(Some(0), Some(milliseconds)),
                exact,
                "{milliseconds}"
            );
        }
        assert_eq!(span(None, Some(1)), None);
        assert_eq!(span(Some(1), None), None);
    }

    #[test]
    fn a_percentile_is_the_value_of_the_nearest_rank() {
        for (percent, expected) in [(50, Some(2)), (75, Some(3)), (90, Some(4))] {
            assert_eq!(
                percentile(&mut [4, 1, 3, 2], percent),
                expected,
                "p{percent}"
            );
        }
        assert_eq!(percentile(&mut [7], 50), Some(7));
        assert_eq!(percentile(&mut [], 50), None);
    }

    #[test]
    fn a_ratio_is_rounded_half_up_to_four_places() {
        assert_eq!(ratio(4, 23), Some(1739));
        assert_eq!(ratio(1, 6), Some(1667));
        assert_eq!(ratio(1, 20_000), Some(1));
        assert_eq!(ratio(0, 5), Some(0));
        assert_eq!(ratio(1, 0), None);
    }

    proptest! {
        #[test]
        fn half_of_the_values_are_not_above_the_lower_median(
            mut values in proptest::collection::vec(-1000_i64..1000, 1..50),
        ) {
            let median = median(&mut values).unwrap();
            let not_above = values.iter().filter(|value| **value <= median).count();
            let below = values.iter().filter(|value| **value < median).count();
            prop_assert!(2 * not_above >= values.len());
            prop_assert!(2 * below < values.len());
        }
    }
}

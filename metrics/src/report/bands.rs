//! Elite, high, medium and low, as DORA's reports of 2021 and 2023 draw the lines.

use super::frequency::Frequency;

/// Which report's lines are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Edition {
    /// The report of 2021.
    Report2021,
    /// The report of 2023.
    #[default]
    Report2023,
}

impl Edition {
    /// Its year.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Report2021 => "2021",
            Self::Report2023 => "2023",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Band {
    Elite,
    High,
    Medium,
    Low,
}

impl Band {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Elite => "elite",
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        }
    }
}

const ORDER: [Band; 3] = [Band::Elite, Band::High, Band::Medium];

/// The first band whose condition holds.
fn first(conditions: [bool; 3]) -> Band {
    let bands = ORDER.into_iter().zip(conditions);
    let mut holding = bands.filter(|(_, holds)| *holds);
    holding.next().map_or(Band::Low, |(band, _)| band)
}

pub(super) fn frequency(edition: Edition, frequency: &Frequency) -> Band {
    let at_least = |days: Option<i64>, least: i64| days.is_some_and(|days| days >= least);
    let weekly = |least| at_least(frequency.per_week, least);
    let monthly = at_least(frequency.per_month, 1);
    match edition {
        Edition::Report2023 => first([weekly(5), weekly(1), monthly]),
        Edition::Report2021 => first([weekly(5), monthly, at_least(frequency.per_six_months, 1)]),
    }
}

/// Of minutes; exactly on a line is the slower band.
fn below(minutes: Option<i64>, lines: [i64; 3]) -> Option<Band> {
    minutes.map(|minutes| first(lines.map(|line| minutes < line)))
}

pub(super) fn lead_time(edition: Edition, minutes: Option<i64>) -> Option<Band> {
    let lines = match edition {
        Edition::Report2023 => [1_440, 10_080, 43_200],
        Edition::Report2021 => [60, 10_080, 259_200],
    };
    below(minutes, lines)
}

pub(super) fn recovery(minutes: Option<i64>) -> Option<Band> {
    below(minutes, [60, 1_440, 10_080])
}

/// Of failures among deployments, in integers; exactly on a line is the better band.
pub(super) fn failure_rate(edition: Edition, failures: i64, deployments: i64) -> Option<Band> {
    let lines = match edition {
        Edition::Report2023 => [5, 10, 15],
        Edition::Report2021 => [15, 20, 30],
    };
    (deployments > 0).then(|| first(lines.map(|line| failures * 100 <= line * deployments)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_on_a_line_is_in_the_slower_band_and_a_rate_in_the_better_one() {
        let lead_time = |minutes| lead_time(Edition::Report2023, Some(minutes));
        assert_eq!(lead_time(1_439), Some(Band::Elite));
        assert_eq!(lead_time(1_440), Some(Band::High));
        assert_eq!(lead_time(43_200), Some(Band::Low));
        let rate = |failures| failure_rate(Edition::Report2023, failures, 100);
        assert_eq!(rate(5), Some(Band::Elite));
        assert_eq!(rate(6), Some(Band::High));
        assert_eq!(rate(16), Some(Band::Low));
        assert_eq!(failure_rate(Edition::Report2021, 0, 0), None);
    }
}

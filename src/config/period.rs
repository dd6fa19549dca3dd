//! Spans of calendar time such as `6 months`, and the start of the range a project wants.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Days, Months, NaiveDate, TimeDelta, Utc};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

/// The most of one unit that a period may have; more is certainly a slip of the keyboard.
const LARGEST_COUNT: u32 = 10_000;

/// A unit of a [`Period`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PeriodUnit {
    /// 60 minutes.
    Hours,
    /// 24 hours.
    Days,
    /// 7 days.
    Weeks,
    /// Calendar months; 31 March minus one month is the last day of February.
    Months,
    /// 12 calendar months.
    Years,
}

/// A span of calendar time, such as `6 months`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Period {
    count: u32,
    unit: PeriodUnit,
}

impl Period {
    /// A period of so many units.
    #[must_use]
    pub const fn new(count: u32, unit: PeriodUnit) -> Self {
        Self { count, unit }
    }

    /// The time that lies this long before another.
    #[must_use]
    pub fn before(self, time: DateTime<Utc>) -> DateTime<Utc> {
        let earlier = match self.unit {
            PeriodUnit::Hours => time.checked_sub_signed(self.hours()),
            PeriodUnit::Days | PeriodUnit::Weeks => time.checked_sub_days(self.days()),
            PeriodUnit::Months | PeriodUnit::Years => time.checked_sub_months(self.months()),
        };
        earlier.unwrap_or(DateTime::<Utc>::MIN_UTC)
    }

    /// The time that lies this long after another.
    #[must_use]
    pub fn after(self, time: DateTime<Utc>) -> DateTime<Utc> {
        let later = match self.unit {
            PeriodUnit::Hours => time.checked_add_signed(self.hours()),
            PeriodUnit::Days | PeriodUnit::Weeks => time.checked_add_days(self.days()),
            PeriodUnit::Months | PeriodUnit::Years => time.checked_add_months(self.months()),
        };
        later.unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    /// Its length in milliseconds; none of months and years, which differ.
    #[must_use]
    pub fn milliseconds(self) -> Option<i64> {
        let hours = match self.unit {
            PeriodUnit::Hours => 1,
            PeriodUnit::Days => 24,
            PeriodUnit::Weeks => 7 * 24,
            PeriodUnit::Months | PeriodUnit::Years => return None,
        };
        Some(i64::from(self.count) * hours * 3_600_000)
    }

    fn hours(self) -> TimeDelta {
        TimeDelta::hours(i64::from(self.count))
    }

    fn days(self) -> Days {
        let days_in_unit = if self.unit == PeriodUnit::Weeks { 7 } else { 1 };
        Days::new(u64::from(self.count) * days_in_unit)
    }

    fn months(self) -> Months {
        let months_in_unit = if self.unit == PeriodUnit::Years {
            12
        } else {
            1
        };
        Months::new(self.count.saturating_mul(months_in_unit))
    }
}

/// Why a text is no period; reads on after the text itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PeriodError {
    /// It has another form.
    #[error("is not a period such as \"6 months\", \"90 days\", \"2 weeks\" or \"1 year\"")]
    Form,
    /// The unit is a minute, a fortnight or a word.
    #[error("has an unknown unit: hours, days, weeks, months and years are known")]
    Unit,
    /// The unit is one letter.
    #[error("has a unit that is not written out; write \"{0}\"")]
    Letter(Period),
    /// The number is zero or very large.
    #[error("is out of range: from 1 to 10000 of a unit")]
    Range,
}

impl FromStr for Period {
    type Err = PeriodError;

    fn from_str(text: &str) -> Result<Self, PeriodError> {
        let text = text.trim();
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (count, unit) = text.split_at(digits);
        if count.is_empty() || unit.trim().is_empty() {
            return Err(PeriodError::Form);
        }
        let unit = match unit.trim().to_lowercase().as_str() {
            "hour" | "hours" => PeriodUnit::Hours,
            "day" | "days" => PeriodUnit::Days,
            "week" | "weeks" => PeriodUnit::Weeks,
            "month" | "months" => PeriodUnit::Months,
            "year" | "years" => PeriodUnit::Years,
            letter => return Err(short(count, letter)),
        };
        match count.parse() {
            Ok(count) if (1..=LARGEST_COUNT).contains(&count) => Ok(Self { count, unit }),
            _ => Err(PeriodError::Range),
        }
    }
}

/// What is wrong with a unit that is no word: of one letter it is plain what was meant. Minutes are
/// no unit, so that `m` is a month.
fn short(count: &str, letter: &str) -> PeriodError {
    let unit = match letter {
        "h" | "hr" | "hrs" => PeriodUnit::Hours,
        "d" => PeriodUnit::Days,
        "w" | "wk" | "wks" => PeriodUnit::Weeks,
        "m" | "mo" | "mon" => PeriodUnit::Months,
        "y" | "yr" | "yrs" => PeriodUnit::Years,
        _ => return PeriodError::Unit,
    };
    match count.parse() {
        Ok(count) if (1..=LARGEST_COUNT).contains(&count) => {
            PeriodError::Letter(Period { count, unit })
        }
        _ => PeriodError::Range,
    }
}

impl fmt::Display for Period {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            PeriodUnit::Hours => "hour",
            PeriodUnit::Days => "day",
            PeriodUnit::Weeks => "week",
            PeriodUnit::Months => "month",
            PeriodUnit::Years => "year",
        };
        let plural = if self.count == 1 { "" } else { "s" };
        write!(formatter, "{} {unit}{plural}", self.count)
    }
}

impl JsonSchema for Period {
    fn schema_name() -> Cow<'static, str> {
        "Period".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A number and a unit: hours, days, weeks, months or years.",
            "pattern": r"^\s*[0-9]+\s*([Hh]ours?|[Dd]ays?|[Ww]eeks?|[Mm]onths?|[Yy]ears?)\s*$",
            "examples": ["6 months", "90 days"]
        })
    }
}

/// The start of the range that a project or a connection wants.
///
/// A period is resolved against the clock once, when it is first used, and then stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DataAfter {
    /// So long before now.
    Ago(Period),
    /// The beginning of a day, in UTC.
    Date(NaiveDate),
    /// A moment.
    Time(DateTime<Utc>),
}

impl DataAfter {
    /// The moment meant, seen from `now`.
    #[must_use]
    pub fn resolve(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::Ago(period) => period.before(now),
            Self::Date(date) => date.and_time(chrono::NaiveTime::MIN).and_utc(),
            Self::Time(time) => *time,
        }
    }
}

/// Why a text is no start of a range; reads on after the text itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DataAfterError {
    /// It begins like a date but is none.
    #[error("is not a date that exists, written as 2026-01-31 or 2026-01-31T08:00:00Z")]
    Date,
    /// It has the form of a period but is none.
    #[error(transparent)]
    Period(PeriodError),
    /// It is neither a date nor a period.
    #[error("is neither a period such as \"6 months\" nor a date such as \"2026-01-31\"")]
    Form,
}

impl FromStr for DataAfter {
    type Err = DataAfterError;

    fn from_str(text: &str) -> Result<Self, DataAfterError> {
        let text = text.trim();
        if let Ok(date) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
            return Ok(Self::Date(date));
        }
        if let Ok(time) = DateTime::parse_from_rfc3339(text) {
            return Ok(Self::Time(time.to_utc()));
        }
        if text.contains('-') || text.contains(':') {
            return Err(DataAfterError::Date);
        }
        match text.parse() {
            Ok(period) => Ok(Self::Ago(period)),
            Err(PeriodError::Form) => Err(DataAfterError::Form),
            Err(reason) => Err(DataAfterError::Period(reason)),
        }
    }
}

impl fmt::Display for DataAfter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ago(period) => write!(formatter, "{period}"),
            Self::Date(date) => write!(formatter, "{date}"),
            Self::Time(time) => formatter.write_str(&time.to_rfc3339()),
        }
    }
}

impl JsonSchema for DataAfter {
    fn schema_name() -> Cow<'static, str> {
        "DataAfter".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A period before now, a date, or a time with its offset.",
            "examples": ["6 months", "2026-01-31", "2026-01-31T08:00:00Z"]
        })
    }
}

//! When a project runs by itself.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, LocalResult, NaiveDateTime, TimeDelta, TimeZone as _, Timelike as _, Utc};
use chrono_tz::Tz;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

/// Changes of the clocks that are nearer than this are looked at moment by moment.
const AROUND_CHANGE: TimeDelta = TimeDelta::hours(3);

/// Longest time that clocks ever skipped: islands that changed sides of the date line.
const LONGEST_SKIP_MINUTES: i64 = 25 * 60;

const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// A cron expression: five fields as everywhere, or six with the seconds first.
///
/// Weekday 0 and 7 are Sunday. When both a day of the month and a weekday are given, either is
/// enough, as crontab has it.
#[derive(Clone)]
pub struct Schedule {
    expression: String,
    /// Two when either of two days is enough, else one.
    alternatives: Vec<cron::Schedule>,
    /// Whether the field of the hour starts with a star.
    all_hours: bool,
}

/// Why a text is no cron expression; reads on after the text itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScheduleError {
    /// It has too few or too many fields.
    #[error("does not have 5 fields, or 6 with the seconds first, as in \"0 */2 * * *\"")]
    Fields,
    /// The weekday is neither a name nor a number from 0 to 7.
    #[error("has no valid weekday: 0 to 7 or SUN to SAT, with `,`, `-` and `/`")]
    Weekday,
    /// Another field does not parse.
    #[error("is not a cron expression such as \"0 */2 * * *\"")]
    Form,
    /// It parses, but names a day that never comes.
    #[error("never happens")]
    Never,
}

impl Schedule {
    /// The first moment after another at which the project should run, in a time zone.
    ///
    /// A time that the clocks skip in spring is made up for right after. A time that they
    /// repeat in autumn counts once, unless the schedule runs through all hours.
    #[must_use]
    pub fn next_after(&self, time: DateTime<Utc>, timezone: Tz) -> Option<DateTime<Utc>> {
        // The cron crate is only asked about clock faces: around a change of the clocks it
        // answers with moments that have passed.
        let clock = time.with_timezone(&timezone).naive_local();
        let alternatives = self.alternatives.iter();
        alternatives
            .filter_map(|schedule| {
                self.near_change(schedule, time, timezone).or_else(|| {
                    clock_faces(schedule, clock)
                        .flat_map(|face| self.moments(face, timezone))
                        .find(|moment| *moment > time)
                })
            })
            .min()
    }

    /// The next moment when the clocks change within a few hours, found by trying each.
    fn near_change(
        &self,
        schedule: &cron::Schedule,
        time: DateTime<Utc>,
        timezone: Tz,
    ) -> Option<DateTime<Utc>> {
        let face_at = |moment: DateTime<Utc>| moment.with_timezone(&timezone).naive_local();
        let (before, after) = (face_at(time - AROUND_CHANGE), face_at(time + AROUND_CHANGE));
        if after - before == AROUND_CHANGE * 2 {
            return None;
        }
        // Faces repeat, so the earliest face need not be the earliest moment.
        clock_faces(schedule, before - AROUND_CHANGE)
            .take_while(|face| *face <= after)
            .flat_map(|face| self.moments(face, timezone))
            .filter(|moment| *moment > time)
            .min()
    }

    /// The moments at which clocks in a time zone show a face.
    fn moments(&self, face: NaiveDateTime, timezone: Tz) -> Vec<DateTime<Utc>> {
        match timezone.from_local_datetime(&face) {
            LocalResult::Single(moment) => vec![moment.to_utc()],
            LocalResult::Ambiguous(first, second) if self.all_hours => {
                vec![first.to_utc(), second.to_utc()]
            }
            LocalResult::Ambiguous(first, _) => vec![first.to_utc()],
            LocalResult::None => {
                let whole = face.with_second(0).unwrap_or(face);
                let later = (1..=LONGEST_SKIP_MINUTES).find_map(|minutes| {
                    let face = whole + TimeDelta::minutes(minutes);
                    timezone.from_local_datetime(&face).earliest()
                });
                later.iter().map(DateTime::to_utc).collect()
            }
        }
    }

    /// The expression as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.expression
    }
}

impl FromStr for Schedule {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        let mut fields: Vec<&str> = text.split_whitespace().collect();
        match fields.len() {
            5 => fields.insert(0, "0"),
            6 => {}
            _ => return Err(ScheduleError::Fields),
        }
        let all_hours = is_open(fields[2]);
        let weekday = translate_weekdays(fields[5])?;
        fields[5] = &weekday;
        let mut alternatives = vec![fields.clone()];
        let both_given = !is_open(fields[3]) && !is_open(fields[5]);
        if both_given {
            let mut any_weekday = fields.clone();
            any_weekday[5] = "*";
            fields[3] = "*";
            alternatives = vec![any_weekday, fields];
        }
        let alternatives = alternatives
            .iter()
            .map(|fields| cron::Schedule::from_str(&fields.join(" ")))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| ScheduleError::Form)?;
        let schedule = Self {
            expression: text.trim().to_owned(),
            alternatives,
            all_hours,
        };
        // 30 February parses; a fixed moment keeps the answer independent of the clock.
        let start = DateTime::<Utc>::from_timestamp(1_700_000_000, 0).unwrap_or_default();
        if schedule.next_after(start, Tz::UTC).is_none() {
            return Err(ScheduleError::Never);
        }
        Ok(schedule)
    }
}

/// What a clock shows when the schedule is due, from a time on.
fn clock_faces(
    schedule: &cron::Schedule,
    after: NaiveDateTime,
) -> impl Iterator<Item = NaiveDateTime> + '_ {
    schedule
        .after_owned(after.and_utc())
        .map(|face| face.naive_utc())
}

/// Whether a field does not restrict anything by crontab's rule.
fn is_open(field: &str) -> bool {
    field.starts_with('*') || field == "?"
}

/// Writes the weekdays as names, because the cron crate counts from Sunday = 1.
fn translate_weekdays(field: &str) -> Result<String, ScheduleError> {
    if field == "*" || field == "?" {
        return Ok("*".to_owned());
    }
    let mut days = [false; 7];
    for part in field.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (
                range,
                step.parse().ok().filter(|step| (1..=7).contains(step)),
            ),
            None => (part, Some(1)),
        };
        let step: usize = step.ok_or(ScheduleError::Weekday)?;
        let (first, last) = weekday_range(range, part.contains('/'))?;
        // `FRI-MON` goes over the end of the week.
        let last = if last < first { last + 7 } else { last };
        for day in (first..=last).step_by(step) {
            days[day % 7] = true;
        }
    }
    let names = WEEKDAYS.iter().zip(days).filter(|(_, chosen)| *chosen);
    Ok(names.map(|(name, _)| *name).collect::<Vec<_>>().join(","))
}

fn weekday_range(range: &str, stepped: bool) -> Result<(usize, usize), ScheduleError> {
    if range == "*" {
        return Ok((0, 6));
    }
    if let Some((first, last)) = range.split_once('-') {
        return Ok((weekday(first)?, weekday(last)?));
    }
    let day = weekday(range)?;
    Ok(if stepped { (day, 6) } else { (day, day) })
}

fn weekday(text: &str) -> Result<usize, ScheduleError> {
    let upper = text.to_uppercase();
    WEEKDAYS
        .iter()
        .position(|name| upper == *name)
        .or_else(|| text.parse().ok().filter(|number| *number <= 7))
        .ok_or(ScheduleError::Weekday)
}

impl fmt::Display for Schedule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.expression)
    }
}

impl fmt::Debug for Schedule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "\"{self}\"")
    }
}

impl JsonSchema for Schedule {
    fn schema_name() -> Cow<'static, str> {
        "Schedule".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A cron expression: minute, hour, day of the month, month, weekday; with six fields the seconds come first.",
            "examples": ["0 */2 * * *", "0 30 6 * * MON-FRI"]
        })
    }
}

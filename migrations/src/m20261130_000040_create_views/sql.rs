//! Expressions that each database writes in its own way.

use crate::schema::Dialect;

/// How long the periods of a view are.
#[derive(Clone, Copy)]
pub(crate) enum Grain {
    Day,
    Week,
    Month,
    Quarter,
}

impl Grain {
    pub(crate) const ALL: [Self; 4] = [Self::Day, Self::Week, Self::Month, Self::Quarter];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
        }
    }
}

/// Writes expressions for one database.
#[derive(Clone, Copy)]
pub(crate) struct Sql(pub(crate) Dialect);

impl Sql {
    /// A name that is a word of SQL.
    pub(crate) fn name(self, name: &str) -> String {
        match self.0 {
            Dialect::MySql | Dialect::MariaDb => format!("`{name}`"),
            _ => format!("\"{name}\""),
        }
    }

    /// The day (UTC) of a time, as a date; text in an `SQLite` file.
    pub(crate) fn day(self, time: &str) -> String {
        match self.0 {
            Dialect::Sqlite => format!("date({time})"),
            Dialect::Postgres => format!("CAST({time} AT TIME ZONE 'UTC' AS date)"),
            _ => format!("CAST({time} AS date)"),
        }
    }

    /// The first day (UTC) of the period that a time is in. Weeks begin on Monday.
    pub(crate) fn start(self, grain: Grain, time: &str) -> String {
        match (self.0, grain) {
            (_, Grain::Day) => self.day(time),
            (Dialect::Sqlite, Grain::Week) => format!("date({time}, '-6 days', 'weekday 1')"),
            (Dialect::Sqlite, Grain::Month) => format!("date({time}, 'start of month')"),
            (Dialect::Sqlite, Grain::Quarter) => format!(
                "date({time}, 'start of month', '-' || ((strftime('%m', {time}) + 2) % 3) || \
                 ' months')"
            ),
            (Dialect::Postgres, grain) => format!(
                "CAST(date_trunc('{}', {time} AT TIME ZONE 'UTC') AS date)",
                grain.name()
            ),
            (_, Grain::Week) => {
                format!("DATE_SUB(CAST({time} AS date), INTERVAL WEEKDAY({time}) DAY)")
            }
            (_, Grain::Month) => {
                format!("DATE_SUB(CAST({time} AS date), INTERVAL DAYOFMONTH({time}) - 1 DAY)")
            }
            (_, Grain::Quarter) => format!(
                "DATE_ADD(MAKEDATE(YEAR({time}), 1), INTERVAL QUARTER({time}) * 3 - 3 MONTH)"
            ),
        }
    }

    /// The name of the period that begins on this day: `2024-12-30`, `2024-12` or `2024-Q4`.
    pub(crate) fn period(self, grain: Grain, start: &str) -> String {
        self.text(&self.period_name(grain, start))
    }

    /// Text that is made here, in the order of the columns that hold text: with that of the
    /// connection, clients of another order could not compare it.
    pub(crate) fn text(self, expression: &str) -> String {
        match self.0 {
            Dialect::MySql | Dialect::MariaDb => {
                let collation = self.0.collation();
                format!("CONVERT({expression} USING utf8mb4) COLLATE {collation}")
            }
            _ => expression.to_owned(),
        }
    }

    fn period_name(self, grain: Grain, start: &str) -> String {
        match (self.0, grain) {
            (Dialect::Sqlite, Grain::Day | Grain::Week) => format!("CAST({start} AS text)"),
            (Dialect::Sqlite, Grain::Month) => format!("strftime('%Y-%m', {start})"),
            (Dialect::Sqlite, Grain::Quarter) => {
                format!("strftime('%Y', {start}) || '-Q' || ((strftime('%m', {start}) + 2) / 3)")
            }
            (Dialect::Postgres, grain) => {
                let form = match grain {
                    Grain::Day | Grain::Week => "YYYY-MM-DD",
                    Grain::Month => "YYYY-MM",
                    Grain::Quarter => "YYYY-\"Q\"Q",
                };
                format!("to_char({start}, '{form}')")
            }
            (_, Grain::Day | Grain::Week) => format!("DATE_FORMAT({start}, '%Y-%m-%d')"),
            (_, Grain::Month) => format!("DATE_FORMAT({start}, '%Y-%m')"),
            (_, Grain::Quarter) => {
                format!("CONCAT(DATE_FORMAT({start}, '%Y-Q'), QUARTER({start}))")
            }
        }
    }

    /// Whole seconds from one time to another that is not before it, rounded down.
    pub(crate) fn seconds(self, from: &str, to: &str) -> String {
        match self.0 {
            Dialect::Sqlite => format!(
                "CAST(ROUND((julianday({to}) - julianday({from})) * 86400000) AS integer) / 1000"
            ),
            Dialect::Postgres => {
                format!("CAST(FLOOR(EXTRACT(EPOCH FROM ({to} - {from}))) AS bigint)")
            }
            _ => format!("TIMESTAMPDIFF(MICROSECOND, {from}, {to}) DIV 1000000"),
        }
    }

    /// A whole number divided by another, rounded down; both are not negative.
    pub(crate) fn divided(self, number: &str, by: &str) -> String {
        match self.0 {
            Dialect::MySql | Dialect::MariaDb => format!("({number}) DIV ({by})"),
            _ => format!("({number}) / ({by})"),
        }
    }

    /// A share with four decimals, rounded half up; null of nothing.
    pub(crate) fn ratio(self, part: &str, whole: &str) -> String {
        let parts = format!("2 * 10000 * {part} + {whole}");
        let scaled = self.divided(&parts, &format!("2 * {whole}"));
        let share = match self.0 {
            Dialect::Sqlite => format!("({scaled}) / 10000.0"),
            Dialect::Postgres => format!("CAST({scaled} AS double precision) / 10000"),
            _ => format!("CAST({scaled} AS double) / 10000"),
        };
        format!("CASE WHEN {whole} > 0 THEN {share} END")
    }
}

/// How many rows hold a condition.
pub(crate) fn count(condition: &str) -> String {
    format!("COUNT(CASE WHEN {condition} THEN 1 END)")
}

/// A measure of rows, of which percentiles are taken within groups.
pub(crate) struct Measure {
    /// Column of the rows.
    pub(crate) column: &'static str,
    /// Percentiles, each with the name of its column: 50 is the lower median.
    pub(crate) percentiles: &'static [(u8, &'static str)],
}

/// Percentiles (nearest rank) of measures of rows, by groups. Rows without a value are left out of
/// that measure.
///
/// `rows` is a query, `groups` are its columns, and `more` are further columns of the answer.
pub(crate) fn percentiles(rows: &str, groups: &str, measures: &[Measure], more: &[&str]) -> String {
    let mut placed = Vec::new();
    let mut answer = Vec::new();
    for Measure {
        column,
        percentiles,
    } in measures
    {
        placed.push(format!(
            "ROW_NUMBER() OVER (PARTITION BY {groups} ORDER BY CASE WHEN {column} IS NULL THEN 1 \
             ELSE 0 END, {column}) AS {column}_place, COUNT({column}) OVER (PARTITION BY {groups}) \
             AS {column}_count"
        ));
        for (percent, name) in *percentiles {
            answer.push(format!(
                "MIN(CASE WHEN {column}_place * 100 >= {percent} * {column}_count THEN {column} \
                 END) AS {name}"
            ));
        }
    }
    answer.extend(more.iter().map(|column| (*column).to_owned()));
    format!(
        "SELECT {groups}, {} FROM (SELECT samples.*, {} FROM ({rows}) AS samples) AS placed \
         GROUP BY {groups}",
        answer.join(", "),
        placed.join(", ")
    )
}

//! What `SQLite`, `PostgreSQL` and `MariaDB` spell differently, as pieces of statements.
//!
//! Each piece takes expressions of SQL and returns one. None of them holds a value, and every value
//! is bound, so nothing here needs escaping. A `?` stands for a value, and names are quoted as in
//! standard SQL: `marked` turns a whole text into the form that the database reads.

use std::borrow::Cow;

use sea_orm::DbBackend;

/// A part of the calendar that times are grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// From midnight to midnight, UTC.
    Day,
    /// From Monday on.
    Week,
    /// From the first of the month on.
    Month,
    /// From the first of January, April, July or October on.
    Quarter,
}

/// How a database spells SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SqlDialect {
    /// An SQLite file.
    Sqlite,
    /// A `PostgreSQL` server.
    Postgres,
    /// A `MySQL` or `MariaDB` server.
    MySql,
}

impl From<DbBackend> for SqlDialect {
    fn from(backend: DbBackend) -> Self {
        match backend {
            DbBackend::MySql => Self::MySql,
            DbBackend::Postgres => Self::Postgres,
            _ => Self::Sqlite,
        }
    }
}

impl SqlDialect {
    /// Seconds from one time to another, with a fraction; negative where the second is earlier.
    #[must_use]
    pub fn seconds_between(self, start: &str, end: &str) -> String {
        match self {
            // Days since noon of a day in the past, which hold milliseconds when they are rounded.
            Self::Sqlite => format!("ROUND((julianday({end}) - julianday({start})) * 86400.0, 3)"),
            Self::Postgres => {
                format!("CAST(EXTRACT(EPOCH FROM ({end}) - ({start})) AS DOUBLE PRECISION)")
            }
            Self::MySql => format!("(TIMESTAMPDIFF(MICROSECOND, {start}, {end}) / 1000000)"),
        }
    }

    /// The first day of the period that holds a time, as the text `2026-03-02`.
    #[must_use]
    pub fn first_day(self, period: Period, time: &str) -> String {
        match self {
            Self::Sqlite => match period {
                Period::Day => format!("date({time})"),
                // Six days back, and from there on to the next Monday.
                Period::Week => format!("date({time}, '-6 days', 'weekday 1')"),
                Period::Month => format!("date({time}, 'start of month')"),
                Period::Quarter => format!(
                    "date({time}, 'start of month', \
                     '-' || ((CAST(strftime('%m', {time}) AS INTEGER) - 1) % 3) || ' months')"
                ),
            },
            Self::Postgres => {
                let unit = match period {
                    Period::Day => "day",
                    Period::Week => "week",
                    Period::Month => "month",
                    Period::Quarter => "quarter",
                };
                format!("to_char(date_trunc('{unit}', ({time}) AT TIME ZONE 'UTC'), 'YYYY-MM-DD')")
            }
            Self::MySql => match period {
                Period::Day => format!("DATE_FORMAT({time}, '%Y-%m-%d')"),
                Period::Week => format!(
                    "DATE_FORMAT(DATE_SUB({time}, INTERVAL WEEKDAY({time}) DAY), '%Y-%m-%d')"
                ),
                Period::Month => format!("DATE_FORMAT({time}, '%Y-%m-01')"),
                Period::Quarter => format!(
                    "DATE_FORMAT(DATE_SUB({time}, INTERVAL (MONTH({time}) - 1) % 3 MONTH), \
                     '%Y-%m-01')"
                ),
            },
        }
    }

    /// An expression as text of at most 255 characters: what a key is compared and stored as.
    #[must_use]
    pub fn text(self, expression: &str) -> String {
        let kind = match self {
            Self::MySql => "CHAR(255)",
            Self::Sqlite | Self::Postgres => "TEXT",
        };
        format!("CAST({expression} AS {kind})")
    }

    /// One text after another.
    #[must_use]
    pub fn joined(self, first: &str, second: &str) -> String {
        match self {
            Self::MySql => format!("CONCAT({first}, {second})"),
            Self::Sqlite | Self::Postgres => format!("{first} || {second}"),
        }
    }

    /// Milliseconds since 1970 by the database's clock, which goes on within a transaction.
    pub(crate) fn clock(self) -> &'static str {
        match self {
            // `now()` would be the begin of the transaction, which may have waited since.
            Self::Postgres => "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)",
            // Neither the session's time zone nor daylight saving has a say.
            Self::MySql => {
                "(TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(3)) DIV 1000)"
            }
            Self::Sqlite => "CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)",
        }
    }

    /// The end of an insertion: a row whose keys are stored already stays as it is.
    pub(crate) fn unless_stored(self, keys: &[&str], table: &str) -> String {
        match self {
            Self::MySql => unchanged(keys, table),
            Self::Sqlite | Self::Postgres => {
                format!("ON CONFLICT ({}) DO NOTHING", keys.join(", "))
            }
        }
    }

    /// [`SqlDialect::unless_stored`], and the stored row is locked until the transaction ends.
    pub(crate) fn locking_stored(self, keys: &[&str], table: &str) -> String {
        match self {
            Self::MySql => unchanged(keys, table),
            Self::Sqlite | Self::Postgres => {
                let last = keys.last().copied().unwrap_or_default();
                let all = keys.join(", ");
                format!("ON CONFLICT ({all}) DO UPDATE SET {last} = excluded.{last}")
            }
        }
    }

    /// Whether an index finds the rows for which `(a, b) > (?, ?)` holds.
    pub(crate) fn seeks_whole_keys(self) -> bool {
        // MySQL and MariaDB compare every row with the whole key.
        self != Self::MySql
    }

    /// A hand-written text as the database reads it: `PostgreSQL` numbers its markers, `MySQL` and
    /// `MariaDB` quote names in their own way. No text holds values, so a quotation mark is always
    /// part of a name.
    pub(crate) fn marked(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::MySql if text.contains('"') => Cow::Owned(text.replace('"', "`")),
            Self::Postgres => Cow::Owned(numbered(text)),
            Self::MySql | Self::Sqlite => Cow::Borrowed(text),
        }
    }
}

/// `MySQL` and `MariaDB` have no `DO NOTHING`: an assignment that changes nothing is one, and locks.
fn unchanged(keys: &[&str], table: &str) -> String {
    let last = keys.last().copied().unwrap_or_default();
    format!("ON DUPLICATE KEY UPDATE {last} = {table}.{last}")
}

fn numbered(text: &str) -> String {
    let mut parts = text.split('?');
    let mut numbered = parts.next().unwrap_or_default().to_owned();
    for (index, part) in parts.enumerate() {
        numbered.push('$');
        numbered.push_str(&(index + 1).to_string());
        numbered.push_str(part);
    }
    numbered
}

/// Names as standard SQL quotes them: one of them may be a word that databases keep for themselves.
pub(crate) fn quoted(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| format!("\"{name}\"")).collect()
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use insta::assert_snapshot;

    use super::*;

    const DIALECTS: [SqlDialect; 3] = [SqlDialect::Sqlite, SqlDialect::Postgres, SqlDialect::MySql];

    fn on_each(piece: impl Fn(SqlDialect) -> String) -> String {
        let mut shown = String::new();
        for dialect in DIALECTS {
            let _ = writeln!(shown, "{dialect:?}:\n{}", piece(dialect));
        }
        shown
    }

    #[test]
    fn seconds_between_two_times_have_a_fraction() {
        assert_snapshot!(on_each(
            |sql| sql.seconds_between("created_date", "merged_date")
        ));
    }

    #[test]
    fn a_time_is_truncated_to_the_first_day_of_its_period() {
        let periods = [Period::Day, Period::Week, Period::Month, Period::Quarter];
        assert_snapshot!(on_each(|sql| {
            let lines = periods.map(|period| sql.first_day(period, "merged_date"));
            lines.join("\n")
        }));
    }

    #[test]
    fn texts_are_cast_and_joined() {
        assert_snapshot!(on_each(|sql| sql.joined("?", &sql.text("number"))));
    }

    #[test]
    fn the_clock_gives_milliseconds() {
        assert_snapshot!(on_each(|sql| sql.clock().to_owned()));
    }

    #[test]
    fn a_stored_row_stays_and_may_be_locked() {
        let keys = ["params", "step", "row_key"];
        assert_snapshot!(on_each(|sql| {
            let stays = sql.unless_stored(&keys, "_headwater_work");
            let locked = sql.locking_stored(&keys, "_headwater_work");
            format!("{stays}\n{locked}")
        }));
    }

    #[test]
    fn markers_are_numbered_and_names_quoted() {
        assert_snapshot!(on_each(|sql| {
            let text = "SELECT \"from\" FROM repos WHERE id = ? AND name IN (?, ?)";
            sql.marked(text).into_owned()
        }));
    }

    #[test]
    fn only_postgresql_numbers_its_markers() {
        let text = "SELECT 1 FROM repos WHERE id = ? AND name IN (?, ?)";
        assert_eq!(
            SqlDialect::Postgres.marked(text),
            "SELECT 1 FROM repos WHERE id = $1 AND name IN ($2, $3)"
        );
        assert_eq!(SqlDialect::Sqlite.marked(text), text);
        assert_eq!(SqlDialect::MySql.marked(text), text);
    }
}

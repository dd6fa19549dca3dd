//! Views of DORA's metrics list every period from the first to the last thing that happened in a
//! project, also those in which nothing is counted.

use crate::m20261130_000040_create_views::dora;
use crate::m20261130_000040_create_views::sql::{Grain, Sql};
use crate::schema::{Dialect, NewTable};

/// What a period shows in which nothing is counted.
#[derive(Clone, Copy)]
enum Empty {
    Zero,
    Null,
}

use Empty::{Null, Zero};

/// Columns of a view, in their order.
type Columns = &'static [(&'static str, Empty)];

const DURATION: Columns = &[
    ("value", Null),
    ("p75", Null),
    ("p90", Null),
    ("seconds", Null),
    ("samples", Zero),
];

/// Columns of each metric, in the order of `dora::METRICS`.
const COLUMNS: [Columns; 6] = [
    &[
        ("value", Zero),
        ("samples", Zero),
        ("deployment_days", Zero),
    ],
    &[
        ("value", Null),
        ("p75", Null),
        ("p90", Null),
        ("seconds", Null),
        ("coding_minutes", Null),
        ("pickup_minutes", Null),
        ("review_minutes", Null),
        ("deploy_minutes", Null),
        ("samples", Zero),
    ],
    &[("value", Null), ("samples", Zero), ("failures", Zero)],
    DURATION,
    DURATION,
    &[("value", Null), ("samples", Zero), ("reworks", Zero)],
];

pub(crate) fn tables() -> Vec<NewTable> {
    let mut tables = Vec::new();
    for ((name, query), columns) in dora::METRICS.into_iter().zip(COLUMNS) {
        tables.push(NewTable::view(name, move |dialect| {
            let grains = Grain::ALL.map(|grain| {
                let rows = every_period(Sql(dialect), grain, &query(Sql(dialect), grain), columns);
                format!("SELECT * FROM ({rows}) AS of_{}", grain.name())
            });
            grains.join(" UNION ALL ")
        }));
        for grain in Grain::ALL {
            let name = format!("{name}_{}", grain.name());
            tables.push(NewTable::view(&name, move |dialect| {
                every_period(Sql(dialect), grain, &query(Sql(dialect), grain), columns)
            }));
        }
    }
    tables
}

/// All times of a project at which something happened.
const TIMES: &str = "SELECT project_name, finished_date AS happened FROM project_deployments \
    UNION ALL SELECT project_name, pr_merged_date FROM project_pr_metrics \
    UNION ALL SELECT project_name, pr_deployed_date FROM project_pr_metrics \
    UNION ALL SELECT project_name, recovered_date FROM project_recoveries \
    UNION ALL SELECT counted.project_name, incidents.created_date FROM incidents \
    JOIN (SELECT id, project_name FROM project_incident_deployment_relationships \
    UNION ALL SELECT id, project_name FROM unlinked_incidents) AS counted \
    ON counted.id = incidents.id \
    UNION ALL SELECT counted.project_name, incidents.resolution_date FROM incidents \
    JOIN (SELECT id, project_name FROM project_incident_deployment_relationships \
    UNION ALL SELECT id, project_name FROM unlinked_incidents) AS counted \
    ON counted.id = incidents.id";

/// One more than the number of periods that are listed at most: more days than there are from the
/// year 1000, before which no time is stored, to the year 9999.
const MOST: u32 = 1 << 22;

/// The rows of a query by period, with one for each period that it has not.
///
/// Periods are numbered from the first one on. Numbers are made bit by bit, because servers limit
/// how often a recursion may go on: those of 22 bits take 22 rounds.
fn every_period(sql: Sql, grain: Grain, query: &str, columns: Columns) -> String {
    let spans = format!(
        "SELECT project_name, {} AS first_start, {} AS last_start FROM ({TIMES}) AS times \
         WHERE happened IS NOT NULL GROUP BY project_name",
        sql.start(grain, "MIN(happened)"),
        sql.start(grain, "MAX(happened)"),
    );
    let (zero, one) = match sql.0 {
        Dialect::MySql | Dialect::MariaDb => ("CAST(0 AS signed)", "CAST(1 AS signed)"),
        _ => ("0", "1"),
    };
    let most = periods_between(sql.0, grain, "spans.first_start", "spans.last_start");
    let start = later(sql.0, grain, "numbers.first_start", "numbers.place");
    let name = sql.text(&format!("'{}'", grain.name()));
    let period = sql.period(grain, "periods.period_start");
    let shown = columns.iter().map(|(column, empty)| match empty {
        Zero => format!("COALESCE(counted.{column}, 0) AS {column}"),
        Null => format!("counted.{column} AS {column}"),
    });
    let shown: Vec<String> = shown.collect();
    format!(
        "WITH RECURSIVE spans AS ({spans}), \
         numbers AS (SELECT spans.project_name AS project_name, spans.first_start AS first_start, \
         spans.last_start AS last_start, {most} AS most, {zero} AS place, {one} AS next_bit \
         FROM spans UNION ALL SELECT numbers.project_name, numbers.first_start, \
         numbers.last_start, numbers.most, numbers.place + bits.bit * numbers.next_bit, \
         numbers.next_bit * 2 FROM numbers JOIN (SELECT 0 AS bit UNION ALL SELECT 1) AS bits \
         ON numbers.place + bits.bit * numbers.next_bit <= numbers.most \
         WHERE numbers.next_bit < {MOST}), \
         periods AS (SELECT numbers.project_name AS project_name, {start} AS period_start, \
         numbers.last_start AS last_start FROM numbers WHERE numbers.next_bit = {MOST}) \
         SELECT periods.project_name AS project_name, {name} AS grain, {period} AS period, \
         periods.period_start AS period_start, {} FROM periods LEFT JOIN ({query}) AS counted \
         ON counted.project_name = periods.project_name \
         AND counted.period_start = periods.period_start \
         WHERE periods.period_start <= periods.last_start",
        shown.join(", ")
    )
}

/// At least as many as there are periods from one start to a later one.
fn periods_between(dialect: Dialect, grain: Grain, first: &str, last: &str) -> String {
    let days = match dialect {
        Dialect::Sqlite => format!("CAST(julianday({last}) - julianday({first}) AS integer)"),
        Dialect::Postgres => format!("({last} - {first})"),
        _ => format!("DATEDIFF({last}, {first})"),
    };
    // Days of the shortest period.
    let shortest = match grain {
        Grain::Day => return days,
        Grain::Week => 7,
        Grain::Month => 28,
        Grain::Quarter => 90,
    };
    match dialect {
        Dialect::MySql | Dialect::MariaDb => format!("{days} DIV {shortest}"),
        _ => format!("{days} / {shortest}"),
    }
}

/// The start of the period that comes so many after another one.
fn later(dialect: Dialect, grain: Grain, start: &str, places: &str) -> String {
    let (each, unit) = match grain {
        Grain::Day => (1, "day"),
        Grain::Week => (7, "day"),
        Grain::Month => (1, "month"),
        Grain::Quarter => (3, "month"),
    };
    match dialect {
        Dialect::Sqlite => format!("date({start}, ({places} * {each}) || ' {unit}s')"),
        Dialect::Postgres => {
            format!("CAST({start} + {places} * INTERVAL '{each} {unit}' AS date)")
        }
        _ => format!(
            "DATE_ADD({start}, INTERVAL {places} * {each} {})",
            unit.to_uppercase()
        ),
    }
}

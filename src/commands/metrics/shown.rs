//! Metrics as a table, as CSV and as Markdown.

use std::fmt::Write as _;
use std::io;

use headwater_store::query::Cell;
use serde_json::Value;

use super::charts::{bar, sparkline};
use crate::cli::Format;
use crate::output::{self, print};

/// Parts that a sparkline shows at most, the last ones.
const WIDEST: usize = 60;
/// Parts that it shows however little room there is.
const NARROWEST: usize = 12;
const BAR: usize = 20;

const COLUMNS: [&str; 6] = ["metric", "value", "band", "samples", "course", "reason"];

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn items<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value[name]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default()
}

/// A value in words: `17.4 %`, `2 d 3 h`, `12`.
fn in_words(value: &Value, unit: &str) -> String {
    let Some(number) = value.as_f64() else {
        return "-".to_owned();
    };
    match unit {
        "ratio" => format!("{:.1} %", number * 100.0),
        "minutes" => value.as_i64().map(duration).unwrap_or_default(),
        _ => value.to_string(),
    }
}

/// Minutes as days, hours and minutes; the two greatest of them.
pub(in crate::commands) fn duration(minutes: i64) -> String {
    let (days, hours) = (minutes / 1440, minutes / 60 % 24);
    match (days, hours, minutes % 60) {
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, 0) => format!("{hours} h"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, 0, _) => format!("{days} d"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

/// The key of a part in `by`: `period`, `repository` or `environment`.
fn key_of(answer: &Value) -> &'static str {
    match text(&answer["by"]) {
        "repository" => "repository",
        "environment" => "environment",
        _ => "period",
    }
}

fn course(answer: &Value, metric: &Value) -> String {
    if key_of(answer) != "period" {
        return String::new();
    }
    let values: Vec<Option<f64>> = items(metric, "by")
        .iter()
        .map(|part| part["value"].as_f64())
        .collect();
    sparkline(&values[values.len().saturating_sub(WIDEST)..])
}

/// What is printed of a whole metric, in the order of the columns.
fn line(answer: &Value, metric: &Value) -> [String; 6] {
    let or_dash = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    [
        text(&metric["metric"]).replace('_', " "),
        in_words(&metric["value"], text(&metric["unit"])),
        or_dash(&metric["band"]),
        metric["samples"].to_string(),
        course(answer, metric),
        text(&metric["reason"]).to_owned(),
    ]
}

fn heading(answer: &Value) -> String {
    format!(
        "{}: {} to {} ({}), bands of {}",
        text(&answer["project"]),
        text(&answer["from"]),
        text(&answer["to"]),
        text(&answer["timezone"]),
        text(&answer["report"]),
    )
}

/// For people whose lines have at most this many characters, if there is a limit.
pub(super) fn table(answer: &Value, width: Option<usize>) -> io::Result<()> {
    output::line(format_args!("{}\n", heading(answer)));
    let metrics = items(answer, "metrics");
    let lines = metrics.iter().map(|metric| line(answer, metric));
    let (columns, rows) = fitting(lines.collect(), width);
    let rows = rows
        .into_iter()
        .map(|cells| cells.into_iter().map(Cell::Text).collect());
    print(Format::Table, &columns, rows.collect())?;
    if key_of(answer) != "period" {
        for metric in metrics {
            parts(answer, metric)?;
        }
    }
    output::line("");
    for line in coverage(answer).lines() {
        for part in output::indented(line, 2, width.unwrap_or(usize::MAX)) {
            output::line(part);
        }
    }
    Ok(())
}

/// The columns that fit a line: the one of reasons only where there are any, and of the
/// course the last parts that there is room for.
fn fitting(lines: Vec<[String; 6]>, limit: Option<usize>) -> (Vec<&'static str>, Vec<Vec<String>>) {
    const COURSE: usize = 4;
    let mut columns = COLUMNS.to_vec();
    let mut rows: Vec<Vec<String>> = lines.into_iter().map(Vec::from).collect();
    if rows
        .iter()
        .all(|row| row.last().is_none_or(String::is_empty))
    {
        columns.pop();
        for row in &mut rows {
            row.pop();
        }
    }
    let Some(limit) = limit else {
        return (columns, rows);
    };
    let width = |place: usize| {
        let cells = rows.iter().map(|row| row[place].chars().count());
        cells.fold(columns[place].chars().count(), usize::max) + 2
    };
    let others: usize = (0..columns.len())
        .filter(|it| *it != COURSE)
        .map(width)
        .sum();
    let room = limit.saturating_sub(others + 3).max(NARROWEST);
    for row in &mut rows {
        let length = row[COURSE].chars().count();
        row[COURSE] = row[COURSE]
            .chars()
            .skip(length.saturating_sub(room))
            .collect();
    }
    (columns, rows)
}

/// Bars for the parts of a metric that are no periods.
fn parts(answer: &Value, metric: &Value) -> io::Result<()> {
    let parts = items(metric, "by");
    let values = parts.iter().filter_map(|part| part["value"].as_f64());
    let greatest = values.fold(0.0, f64::max);
    let key = key_of(answer);
    let rows = parts.iter().map(|part| {
        let value = part["value"].as_f64();
        let share = value.filter(|_| greatest > 0.0).map(|it| it / greatest);
        vec![
            Cell::Text(match text(&part[key]) {
                "" => "(none)".to_owned(),
                name => name.to_owned(),
            }),
            Cell::Text(in_words(&part["value"], text(&metric["unit"]))),
            Cell::Text(part["samples"].to_string()),
            Cell::Text(share.map(|share| bar(share, BAR)).unwrap_or_default()),
        ]
    });
    let name = text(&metric["metric"]).replace('_', " ");
    output::line(format_args!("\n{name}"));
    print(
        Format::Table,
        &[key, "value", "samples", ""],
        rows.collect(),
    )
}

/// How much of what happened the numbers see, in three lines.
fn coverage(answer: &Value) -> String {
    let coverage = &answer["coverage"];
    let share = |part: &Value| in_words(&part["ratio"], "ratio");
    let (merged, deployments) = (&coverage["pull_requests"], &coverage["deployments"]);
    let incidents = &coverage["incidents"];
    let mut lines = vec![
        format!(
            "{} of {} merged pull requests are linked to a deployment ({}){}",
            merged["linked"],
            merged["merged"],
            share(merged),
            counts(merged, "reasons")
        ),
        format!(
            "{} of {} deployments have an environment ({}), {} are to production",
            deployments["with_environment"],
            deployments["finished"],
            share(deployments),
            deployments["production"]
        ),
        format!(
            "{} of {} incidents are linked to a deployment ({}){}",
            incidents["linked"],
            incidents["created"],
            share(incidents),
            counts(incidents, "reasons")
        ),
    ];
    if deployments["missing_history"].as_i64() > Some(0) {
        let missing = &deployments["missing_history"];
        lines.push(format!(
            "of {missing} production deployments it is not known which commits they deployed"
        ));
    }
    lines.join("\n")
}

/// `; 3 NOT_DEPLOYED, 1 NO_MERGE_COMMIT`
fn counts(part: &Value, name: &str) -> String {
    let counts = part[name].as_object().into_iter().flatten();
    let counts: Vec<String> = counts
        .map(|(reason, count)| format!("{count} {reason}"))
        .collect();
    if counts.is_empty() {
        return String::new();
    }
    format!("; without: {}", counts.join(", "))
}

/// One row for each metric as a whole, whose part is empty, and one for each of its parts.
pub(super) fn csv(answer: &Value) -> io::Result<()> {
    let key = key_of(answer);
    let columns = [
        "metric", "unit", key, "value", "samples", "failures", "reworks", "band", "reason",
    ];
    let mut rows = Vec::new();
    for metric in items(answer, "metrics") {
        let whole = std::iter::once(metric);
        for part in whole.chain(items(metric, "by")) {
            let mut row = vec![cell(&metric["metric"]), cell(&metric["unit"])];
            let columns = columns[2..].iter();
            row.extend(columns.map(|column| cell(&part[*column])));
            rows.push(row);
        }
    }
    print(Format::Csv, &columns, rows)
}

fn cell(value: &Value) -> Cell {
    match value {
        Value::Number(number) => match number.as_i64() {
            Some(number) => Cell::Integer(number),
            None => number.as_f64().map_or(Cell::Null, Cell::Real),
        },
        Value::String(text) => Cell::Text(text.clone()),
        _ => Cell::Null,
    }
}

/// A heading, a table of the metrics, one of their parts, and coverage.
pub(super) fn markdown(answer: &Value) -> String {
    let mut out = format!("# {}\n\n", escaped(&heading(answer)));
    row(&mut out, COLUMNS.iter().map(|name| (*name).to_owned()));
    row(&mut out, COLUMNS.iter().map(|_| "---".to_owned()));
    let metrics = items(answer, "metrics");
    for metric in metrics {
        row(&mut out, line(answer, metric).into_iter());
    }
    let key = key_of(answer);
    out.push('\n');
    let names = metrics
        .iter()
        .map(|it| text(&it["metric"]).replace('_', " "));
    row(&mut out, std::iter::once(key.to_owned()).chain(names));
    row(&mut out, (0..=metrics.len()).map(|_| "---".to_owned()));
    for (name, values) in by_part(metrics, key) {
        let cells = metrics.iter().zip(&values);
        let cells = cells.map(|(metric, value)| in_words(value, text(&metric["unit"])));
        row(&mut out, std::iter::once(name).chain(cells));
    }
    for line in coverage(answer).lines() {
        // Writing to a text cannot fail.
        let _ = write!(out, "\n* {}", escaped(line));
    }
    out.push('\n');
    out
}

/// Each part that some metric has, with the values of all metrics.
fn by_part(metrics: &[Value], key: &str) -> Vec<(String, Vec<Value>)> {
    let mut names: Vec<String> = Vec::new();
    for part in metrics.iter().flat_map(|metric| items(metric, "by")) {
        let name = text(&part[key]).to_owned();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.sort_unstable();
    let value = |metric: &Value, name: &str| {
        let mut parts = items(metric, "by").iter();
        let part = parts.find(|part| text(&part[key]) == name);
        part.map_or(Value::Null, |part| part["value"].clone())
    };
    let rows = names.into_iter().map(|name| {
        let values = metrics.iter().map(|metric| value(metric, &name)).collect();
        (name, values)
    });
    rows.collect()
}

fn row(out: &mut String, cells: impl Iterator<Item = String>) {
    for cell in cells {
        // Writing to a text cannot fail.
        let _ = write!(out, "| {} ", escaped(&cell));
    }
    out.push_str("|\n");
}

/// A text that Markdown shows as it is.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in output::shown(text).chars() {
        if matches!(character, '|' | '\\' | '`' | '*' | '<' | '[' | '#') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_told_in_their_two_greatest_units() {
        for (minutes, expected) in [
            (0, "0 min"),
            (59, "59 min"),
            (60, "1 h"),
            (181, "3 h 1 min"),
            (1440, "1 d"),
            (1441, "1 d"),
            (10_203, "7 d 2 h"),
        ] {
            assert_eq!(duration(minutes), expected, "{minutes}");
        }
    }
}

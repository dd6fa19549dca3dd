//! `[[project]]`: scopes that are measured together.

use std::fmt;

use chrono_tz::Tz;
use schemars::JsonSchema;

use super::connection_reader::Draft;
use super::measuring::{self, Measuring};
use super::period::DataAfter;
use super::problem::quoted;
use super::reader::{Field, TableReader, closest, listed};
use super::schedule::Schedule;
use super::scope_pattern::ScopePattern;
use super::scopes;

/// Longest name of a project; the tables hold 255 characters.
const LONGEST_NAME: usize = 255;

/// A pattern within one connection, written `connection:pattern`.
#[derive(Clone, PartialEq, Eq)]
pub struct ProjectScope {
    /// Name of the connection.
    pub connection: String,
    /// The scopes meant, or excluded when the entry starts with `!`.
    pub pattern: ScopePattern,
}

impl fmt::Display for ProjectScope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = if self.pattern.is_exclusion() { "!" } else { "" };
        write!(
            formatter,
            "{mark}{}:{}",
            self.connection,
            self.pattern.as_str()
        )
    }
}

impl fmt::Debug for ProjectScope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "\"{self}\"")
    }
}

/// A source of incidents, written `TABLE:ID`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct IncidentSource {
    /// What its incidents have in the column `table`.
    pub table: String,
    /// What they have in the column `scope_id`.
    pub id: String,
}

/// Scopes that are measured together.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Project {
    /// The name that answers are asked for by.
    #[schemars(length(min = 1, max = 255))]
    pub name: String,
    /// Which scopes belong to it: `connection:name` or `connection:glob`; `!` excludes.
    #[schemars(with = "Vec<String>", extend("examples" = [["acme-cloud:acme/payments-*"]]))]
    pub scopes: Vec<ProjectScope>,
    /// Where its incidents come from besides the boards of its scopes: `TABLE:ID`, the `table` and
    /// `scope_id` of their rows in `incidents`. Default: `[]`.
    #[schemars(default, with = "Vec<String>", extend("examples" = [["incident_sources:pagerduty"]]))]
    pub incident_sources: Vec<IncidentSource>,
    /// When the server syncs it: a cron expression of five fields, or six with the seconds
    /// first. No default: only on request.
    pub schedule: Option<Schedule>,
    /// The IANA time zone of the schedule. Default: `"UTC"`.
    #[schemars(default, with = "String", extend("default" = Tz::UTC.name()))]
    pub timezone: Tz,
    /// How far back it is measured: a period, a date or a time. It is resolved once, stored,
    /// and only ever widens. No default: the connection's.
    pub data_after: Option<DataAfter>,
    /// Whether other scopes go on after one has failed. Default: `false`.
    #[schemars(default, extend("default" = false))]
    pub skip_failed: bool,
    /// How it is measured.
    #[schemars(flatten)]
    pub measuring: Measuring,
}

impl Project {
    /// Whether a scope of a connection belongs to this project.
    #[must_use]
    pub fn wanted(&self, connection: &str, full_name: &str) -> bool {
        let matching = || {
            let of_connection = |scope: &&ProjectScope| scope.connection == connection;
            self.scopes
                .iter()
                .filter(of_connection)
                .filter(|scope| scope.pattern.matches(full_name))
        };
        matching().next().is_some() && matching().all(|scope| !scope.pattern.is_exclusion())
    }
}

/// Reads one `[[project]]`; `earlier` are the names of the projects before it.
pub(super) fn read(
    mut table: TableReader<'_>,
    connections: &[Draft],
    earlier: &mut Vec<String>,
) -> Option<Project> {
    let name = read_name(&mut table, earlier);
    let scopes = table
        .required("scopes", "[\"connection:workspace/*\"]")
        .map(|field| read_scopes(&field, connections));
    let incident_sources = table
        .field("incident_sources")
        .map(|field| read_incident_sources(&field))
        .unwrap_or_default();
    let schedule = table.field("schedule").and_then(|field| field.parsed());
    let timezone = table.field("timezone").map(|field| read_timezone(&field));
    let data_after = table.field("data_after").and_then(|field| field.range());
    let skip_failed = table.field("skip_failed").and_then(|field| field.boolean());
    let measuring = measuring::read(&mut table);
    table.finish_with(&[("cron", "schedule"), ("time_zone", "timezone")]);
    Some(Project {
        name: name?,
        scopes: scopes?,
        incident_sources,
        schedule,
        timezone: timezone.flatten().unwrap_or(Tz::UTC),
        data_after,
        skip_failed: skip_failed.unwrap_or(false),
        measuring,
    })
}

fn read_name(table: &mut TableReader<'_>, earlier: &mut Vec<String>) -> Option<String> {
    let field = table.required("name", "\"my-project\"")?;
    let name = field.text()?;
    if name.trim().is_empty() || name.trim() != name || name.chars().count() > LONGEST_NAME {
        let problem = field.error(format!("{} is not a name", quoted(name)));
        field.report(problem.expecting("1 to 255 characters without spaces around them"));
    }
    if earlier.iter().any(|other| other == name) {
        let message = format!("{} is the name of an earlier project", quoted(name));
        field.report(field.error(message).expecting("a name of its own"));
    }
    earlier.push(name.to_owned());
    Some(name.to_owned())
}

fn read_scopes(field: &Field<'_>, connections: &[Draft]) -> Vec<ProjectScope> {
    let Some(elements) = field.list() else {
        return Vec::new();
    };
    let scopes: Vec<_> = elements
        .iter()
        .filter_map(|element| read_scope(element, connections))
        .collect();
    let nothing = scopes.iter().all(|scope| scope.pattern.is_exclusion());
    if nothing && !elements.is_empty() && scopes.len() == elements.len() {
        let problem = field.error("names no scope: it only excludes some");
        field.report(problem.expecting(
            "at least one scope without `!`, or `[]` where project_mapping is filled by an import",
        ));
    }
    scopes
}

fn read_incident_sources(field: &Field<'_>) -> Vec<IncidentSource> {
    let elements = field.list().unwrap_or_default();
    let sources = elements.iter().filter_map(|element| {
        let text = element.text()?;
        let parts = text.split_once(':');
        let fits = |part: &str| !part.is_empty() && part.trim() == part && part.len() <= 255;
        let Some((table, id)) = parts.filter(|(table, id)| fits(table) && fits(id)) else {
            let problem = element.error(format!("{} is not TABLE:ID", quoted(text)));
            element.report(problem.expecting(
                "the columns `table` and `scope_id` of its incidents, such as \
                 \"incident_sources:pagerduty\"",
            ));
            return None;
        };
        Some(IncidentSource {
            table: table.to_owned(),
            id: id.to_owned(),
        })
    });
    let mut sources: Vec<IncidentSource> = sources.collect();
    sources.sort_unstable();
    sources.dedup();
    sources
}

fn read_scope(field: &Field<'_>, connections: &[Draft]) -> Option<ProjectScope> {
    let text = field.text()?;
    let (mark, rest) = match text.strip_prefix('!') {
        Some(rest) => ("!", rest),
        None => ("", text),
    };
    let names: Vec<&str> = connections
        .iter()
        .filter_map(|draft| draft.name.as_deref())
        .collect();
    let Some((connection, pattern)) = rest.split_once(':') else {
        let example = names.first().unwrap_or(&"connection");
        let problem = field
            .error(format!("{} names no connection", quoted(text)))
            .expecting("the form connection:pattern")
            .write(format!("\"{mark}{example}:{}\"", plain(rest)));
        field.report(problem);
        return None;
    };
    if !names.contains(&connection) {
        report_unknown_connection(field, connection, &names);
    }
    let pattern = scopes::read_pattern(field, &format!("{mark}{pattern}"))?;
    warn_if_not_collected(field, connection, &pattern, connections);
    Some(ProjectScope {
        connection: connection.to_owned(),
        pattern,
    })
}

/// A pattern for a line to paste, or a stand-in when it should not be repeated.
fn plain(pattern: &str) -> &str {
    if quoted(pattern) == format!("\"{pattern}\"") {
        pattern
    } else {
        "workspace/*"
    }
}

fn report_unknown_connection(field: &Field<'_>, connection: &str, names: &[&str]) {
    let message = format!("there is no connection {}", quoted(connection));
    let mut problem = field.error(message);
    if !names.is_empty() {
        problem = problem.expecting(format!("one of {}", listed(names)));
    }
    if let Some(meant) = closest(connection, names) {
        problem = problem.write(format!("\"{meant}:…\""));
    }
    field.report(problem);
}

fn warn_if_not_collected(
    field: &Field<'_>,
    connection: &str,
    pattern: &ScopePattern,
    connections: &[Draft],
) {
    let found = connections
        .iter()
        .filter_map(|draft| draft.connection.as_ref())
        .find(|candidate| candidate.name == connection);
    let Some(found) = found else { return };
    if pattern.is_exact() && !pattern.is_exclusion() && !found.wanted(pattern.as_str()) {
        let message = format!(
            "connection {} does not collect {}",
            quoted(connection),
            quoted(pattern.as_str())
        );
        let problem = field.warning(message);
        field.report(problem.expecting("a scope that the connection's `scopes` name"));
    }
}

fn read_timezone(field: &Field<'_>) -> Option<Tz> {
    let text = field.text()?;
    if let Ok(timezone) = text.parse() {
        return Some(timezone);
    }
    let names: Vec<&str> = chrono_tz::TZ_VARIANTS
        .iter()
        .map(|zone| zone.name())
        .collect();
    let mut problem = field
        .error(format!("{} is not a time zone", quoted(text)))
        .expecting("an IANA name such as \"Europe/Berlin\"");
    if let Some(meant) = closest(text, &names) {
        problem = problem.write(format!("timezone = \"{meant}\""));
    }
    field.report(problem);
    None
}

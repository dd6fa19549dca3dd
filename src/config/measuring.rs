//! How a `[[project]]` is measured: its weeks, its production, what counts as a failure.

use std::collections::{BTreeMap, BTreeSet};

use chrono::Weekday;
use chrono_tz::Tz;
use headwater_metrics::stored::Projects;
use headwater_metrics::{FailureSource, HASH, NUMBER, Rules, TITLE};
use schemars::JsonSchema;

use super::period::Period;
use super::problem::quoted;
use super::reader::{Field, TableReader, closest, listed};
use super::scope_config::Pattern;
use super::scope_config_reader::read_pattern;

/// How a project is measured.
#[derive(Clone, Debug, Default, JsonSchema)]
pub struct Measuring {
    /// The first day of a week. Default: `"monday"`.
    #[schemars(default, with = "Option<String>", extend("enum" = WEEKDAYS.map(|(name, _)| name), "default" = "monday"))]
    pub week_start: Option<Weekday>,
    /// Names of environments that are production; none means all of environment PRODUCTION.
    /// Default: `[]`.
    #[schemars(default)]
    pub production_environments: Vec<String>,
    /// Tags whose names match are releases, which count as deployments to production: where no
    /// pipeline deploys. A commit that was deployed to production is no second release by its tag.
    /// No default.
    #[schemars(default)]
    pub release_tags: Option<Pattern>,
    /// What makes a deployment a failed one: `incident`, `failed_deployment`, `rollback`,
    /// `revert`, `hotfix`. At least one. Default: `["incident"]`.
    #[schemars(default, with = "Vec<String>", length(min = 1))]
    pub failure_sources: Option<BTreeSet<FailureSource>>,
    /// Which repairs count as rework: `incident`, `revert`, `hotfix`, `rollback`. At least one.
    /// Default: all.
    #[schemars(default, with = "Vec<String>", length(min = 1))]
    pub rework_sources: Option<BTreeSet<FailureSource>>,
    /// How long after a deployment an incident is its likely consequence. Default: `"7 days"`.
    #[schemars(default, with = "Option<String>", extend("default" = "7 days"))]
    pub incident_window: Option<Period>,
    /// Head branches of pull requests that are hotfixes. By default `hotfix` as a part of the
    /// name.
    #[schemars(default)]
    pub hotfix_branch_pattern: Option<Pattern>,
    /// Titles of pull requests that are hotfixes. By default those with the word `hotfix`.
    #[schemars(default)]
    pub hotfix_title_pattern: Option<Pattern>,
    /// Head branches of pull requests that revert another one, besides Bitbucket's own
    /// `revert-pr-N`. Group `(?<number>...)` is the number of the reverted one. No default.
    #[schemars(default)]
    pub revert_branch_pattern: Option<Pattern>,
    /// Titles of pull requests that revert another one, besides Bitbucket's own `Revert "..."`.
    /// Group `(?<number>...)` is the number of the reverted one, `(?<title>...)` its title. No
    /// default.
    #[schemars(default)]
    pub revert_title_pattern: Option<Pattern>,
    /// Messages of commits that revert another one, besides git's own `This reverts commit ...`.
    /// Group `(?<hash>...)` is its hash, of which 7 digits are enough. No default.
    #[schemars(default)]
    pub revert_message_pattern: Option<Pattern>,
    /// Component of an incident -> `repos.id` of the repository that it is about. Default: `{}`.
    #[schemars(default)]
    pub services: BTreeMap<String, String>,
}

const WEEKDAYS: [(&str, Weekday); 7] = [
    ("monday", Weekday::Mon),
    ("tuesday", Weekday::Tue),
    ("wednesday", Weekday::Wed),
    ("thursday", Weekday::Thu),
    ("friday", Weekday::Fri),
    ("saturday", Weekday::Sat),
    ("sunday", Weekday::Sun),
];

impl Measuring {
    /// The rules that the metrics are computed by.
    #[must_use]
    pub fn rules(&self, timezone: Tz) -> Rules {
        let default = Rules::default();
        let pattern = |pattern: &Option<Pattern>| pattern.as_ref().map(|it| it.regex().clone());
        Rules {
            timezone,
            week_start: self.week_start.unwrap_or(default.week_start),
            production_environments: self.production_environments.iter().cloned().collect(),
            release_tags: pattern(&self.release_tags),
            failure_sources: self
                .failure_sources
                .clone()
                .unwrap_or(default.failure_sources),
            rework_sources: self
                .rework_sources
                .clone()
                .unwrap_or(default.rework_sources),
            incident_window: self
                .incident_window
                .and_then(Period::milliseconds)
                .unwrap_or(default.incident_window),
            hotfix_branch_pattern: pattern(&self.hotfix_branch_pattern)
                .unwrap_or(default.hotfix_branch_pattern),
            hotfix_title_pattern: pattern(&self.hotfix_title_pattern)
                .unwrap_or(default.hotfix_title_pattern),
            revert_branch_pattern: pattern(&self.revert_branch_pattern),
            revert_title_pattern: pattern(&self.revert_title_pattern),
            revert_message_pattern: pattern(&self.revert_message_pattern),
            services: self.services.clone(),
        }
    }
}

impl super::Config {
    /// The rules that each project is measured by.
    #[must_use]
    pub fn measured_projects(&self) -> Projects {
        let projects = self.projects.iter();
        let rules = projects.map(|it| (it.name.clone(), it.measuring.rules(it.timezone)));
        Projects::of(rules)
    }
}

/// Reads these keys of one `[[project]]`.
pub(super) fn read(table: &mut TableReader<'_>) -> Measuring {
    let rework: Vec<FailureSource> = FailureSource::ALL
        .into_iter()
        .filter(|source| *source != FailureSource::FailedDeployment)
        .collect();
    let mut narrow = |name, which| {
        table
            .field(name)
            .and_then(|field| read_narrow(&field, which))
    };
    let hotfix_branch_pattern = narrow("hotfix_branch_pattern", HOTFIXES);
    let hotfix_title_pattern = narrow("hotfix_title_pattern", HOTFIXES);
    let mut reverting = |name, groups: &[&str]| {
        let field = table.field(name)?;
        let pattern = read_narrow(&field, REVERTS)?;
        names_one_of(&field, &pattern, groups).then_some(pattern)
    };
    let revert_branch_pattern = reverting("revert_branch_pattern", &[NUMBER]);
    let revert_title_pattern = reverting("revert_title_pattern", &[NUMBER, TITLE]);
    let revert_message_pattern = reverting("revert_message_pattern", &[HASH]);
    let release_tags = table.field("release_tags");
    let release_tags = release_tags.and_then(|field| read_pattern(&field));
    let mut sources = |name, known: &[FailureSource]| {
        table
            .field(name)
            .and_then(|field| read_sources(&field, known))
    };
    Measuring {
        release_tags,
        failure_sources: sources("failure_sources", &FailureSource::ALL),
        rework_sources: sources("rework_sources", &rework),
        week_start: table
            .field("week_start")
            .and_then(|field| read_weekday(&field)),
        production_environments: table
            .field("production_environments")
            .map(|field| read_names(&field))
            .unwrap_or_default(),
        incident_window: table
            .field("incident_window")
            .and_then(|field| read_window(&field)),
        hotfix_branch_pattern,
        hotfix_title_pattern,
        revert_branch_pattern,
        revert_title_pattern,
        revert_message_pattern,
        services: table
            .field("services")
            .map(|field| read_services(&field))
            .unwrap_or_default(),
    }
}

/// What is expected of a pattern of hotfixes.
const HOTFIXES: &str = "what only hotfixes have, such as '(?i)hotfix'";
/// What is expected of a pattern of reverts.
const REVERTS: &str = "what only reverts have, such as '^Back out (?<number>\\d+)'";

/// A pattern that tells some texts from others; `which` is what is expected of it.
fn read_narrow(field: &Field<'_>, which: &str) -> Option<Pattern> {
    let pattern = read_pattern(field)?;
    if pattern.matches_everything() {
        let shown = quoted(pattern.regex().as_str());
        let problem = field.error(format!("{shown} matches everything"));
        field.report(problem.expecting(which));
        return None;
    }
    Some(pattern)
}

/// Whether a pattern has a group for what is reverted.
fn names_one_of(field: &Field<'_>, pattern: &Pattern, groups: &[&str]) -> bool {
    let mut names = pattern.regex().capture_names().flatten();
    let is_there = names.any(|name| groups.contains(&name));
    if !is_there {
        let shown = quoted(pattern.regex().as_str());
        let problem = field.error(format!("{shown} does not say what is reverted"));
        let groups: Vec<String> = groups.iter().map(|it| format!("(?<{it}>...)")).collect();
        field.report(problem.expecting(format!("a group {}", groups.join(" or "))));
    }
    is_there
}

fn read_weekday(field: &Field<'_>) -> Option<Weekday> {
    let text = field.text()?;
    let known = WEEKDAYS.map(|(name, _)| name);
    let lower = text.to_lowercase();
    let found = WEEKDAYS.into_iter().find(|(name, _)| *name == lower);
    if found.is_none() {
        report_unknown(field, text, "a weekday", &known);
    }
    found.map(|(_, day)| day)
}

fn read_sources(field: &Field<'_>, known: &[FailureSource]) -> Option<BTreeSet<FailureSource>> {
    let names: Vec<&str> = known.iter().map(|source| source.name()).collect();
    let mut sources = BTreeSet::new();
    for element in field.list()? {
        let Some(text) = element.text() else { continue };
        match known.iter().find(|source| source.name() == text) {
            Some(source) => _ = sources.insert(*source),
            None => report_unknown(&element, text, "a source", &names),
        }
    }
    // Where nothing counts the rate is 0 whatever happens, which is no answer but looks like one.
    if field.elements().is_some_and(|elements| elements.is_empty()) {
        let problem = field.error("is empty: the rate would be 0 % whatever happens");
        let expected = format!("at least one of {}, or no such key", listed(&names));
        field.report(problem.expecting(expected));
    }
    Some(sources)
}

fn report_unknown(field: &Field<'_>, text: &str, what: &str, known: &[&str]) {
    let mut problem = field
        .error(format!("{} is not {what}", quoted(text)))
        .expecting(format!("one of {}", listed(known)));
    if let Some(meant) = closest(text, known) {
        problem = problem.write(format!("\"{meant}\""));
    }
    field.report(problem);
}

fn read_names(field: &Field<'_>) -> Vec<String> {
    let elements = field.list().unwrap_or_default();
    let names = elements.iter().filter_map(|element| {
        let text = element.text()?;
        if text.is_empty() {
            element.report(element.error("is empty"));
            return None;
        }
        Some(text.to_owned())
    });
    names.collect()
}

/// Months and years differ in length, so that a window in them has no fixed end.
fn read_window(field: &Field<'_>) -> Option<Period> {
    let period: Period = field.parsed()?;
    if period.milliseconds().is_none() {
        let problem = field.error("is no fixed time: months and years differ in length");
        field.report(problem.expecting("hours, days or weeks, such as \"7 days\""));
        return None;
    }
    Some(period)
}

fn read_services(field: &Field<'_>) -> BTreeMap<String, String> {
    let entries = field
        .table()
        .map(|table| table.entries())
        .unwrap_or_default();
    let services = entries
        .into_iter()
        .filter_map(|(component, field)| Some((component.to_owned(), field.text()?.to_owned())));
    services.collect()
}

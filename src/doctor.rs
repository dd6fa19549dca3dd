//! What makes numbers wrong, empty or old, found in what is stored. Pure: rows and configuration in,
//! findings out.

mod collecting;
mod finding;
mod measuring;
mod steps;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use headwater_domain::Scope;
use headwater_store::symptoms::Symptoms;

use crate::config::{Config, DEFAULT_SCOPE_CONFIG};
use crate::resolve::connection_name;

pub use finding::{Code, Finding, Harm};

/// What is looked at.
pub(crate) struct Examined<'a> {
    pub(crate) config: &'a Config,
    pub(crate) symptoms: &'a Symptoms,
    /// Only what concerns this project; none for everything.
    pub(crate) project: Option<&'a str>,
    pub(crate) now: DateTime<Utc>,
}

/// What is wrong, most harmful first.
#[must_use]
pub fn examine(
    config: &Config,
    symptoms: &Symptoms,
    project: Option<&str>,
    now: DateTime<Utc>,
) -> Vec<Finding> {
    let examined = Examined {
        config,
        symptoms,
        project,
        now,
    };
    let mut findings = examined.of_projects();
    findings.extend(examined.of_collections());
    findings.sort_by(|one, other| (one.code, &one.about).cmp(&(other.code, &other.about)));
    findings
}

impl Examined<'_> {
    /// Projects that are looked at, each with its mapping.
    fn projects(&self) -> impl Iterator<Item = (&str, &[(String, String)])> {
        let projects = self.symptoms.projects.iter();
        projects
            .filter(|(name, _)| self.project.is_none_or(|only| only == **name))
            .map(|(name, mapping)| (name.as_str(), mapping.as_slice()))
    }

    /// Ids that the projects map in a table.
    fn mapped(&self, table: &str) -> BTreeSet<&str> {
        self.projects()
            .flat_map(|(_, mapping)| mapping)
            .filter(|(name, _)| name == table)
            .map(|(_, id)| id.as_str())
            .collect()
    }

    /// Whether a repository is looked at, by its domain id.
    fn has_repository(&self, id: &str) -> bool {
        self.project.is_none()
            || self.mapped("repos").contains(id)
            || self.mapped("cicd_scopes").contains(id)
    }

    /// Whether a scope is looked at, by the `params` of its raw rows.
    fn has_scope(&self, params: &str) -> bool {
        let repositories = self.symptoms.repositories.iter();
        self.project.is_none()
            || repositories
                .filter(|(_, own)| *own == params)
                .any(|(id, _)| self.has_repository(id))
    }

    /// The connection of a scope, by the `params` of its raw rows.
    fn connection_of(&self, params: &str) -> String {
        let scope = Scope::from_params(params).ok();
        let id = scope.map_or(0, |scope| scope.connection_id);
        connection_name(self.config, id)
    }

    /// Heading of the rules of a connection in the configuration.
    fn scope_config_of(&self, connection: &str) -> String {
        let connection = self.config.connection(connection);
        let name = connection.map_or(DEFAULT_SCOPE_CONFIG, |it| it.scope_config.as_str());
        format!("[scope_config.{name}]")
    }
}

/// A repository or scope as people call it: the end of its domain id, or its full name.
fn called(id: &str) -> &str {
    id.rsplit_once(':').map_or(id, |(_, name)| name)
}

/// Most names in one finding.
const MOST: usize = 10;

/// Names in quotes, at most [`MOST`] of them.
fn named<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    let names: BTreeSet<&str> = names.into_iter().collect();
    let shown: Vec<String> = names
        .iter()
        .take(MOST)
        .map(|name| format!("\"{}\"", crate::output::shown(name)))
        .collect();
    and_more(&shown, names.len())
}

/// The first ones of so many, and how many more there are.
fn and_more(shown: &[String], of: usize) -> String {
    match of.saturating_sub(shown.len()) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

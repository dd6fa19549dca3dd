//! Findings of projects: what they measure.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::{Code, Examined, Finding, called, named};
use headwater_metrics::FailureSource;

impl Examined<'_> {
    pub(super) fn of_projects(&self) -> Vec<Finding> {
        let mut findings = self.without_scopes();
        for (project, mapping) in self.projects() {
            let of_table = |table: &str| -> BTreeSet<&str> {
                let rows = mapping.iter().filter(|(name, _)| name == table);
                rows.map(|(_, id)| id.as_str()).collect()
            };
            let scopes = of_table("cicd_scopes");
            findings.extend(self.production(project, &scopes));
            findings.extend(self.never_deployed(project, &of_table("repos"), &scopes));
            findings.extend(self.incidents(project, mapping));
        }
        findings
    }

    fn without_scopes(&self) -> Vec<Finding> {
        let configured = self.config.projects.iter().map(|it| it.name.as_str());
        let stored = self.symptoms.projects.keys().map(String::as_str);
        let names: BTreeSet<&str> = configured.chain(stored).collect();
        let wanted = names
            .into_iter()
            .filter(|name| self.project.is_none_or(|only| only == *name));
        let empty = wanted.filter(|name| {
            let mapping = self.symptoms.projects.get(*name);
            mapping.is_none_or(Vec::is_empty)
        });
        empty
            .map(|project| {
                let what = "no repository, pipeline or board belongs to it";
                let connection = self.config.connections.first();
                let connection = connection.map_or("connection", |it| it.name.as_str());
                Finding::new(Code::ProjectWithoutScopes, project, what)
                    .write(format!("scopes = [\"{connection}:workspace/*\"]"))
                    .next("then run `headwater sync`")
            })
            .collect()
    }

    /// Repositories with several environments that are production.
    fn production(&self, project: &str, scopes: &BTreeSet<&str>) -> Option<Finding> {
        let rules = self.config.measured_projects().rules_of(project);
        if !rules.production_environments.is_empty() {
            return None;
        }
        let mut environments: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for it in &self.symptoms.production {
            if scopes.contains(it.scope.as_str()) {
                environments.entry(&it.scope).or_default().insert(&it.name);
            }
        }
        environments.retain(|_, names| names.len() > 1);
        let (first, names) = environments.first_key_value()?;
        let more = match environments.len() - 1 {
            0 => String::new(),
            more => format!(", and {more} more repositories have several"),
        };
        let what = format!(
            "{} deploys to {}, which are all production: each deployment counts, and a change \
             counts when it first arrives at any of them{more}",
            called(first),
            named(names.iter().copied())
        );
        let one = names.first().copied().unwrap_or_default();
        let line = format!(
            "production_environments = [{}]",
            serde_json::Value::from(one)
        );
        let finding = Finding::new(Code::TwoProductionEnvironments, project, what);
        let next = "name those that customers use, all of them if that is meant; then run \
                    `headwater metrics refresh`";
        Some(finding.write(line).next(next))
    }

    fn never_deployed(
        &self,
        project: &str,
        repositories: &BTreeSet<&str>,
        scopes: &BTreeSet<&str>,
    ) -> Option<Finding> {
        let deployed: BTreeSet<&str> = self
            .symptoms
            .production
            .iter()
            .map(|it| it.scope.as_str())
            .collect();
        let never: Vec<&str> = repositories
            .union(scopes)
            .copied()
            .filter(|id| !deployed.contains(id))
            .collect();
        let first = never.first()?;
        let mut what = match never.len() {
            1 => format!(
                "{} was never deployed to production",
                named([called(first)])
            ),
            several => format!(
                "{several} of its repositories were never deployed to production: {}",
                named(never.iter().map(|id| called(id)))
            ),
        };
        let params = self.symptoms.repositories.get(*first);
        let connection = self.connection_of(params.map_or("", String::as_str));
        let mut lines = self.scope_config_of(&connection);
        let elsewhere = self.deployed_elsewhere(&never);
        let next = if elsewhere.is_empty() {
            lines.push_str("\ndeployment_pattern = '(?i)deploy|release'");
            "or leave them out of `scopes` of the project with an entry that begins with `!`; \
             `headwater explain deployment` says what rules make of a pipeline"
        } else {
            let names = elsewhere.values().flatten().copied();
            // Writing to a String cannot fail.
            let _ = write!(what, ", only to {}", named(names));
            let customers: BTreeSet<&str> = elsewhere.values().filter_map(customers).collect();
            for name in customers.into_iter().take(3) {
                let name = serde_json::Value::from(name);
                let _ = write!(lines, "\nenvironments.{name} = \"PRODUCTION\"");
            }
            "then run `headwater transform`, which asks the server for nothing"
        };
        let finding = Finding::new(Code::RepositoryWithoutDeployments, project, what);
        Some(finding.write(lines).next(next))
    }

    /// Environments, none of them production, that these repositories were deployed to.
    fn deployed_elsewhere<'a>(&'a self, never: &[&str]) -> BTreeMap<&'a str, BTreeSet<&'a str>> {
        let mut elsewhere: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        let rows = self.symptoms.elsewhere.iter();
        for it in rows.filter(|it| never.contains(&it.scope.as_str())) {
            elsewhere.entry(&it.scope).or_default().insert(&it.name);
        }
        elsewhere
    }

    fn incidents(&self, project: &str, mapping: &[(String, String)]) -> Option<Finding> {
        let rules = self.config.measured_projects().rules_of(project);
        let only_incidents =
            rules.failure_sources.iter().collect::<Vec<_>>() == [&FailureSource::Incident];
        let count = self.symptoms.incidents.get(project).copied();
        if mapping.is_empty() || !only_incidents || count.unwrap_or_default() > 0 {
            return None;
        }
        let what = "it never had an incident, and nothing else tells which deployments failed: \
                    there is no change failure rate, no recovery and no time to restore";
        let id = mapping.first().map_or("", |(_, id)| id.as_str());
        let params = self.symptoms.repositories.get(id);
        let connection = self.connection_of(params.map_or("", String::as_str));
        let heading = self.scope_config_of(&connection);
        let lines = format!(
            "{heading}\nissue_type.INCIDENT = [\"bug\"]\n# or, below the [[project]]:\n\
             failure_sources = [\"rollback\", \"revert\", \"hotfix\"]"
        );
        let finding = Finding::new(Code::NoIncidentSource, project, what);
        let next = "then run `headwater transform`; incidents of other trackers come with \
                    `headwater import incidents FILE`";
        Some(finding.write(lines).next(next))
    }
}

/// The environment that customers most likely use: one that says so, else one that says nothing else.
fn customers<'a>(names: &BTreeSet<&'a str>) -> Option<&'a str> {
    let has = |name: &str, words: [&str; 4]| {
        let name = name.to_lowercase();
        words.into_iter().any(|word| name.contains(word))
    };
    let says_so = |name: &&&str| has(name, ["prod", "live", "customer", "public"]);
    let says_else = |name: &&&str| has(name, ["stag", "test", "dev", "qa"]);
    let mut likely = names.iter().filter(says_so);
    let mut unlike = names.iter().filter(|name| !says_else(name));
    let found = likely.next().or_else(|| unlike.next());
    found.or_else(|| names.last()).copied()
}

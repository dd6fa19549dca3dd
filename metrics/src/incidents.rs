//! Which deployment caused an incident.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::{DeploymentRows, Facts, Incident, Row, Rules};

/// How it is known which deployment caused an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LinkMethod {
    /// The incident names it.
    Explicit,
    /// It was the last one of the incident's repository.
    Repository,
    /// It was the last one of the project.
    Project,
}

impl LinkMethod {
    /// The text in `project_incident_deployment_relationships.method`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Explicit => "EXPLICIT",
            Self::Repository => "REPOSITORY",
            Self::Project => "PROJECT",
        }
    }
}

/// One row of `project_incident_deployment_relationships`.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// Id of the incident.
    pub incident: String,
    /// Id of the deployment.
    pub deployment: String,
    /// How it is known.
    pub method: LinkMethod,
    /// How sure it is, in tenths.
    pub confidence_tenths: i64,
}

impl Link {
    /// How sure it is, from 0 to 1.
    #[must_use]
    pub fn confidence(&self) -> f64 {
        i32::try_from(self.confidence_tenths).map_or(0.0, f64::from) / 10.0
    }
}

/// Why an incident has no deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unlinked {
    /// It names a deployment that is not there.
    ExplicitIdUnknown,
    /// It has no time.
    NoCreatedDate,
    /// Nothing was deployed before it.
    NoEarlierDeployment,
    /// The last deployment was too long before it.
    OutsideWindow,
}

impl Unlinked {
    /// The text in `unlinked_incidents.reason`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ExplicitIdUnknown => "EXPLICIT_ID_UNKNOWN",
            Self::NoCreatedDate => "NO_CREATED_DATE",
            Self::NoEarlierDeployment => "NO_EARLIER_DEPLOYMENT",
            Self::OutsideWindow => "OUTSIDE_WINDOW",
        }
    }
}

/// For each incident, by id, the deployment that caused it, or why there is none.
pub(crate) fn links(
    facts: &Facts,
    rules: &Rules,
    deployments: &DeploymentRows,
) -> (Vec<Link>, Vec<(String, Unlinked)>) {
    let linking = Linking::over(facts, rules, deployments);
    let (mut links, mut unlinked) = (Vec::new(), Vec::new());
    for incident in &facts.incidents {
        match linking.link(incident) {
            Ok((deployment, method, confidence_tenths)) => links.push(Link {
                incident: incident.id.clone(),
                deployment,
                method,
                confidence_tenths,
            }),
            Err(reason) => unlinked.push((incident.id.clone(), reason)),
        }
    }
    links.sort_by(|one, other| one.incident.cmp(&other.incident));
    unlinked.sort();
    (links, unlinked)
}

/// The repository of an incident, if it has one that is deployed to production.
pub(crate) struct RepositoryOf<'f> {
    rules: &'f Rules,
    deployed: BTreeSet<&'f str>,
    /// Deployed repositories by their names and the last parts of these, in lower case.
    names: BTreeMap<String, BTreeSet<&'f str>>,
}

impl<'f> RepositoryOf<'f> {
    pub(crate) fn new(facts: &'f Facts, rules: &'f Rules, deployments: &'f DeploymentRows) -> Self {
        let deployed: BTreeSet<&str> = deployments
            .rows
            .iter()
            .map(|row| row.repository.as_str())
            .collect();
        let mut names: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        let repositories = facts.all_repositories.iter();
        for repository in repositories.filter(|it| deployed.contains(it.id.as_str())) {
            let last = repository.name.rsplit('/').next().unwrap_or_default();
            for name in [repository.name.as_str(), last] {
                names
                    .entry(name.to_lowercase())
                    .or_default()
                    .insert(&repository.id);
            }
        }
        Self {
            rules,
            deployed,
            names,
        }
    }

    pub(crate) fn find(&self, incident: &Incident) -> Option<&str> {
        let configured = self.rules.services.get(&incident.component);
        let configured = configured
            .map(String::as_str)
            .filter(|id| self.deployed.contains(id));
        configured
            .or_else(|| self.named(&incident.component))
            .or_else(|| self.deployed.get(incident.scope_id.as_str()).copied())
    }

    /// The one repository with the name of a component; none of several.
    fn named(&self, component: &str) -> Option<&str> {
        if component.is_empty() {
            return None;
        }
        let mut named = self.names.get(&component.to_lowercase())?.iter();
        named.next().filter(|_| named.next().is_none()).copied()
    }
}

struct Linking<'f> {
    rules: &'f Rules,
    repositories: RepositoryOf<'f>,
    /// Successful rows by repository, by (end, deployment id).
    rows: BTreeMap<&'f str, Vec<&'f Row>>,
    all: Vec<&'f Row>,
    /// Deployments by their own id and by the ids of their rows: successful ones, failed ones.
    named: [Named<'f>; 2],
}

impl<'f> Linking<'f> {
    fn over(facts: &'f Facts, rules: &'f Rules, deployments: &'f DeploymentRows) -> Self {
        let mut all: Vec<&Row> = deployments.rows.iter().collect();
        all.sort_by(|one, other| {
            (one.finished, &one.deployment_id).cmp(&(other.finished, &other.deployment_id))
        });
        let mut rows: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
        for row in &all {
            rows.entry(&row.repository).or_default().push(row);
        }
        Self {
            rules,
            repositories: RepositoryOf::new(facts, rules, deployments),
            rows,
            all,
            named: [&deployments.rows, &deployments.failed_rows].map(|rows| Named::of(rows)),
        }
    }

    fn link(&self, incident: &Incident) -> Result<(String, LinkMethod, i64), Unlinked> {
        if !incident.deployment_id.is_empty() {
            let found = self.explicit(&incident.deployment_id);
            let found = found.ok_or(Unlinked::ExplicitIdUnknown)?;
            return Ok((found.to_owned(), LinkMethod::Explicit, 10));
        }
        let created = incident.created.ok_or(Unlinked::NoCreatedDate)?;
        let repository = self.repositories.find(incident);
        let rows = match repository {
            Some(id) => self.rows.get(id).map_or(&[][..], Vec::as_slice),
            None => &self.all,
        };
        let earlier = rows.partition_point(|row| row.finished < created);
        let last = earlier.checked_sub(1).and_then(|place| rows.get(place));
        let last = last.ok_or(Unlinked::NoEarlierDeployment)?;
        let is_near = created - last.finished <= self.rules.incident_window;
        let deployment = last.deployment_id.clone();
        match (repository, is_near) {
            (Some(_), true) => Ok((deployment, LinkMethod::Repository, 8)),
            (Some(_), false) => Ok((deployment, LinkMethod::Repository, 5)),
            (None, true) => Ok((deployment, LinkMethod::Project, 3)),
            (None, false) => Err(Unlinked::OutsideWindow),
        }
    }

    /// A production deployment with this id, one that has a row with it, or a failed one likewise.
    fn explicit(&self, id: &str) -> Option<&str> {
        self.named.iter().find_map(|named| named.find(id))
    }
}

/// Ids by which an incident may name a deployment.
struct Named<'f> {
    deployments: BTreeSet<&'f str>,
    /// The smallest deployment that has a row with this id.
    by_row: HashMap<&'f str, &'f str>,
}

impl<'f> Named<'f> {
    fn of(rows: &'f [Row]) -> Self {
        let mut by_row: HashMap<&str, &str> = HashMap::new();
        for row in rows {
            let id = row.deployment_id.as_str();
            let smallest = by_row.entry(&row.id).or_insert(id);
            *smallest = id.min(smallest);
        }
        Self {
            deployments: rows.iter().map(|row| row.deployment_id.as_str()).collect(),
            by_row,
        }
    }

    fn find(&self, id: &str) -> Option<&'f str> {
        let own = self.deployments.get(id).copied();
        own.or_else(|| self.by_row.get(id).copied())
    }
}

//! Facts of a project from a database, and what was decided back into it.
//!
//! The SQL is in the store (`headwater_store::measuring`); here rows become [`crate::Facts`], and a
//! `Measured` becomes rows. Rows are replaced as sets, and equal ones are not written, so that a
//! second computation changes nothing.

mod concern;
mod loading;
mod pipelines;
mod projects;
mod releases;
mod writing;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use headwater_domain::Scope;
use headwater_domain::metrics::project_pr_metric;
use headwater_store::{Changes, StepContext, Store, StoreError};

use crate::repairs::abbreviated_in;
use crate::{DeploymentRow, Facts, Measured, Rules, measure, signs};

pub use concern::{Concern, concerned_by_commits, renew_undeployed};
pub use loading::load;
pub use pipelines::renew as renew_imported_deployments;
pub use projects::Projects;
pub use releases::Releases;

/// The name under which these rows are derived: what it writes is nothing new to itself.
pub const DERIVATION: &str = "project_metrics";

/// The name under which deployments of imported pipelines and tags are derived.
pub const IMPORTED_DEPLOYMENTS: &str = "imported_deployments";

/// One part of a computation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Deployments that imported pipelines and tags are.
    Deployments,
    /// Incidents that issues are, of all projects.
    Incidents,
    /// Which successful deployment came before each.
    Predecessors,
    /// `project_pr_metrics`.
    LeadTimes,
    /// Incidents and the deployments that caused them.
    Links,
    /// `project_deployments` and `project_recoveries`.
    Outcomes,
}

impl Step {
    /// Every step, in their order.
    pub const ALL: [Self; 6] = [
        Self::Deployments,
        Self::Incidents,
        Self::Predecessors,
        Self::LeadTimes,
        Self::Links,
        Self::Outcomes,
    ];

    /// How the command line spells it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Deployments => "deployments",
            Self::Incidents => "incidents",
            Self::Predecessors => "predecessors",
            Self::LeadTimes => "lead-times",
            Self::Links => "links",
            Self::Outcomes => "outcomes",
        }
    }
}

/// Computes a project anew from its stored rows. `steps` are the parts to be done; what they read
/// is taken as it is stored.
///
/// # Errors
/// When the database fails.
pub async fn refresh(
    store: &Store,
    project: &str,
    projects: &Projects,
    steps: &BTreeSet<Step>,
    context: &StepContext<'_>,
) -> Result<Changes, StoreError> {
    let mut changes = Changes::default();
    if steps.contains(&Step::Deployments) {
        let scopes = store.mapping_of(project).await?.of("cicd_scopes");
        changes += renew_imported_deployments(store, &scopes, projects, context).await?;
    }
    if steps.contains(&Step::Incidents) {
        changes += renew_incidents(store, context).await?;
    }
    let computed = [
        Step::Predecessors,
        Step::LeadTimes,
        Step::Links,
        Step::Outcomes,
    ];
    if computed.iter().any(|step| steps.contains(step)) {
        let rules = projects.rules_of(project);
        let mut facts = load(store, project, &rules).await?;
        let measured = measure(&facts, &rules);
        note_abbreviated(store, (&facts, &rules), context).await?;
        // Most of memory is given back before rows are written.
        let deployments = std::mem::take(&mut facts.deployments);
        drop(facts);
        changes += write(store, project, (&deployments, &measured), steps, context).await?;
    }
    Ok(changes)
}

/// Notes which abbreviated hashes count as long as nothing else begins so.
async fn note_abbreviated(
    store: &Store,
    (facts, rules): (&Facts, &Rules),
    context: &StepContext<'_>,
) -> Result<(), StoreError> {
    let further = rules.revert_message_pattern.as_ref();
    let mut hashes: BTreeSet<String> = BTreeSet::new();
    for commit in &facts.reverting_commits {
        hashes.extend(abbreviated_in(&commit.message, further).map(str::to_owned));
    }
    if hashes.is_empty() {
        return Ok(());
    }
    let page = store.begin(&Scope::everywhere(), context.now).await?;
    page.note_abbreviated(&hashes).await?;
    page.commit().await
}

/// Makes the incidents that issues are what the issues say, for all projects.
///
/// # Errors
/// When the database fails.
pub async fn renew_incidents(
    store: &Store,
    context: &StepContext<'_>,
) -> Result<Changes, StoreError> {
    let page = store.begin(&Scope::everywhere(), context.now).await?;
    let mut page = page.deriving(DERIVATION);
    let changes = page.renew_incidents().await?;
    page.commit().await?;
    Ok(changes)
}

/// Computes the times of pull requests again, in every project that has measured them: what they
/// became, and what deployed that, is taken as it is stored.
///
/// # Errors
/// When the database fails.
pub async fn renew_own_times(
    store: &Store,
    ids: &[String],
    context: &StepContext<'_>,
) -> Result<Changes, StoreError> {
    let stored = store.rows_holding::<project_pr_metric::Entity>("id", ids);
    let stored = stored.await?;
    if stored.is_empty() {
        return Ok(Changes::default());
    }
    let pull_requests = loading::load_pull_requests(store, ids).await?;
    let renewed = writing::with_own_times(stored, &pull_requests);
    let page = store.begin(&Scope::everywhere(), context.now).await?;
    let mut page = page.deriving(DERIVATION);
    let mut changes = Changes::default();
    for (project, rows) in renewed {
        let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
        let renewed = page.renew_rows_of_pull_requests(&project, &ids, rows);
        changes += renewed.await?;
    }
    page.commit().await?;
    Ok(changes)
}

/// Of pull requests whose branch or title changed, and nothing else, the projects that are to be
/// measured anew: a hotfix or a revert may be another one now, or none. To all others the change
/// means nothing.
///
/// # Errors
/// When the database fails.
pub async fn concerned_by_names(
    store: &Store,
    ids: &[String],
    projects: &Projects,
) -> Result<BTreeSet<String>, StoreError> {
    let measured = store.rows_holding::<project_pr_metric::Entity>("id", ids);
    let measured = measured.await?;
    let names: BTreeSet<String> = measured.iter().map(|it| it.project_name.clone()).collect();
    let names: Vec<String> = names.into_iter().collect();
    let mut stored: BTreeMap<String, Vec<(String, String, String)>> = BTreeMap::new();
    for sign in store.signs_of(&names).await? {
        let of_project = stored.entry(sign.project).or_default();
        of_project.push((sign.id, sign.reverted, sign.title));
    }
    let changed = store.pull_requests_to_measure(ids).await?.into_iter();
    let changed: HashMap<String, _> = changed.map(|it| (it.id.clone(), it)).collect();
    let concerned = names.into_iter().filter(|project| {
        let rules = projects.rules_of(project);
        let signs = stored.get(project).map_or(&[][..], Vec::as_slice);
        let mut own = measured.iter().filter(|it| it.project_name == *project);
        own.any(|row| {
            changed.get(&row.id).is_none_or(|it| {
                signs::may_concern_others(&rules, (&it.id, &it.head_ref, &it.title), signs)
            })
        })
    });
    Ok(concerned.collect())
}

/// Writes what was decided of a project, in one transaction; `deployments` are its rows of
/// `cicd_deployment_commits`, as they are stored.
///
/// # Errors
/// When the database fails.
pub async fn write(
    store: &Store,
    project: &str,
    (deployments, measured): (&[DeploymentRow], &Measured),
    steps: &BTreeSet<Step>,
    context: &StepContext<'_>,
) -> Result<Changes, StoreError> {
    let before = if steps.contains(&Step::LeadTimes) {
        store.measured_pull_requests(project).await?
    } else {
        Vec::new()
    };
    let page = store.begin(&Scope::everywhere(), context.now).await?;
    let mut page = page.deriving(DERIVATION);
    let mut changes = Changes::default();
    if steps.contains(&Step::Predecessors) {
        changes += writing::predecessors(&page, deployments, measured).await?;
    }
    if steps.contains(&Step::LeadTimes) {
        let rows = writing::lead_times(project, measured);
        changes += page
            .renew_pull_request_metrics(project, rows, before)
            .await?;
    }
    if steps.contains(&Step::Links) {
        let (links, unlinked) = writing::links(project, measured);
        changes += page.renew_incident_links(project, links, unlinked).await?;
    }
    if steps.contains(&Step::Outcomes) {
        let rows = writing::deployments(project, measured);
        let recoveries = writing::recoveries(project, measured);
        let renewed = page.renew_project_deployments(project, rows, recoveries);
        changes += renewed.await?;
    }
    page.commit().await?;
    Ok(changes)
}

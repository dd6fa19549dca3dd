//! How much of what happened the metrics can see.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::numbers::ratio;
use crate::report::decimal;
use crate::{Facts, Measured, Range};

/// Shares of pull requests and incidents that are linked, and of deployments with an environment.
pub(crate) fn coverage(facts: &Facts, measured: &Measured, range: &Range) -> Value {
    json!({
        "pull_requests": pull_requests(measured, range),
        "deployments": deployments(measured, range),
        "incidents": incidents(facts, measured, range),
    })
}

fn share(part: usize, whole: usize) -> Value {
    let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    decimal(ratio(number(part), number(whole)))
}

/// How often each text occurs.
fn counted<'t>(texts: impl Iterator<Item = &'t str>) -> BTreeMap<&'t str, usize> {
    let mut counts = BTreeMap::new();
    for text in texts {
        *counts.entry(text).or_default() += 1;
    }
    counts
}

fn pull_requests(measured: &Measured, range: &Range) -> Value {
    let merged: Vec<_> = measured
        .lead_times
        .iter()
        .filter(|it| range.has(it.merged))
        .collect();
    let linked = merged.iter().filter(|it| it.row.is_some());
    let count = linked.clone().count();
    json!({
        "merged": merged.len(),
        "linked": count,
        "ratio": share(count, merged.len()),
        "methods": counted(linked.map(|it| it.deployment_method.as_str())),
        "reasons": counted(merged.iter().filter_map(|it| it.reason).map(super::lead_time::NotDeployed::name)),
    })
}

fn deployments(measured: &Measured, range: &Range) -> Value {
    let all = measured.deployments.finished.values();
    let finished: Vec<bool> = all
        .filter(|(end, _)| end.is_some_and(|end| range.has(end)))
        .map(|(_, has_environment)| *has_environment)
        .collect();
    let with_environment = finished.iter().filter(|it| **it).count();
    let production: Vec<_> = measured
        .deployments
        .successful()
        .filter(|it| range.has(it.end))
        .collect();
    let is_missing = |row: &usize| measured.missing_history[*row];
    let missing = production
        .iter()
        .filter(|it| it.rows.iter().any(is_missing));
    json!({
        "finished": finished.len(),
        "with_environment": with_environment,
        "ratio": share(with_environment, finished.len()),
        "production": production.len(),
        "missing_history": missing.count(),
    })
}

fn incidents(facts: &Facts, measured: &Measured, range: &Range) -> Value {
    let created: std::collections::HashSet<&str> = facts
        .incidents
        .iter()
        .filter(|it| it.created.is_some_and(|at| range.has(at)))
        .map(|it| it.id.as_str())
        .collect();
    let links = measured
        .links
        .iter()
        .filter(|it| created.contains(it.incident.as_str()));
    let unlinked = measured
        .unlinked
        .iter()
        .filter(|(id, _)| created.contains(id.as_str()));
    let linked = links.clone().count();
    json!({
        "created": created.len(),
        "linked": linked,
        "ratio": share(linked, created.len()),
        "methods": counted(links.map(|it| it.method.name())),
        "reasons": counted(unlinked.map(|(_, reason)| reason.name())),
    })
}

//! Why a metric has no value: the first condition that holds, in a fixed order.

use super::Counting;
use crate::failures::is_counted;

type Reason = Option<&'static str>;

fn first<const N: usize>(conditions: [(bool, &'static str); N]) -> Reason {
    let mut holding = conditions.into_iter().filter(|(holds, _)| *holds);
    holding.next().map(|(_, reason)| reason)
}

impl Counting<'_> {
    fn no_scopes(&self) -> (bool, &'static str) {
        (self.facts.scopes.is_empty(), "NO_SCOPES")
    }

    fn no_deployments(&self) -> (bool, &'static str) {
        (self.facts.deployments.is_empty(), "NO_DEPLOYMENTS")
    }

    fn no_production(&self) -> (bool, &'static str) {
        let none = self.measured.deployments.successful().next().is_none();
        (none, "NO_PRODUCTION_DEPLOYMENTS")
    }

    fn none_counted(&self) -> (bool, &'static str) {
        let deployments = &self.measured.deployments.deployments;
        let none = !deployments.iter().any(|it| is_counted(self.rules, it));
        (none, "NO_PRODUCTION_DEPLOYMENTS")
    }

    fn no_incidents(&self) -> (bool, &'static str) {
        let none = self.has_incident_source_only() && self.facts.incidents.is_empty();
        (none, "NO_INCIDENTS")
    }

    pub(super) fn frequency_reason(&self) -> Reason {
        let mut successful = self.measured.deployments.successful();
        let none_in_range = !successful.any(|it| self.range.has(it.end));
        first([
            self.no_scopes(),
            self.no_deployments(),
            self.no_production(),
            (none_in_range, "NO_DEPLOYMENTS_IN_RANGE"),
        ])
    }

    pub(super) fn lead_time_reason(&self, none_in_range: bool) -> Reason {
        let lead_times = &self.measured.lead_times;
        let rows = &self.measured.deployments.rows;
        first([
            (self.facts.repositories.is_empty(), "NO_REPOSITORIES"),
            self.no_scopes(),
            (lead_times.is_empty(), "NO_MERGED_PULL_REQUESTS"),
            self.no_deployments(),
            self.no_production(),
            (
                rows.iter().all(|it| it.predecessor.is_none()),
                "ONLY_FIRST_DEPLOYMENT",
            ),
            (
                lead_times.iter().all(|it| it.row.is_none()),
                "NO_LINKED_PULL_REQUESTS",
            ),
            (none_in_range, "NO_PULL_REQUESTS_DEPLOYED_IN_RANGE"),
        ])
    }

    pub(super) fn failure_rate_reason(&self, none_in_range: bool) -> Reason {
        first([
            self.no_scopes(),
            self.no_deployments(),
            self.none_counted(),
            (none_in_range, "NO_DEPLOYMENTS_IN_RANGE"),
            self.no_incidents(),
        ])
    }

    pub(super) fn recovery_reason(&self, none_in_range: bool) -> Reason {
        let no_failure = if self.has_incident_source_only() {
            "NO_INCIDENTS_LINKED"
        } else {
            "NO_FAILURES"
        };
        first([
            self.no_scopes(),
            self.no_deployments(),
            self.none_counted(),
            self.no_incidents(),
            (self.measured.failures.is_empty(), no_failure),
            (none_in_range, "NO_RECOVERIES_IN_RANGE"),
        ])
    }

    pub(super) fn restore_reason(&self, none_in_range: bool) -> Reason {
        first([
            (self.facts.incidents.is_empty(), "NO_INCIDENTS"),
            (none_in_range, "NO_INCIDENTS_RESOLVED_IN_RANGE"),
        ])
    }

    pub(super) fn rework_reason(&self, none_in_range: bool) -> Reason {
        first([
            self.no_scopes(),
            self.no_deployments(),
            self.no_production(),
            (none_in_range, "NO_DEPLOYMENTS_IN_RANGE"),
        ])
    }
}

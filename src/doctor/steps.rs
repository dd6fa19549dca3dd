//! Findings about steps of pipelines: what they cost in requests, and what is not seen without them.

use headwater_domain::rules::{Rules, Steps};
use headwater_store::symptoms::{Counted, DEPLOYED};

use super::{Code, Examined, Finding};

/// Pipelines of a connection.
struct Pipelines {
    all: i64,
    /// Those for which Bitbucket lists no deployment.
    undeployed: i64,
}

impl Pipelines {
    fn of(counted: &[&Counted]) -> Self {
        let undeployed = counted.iter().filter(|it| it.name != DEPLOYED);
        Self {
            all: counted.iter().map(|it| it.count).sum(),
            undeployed: undeployed.map(|it| it.count).sum(),
        }
    }
}

impl Examined<'_> {
    pub(super) fn steps(&self) -> Vec<Finding> {
        let connections = self.by_connection(&self.symptoms.pipelines);
        let findings = connections.iter().filter_map(|(connection, counted)| {
            let rules = self.config.rules_of(connection);
            let pipelines = Pipelines::of(counted);
            match rules.steps {
                Steps::All => self.costly(connection, &rules, &pipelines),
                _ => self.unseen(connection, &rules, &pipelines),
            }
        });
        findings.collect()
    }

    /// Lists of steps that take more than an hour's requests, while no pattern looks at them.
    fn costly(&self, connection: &str, rules: &Rules, pipelines: &Pipelines) -> Option<Finding> {
        let per_hour = self.config.connection(connection)?.requests_per_hour;
        let saved = pipelines.undeployed;
        if rules.deployment_pattern.is_some() || saved <= i64::from(per_hour) {
            return None;
        }
        let what = format!(
            "the steps of {saved} of {} pipelines cost a request each, and decide nothing: \
             Bitbucket lists no deployment of these pipelines, and no deployment_pattern looks at \
             names of steps",
            pipelines.all
        );
        let lines = format!(
            "{}\nsteps = \"{}\"",
            self.scope_config_of(connection),
            Steps::Deployments.as_str()
        );
        let next = format!(
            "a first sync then sends {saved} requests less, and each further one as many as there \
             are new pipelines without a deployment; their steps, and their times of start, go"
        );
        let finding = Finding::new(Code::StepsCostRequests, connection, what);
        Some(finding.write(lines).next(next))
    }

    /// Pipelines of which a pattern would look at names of steps that are not collected.
    fn unseen(&self, connection: &str, rules: &Rules, pipelines: &Pipelines) -> Option<Finding> {
        let pattern = rules.deployment_pattern.as_ref()?;
        if pipelines.undeployed == 0 {
            return None;
        }
        let up_to = match rules.steps {
            Steps::Matching => "up to ",
            _ => "",
        };
        let what = format!(
            "deployment_pattern = '{}' looks at names of steps, and steps = \"{}\" leaves them \
             out of {up_to}{} of {} pipelines: a deployment that only the name of a step tells is not \
             counted",
            pattern.as_str(),
            rules.steps.as_str(),
            pipelines.undeployed,
            pipelines.all
        );
        let lines = format!(
            "{}\nsteps = \"{}\"",
            self.scope_config_of(connection),
            Steps::All.as_str()
        );
        let finding = Finding::new(Code::StepsNotLookedAt, connection, what);
        Some(finding.write(lines).next(format!(
            "then run `headwater sync`, which sends up to {} requests more; or take the pattern out",
            pipelines.undeployed
        )))
    }
}

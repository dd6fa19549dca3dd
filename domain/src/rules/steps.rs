//! Which pipelines' steps are collected.

use regex::Regex;

use super::{Rules, hashed};

/// Which pipelines' steps are collected: each list of steps costs a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Steps {
    /// Those of all pipelines.
    #[default]
    All,
    /// Those of pipelines for which Bitbucket lists a deployment.
    Deployments,
    /// The same, and those of pipelines of which the name, the ref or the target matches a pattern
    /// of deployments.
    Matching,
}

impl Steps {
    /// Every policy, in the order of the documentation.
    pub const ALL: [Self; 3] = [Self::All, Self::Deployments, Self::Matching];

    /// The word that the configuration uses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Deployments => "deployments",
            Self::Matching => "matching",
        }
    }
}

impl Rules {
    /// Whether the steps of a pipeline are collected: one with or without a deployment, and with
    /// these names.
    #[must_use]
    pub fn wants_steps<T: AsRef<str>>(&self, has_deployment: bool, names: &[T]) -> bool {
        match self.steps {
            Steps::All => true,
            Steps::Deployments => has_deployment,
            Steps::Matching => has_deployment || self.is_named_like_a_deployment(names),
        }
    }

    fn is_named_like_a_deployment<T: AsRef<str>>(&self, names: &[T]) -> bool {
        let mut patterns = self.deployment_patterns().into_iter().flatten();
        patterns.any(|pattern| names.iter().any(|name| pattern.is_match(name.as_ref())))
    }

    /// The patterns that say what is a deployment, and what goes to production.
    pub(super) fn deployment_patterns(&self) -> [Option<&Regex>; 4] {
        [
            self.deployment_pattern.as_ref(),
            self.production_pattern.as_ref(),
            self.deployment_ref_pattern.as_ref(),
            self.production_ref_pattern.as_ref(),
        ]
    }

    /// The rule about steps, as a hash of its text; empty where all are collected.
    #[must_use]
    pub fn steps_fingerprint(&self) -> String {
        match self.steps {
            Steps::All => String::new(),
            Steps::Deployments => hashed(Steps::Deployments.as_str()),
            Steps::Matching => {
                let patterns = self.deployment_patterns();
                let patterns = patterns.map(|pattern| pattern.map(Regex::as_str));
                hashed(&format!("{} {patterns:?}", Steps::Matching.as_str()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(steps: Steps, deployment: &str, deployment_ref: &str) -> Rules {
        let pattern = |text: &str| (!text.is_empty()).then(|| Regex::new(text).unwrap());
        Rules {
            steps,
            deployment_pattern: pattern(deployment),
            deployment_ref_pattern: pattern(deployment_ref),
            ..Rules::default()
        }
    }

    #[test]
    fn steps_are_wanted_of_all_pipelines_of_deployments_or_of_names_that_match() {
        let (deployed, not) = (true, false);
        for (steps, pattern, ref_pattern, has_deployment, names, expected) in [
            (Steps::All, "", "", not, &["main"][..], true),
            (Steps::Deployments, "main", "main", not, &["main"], false),
            (Steps::Deployments, "", "", deployed, &[], true),
            (Steps::Matching, "", "", not, &["main"], false),
            (Steps::Matching, "", "", deployed, &["main"], true),
            (Steps::Matching, "", "^release/", not, &["release/1"], true),
            (Steps::Matching, "", "^release/", not, &["main"], false),
            (
                Steps::Matching,
                "deploy",
                "",
                not,
                &["main", "deploy-eu"],
                true,
            ),
            (Steps::Matching, "deploy", "", not, &[], false),
        ] {
            let rules = rules(steps, pattern, ref_pattern);
            let case = format!("{steps:?} {pattern} {ref_pattern} {has_deployment} {names:?}");
            assert_eq!(rules.wants_steps(has_deployment, names), expected, "{case}");
        }
    }

    #[test]
    fn the_fingerprint_changes_with_what_the_rule_looks_at_and_with_nothing_else() {
        let of = |steps, pattern| rules(steps, pattern, "").steps_fingerprint();
        assert_eq!(of(Steps::All, ""), "");
        assert_eq!(of(Steps::All, "deploy"), "");
        assert_eq!(
            of(Steps::Deployments, "a"),
            of(Steps::Deployments, "b"),
            "no pattern is looked at"
        );
        assert_ne!(of(Steps::Deployments, ""), of(Steps::Matching, ""));
        assert_ne!(of(Steps::Matching, "a"), of(Steps::Matching, "b"));
    }
}

//! What is a deployment, how it ended and where it went.

use super::Rules;

/// The type of what is a deployment.
pub const DEPLOYMENT: &str = "DEPLOYMENT";
const PRODUCTION: &str = "PRODUCTION";

/// An environment as Bitbucket tells it.
#[derive(Clone, Copy, Debug, Default)]
pub struct EnvironmentNames<'a> {
    /// Its name.
    pub name: &'a str,
    /// Test, Staging or Production; empty where it is not told.
    pub kind: &'a str,
}

impl Rules {
    /// Type and environment of a pipeline, by its ref's name.
    #[must_use]
    pub fn pipeline(&self, ref_name: &str) -> (&'static str, &'static str) {
        let matches = |pattern: &regex::Regex| pattern.is_match(ref_name);
        let is_deployment = self.deployment_ref_pattern.as_ref().is_some_and(matches);
        let is_production = match &self.production_ref_pattern {
            Some(pattern) => matches(pattern),
            None => is_deployment,
        };
        (
            if is_deployment { DEPLOYMENT } else { "" },
            if is_production { PRODUCTION } else { "" },
        )
    }

    /// Type and environment of a step, by the deployment it made, if any, and by its name.
    #[must_use]
    pub fn step(
        &self,
        name: &str,
        deployed_to: Option<EnvironmentNames<'_>>,
    ) -> (&'static str, &'static str) {
        if let Some(environment) = deployed_to {
            return (DEPLOYMENT, self.environment(environment));
        }
        let matches = |pattern: &regex::Regex| pattern.is_match(name);
        if !self.deployment_pattern.as_ref().is_some_and(matches) {
            return ("", "");
        }
        let is_production = self.production_pattern.as_ref().is_none_or(matches);
        (DEPLOYMENT, if is_production { PRODUCTION } else { "" })
    }

    /// What an environment is for: by the configured map, then by Bitbucket's own word, by the
    /// production pattern on its name, and by names that everybody knows.
    #[must_use]
    pub fn environment(&self, environment: EnvironmentNames<'_>) -> &'static str {
        let EnvironmentNames { name, kind } = environment;
        let exact = self.environments.iter().find(|rule| rule.pattern == name);
        let rule = exact.or_else(|| {
            let mut rules = self.environments.iter();
            rules.find(|rule| rule.matcher.is_match(name))
        });
        if let Some(rule) = rule {
            return rule.environment;
        }
        if let Some(known) = known(kind) {
            return known;
        }
        let matches = |pattern: &regex::Regex| pattern.is_match(name);
        if self.production_pattern.as_ref().is_some_and(matches) {
            return PRODUCTION;
        }
        known(name).unwrap_or_default()
    }
}

fn known(word: &str) -> Option<&'static str> {
    match word.trim().to_lowercase().as_str() {
        "production" | "prod" | "live" => Some(PRODUCTION),
        "staging" | "stage" => Some("STAGING"),
        "test" | "testing" => Some("TESTING"),
        "development" | "dev" => Some("DEVELOPMENT"),
        _ => None,
    }
}

/// SUCCESS, FAILURE or empty, by a pipeline's or a step's own word.
#[must_use]
pub fn result(word: &str) -> &'static str {
    match word.to_uppercase().as_str() {
        "SUCCESSFUL" | "COMPLETED" | "PASSED" => "SUCCESS",
        "FAILED" | "ERROR" | "STOPPED" => "FAILURE",
        _ => "",
    }
}

/// Status of a pipeline, by its own word.
#[must_use]
pub fn pipeline_status(word: &str) -> &'static str {
    match word.to_uppercase().as_str() {
        "IN_PROGRESS" | "PENDING" | "RUNNING" | "PAUSED" | "BUILDING" => "IN_PROGRESS",
        "COMPLETED" | "SUCCESSFUL" | "PASSED" | "FAILED" | "ERROR" | "STOPPED" | "HALTED" => "DONE",
        _ => "OTHER",
    }
}

/// Status of a step, by its own word.
#[must_use]
pub fn step_status(word: &str) -> &'static str {
    match word.to_uppercase().as_str() {
        "IN_PROGRESS" | "PENDING" | "BUILDING" | "READY" => "IN_PROGRESS",
        "COMPLETED" | "SUCCESSFUL" | "FAILED" | "ERROR" | "STOPPED" => "DONE",
        _ => "OTHER",
    }
}

/// Status of a deployment, by its own word.
#[must_use]
pub fn deployment_status(word: &str) -> &'static str {
    match word.to_uppercase().as_str() {
        "IN_PROGRESS" => "IN_PROGRESS",
        "COMPLETED" | "SUCCESSFUL" | "FAILED" | "STOPPED" | "CANCELLED" => "DONE",
        _ => "OTHER",
    }
}

/// Result of a deployment and the word it follows from: its own outcome, else its step's, else
/// its state.
#[must_use]
pub fn deployment_result<'a>(
    outcome: &'a str,
    step_result: &'a str,
    state: &'a str,
) -> (&'static str, &'a str) {
    let done = deployment_status(state) == "DONE";
    let words = [outcome, if done { step_result } else { "" }, state];
    let word = words.into_iter().find(|word| !word.is_empty());
    let word = word.unwrap_or_default();
    let result = match word.to_uppercase().as_str() {
        "SUCCESSFUL" | "COMPLETED" => "SUCCESS",
        "FAILED" | "ERROR" | "STOPPED" | "CANCELLED" => "FAILURE",
        _ => "",
    };
    (result, word)
}

#[cfg(test)]
mod tests {
    use globset::Glob;
    use regex::Regex;

    use super::*;
    use crate::rules::EnvironmentRule;

    fn pattern(text: &str) -> Option<Regex> {
        (!text.is_empty()).then(|| Regex::new(text).unwrap())
    }

    #[test]
    fn a_pipeline_is_a_deployment_by_its_ref() {
        for (deployment, production, name, expected) in [
            ("", "", "main", ("", "")),
            ("^release/", "", "main", ("", "")),
            ("^release/", "", "release/1", (DEPLOYMENT, PRODUCTION)),
            ("^release/", "^main$", "release/1", (DEPLOYMENT, "")),
            (
                "^(release/|main$)",
                "^main$",
                "main",
                (DEPLOYMENT, PRODUCTION),
            ),
            ("", "^main$", "main", ("", PRODUCTION)),
        ] {
            let rules = Rules {
                deployment_ref_pattern: pattern(deployment),
                production_ref_pattern: pattern(production),
                ..Rules::default()
            };
            let case = format!("{deployment} {production} {name}");
            assert_eq!(rules.pipeline(name), expected, "{case}");
        }
    }

    #[test]
    fn a_step_is_a_deployment_by_what_it_deployed_or_by_its_name() {
        let eu = EnvironmentNames {
            name: "prod-eu",
            kind: "Production",
        };
        for (deployment, production, name, deployed_to, expected) in [
            ("", "", "Deploy", None, ("", "")),
            ("(?i)deploy", "", "Deploy", None, (DEPLOYMENT, PRODUCTION)),
            ("(?i)deploy", "", "Build", None, ("", "")),
            (
                "(?i)deploy",
                "prod",
                "Deploy to test",
                None,
                (DEPLOYMENT, ""),
            ),
            (
                "(?i)deploy",
                "prod",
                "Deploy to prod",
                None,
                (DEPLOYMENT, PRODUCTION),
            ),
            ("", "", "Ship it", Some(eu), (DEPLOYMENT, PRODUCTION)),
        ] {
            let rules = Rules {
                deployment_pattern: pattern(deployment),
                production_pattern: pattern(production),
                ..Rules::default()
            };
            let case = format!("{deployment} {production} {name}");
            assert_eq!(rules.step(name, deployed_to), expected, "{case}");
        }
    }

    #[test]
    fn an_environment_is_known_by_the_map_its_type_the_pattern_or_its_name() {
        let rule = |text: &str, environment| EnvironmentRule {
            pattern: text.to_owned(),
            matcher: Glob::new(text).unwrap().compile_matcher(),
            environment,
        };
        let map = vec![rule("eu-*", PRODUCTION), rule("eu-canary", "STAGING")];
        for (map, production, name, kind, expected) in [
            (&[][..], "", "prod-eu", "Production", PRODUCTION),
            (&[][..], "", "prod-us", "Production", PRODUCTION),
            (&[][..], "", "Test", "Test", "TESTING"),
            (&[][..], "", "qa", "Staging", "STAGING"),
            (&[][..], "", "qa", "", ""),
            (&[][..], "^live-", "live-1", "", PRODUCTION),
            (&[][..], "^live-", "live-1", "Staging", "STAGING"),
            (&[][..], "", "Staging", "", "STAGING"),
            (&map, "", "eu-west", "Test", PRODUCTION),
            (&map, "", "eu-canary", "Production", "STAGING"),
        ] {
            let rules = Rules {
                production_pattern: pattern(production),
                environments: map.to_vec(),
                ..Rules::default()
            };
            let found = rules.environment(EnvironmentNames { name, kind });
            assert_eq!(found, expected, "{name} {kind} {production}");
        }
    }

    #[test]
    fn a_deployment_ends_as_it_says_else_as_its_step_else_as_its_state() {
        for (outcome, step, state, expected) in [
            ("SUCCESSFUL", "FAILED", "COMPLETED", "SUCCESS"),
            ("FAILED", "", "COMPLETED", "FAILURE"),
            ("STOPPED", "", "COMPLETED", "FAILURE"),
            ("", "FAILED", "COMPLETED", "FAILURE"),
            ("", "", "COMPLETED", "SUCCESS"),
            ("", "", "CANCELLED", "FAILURE"),
            ("", "SUCCESSFUL", "IN_PROGRESS", ""),
            ("", "", "UNDEPLOYED", ""),
            ("", "", "", ""),
        ] {
            let (found, _) = deployment_result(outcome, step, state);
            assert_eq!(found, expected, "{outcome}/{step}/{state}");
        }
    }

    #[test]
    fn states_mean_what_they_mean_to_devlake() {
        for (word, pipeline, step, deployment) in [
            ("IN_PROGRESS", "IN_PROGRESS", "IN_PROGRESS", "IN_PROGRESS"),
            ("PENDING", "IN_PROGRESS", "IN_PROGRESS", "OTHER"),
            ("READY", "OTHER", "IN_PROGRESS", "OTHER"),
            ("HALTED", "DONE", "OTHER", "OTHER"),
            ("completed", "DONE", "DONE", "DONE"),
            ("NOT_RUN", "OTHER", "OTHER", "OTHER"),
            ("CANCELLED", "OTHER", "OTHER", "DONE"),
        ] {
            let found = (
                pipeline_status(word),
                step_status(word),
                deployment_status(word),
            );
            assert_eq!(found, (pipeline, step, deployment), "{word}");
        }
    }
}

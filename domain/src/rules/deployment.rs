//! What is a deployment, how it ended and where it went.

use regex::Regex;

use super::{Found, Log, Look, Rules};

/// The type of what is a deployment.
pub const DEPLOYMENT: &str = "DEPLOYMENT";
const PRODUCTION: &str = "PRODUCTION";

const STEP_NAME: &str = "name of the step";
const REF_NAME: &str = "ref of the pipeline";
const ENVIRONMENT_NAME: &str = "name of the environment";

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
    pub fn pipeline<'a>(
        &'a self,
        ref_name: &'a str,
        log: Log<'_, 'a>,
    ) -> (&'static str, &'static str) {
        let subject = (REF_NAME, ref_name);
        let rule = ("deployment_ref_pattern", &self.deployment_ref_pattern);
        let is_deployment = looked(("type", DEPLOYMENT), rule, subject, log).unwrap_or(false);
        let rule = ("production_ref_pattern", &self.production_ref_pattern);
        let is_production = looked(("environment", PRODUCTION), rule, subject, log);
        (
            if is_deployment { DEPLOYMENT } else { "" },
            // Without a pattern, what was detected by its ref is PRODUCTION.
            if is_production.unwrap_or(is_deployment) {
                PRODUCTION
            } else {
                ""
            },
        )
    }

    /// Type and environment of a step, by the deployment it made, if any, and by its name.
    pub fn step<'a>(
        &'a self,
        name: &'a str,
        deployed_to: Option<EnvironmentNames<'a>>,
        log: Log<'_, 'a>,
    ) -> (&'static str, &'static str) {
        log(Look {
            decides: "type",
            rule: "a deployment of this step",
            subject: ENVIRONMENT_NAME,
            text: deployed_to.map_or("", |environment| environment.name),
            found: match deployed_to {
                Some(_) => Found::Told(DEPLOYMENT),
                None => Found::Untold,
            },
        });
        let subject = (STEP_NAME, name);
        let rule = ("deployment_pattern", &self.deployment_pattern);
        let by_name = looked(("type", DEPLOYMENT), rule, subject, log);
        if let Some(environment) = deployed_to {
            return (DEPLOYMENT, self.environment(environment, log));
        }
        if by_name != Some(true) {
            return ("", "");
        }
        let rule = ("production_pattern", &self.production_pattern);
        let is_production = looked(("environment", PRODUCTION), rule, subject, log);
        // Without a pattern, what was detected by its name is PRODUCTION.
        let is_production = is_production.unwrap_or(true);
        (DEPLOYMENT, if is_production { PRODUCTION } else { "" })
    }

    /// What an environment is for: by the configured map, then by Bitbucket's own word, by the
    /// production pattern on its name, and by names that everybody knows.
    pub fn environment<'a>(
        &'a self,
        environment: EnvironmentNames<'a>,
        log: Log<'_, 'a>,
    ) -> &'static str {
        let EnvironmentNames { name, kind } = environment;
        let mut decided = self.mapped(name, log);
        let told = known(kind);
        decide(&mut decided, told, log, |found| Look {
            decides: "environment",
            rule: "environment_type",
            subject: "type of the environment",
            text: kind,
            found,
        });
        if decided.is_none() {
            let rule = ("production_pattern", &self.production_pattern);
            let subject = (ENVIRONMENT_NAME, name);
            let is_production = looked(("environment", PRODUCTION), rule, subject, log);
            decided = (is_production == Some(true)).then_some(PRODUCTION);
        } else {
            log(Look {
                decides: "environment",
                rule: "production_pattern",
                subject: ENVIRONMENT_NAME,
                text: name,
                found: Found::Decided,
            });
        }
        decide(&mut decided, known(name), log, |found| Look {
            decides: "environment",
            rule: "known names",
            subject: ENVIRONMENT_NAME,
            text: name,
            found,
        });
        decided.unwrap_or_default()
    }

    /// What the configured map says of an environment: a full name goes before globs.
    fn mapped<'a>(&'a self, name: &'a str, log: Log<'_, 'a>) -> Option<&'static str> {
        let mut tell = |found| {
            log(Look {
                decides: "environment",
                rule: "environments",
                subject: ENVIRONMENT_NAME,
                text: name,
                found,
            });
        };
        if self.environments.is_empty() {
            tell(Found::Unset);
        }
        let exact = self.environments.iter().find(|rule| rule.pattern == name);
        if let Some(rule) = exact {
            tell(Found::matched(&rule.pattern, rule.environment));
            return Some(rule.environment);
        }
        for rule in &self.environments {
            if rule.matcher.is_match(name) {
                tell(Found::matched(&rule.pattern, rule.environment));
                return Some(rule.environment);
            }
            tell(Found::Missed(&rule.pattern));
        }
        None
    }

    /// Type and environment as the tool table of pipelines has them: what each pattern says for itself, as in `DevLake`.
    #[must_use]
    pub fn pipeline_labels(&self, ref_name: &str) -> (&'static str, &'static str) {
        labels(
            self.deployment_ref_pattern.as_ref(),
            self.production_ref_pattern.as_ref(),
            ref_name,
        )
    }

    /// Type and environment as the tool table of steps has them: what each pattern says for itself, as in `DevLake`.
    #[must_use]
    pub fn step_labels(&self, name: &str) -> (&'static str, &'static str) {
        labels(
            self.deployment_pattern.as_ref(),
            self.production_pattern.as_ref(),
            name,
        )
    }
}

/// What each pattern says for itself, as `DevLake`'s tool tables have it: everything is
/// PRODUCTION where there is no such pattern, whether it is a deployment or not.
fn labels(
    deployment: Option<&Regex>,
    production: Option<&Regex>,
    text: &str,
) -> (&'static str, &'static str) {
    let is_deployment = deployment.is_some_and(|pattern| pattern.is_match(text));
    let is_production = production.is_none_or(|pattern| pattern.is_match(text));
    (
        if is_deployment { DEPLOYMENT } else { "" },
        if is_production { PRODUCTION } else { "" },
    )
}

/// Whether a pattern matches a text; none without a pattern.
fn looked<'a>(
    (decides, gives): (&'static str, &'static str),
    (rule, pattern): (&'static str, &'a Option<Regex>),
    (subject, text): (&'static str, &'a str),
    log: Log<'_, 'a>,
) -> Option<bool> {
    let matches = pattern.as_ref().map(|pattern| pattern.is_match(text));
    let found = match (matches, pattern) {
        (Some(true), Some(pattern)) => Found::matched(pattern.as_str(), gives),
        (Some(false), Some(pattern)) => Found::Missed(pattern.as_str()),
        _ => Found::Unset,
    };
    log(Look {
        decides,
        rule,
        subject,
        text,
        found,
    });
    matches
}

/// Takes what a rule without a pattern says, unless an earlier rule has decided.
fn decide<'a>(
    decided: &mut Option<&'static str>,
    told: Option<&'static str>,
    log: Log<'_, 'a>,
    look: impl Fn(Found<'a>) -> Look<'a>,
) {
    let found = match (&decided, told) {
        (Some(_), _) => Found::Decided,
        (None, Some(word)) => Found::Told(word),
        (None, None) => Found::Untold,
    };
    log(look(found));
    *decided = decided.or(told);
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

/// SUCCESS, FAILURE or empty, by a pipeline's own word.
#[must_use]
pub fn pipeline_result(word: &str) -> &'static str {
    match word.to_uppercase().as_str() {
        "PASSED" => "SUCCESS",
        _ => step_result(word),
    }
}

/// SUCCESS, FAILURE or empty, by a step's own word.
#[must_use]
pub fn step_result(word: &str) -> &'static str {
    match word.to_uppercase().as_str() {
        "SUCCESSFUL" | "COMPLETED" => "SUCCESS",
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

/// Result of a deployment: by its own outcome, else by its step's when it is done, else by its
/// state.
pub fn deployment_result<'a>(
    outcome: &'a str,
    step_result: &'a str,
    state: &'a str,
    log: Log<'_, 'a>,
) -> &'static str {
    let done = deployment_status(state) == "DONE";
    let step_result = if done { step_result } else { "" };
    let words = [
        ("state.status", "outcome of the deployment", outcome),
        ("result of its step", "result of the step", step_result),
        ("state.name", "state of the deployment", state),
    ];
    let mut result = None;
    for (rule, subject, text) in words {
        let told = (!text.is_empty()).then(|| deployment_word(text));
        decide(&mut result, told, log, |found| Look {
            decides: "result",
            rule,
            subject,
            text,
            found,
        });
    }
    result.unwrap_or_default()
}

fn deployment_word(word: &str) -> &'static str {
    match word.to_uppercase().as_str() {
        "SUCCESSFUL" | "COMPLETED" => "SUCCESS",
        "FAILED" | "ERROR" | "STOPPED" | "CANCELLED" => "FAILURE",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use globset::Glob;
    use regex::Regex;

    use super::*;
    use crate::rules::{EnvironmentRule, unheard};

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
            assert_eq!(rules.pipeline(name, &mut unheard), expected, "{case}");
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
            assert_eq!(
                rules.step(name, deployed_to, &mut unheard),
                expected,
                "{case}"
            );
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
            let found = rules.environment(EnvironmentNames { name, kind }, &mut unheard);
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
            let found = deployment_result(outcome, step, state, &mut unheard);
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

    #[test]
    fn labels_of_the_tool_tables_are_what_each_pattern_says_for_itself() {
        for (deployment, production, text, expected) in [
            ("", "", "Build", ("", PRODUCTION)),
            ("staging", "", "To staging", (DEPLOYMENT, PRODUCTION)),
            ("staging", "prod", "To staging", (DEPLOYMENT, "")),
            ("staging", "prod", "To prod", ("", PRODUCTION)),
        ] {
            let rules = Rules {
                deployment_pattern: pattern(deployment),
                production_pattern: pattern(production),
                deployment_ref_pattern: pattern(deployment),
                production_ref_pattern: pattern(production),
                ..Rules::default()
            };
            let case = format!("{deployment} {production} {text}");
            assert_eq!(rules.step_labels(text), expected, "{case}");
            assert_eq!(rules.pipeline_labels(text), expected, "{case}");
        }
    }

    #[test]
    fn what_passed_is_a_success_of_a_pipeline_only() {
        for (word, pipeline, step) in [
            ("PASSED", "SUCCESS", ""),
            ("successful", "SUCCESS", "SUCCESS"),
            ("STOPPED", "FAILURE", "FAILURE"),
            ("NOT_RUN", "", ""),
        ] {
            let found = (pipeline_result(word), step_result(word));
            assert_eq!(found, (pipeline, step), "{word}");
        }
    }

    #[test]
    fn every_rule_tells_what_it_looked_at_and_what_it_found() {
        let rules = Rules {
            deployment_pattern: pattern("deploy"),
            ..Rules::default()
        };
        let eu = EnvironmentNames {
            name: "prod-eu",
            kind: "Production",
        };
        let mut told = Vec::new();
        rules.step("Roll out", Some(eu), &mut |look| {
            told.push((look.rule, look.text, look.found));
        });
        assert_eq!(
            told,
            [
                (
                    "a deployment of this step",
                    "prod-eu",
                    Found::Told(DEPLOYMENT)
                ),
                ("deployment_pattern", "Roll out", Found::Missed("deploy")),
                ("environments", "prod-eu", Found::Unset),
                ("environment_type", "Production", Found::Told(PRODUCTION)),
                ("production_pattern", "prod-eu", Found::Decided),
                ("known names", "prod-eu", Found::Decided),
            ]
        );
    }
}

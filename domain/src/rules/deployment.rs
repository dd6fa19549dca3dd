//! What is a deployment, and where it went.

use regex::Regex;

use super::trace::decide;
use super::{Finding, Rules, Trace, TraceEntry};

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
    /// Test, Staging or Production; empty where it is unknown.
    pub kind: &'a str,
}

impl Rules {
    /// Type and environment of a pipeline, by its ref's name.
    pub fn pipeline<'a>(
        &'a self,
        ref_name: &'a str,
        log: Trace<'_, 'a>,
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
        log: Trace<'_, 'a>,
    ) -> (&'static str, &'static str) {
        log(TraceEntry {
            decides: "type",
            rule: "a deployment of this step",
            subject: ENVIRONMENT_NAME,
            text: deployed_to.map_or("", |environment| environment.name),
            found: match deployed_to {
                Some(_) => Finding::There(DEPLOYMENT),
                None => Finding::Untold,
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
        log: Trace<'_, 'a>,
    ) -> &'static str {
        let EnvironmentNames { name, kind } = environment;
        let mut decided = self.mapped(name, log);
        let told = known(kind);
        decide(&mut decided, told, log, |found| TraceEntry {
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
            log(TraceEntry {
                decides: "environment",
                rule: "production_pattern",
                subject: ENVIRONMENT_NAME,
                text: name,
                found: Finding::Decided,
            });
        }
        decide(&mut decided, known(name), log, |found| TraceEntry {
            decides: "environment",
            rule: "known names",
            subject: ENVIRONMENT_NAME,
            text: name,
            found,
        });
        decided.unwrap_or_default()
    }

    /// What the configured map says of an environment: a full name goes before globs.
    fn mapped<'a>(&'a self, name: &'a str, log: Trace<'_, 'a>) -> Option<&'static str> {
        let mut tell = |found| {
            log(TraceEntry {
                decides: "environment",
                rule: "environments",
                subject: ENVIRONMENT_NAME,
                text: name,
                found,
            });
        };
        if self.environments.is_empty() {
            tell(Finding::Unset);
        }
        let exact = self.environments.iter().find(|rule| rule.pattern == name);
        if let Some(rule) = exact {
            tell(Finding::matched(&rule.pattern, rule.environment));
            return Some(rule.environment);
        }
        for rule in &self.environments {
            if rule.matcher.is_match(name) {
                tell(Finding::matched(&rule.pattern, rule.environment));
                return Some(rule.environment);
            }
            tell(Finding::Missed(&rule.pattern));
        }
        None
    }

    /// Type and environment as the tool table of pipelines has them: what each pattern says for itself,
    /// as in `DevLake`.
    #[must_use]
    pub fn pipeline_labels(&self, ref_name: &str) -> (&'static str, &'static str) {
        labels(
            self.deployment_ref_pattern.as_ref(),
            self.production_ref_pattern.as_ref(),
            ref_name,
        )
    }

    /// Type and environment as the tool table of steps has them: what each pattern says for itself,
    /// as in `DevLake`.
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
    log: Trace<'_, 'a>,
) -> Option<bool> {
    let matches = pattern.as_ref().map(|pattern| pattern.is_match(text));
    let found = match (matches, pattern) {
        (Some(true), Some(pattern)) => Finding::matched(pattern.as_str(), gives),
        (Some(false), Some(pattern)) => Finding::Missed(pattern.as_str()),
        _ => Finding::Unset,
    };
    log(TraceEntry {
        decides,
        rule,
        subject,
        text,
        found,
    });
    matches
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

#[cfg(test)]
mod tests {
    use globset::Glob;
    use regex::Regex;

    use super::*;
    use crate::rules::{EnvironmentRule, untraced};

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
            assert_eq!(rules.pipeline(name, &mut untraced), expected, "{case}");
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
                rules.step(name, deployed_to, &mut untraced),
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
            let found = rules.environment(EnvironmentNames { name, kind }, &mut untraced);
            assert_eq!(found, expected, "{name} {kind} {production}");
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
        rules.step("Roll out", Some(eu), &mut |entry| {
            told.push((entry.rule, entry.text, entry.found));
        });
        assert_eq!(
            told,
            [
                (
                    "a deployment of this step",
                    "prod-eu",
                    Finding::There(DEPLOYMENT)
                ),
                ("deployment_pattern", "Roll out", Finding::Missed("deploy")),
                ("environments", "prod-eu", Finding::Unset),
                ("environment_type", "Production", Finding::Told(PRODUCTION)),
                ("production_pattern", "prod-eu", Finding::Decided),
                ("known names", "prod-eu", Finding::Decided),
            ]
        );
    }
}

//! The rules of a scope's configuration: what is a deployment, where it goes, what an issue is.
//!
//! Compiled once, looked at by mappings, and pure: text in, verdict out. Each rule also tells
//! whoever listens what it looked at and what it found: `headwater explain` shows the very
//! decisions that mappings make.

pub mod deployment;
pub mod issue;
mod steps;
mod trace;

use globset::GlobMatcher;
use regex::Regex;
use xxhash_rust::xxh3::xxh3_128;

use crate::tags::TagRules;

pub use steps::Steps;
pub use trace::{Finding, Trace, TraceEntry, decide, untraced};

/// A name or a glob of an environment, and what the environments that it matches are for.
#[derive(Clone, Debug)]
pub struct EnvironmentRule {
    /// The name or glob as written.
    pub pattern: String,
    /// The same, compiled.
    pub matcher: GlobMatcher,
    /// PRODUCTION, STAGING, TESTING or DEVELOPMENT.
    pub environment: &'static str,
}

/// The rules of one scope. The default is what holds where nothing is configured.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Steps whose name matches are deployments.
    pub deployment_pattern: Option<Regex>,
    /// Steps, and environments of deployments, whose name matches are PRODUCTION.
    pub production_pattern: Option<Regex>,
    /// Pipelines whose ref name matches are deployments.
    pub deployment_ref_pattern: Option<Regex>,
    /// Pipelines whose ref name matches are PRODUCTION.
    pub production_ref_pattern: Option<Regex>,
    /// A full name goes before globs, and an earlier glob before a later one.
    pub environments: Vec<EnvironmentRule>,
    /// Status in the domain's spelling -> states of issues, trimmed and in lower case.
    pub issue_status: Vec<(&'static str, Vec<String>)>,
    /// Kind of an issue, trimmed and in lower case -> its type.
    pub issue_type: Vec<(String, String)>,
    /// Accounts of which a name matches are bots.
    pub bot_pattern: Option<Regex>,
    /// Which tags are compared.
    pub tags: TagRules,
    /// Which pipelines' steps are collected.
    pub steps: Steps,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            deployment_pattern: None,
            production_pattern: None,
            deployment_ref_pattern: None,
            production_ref_pattern: None,
            environments: Vec::new(),
            issue_status: issue::usual_status(),
            issue_type: issue::usual_types(),
            bot_pattern: None,
            tags: TagRules::default(),
            steps: Steps::default(),
        }
    }
}

impl Rules {
    /// The rules about pipelines, steps and deployments, as a hash of their text.
    #[must_use]
    pub fn deployment_fingerprint(&self) -> String {
        let patterns = self.deployment_patterns();
        let patterns = patterns.map(|pattern| pattern.map(Regex::as_str));
        let rule = |rule: &EnvironmentRule| (rule.pattern.clone(), rule.environment);
        let environments: Vec<_> = self.environments.iter().map(rule).collect();
        hashed(&format!("{patterns:?} {environments:?}"))
    }

    /// The rules about tags, as a hash of their text.
    #[must_use]
    pub fn tags_fingerprint(&self) -> String {
        let TagRules {
            pattern,
            limit,
            order,
            prefixes,
            pairs,
        } = &self.tags;
        let pattern = pattern.as_ref().map(Regex::as_str);
        hashed(&format!(
            "{pattern:?} {limit} {order:?} {prefixes:?} {pairs:?}"
        ))
    }

    /// The rule about bots, as a hash of its text.
    #[must_use]
    pub fn bot_fingerprint(&self) -> String {
        hashed(
            self.bot_pattern
                .as_ref()
                .map(Regex::as_str)
                .unwrap_or_default(),
        )
    }

    /// True when one of an account's names is a bot's.
    #[must_use]
    pub fn is_bot(&self, names: &[&str]) -> bool {
        let pattern = self.bot_pattern.as_ref();
        pattern.is_some_and(|pattern| names.iter().any(|name| pattern.is_match(name)))
    }

    /// The rules about issues, as a hash of their text.
    #[must_use]
    pub fn issue_fingerprint(&self) -> String {
        hashed(&format!("{:?} {:?}", self.issue_status, self.issue_type))
    }
}

fn hashed(text: &str) -> String {
    format!("{:032x}", xxh3_128(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_rule_changes_the_fingerprint_of_those_who_look_at_it() {
        let plain = Rules::default();
        let deployments = Rules {
            production_pattern: Some(Regex::new("prod").unwrap()),
            ..Rules::default()
        };
        let other_place = Rules {
            deployment_pattern: Some(Regex::new("prod").unwrap()),
            ..Rules::default()
        };
        let issues = Rules {
            issue_status: vec![("DONE", vec!["gone".to_owned()])],
            ..Rules::default()
        };
        let of = Rules::deployment_fingerprint;
        assert_ne!(of(&plain), of(&deployments));
        assert_ne!(of(&other_place), of(&deployments));
        assert_eq!(of(&plain), of(&issues));
        assert_ne!(plain.issue_fingerprint(), issues.issue_fingerprint());
        assert_eq!(plain.issue_fingerprint(), deployments.issue_fingerprint());
    }
}

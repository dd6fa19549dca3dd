//! A scope config as the rules that conversions look at.

use std::collections::BTreeSet;
use std::sync::Arc;

use headwater_converters::rules::{EnvironmentRule, Rules};
use headwater_domain::tags::{self, TagRules};

use super::{Config, Entity, ScopeConfig};
use crate::config::DEFAULT_SCOPE_CONFIG;
use crate::config::scope_config::{IssueStatusName, Pattern, TagsOrder};

impl ScopeConfig {
    /// The rules that conversions look at.
    #[must_use]
    pub fn rules(&self) -> Rules {
        let regex = |pattern: &Option<Pattern>| pattern.as_ref().map(|p| p.regex().clone());
        let environments = self.environments.0.iter().map(|rule| EnvironmentRule {
            pattern: rule.pattern.clone(),
            matcher: rule.matcher.clone(),
            environment: rule.environment.as_str(),
        });
        let status = &self.issue_status;
        let types = self.issue_type.0.iter();
        Rules {
            deployment_pattern: regex(&self.deployment_pattern),
            production_pattern: regex(&self.production_pattern),
            deployment_ref_pattern: regex(&self.deployment_ref_pattern),
            production_ref_pattern: regex(&self.production_ref_pattern),
            bot_pattern: regex(&self.bot_pattern),
            environments: environments.collect(),
            issue_status: vec![
                (IssueStatusName::Todo.as_str(), status.todo.clone()),
                (
                    IssueStatusName::InProgress.as_str(),
                    status.in_progress.clone(),
                ),
                (IssueStatusName::Done.as_str(), status.done.clone()),
                (IssueStatusName::Other.as_str(), status.other.clone()),
            ],
            issue_type: types
                .flat_map(|(name, kinds)| kinds.iter().map(|kind| (kind.clone(), name.clone())))
                .collect(),
            tags: self.tag_rules(),
            steps: self.steps,
        }
    }

    /// Which tags are compared.
    fn tag_rules(&self) -> TagRules {
        let pattern = self.tags_pattern.as_ref();
        let pairs = self.tag_pairs.iter().cloned();
        TagRules {
            pattern: pattern.map(|pattern| pattern.regex().clone()),
            limit: usize::try_from(self.tags_limit).unwrap_or(usize::MAX),
            order: match self.tags_order {
                TagsOrder::ReverseSemver => tags::TagsOrder::ReverseSemver,
                TagsOrder::Semver => tags::TagsOrder::Semver,
                TagsOrder::Alphabetically => tags::TagsOrder::Alphabetically,
                TagsOrder::ReverseAlphabetically => tags::TagsOrder::ReverseAlphabetically,
            },
            prefixes: self.tag_prefixes.clone(),
            pairs: pairs.map(|[old, new]| (old, new)).collect(),
        }
    }
}

impl Config {
    /// The streams that cost much and are wanted for the scopes of a connection.
    #[must_use]
    pub fn opted_in(&self, connection: &str) -> BTreeSet<&'static str> {
        let mut connections = self.connections.iter();
        let named = connections.find(|own| own.name == connection);
        let Some(config) = named.and_then(|connection| self.scope_config_of(connection)) else {
            return BTreeSet::new();
        };
        let wanted = [
            ("pull_request_statuses", config.commit_statuses),
            ("pull_request_diffstats", config.pull_request_sizes),
        ];
        let wanted = wanted.into_iter().filter(|(_, is_wanted)| *is_wanted);
        wanted.map(|(stream, _)| stream).collect()
    }

    /// The rules for the scopes of the connection with this name; the default ones where the
    /// configuration does not have it, as for rows that were imported.
    #[must_use]
    pub fn rules_of(&self, connection: &str) -> Arc<Rules> {
        let config = self.scope_config_named_by(connection);
        Arc::new(config.cloned().unwrap_or_default().rules())
    }

    /// The entities that are wanted of the scopes of the connection with this name; as for rules,
    /// the default ones where the configuration does not have it.
    #[must_use]
    pub fn entities_of(&self, connection: &str) -> BTreeSet<Entity> {
        let config = self.scope_config_named_by(connection);
        config.cloned().unwrap_or_default().entities
    }

    /// The streams that the configuration leaves out for the scopes of the connection with this
    /// name.
    #[must_use]
    pub fn skipped_streams_of(&self, connection: &str) -> &[String] {
        let config = self.scope_config_named_by(connection);
        config.map_or(&[], |config| &config.skip_streams)
    }

    fn scope_config_named_by(&self, connection: &str) -> Option<&ScopeConfig> {
        let named = self.connections.iter().find(|own| own.name == connection);
        match named {
            Some(connection) => self.scope_config_of(connection),
            None => self.scope_configs.get(DEFAULT_SCOPE_CONFIG),
        }
    }
}

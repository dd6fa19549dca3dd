//! What the configuration says of a project.

use std::collections::{BTreeMap, BTreeSet};

use chrono::Weekday;
use chrono_tz::Tz;
use regex::Regex;

/// What makes a deployment a failed one, or a deployment an unplanned repair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FailureSource {
    /// An incident is linked with it.
    Incident,
    /// Its result is FAILURE.
    FailedDeployment,
    /// An older commit was deployed after it.
    Rollback,
    /// What it deployed was reverted.
    Revert,
    /// A hotfix was deployed after it.
    Hotfix,
}

impl FailureSource {
    /// Every source, in the order of their names in the configuration.
    pub const ALL: [Self; 5] = [
        Self::Incident,
        Self::FailedDeployment,
        Self::Rollback,
        Self::Revert,
        Self::Hotfix,
    ];

    /// How the configuration spells it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Incident => "incident",
            Self::FailedDeployment => "failed_deployment",
            Self::Rollback => "rollback",
            Self::Revert => "revert",
            Self::Hotfix => "hotfix",
        }
    }
}

/// What the configuration says of a project.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Where its days begin.
    pub timezone: Tz,
    /// The first day of its weeks.
    pub week_start: Weekday,
    /// Names of environments that are production; empty: all of environment PRODUCTION.
    pub production_environments: BTreeSet<String>,
    /// Which tags are releases: deployments to production. Without a pattern none are.
    pub release_tags: Option<Regex>,
    /// What makes a deployment a failed one.
    pub failure_sources: BTreeSet<FailureSource>,
    /// Which repairs count as rework.
    pub rework_sources: BTreeSet<FailureSource>,
    /// How long after a deployment an incident is still its likely consequence, in milliseconds.
    pub incident_window: i64,
    /// Which head branches of pull requests are hotfixes.
    pub hotfix_branch_pattern: Regex,
    /// Which titles of pull requests are hotfixes.
    pub hotfix_title_pattern: Regex,
    /// Which head branches revert besides those that Bitbucket makes; group [`NUMBER`] is what
    /// they revert.
    pub revert_branch_pattern: Option<Regex>,
    /// Which titles revert besides those that Bitbucket makes; group [`NUMBER`] or [`TITLE`] is
    /// what they revert.
    pub revert_title_pattern: Option<Regex>,
    /// Which messages of commits revert besides those that git makes; group [`HASH`] is what they
    /// revert.
    pub revert_message_pattern: Option<Regex>,
    /// The repository (`repos.id`) that a component of an incident belongs to.
    pub services: BTreeMap<String, String>,
}

/// The pattern of hotfix branches where the configuration has none.
pub const HOTFIX_BRANCH: &str = "(?i)(^|/)hotfix([/_-]|$)";
/// The pattern of hotfix titles where the configuration has none.
pub const HOTFIX_TITLE: &str = r"(?i)\bhotfix\b";
/// Group of a pattern that holds the number of the pull request that is reverted.
pub const NUMBER: &str = "number";
/// Group of a pattern that holds the title of the pull request that is reverted.
pub const TITLE: &str = "title";
/// Group of a pattern that holds the hash of the commit that is reverted, or its beginning.
pub const HASH: &str = "hash";
/// Seven days, in milliseconds.
pub const INCIDENT_WINDOW: i64 = 7 * 24 * 60 * 60 * 1000;

impl Default for Rules {
    fn default() -> Self {
        let pattern = |text: &str| {
            Regex::new(text).unwrap_or_else(|error| unreachable!("a pattern of this file: {error}"))
        };
        Self {
            timezone: Tz::UTC,
            week_start: Weekday::Mon,
            production_environments: BTreeSet::new(),
            release_tags: None,
            failure_sources: BTreeSet::from([FailureSource::Incident]),
            rework_sources: BTreeSet::from([
                FailureSource::Incident,
                FailureSource::Revert,
                FailureSource::Hotfix,
                FailureSource::Rollback,
            ]),
            incident_window: INCIDENT_WINDOW,
            hotfix_branch_pattern: pattern(HOTFIX_BRANCH),
            hotfix_title_pattern: pattern(HOTFIX_TITLE),
            revert_branch_pattern: None,
            revert_title_pattern: None,
            revert_message_pattern: None,
            services: BTreeMap::new(),
        }
    }
}

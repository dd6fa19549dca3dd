//! `[scope_config.NAME]`: the rules that turn a scope's rows into measurements.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use globset::GlobMatcher;
use headwater_domain::rules::Steps;
use headwater_domain::rules::issue::{USUAL_STATUS, USUAL_TYPES};
use regex::Regex;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

/// How many pairs of tags are compared.
pub const DEFAULT_TAGS_LIMIT: u32 = 10;

/// Names of accounts that are bots: the word itself, and the usual ones that do without it.
pub(super) const DEFAULT_BOT_PATTERN: &str =
    r"(?i)(^|[^a-z])bot([^a-z]|$)|dependabot|renovate|snyk|sonarcloud|jenkins";

/// A part of a scope's data that can be collected on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema)]
#[schemars(rename_all = "kebab-case")]
pub enum Entity {
    /// Commits, branches and tags.
    Code,
    /// Pull requests and what happens to them.
    CodeReview,
    /// Pipelines, steps and deployments.
    Cicd,
    /// Issues and their comments.
    Issues,
    /// Accounts and links between the other parts.
    Cross,
}

impl Entity {
    /// Every entity, in the order of the documentation.
    pub const ALL: [Self; 5] = [
        Self::Code,
        Self::CodeReview,
        Self::Cicd,
        Self::Issues,
        Self::Cross,
    ];

    /// The word that the file uses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::CodeReview => "code-review",
            Self::Cicd => "cicd",
            Self::Issues => "issues",
            Self::Cross => "cross",
        }
    }
}

/// The order in which tags are paired with their predecessors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, JsonSchema)]
pub enum TagsOrder {
    /// Newest version first.
    #[default]
    #[schemars(rename = "reverse semver")]
    ReverseSemver,
    /// Oldest version first.
    #[schemars(rename = "semver")]
    Semver,
    /// By name, from A.
    #[schemars(rename = "alphabetically")]
    Alphabetically,
    /// By name, from Z.
    #[schemars(rename = "reverse alphabetically")]
    ReverseAlphabetically,
}

impl TagsOrder {
    pub(super) const ALL: [Self; 4] = [
        Self::ReverseSemver,
        Self::Semver,
        Self::Alphabetically,
        Self::ReverseAlphabetically,
    ];

    /// The words that stand in the file.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ReverseSemver => "reverse semver",
            Self::Semver => "semver",
            Self::Alphabetically => "alphabetically",
            Self::ReverseAlphabetically => "reverse alphabetically",
        }
    }
}

/// A compiled regular expression. It matches anywhere unless it is anchored.
#[derive(Clone)]
pub struct Pattern(Regex);

impl Pattern {
    pub(super) fn new(regex: Regex) -> Self {
        Self(regex)
    }

    /// The expression as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Whether it matches somewhere in a text.
    #[must_use]
    pub fn is_match(&self, text: &str) -> bool {
        self.0.is_match(text)
    }

    /// Whether it tells no text from others, as far as texts show that have nothing in common.
    pub(super) fn matches_everything(&self) -> bool {
        const UNLIKE: [&str; 3] = ["\u{1}", "zq7 x", "Ж-9"];
        UNLIKE.iter().all(|text| self.0.is_match(text))
    }

    /// The compiled expression.
    #[must_use]
    pub fn regex(&self) -> &Regex {
        &self.0
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "/{}/", self.as_str())
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Pattern {}

impl JsonSchema for Pattern {
    fn schema_name() -> Cow<'static, str> {
        "Pattern".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "minLength": 1,
            "description": "A regular expression as understood by Rust's regex crate; it matches anywhere unless it is anchored."
        })
    }
}

/// What an issue's state means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IssueStatusName {
    /// Nobody works on it yet.
    Todo,
    /// Somebody works on it.
    InProgress,
    /// Finished, whatever the outcome.
    Done,
    /// Anything else.
    Other,
}

impl IssueStatusName {
    /// The spelling of the domain tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Todo => "TODO",
            Self::InProgress => "IN_PROGRESS",
            Self::Done => "DONE",
            Self::Other => "OTHER",
        }
    }
}

/// Which states of an issue mean what. States are compared trimmed and without case.
///
/// Writing any of the lists replaces all of the default ones.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct IssueStatus {
    /// States that mean TODO. Default: `["new","open"]`.
    #[schemars(default, extend("default" = Self::default().todo))]
    pub todo: Vec<String>,
    /// States that mean `IN_PROGRESS`. Default: `["on hold"]`.
    #[schemars(default, extend("default" = Self::default().in_progress))]
    pub in_progress: Vec<String>,
    /// States that mean DONE.
    /// Default: `["resolved","closed","duplicate","invalid","wontfix"]`.
    #[schemars(default, extend("default" = Self::default().done))]
    pub done: Vec<String>,
    /// States that mean OTHER, as does every state in no list. Default: `[]`.
    #[schemars(default, extend("default" = Self::default().other))]
    pub other: Vec<String>,
}

impl Default for IssueStatus {
    fn default() -> Self {
        let usual = |status: IssueStatusName| {
            let found = USUAL_STATUS
                .iter()
                .find(|(name, _)| *name == status.as_str());
            found.map(|(_, states)| strings(states)).unwrap_or_default()
        };
        Self {
            todo: usual(IssueStatusName::Todo),
            in_progress: usual(IssueStatusName::InProgress),
            done: usual(IssueStatusName::Done),
            other: usual(IssueStatusName::Other),
        }
    }
}

/// Type of an issue -> kinds that have it. Kinds are compared trimmed and without case.
///
/// Writing the table replaces the default one.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(transparent)]
pub struct IssueType(pub BTreeMap<String, Vec<String>>);

impl Default for IssueType {
    fn default() -> Self {
        let usual = USUAL_TYPES.iter();
        Self(
            usual
                .map(|(name, kinds)| ((*name).to_owned(), strings(kinds)))
                .collect(),
        )
    }
}

/// A state or kind as it is compared.
pub(super) fn folded(text: &str) -> String {
    text.trim().to_lowercase()
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// What an environment is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, JsonSchema)]
#[schemars(rename_all = "UPPERCASE")]
pub enum EnvironmentType {
    /// Users are there.
    Production,
    /// A rehearsal of production.
    Staging,
    /// Tests run there.
    Testing,
    /// Work in progress.
    Development,
}

impl EnvironmentType {
    pub(super) const ALL: [Self; 4] = [
        Self::Production,
        Self::Staging,
        Self::Testing,
        Self::Development,
    ];

    /// The spelling of the file and of the domain tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Production => "PRODUCTION",
            Self::Staging => "STAGING",
            Self::Testing => "TESTING",
            Self::Development => "DEVELOPMENT",
        }
    }
}

/// One rule of `environments`.
#[derive(Clone)]
pub struct EnvironmentRule {
    /// The name or glob as written.
    pub pattern: String,
    /// What the environments it matches are for.
    pub environment: EnvironmentType,
    pub(super) matcher: GlobMatcher,
}

impl fmt::Debug for EnvironmentRule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{:?} = {}",
            self.pattern,
            self.environment.as_str()
        )
    }
}

/// Name or glob of an environment -> what it is for. A full name goes before globs, and an
/// earlier glob before a later one. Names compare byte for byte.
#[derive(Clone, Debug, Default, JsonSchema)]
#[schemars(transparent)]
pub struct Environments(
    #[schemars(with = "BTreeMap<String, EnvironmentType>")] pub Vec<EnvironmentRule>,
);

/// The rules that turn a scope's rows into measurements.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ScopeConfig {
    /// What to collect. Default: `["code","code-review","cicd","issues","cross"]`.
    #[schemars(
        default = "every_entity",
        extend("default" = Entity::ALL.map(Entity::as_str))
    )]
    pub entities: BTreeSet<Entity>,
    /// Pipeline steps whose name matches are deployments. No default.
    pub deployment_pattern: Option<Pattern>,
    /// Deployments whose step's name matches are PRODUCTION. No default: then every
    /// deployment that was detected by its name is.
    pub production_pattern: Option<Pattern>,
    /// Pipelines whose ref name matches are deployments. No default.
    pub deployment_ref_pattern: Option<Pattern>,
    /// Deployments whose pipeline's ref name matches are PRODUCTION. No default.
    pub production_ref_pattern: Option<Pattern>,
    /// Tags whose whole name matches are compared with their predecessors. No default: none.
    pub tags_pattern: Option<Pattern>,
    /// How many pairs of tags are compared in each series, counted from the newest. Default: `10`.
    #[schemars(default, range(min = 1, max = 10_000), extend("default" = DEFAULT_TAGS_LIMIT))]
    pub tags_limit: u32,
    /// The order in which tags are paired. Default: `"reverse semver"`.
    #[schemars(
        default = "TagsOrder::default",
        extend("default" = TagsOrder::ReverseSemver.as_str())
    )]
    pub tags_order: TagsOrder,
    /// Prefixes of tags' names behind which the version begins, where that is not found by itself.
    /// Default: `[]`.
    #[schemars(default, extend("default" = Vec::<String>::new()))]
    pub tag_prefixes: Vec<String>,
    /// Further pairs of tags that are compared, older one first:
    /// `[["v1.0.0", "v2.0.0"]]`. Default: `[]`.
    #[schemars(default, extend("default" = Vec::<[String; 2]>::new()))]
    pub tag_pairs: Vec<[String; 2]>,
    /// Whether git counts the lines that each commit adds and removes and lists its files
    /// (`commit_files`). All of the repository's contents are fetched for that.
    /// Default: `false`.
    #[schemars(default, extend("default" = false))]
    pub line_counts: bool,
    /// Which states of an issue mean what; writing any list replaces all default ones.
    #[schemars(default = "IssueStatus::default")]
    pub issue_status: IssueStatus,
    /// Name or glob of an environment -> what it is for. Default: `{}`.
    #[schemars(
        default = "Environments::default",
        extend("default" = serde_json::json!({}))
    )]
    pub environments: Environments,
    /// Type of an issue -> kinds that have it; writing the table replaces the default one.
    /// Default: `{"BUG":["bug"],"REQUIREMENT":["enhancement","proposal","task"]}`.
    #[schemars(
        default = "IssueType::default",
        extend("default" = IssueType::default().0)
    )]
    pub issue_type: IssueType,
    /// Accounts of which the display name, nickname or user name matches are bots
    /// (`accounts.is_bot`). It is the connection's: accounts are shared by its repositories.
    /// Default: `"(?i)(^|[^a-z])bot([^a-z]|$)|dependabot|renovate|snyk|sonarcloud|jenkins"`.
    #[schemars(
        default = "default_bot_pattern",
        extend("default" = DEFAULT_BOT_PATTERN)
    )]
    pub bot_pattern: Option<Pattern>,
    /// Whether the statuses that builds and checks give to commits of pull requests are collected:
    /// one request more for each pull request that changed. Default: `false`.
    #[schemars(default, extend("default" = false))]
    pub commit_statuses: bool,
    /// Streams that are not collected (docs/streams.md), and with them those whose items hang on
    /// theirs; rows that are there stay. Default: `[]`.
    #[schemars(default, extend("default" = Vec::<String>::new()))]
    pub skip_streams: Vec<String>,
    /// Which pipelines' steps are collected, each of which costs a request: of `"all"`, of those with
    /// a deployment (`"deployments"`), or also of those of which the name, the ref or the target
    /// matches one of the patterns above (`"matching"`). Default: `"all"`.
    #[schemars(
        with = "StepsWord",
        default,
        extend("default" = Steps::All.as_str())
    )]
    pub steps: Steps,
    /// Whether the changed files of pull requests are collected, which say how many lines each
    /// adds and removes: two requests more for each pull request that changed. Where git counts
    /// lines it is not needed. Default: `false`.
    #[schemars(default, extend("default" = false))]
    pub pull_request_sizes: bool,
}

/// The words of `steps`, for the schema.
struct StepsWord;

impl JsonSchema for StepsWord {
    fn schema_name() -> Cow<'static, str> {
        "Steps".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "enum": Steps::ALL.map(Steps::as_str) })
    }
}

fn default_bot_pattern() -> Option<Pattern> {
    Regex::new(DEFAULT_BOT_PATTERN).ok().map(Pattern)
}

fn every_entity() -> BTreeSet<Entity> {
    BTreeSet::from(Entity::ALL)
}

impl ScopeConfig {
    /// Whether a pattern says what is a deployment or what goes to production.
    pub(super) fn has_deployment_pattern(&self) -> bool {
        let patterns = [
            &self.deployment_pattern,
            &self.production_pattern,
            &self.deployment_ref_pattern,
            &self.production_ref_pattern,
        ];
        patterns.iter().any(|pattern| pattern.is_some())
    }
}

impl Default for ScopeConfig {
    fn default() -> Self {
        Self {
            entities: every_entity(),
            deployment_pattern: None,
            production_pattern: None,
            deployment_ref_pattern: None,
            production_ref_pattern: None,
            tags_pattern: None,
            tags_limit: DEFAULT_TAGS_LIMIT,
            tags_order: TagsOrder::default(),
            tag_prefixes: Vec::new(),
            tag_pairs: Vec::new(),
            line_counts: false,
            issue_status: IssueStatus::default(),
            environments: Environments::default(),
            issue_type: IssueType::default(),
            bot_pattern: default_bot_pattern(),
            commit_statuses: false,
            skip_streams: Vec::new(),
            pull_request_sizes: false,
            steps: Steps::default(),
        }
    }
}

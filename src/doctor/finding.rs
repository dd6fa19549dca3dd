//! One thing that is wrong, and what to write.

/// What a finding does to numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Harm {
    /// They are wrong.
    Wrong,
    /// There are none.
    Empty,
    /// They are old, or going to be.
    Old,
}

impl Harm {
    /// The word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Wrong => "wrong",
            Self::Empty => "empty",
            Self::Old => "old",
        }
    }
}

/// What can be wrong, most harmful first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Code {
    /// A pattern matches no name that there is.
    PatternNeverMatched,
    /// A pattern looks at names of steps, and not all steps are collected.
    StepsNotLookedAt,
    /// Deployments went to environments that no rule knows.
    DeploymentsWithoutEnvironment,
    /// Pull requests were merged in a way that was not recognized.
    MergesNotFound,
    /// Short hashes of commits could not be completed.
    ShortHashes,
    /// Two environments of one repository are production.
    TwoProductionEnvironments,
    /// Items could not be processed.
    DeadLetters,
    /// Our clock and the server's differ.
    ClockSkew,
    /// A project has nothing to measure.
    ProjectWithoutScopes,
    /// A repository was never deployed to production.
    RepositoryWithoutDeployments,
    /// Nothing says when a project had an incident.
    NoIncidentSource,
    /// A list was not read for long.
    ListNotRead,
    /// Lists of steps take more than an hour's requests, and decide nothing.
    StepsCostRequests,
    /// A token is going to expire.
    TokenExpires,
    /// The server is going to remove an endpoint.
    EndpointGoes,
    /// Lists that git would tell take much of what may be asked.
    GitSavesRequests,
}

impl Code {
    /// Name for programs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PatternNeverMatched => "PATTERN_NEVER_MATCHED",
            Self::StepsNotLookedAt => "STEPS_NOT_LOOKED_AT",
            Self::DeploymentsWithoutEnvironment => "DEPLOYMENTS_WITHOUT_ENVIRONMENT",
            Self::MergesNotFound => "MERGES_NOT_FOUND",
            Self::ShortHashes => "SHORT_HASHES",
            Self::TwoProductionEnvironments => "TWO_PRODUCTION_ENVIRONMENTS",
            Self::DeadLetters => "DEAD_LETTERS",
            Self::ClockSkew => "CLOCK_SKEW",
            Self::ProjectWithoutScopes => "PROJECT_WITHOUT_SCOPES",
            Self::RepositoryWithoutDeployments => "REPOSITORY_WITHOUT_DEPLOYMENTS",
            Self::NoIncidentSource => "NO_INCIDENT_SOURCE",
            Self::ListNotRead => "LIST_NOT_READ",
            Self::StepsCostRequests => "STEPS_COST_REQUESTS",
            Self::TokenExpires => "TOKEN_EXPIRES",
            Self::EndpointGoes => "ENDPOINT_GOES",
            Self::GitSavesRequests => "GIT_SAVES_REQUESTS",
        }
    }

    /// What it does to numbers.
    #[must_use]
    pub fn harm(self) -> Harm {
        match self {
            Self::PatternNeverMatched
            | Self::StepsNotLookedAt
            | Self::DeploymentsWithoutEnvironment
            | Self::MergesNotFound
            | Self::ShortHashes
            | Self::TwoProductionEnvironments
            | Self::DeadLetters
            | Self::ClockSkew => Harm::Wrong,
            Self::ProjectWithoutScopes
            | Self::RepositoryWithoutDeployments
            | Self::NoIncidentSource => Harm::Empty,
            Self::ListNotRead
            | Self::StepsCostRequests
            | Self::TokenExpires
            | Self::EndpointGoes
            | Self::GitSavesRequests => Harm::Old,
        }
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is.
    pub code: Code,
    /// What it is about: a project, a repository, a connection.
    pub about: String,
    /// What was found, in words.
    pub what: String,
    /// Lines for headwater.toml; empty where no line helps.
    pub write: String,
    /// What to do then.
    pub next: String,
}

impl Finding {
    pub(super) fn new(code: Code, about: impl Into<String>, what: impl Into<String>) -> Self {
        Self {
            code,
            about: about.into(),
            what: what.into(),
            write: String::new(),
            next: String::new(),
        }
    }

    pub(super) fn write(self, lines: impl Into<String>) -> Self {
        Self {
            write: lines.into(),
            ..self
        }
    }

    pub(super) fn next(self, next: impl Into<String>) -> Self {
        Self {
            next: next.into(),
            ..self
        }
    }
}

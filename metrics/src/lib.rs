//! DORA metrics of a project: pure rules over domain rows.
//!
//! [`Facts`] are the domain rows that concern a project, [`Rules`] its part of the configuration.
//! [`measure`] decides what each row means (which deployment shipped a pull request, which one
//! caused an incident, which one repairs another); [`report()`] counts that over a range of days.
//! These read no clock, no database and no file. [`stored`] loads the rows of a project from a
//! database, and writes what was decided.
//!
//! All moments are milliseconds since 1970 in UTC. docs/metrics.md has the definitions for users.

mod calendar;
mod commit_lead_time;
mod coverage;
mod deployments;
mod facts;
mod failures;
mod first_deployment;
mod incidents;
mod lead_time;
mod measured;
mod numbers;
mod releases;
mod repairs;
mod report;
mod rules;
mod signs;
pub mod stored;

pub use calendar::{By, Range, RangeError};
pub use commit_lead_time::CommitLeadTime;
pub use deployments::{Deployment, DeploymentRows, Place, Row};
pub use facts::{
    Authored, DeploymentRow, Facts, History, Incident, LooseCommit, MergedCommit, Moment,
    NamedIssue, PullRequest, Repository, RevertingCommit, Review, first_commit, first_review,
};
pub use failures::{Failure, Recovery};
pub use incidents::{Link, LinkMethod, Unlinked};
pub use lead_time::{LeadTime, NotDeployed};
pub use measured::{Measured, measure};
pub use numbers::{percentile, ratio, seconds, span};
pub use releases::{OF_TAGS, TAG_PREFIX};
pub use repairs::{Repair, RepairKind};
pub use report::{Edition, Explained, Metric, Part, explain, report};
pub use rules::{
    FailureSource, HASH, HOTFIX_BRANCH, HOTFIX_TITLE, INCIDENT_WINDOW, NUMBER, Rules, TITLE,
};
pub use signs::Sign;

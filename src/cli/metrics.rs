//! `metrics`: computing projects, and what is asked of them.

use chrono::NaiveDate;
use clap::{Args, Subcommand, ValueEnum};
use headwater_metrics::stored::Step;

/// DORA metrics of a project, and computing them anew.
#[derive(Debug, Subcommand)]
pub enum MetricsCommand {
    /// Compute projects anew from the domain tables as they are stored
    ///
    /// `sync` does so by itself for what it changed. This is for rows that came another way, such
    /// as imported ones, and for new rules. A project may be only in `project_mapping`. Rows that
    /// are the same are not written.
    Refresh {
        /// Project [default: all]
        project: Option<String>,
        /// Only this step; what it reads is taken as it is stored
        #[arg(long, value_enum, value_name = "NAME")]
        step: Option<MetricsStep>,
    },
    /// The five DORA metrics and the pull request cycle of a project
    ///
    /// Where a number is missing, `reason` says why. Coverage says how much of what happened the
    /// numbers can see. docs/metrics.md has the definitions.
    #[command(after_help = "Examples:\n  \
        headwater metrics dora shop\n  \
        headwater metrics dora shop --from 2026-01-01 --to 2026-04-01 --by month\n  \
        headwater metrics dora shop --by repository --format json\n\n\
        Days are those of the project's time zone; the day --to is not part of the range. Exit \
        code 2: no such project, or a range that ends before it begins.")]
    Dora(DoraArgs),
}

/// What `metrics dora` takes.
#[derive(Clone, Debug, Args)]
pub struct DoraArgs {
    /// Project
    pub project: String,
    /// First day [default: six months before --to]
    #[arg(long, value_name = "DATE", value_parser = day)]
    pub from: Option<NaiveDate>,
    /// Day after the last one [default: tomorrow]
    #[arg(long, value_name = "DATE", value_parser = day)]
    pub to: Option<NaiveDate>,
    /// By what each metric is divided
    #[arg(long, value_enum, default_value_t)]
    pub by: GroupBy,
    /// Whose bands are used
    #[arg(long, value_enum, default_value_t)]
    pub report: Report,
    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    pub format: ReportFormat,
}

pub(super) fn day(text: &str) -> Result<NaiveDate, String> {
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d");
    day.map_err(|_| "is no day; write it as 2026-01-31".to_owned())
}

/// By what a metric is divided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum GroupBy {
    /// Calendar days.
    Day,
    /// Weeks, from the project's `week_start` on.
    Week,
    /// Calendar months.
    #[default]
    Month,
    /// Calendar quarters.
    Quarter,
    /// The project's repositories.
    Repository,
    /// Names of environments.
    Environment,
}

/// Whose bands are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Report {
    /// Those of DORA's report of 2021.
    #[value(name = "2021")]
    Of2021,
    /// Those of DORA's report of 2023.
    #[default]
    #[value(name = "2023")]
    Of2023,
}

/// How metrics are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// Aligned columns with small charts, for people.
    #[default]
    Table,
    /// One object.
    Json,
    /// Comma separated, with a header; no value is an empty field.
    Csv,
    /// For a page or a comment.
    Markdown,
}

/// One part of a computation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MetricsStep {
    /// Deployments that imported pipelines are.
    Deployments,
    /// Incidents that issues are.
    Incidents,
    /// Which successful deployment came before each.
    Predecessors,
    /// Lead times of pull requests.
    LeadTimes,
    /// Incidents and the deployments that caused them.
    Links,
    /// Which deployments failed, and which repaired.
    Outcomes,
}

impl MetricsStep {
    /// The step of the computation.
    #[must_use]
    pub fn step(self) -> Step {
        match self {
            Self::Deployments => Step::Deployments,
            Self::Incidents => Step::Incidents,
            Self::Predecessors => Step::Predecessors,
            Self::LeadTimes => Step::LeadTimes,
            Self::Links => Step::Links,
            Self::Outcomes => Step::Outcomes,
        }
    }
}

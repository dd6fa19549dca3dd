//! Git alone: repositories of which no API tells anything.

use headwater_converters::diffs::Diffs;
use headwater_converters::imported_deployments::ImportedDeployments;
use headwater_converters::issue_links::IssueLinks;
use headwater_converters::project_metrics::ProjectMetrics;
use headwater_domain::id;

use crate::config::ConnectionKind;
use crate::source::Source;

/// What mirrors fill, and what follows from that.
#[must_use]
pub fn git() -> Source {
    Source::new("git", ConnectionKind::Git, &id::GIT)
        .git(headwater_extractors::git::tables())
        .derived::<IssueLinks>()
        .derived::<Diffs>()
        .derived::<ImportedDeployments>()
        .derived::<ProjectMetrics>()
}

//! Bitbucket Cloud.

use headwater_collectors::bitbucket::{DIALECT, REPOSITORIES};
use headwater_converters::bitbucket as convert;
use headwater_converters::diffs::Diffs;
use headwater_converters::imported_deployments::ImportedDeployments;
use headwater_converters::issue_links::IssueLinks;
use headwater_converters::merges::Merges;
use headwater_converters::project_metrics::ProjectMetrics;
use headwater_domain::id::bitbucket::IDS;
use headwater_domain::tool::bitbucket::SOURCE;
use headwater_domain::tool::bitbucket::branch::Branches;
use headwater_domain::tool::bitbucket::commit::Commits;
use headwater_domain::tool::bitbucket::deployment::Deployments;
use headwater_domain::tool::bitbucket::environment::Environments;
use headwater_domain::tool::bitbucket::issue::Issues;
use headwater_domain::tool::bitbucket::issue_change::IssueChanges;
use headwater_domain::tool::bitbucket::issue_comment::IssueComments;
use headwater_domain::tool::bitbucket::pipeline::Pipelines;
use headwater_domain::tool::bitbucket::pipeline_step::PipelineSteps;
use headwater_domain::tool::bitbucket::project::Projects;
use headwater_domain::tool::bitbucket::pull_request::PullRequests;
use headwater_domain::tool::bitbucket::pull_request_activity::PullRequestActivities;
use headwater_domain::tool::bitbucket::pull_request_comment::PullRequestComments;
use headwater_domain::tool::bitbucket::pull_request_commit::PullRequestCommits;
use headwater_domain::tool::bitbucket::pull_request_diffstat::PullRequestDiffstats;
use headwater_domain::tool::bitbucket::pull_request_status::PullRequestStatuses;
use headwater_domain::tool::bitbucket::repository::Repositories;
use headwater_domain::tool::bitbucket::tag::Tags;
use headwater_domain::tool::bitbucket::workspace::Workspaces;
use headwater_domain::tool::bitbucket::workspace_member::WorkspaceMembers;
use headwater_extractors::bitbucket::ACCOUNTS;
use headwater_migrations as change;

use crate::config::ConnectionKind;
use crate::config::Entity::{self, Cicd, Code, CodeReview, Cross};
use crate::source::{Api, Feeds, Source, Stays, To};

/// The streams of Bitbucket Cloud, parents before children.
#[must_use]
pub fn bitbucket() -> Source {
    Source::new(SOURCE, ConnectionKind::BitbucketCloud, &IDS)
        .api(Api {
            product: "Bitbucket Cloud",
            dialect: &DIALECT,
            listing: &REPOSITORIES,
        })
        .stream::<Repositories, To<convert::Repositories>>(None, change::REPOSITORIES)
        .stream::<PullRequests, To<convert::PullRequests>>(CodeReview, change::PULL_REQUESTS)
        .stream::<PullRequestActivities, Feeds<convert::PullRequests>>(
            CodeReview,
            change::PULL_REQUEST_ACTIVITIES,
        )
        .stream::<PullRequestComments, To<convert::PullRequestComments>>(
            CodeReview,
            change::PULL_REQUEST_COMMENTS,
        )
        .stream::<PullRequestCommits, To<convert::PullRequestCommits>>(
            CodeReview,
            change::PULL_REQUEST_COMMITS,
        )
        .opt_in::<PullRequestStatuses, Stays>(CodeReview, change::PULL_REQUEST_STATUSES)
        .opt_in::<PullRequestDiffstats, Feeds<convert::PullRequests>>(
            CodeReview,
            change::PULL_REQUEST_SIZES,
        )
        .stream::<Issues, To<convert::Issues>>(Entity::Issues, change::ISSUES)
        .stream::<IssueComments, To<convert::IssueComments>>(
            Entity::Issues,
            change::ISSUE_COMMENTS_AND_CHANGES,
        )
        .stream::<IssueChanges, To<convert::IssueChanges>>(
            Entity::Issues,
            change::ISSUE_COMMENTS_AND_CHANGES,
        )
        .stream::<Branches, Feeds<convert::Refs>>(Code, change::REFS)
        .stream::<Tags, To<convert::Refs>>(Code, change::REFS)
        .stream::<Commits, To<convert::Commits>>(Code, change::COMMITS)
        .also::<convert::RepoCommits>()
        .stream::<Pipelines, To<convert::Pipelines>>(Cicd, change::PIPELINES)
        .stream::<Deployments, To<convert::Deployments>>(Cicd, change::DEPLOYMENTS)
        // After the deployments, which may choose them.
        .stream::<PipelineSteps, To<convert::PipelineSteps>>(Cicd, change::PIPELINE_STEPS)
        .stream::<Environments, Feeds<convert::Repositories>>(Cicd, change::ENVIRONMENTS)
        .stream::<Workspaces, Stays>(Cross, change::WORKSPACES)
        .stream::<Projects, Stays>(Cross, change::WORKSPACES)
        .stream::<WorkspaceMembers, Stays>(Cross, change::WORKSPACES)
        .accounts::<convert::Accounts>(&ACCOUNTS)
        .git(headwater_extractors::git::tables())
        .derived::<convert::PullRequestSizes>()
        .derived::<Merges>()
        .derived::<IssueLinks>()
        .derived::<Diffs>()
        .derived::<ImportedDeployments>()
        .derived::<ProjectMetrics>()
}

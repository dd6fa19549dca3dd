//! Views: what each answers, for `headwater tables`. Migrations make them.
//!
//! They hold the same rows on every database, and are never compared: they follow from tables.

mod dora;

/// One view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// Its name.
    pub name: String,
    /// What one row is.
    pub describes: String,
    /// Its columns, in their order.
    pub columns: Vec<ViewColumn>,
}

/// One column of a view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ViewColumn {
    /// Its name.
    pub name: &'static str,
    /// text, number, decimal, truth, date or time.
    pub kind: &'static str,
    /// What it holds.
    pub holds: &'static str,
}

const fn column(name: &'static str, kind: &'static str, holds: &'static str) -> ViewColumn {
    ViewColumn { name, kind, holds }
}

/// Every view, those of DORA's metrics first.
#[must_use]
pub fn views() -> Vec<View> {
    let mut views = dora::views();
    let others = OTHERS.iter().map(|(name, describes, columns)| View {
        name: (*name).to_owned(),
        describes: (*describes).to_owned(),
        columns: columns.to_vec(),
    });
    views.extend(others);
    views
}

/// Name, what a row is, columns.
type Described = (&'static str, &'static str, &'static [ViewColumn]);

const OTHERS: [Described; 6] = [
    (
        "v_pull_request_cycle",
        "One merged pull request of a project, and how long each phase took.",
        &PULL_REQUEST_CYCLE,
    ),
    (
        "v_review_load",
        "What one person reviewed in one repository in one month (UTC), authors' own comments left \
         out.",
        &REVIEW_LOAD,
    ),
    (
        "v_deployments",
        "One commit that was deployed to an environment, for each project that it belongs to; with \
         an empty project for none.",
        &DEPLOYMENTS,
    ),
    (
        "v_incidents",
        "One incident, for each project that it belongs to, with the deployment that probably \
         caused it; with an empty project for none.",
        &INCIDENTS,
    ),
    (
        "v_pipeline_health",
        "The pipelines of one repository that ended in one week (UTC, from Monday).",
        &PIPELINE_HEALTH,
    ),
    (
        "v_data_freshness",
        "One list of one repository or workspace, and when it was last read; one row without a \
         stream where nothing was read yet.",
        &DATA_FRESHNESS,
    ),
];

const PULL_REQUEST_CYCLE: [ViewColumn; 22] = [
    column("project_name", "text", "project; joins `projects.name`"),
    column(
        "pull_request_id",
        "text",
        "pull request; joins `pull_requests.id`",
    ),
    column("repository", "text", "full name of the repository"),
    column("number", "number", "number of the pull request"),
    column("title", "text", "title"),
    column("url", "text", "page of the pull request"),
    column("author_id", "text", "author; joins `accounts.id`"),
    column("author", "text", "display name of the author"),
    column(
        "first_commit_date",
        "time",
        "when the first commit was authored (UTC)",
    ),
    column("created_date", "time", "when it was opened (UTC)"),
    column(
        "first_review_date",
        "time",
        "when somebody else first commented, approved or asked for changes (UTC)",
    ),
    column("merged_date", "time", "when it was merged (UTC)"),
    column(
        "deployed_date",
        "time",
        "when it was first deployed to production (UTC); null where it was not",
    ),
    column(
        "coding_minutes",
        "number",
        "from the first commit to the opening, rounded up",
    ),
    column(
        "pickup_minutes",
        "number",
        "from the opening to the first review, rounded up",
    ),
    column(
        "review_minutes",
        "number",
        "from the first review to the merge, rounded up",
    ),
    column(
        "deploy_minutes",
        "number",
        "from the merge to the deployment, rounded up",
    ),
    column(
        "cycle_minutes",
        "number",
        "coding, opening to merge, and deploying together",
    ),
    column("cycle_seconds", "number", "the same in seconds"),
    column(
        "deployment_commit_id",
        "text",
        "deployment; joins `v_deployments.id`; empty without one",
    ),
    column(
        "deployment_method",
        "text",
        "how the deployment was found: MERGE_COMMIT, ANCESTRY, PATCH-ID or NUMBER",
    ),
    column("reason", "text", "why there is no deployment"),
];

const REVIEW_LOAD: [ViewColumn; 11] = [
    column("reviewer_id", "text", "reviewer; joins `accounts.id`"),
    column("reviewer", "text", "display name of the reviewer"),
    column("is_bot", "truth", "true for a program"),
    column("repo_id", "text", "repository; joins `repos.id`"),
    column("repository", "text", "full name of the repository"),
    column("month", "text", "month, as 2024-12"),
    column("month_start", "date", "its first day"),
    column(
        "pull_requests",
        "number",
        "pull requests that were reviewed",
    ),
    column("comments", "number", "comments"),
    column("approvals", "number", "approvals"),
    column("change_requests", "number", "requests for changes"),
];

const DEPLOYMENTS: [ViewColumn; 23] = [
    column("project_name", "text", "project; joins `projects.name`"),
    column("id", "text", "row; joins `cicd_deployment_commits.id`"),
    column(
        "deployment_id",
        "text",
        "deployment; joins `cicd_deployments.id`",
    ),
    column("scope", "text", "full name of where it ran"),
    column("repo_id", "text", "repository; joins `repos.id`"),
    column("repository", "text", "full name of the repository"),
    column(
        "environment",
        "text",
        "PRODUCTION, STAGING, TESTING, DEVELOPMENT or empty",
    ),
    column(
        "environment_name",
        "text",
        "environment as its source spells it",
    ),
    column("result", "text", "SUCCESS, FAILURE or empty"),
    column("status", "text", "IN_PROGRESS, DONE or OTHER"),
    column("commit_sha", "text", "full hash of the commit"),
    column("ref_name", "text", "branch or tag"),
    column("url", "text", "page of the deployment"),
    column(
        "made_of",
        "text",
        "what made the row; empty for a deployment of the source itself",
    ),
    column("created_date", "time", "when it was created (UTC)"),
    column("started_date", "time", "when it started (UTC)"),
    column("finished_date", "time", "when it ended (UTC)"),
    column("duration_sec", "number", "how long it took, in seconds"),
    column(
        "previous_id",
        "text",
        "successful row before it in the same environment; joins `id`",
    ),
    column(
        "is_measured",
        "number",
        "1 for a production deployment of the project, or one that failed",
    ),
    column("failed", "truth", "true where it counts as a failed change"),
    column(
        "repairs",
        "text",
        "what it repaired: hotfix, incident, revert, rollback",
    ),
    column(
        "new_commits",
        "number",
        "commits that the deployment was the first to deploy",
    ),
];

const INCIDENTS: [ViewColumn; 17] = [
    column("project_name", "text", "project; joins `projects.name`"),
    column("id", "text", "incident; joins `incidents.id`"),
    column("incident_key", "text", "number or key that people see"),
    column("title", "text", "title"),
    column("url", "text", "page of the incident"),
    column("status", "text", "TODO, IN_PROGRESS, DONE or OTHER"),
    column("priority", "text", "priority in the words of its source"),
    column("severity", "text", "severity in the words of its source"),
    column("component", "text", "component or service that it is about"),
    column(
        "created_date",
        "time",
        "when it began or was reported (UTC)",
    ),
    column(
        "resolution_date",
        "time",
        "when it was resolved (UTC); null while it is not",
    ),
    column(
        "minutes_to_restore",
        "number",
        "from report to resolution, rounded down",
    ),
    column(
        "deployment_id",
        "text",
        "deployment that probably caused it; joins `v_deployments.deployment_id`",
    ),
    column("deployed_date", "time", "when that deployment ended (UTC)"),
    column(
        "method",
        "text",
        "how it was found: EXPLICIT, REPOSITORY or PROJECT",
    ),
    column(
        "confidence",
        "decimal",
        "how sure that is: 1.0, 0.8, 0.5 or 0.3",
    ),
    column("reason", "text", "why there is no deployment"),
];

const PIPELINE_HEALTH: [ViewColumn; 11] = [
    column("scope_id", "text", "where they ran; joins `cicd_scopes.id`"),
    column("scope", "text", "full name of where they ran"),
    column("week", "text", "first day of the week, as 2024-12-30"),
    column("week_start", "date", "the same as a date"),
    column(
        "median_seconds",
        "number",
        "lower median of how long they ran",
    ),
    column(
        "p90_seconds",
        "number",
        "percentile 90 of how long they ran",
    ),
    column(
        "median_queued_seconds",
        "number",
        "lower median of how long they waited",
    ),
    column("pipelines", "number", "pipelines that ended"),
    column("succeeded", "number", "those that succeeded"),
    column("failed", "number", "those that failed"),
    column(
        "success_ratio",
        "decimal",
        "succeeded / (succeeded + failed), four decimals",
    ),
];

const DATA_FRESHNESS: [ViewColumn; 11] = [
    column(
        "connection_id",
        "number",
        "connection, as in the configuration",
    ),
    column(
        "scope",
        "text",
        "repository, `workspace/slug`, or workspace",
    ),
    column("stream", "text", "list; docs/streams.md names them"),
    column(
        "state",
        "text",
        "how the last reading ended: success, partial, failed or cancelled",
    ),
    column("read_at", "time", "when the last reading ended (UTC)"),
    column(
        "succeeded_at",
        "time",
        "when a reading last succeeded (UTC)",
    ),
    column(
        "fresh_until",
        "time",
        "changes at the source up to then are stored (UTC); null where the list is read as a whole",
    ),
    column("message", "text", "what went wrong"),
    column(
        "data_after",
        "time",
        "from when on it is collected (UTC); null for all of it",
    ),
    column(
        "source_gone_at",
        "time",
        "since when the source does not have it any more (UTC)",
    ),
    column(
        "dead_letters",
        "number",
        "items that could not be processed; null for none",
    ),
];

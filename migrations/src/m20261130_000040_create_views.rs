//! Views that answer common questions, and what of a project they need beside its numbers.

pub(crate) mod dora;
pub(crate) mod sql;

use crate::schema::{Dialect, NewTable};
use sql::{Grain, Measure, Sql, count, percentiles};

/// What makes the text of a view.
type Query = fn(Sql) -> String;

pub(crate) fn tables() -> Vec<NewTable> {
    let mut tables = vec![
        NewTable::more("project_deployments")
            .flag("failure_known")
            .flag("rework"),
        NewTable::new("project_recoveries")
            .key("deployment_id", 255)
            .key("project_name", 100)
            .key("incident_id", 255)
            .time("recovered_date")
            .domain()
            .index(&["project_name", "recovered_date"]),
    ];
    for (name, query) in dora::METRICS {
        tables.push(NewTable::view(name, move |dialect| {
            let grains = Grain::ALL.map(|grain| query(Sql(dialect), grain));
            grains.join(" UNION ALL ")
        }));
        for grain in Grain::ALL {
            let name = format!("{name}_{}", grain.name());
            tables.push(NewTable::view(&name, move |dialect| {
                query(Sql(dialect), grain)
            }));
        }
    }
    let views: [(&str, Query); 6] = [
        ("v_pull_request_cycle", pull_request_cycle),
        ("v_review_load", review_load),
        ("v_deployments", deployments),
        ("v_incidents", incidents),
        ("v_pipeline_health", pipeline_health),
        ("v_data_freshness", data_freshness),
    ];
    let of_dialect = |query: fn(Sql) -> String| move |dialect: Dialect| query(Sql(dialect));
    tables.extend(views.map(|(name, query)| NewTable::view(name, of_dialect(query))));
    tables
}

fn pull_request_cycle(_: Sql) -> String {
    "SELECT times.project_name AS project_name, times.id AS pull_request_id, \
     repos.name AS repository, requests.pull_request_key AS number, requests.title AS title, \
     requests.url AS url, requests.author_id AS author_id, requests.author_name AS author, \
     times.first_commit_authored_date AS first_commit_date, \
     times.pr_created_date AS created_date, times.first_comment_date AS first_review_date, \
     times.pr_merged_date AS merged_date, times.pr_deployed_date AS deployed_date, \
     times.pr_coding_time AS coding_minutes, times.pr_pickup_time AS pickup_minutes, \
     times.pr_review_time AS review_minutes, times.pr_deploy_time AS deploy_minutes, \
     times.pr_cycle_time AS cycle_minutes, times.pr_cycle_sec AS cycle_seconds, \
     times.deployment_commit_id AS deployment_commit_id, \
     times.deployment_method AS deployment_method, times.reason AS reason \
     FROM project_pr_metrics AS times LEFT JOIN pull_requests AS requests ON requests.id = times.id \
     LEFT JOIN repos ON repos.id = requests.base_repo_id"
        .to_owned()
}

fn review_load(sql: Sql) -> String {
    let start = sql.start(Grain::Month, "events.at");
    let month = sql.period(Grain::Month, &start);
    let groups = "reviewer_id, reviewer, is_bot, repo_id, repository, month, month_start";
    let comments = count("kind = 'commented'");
    let approvals = count("kind = 'approved'");
    let changes = count("kind = 'changes requested'");
    format!(
        "SELECT {groups}, COUNT(DISTINCT pull_request_id) AS pull_requests, {comments} AS comments, \
         {approvals} AS approvals, {changes} AS change_requests \
         FROM (SELECT events.actor_id AS reviewer_id, accounts.full_name AS reviewer, \
         accounts.is_bot AS is_bot, requests.base_repo_id AS repo_id, repos.name AS repository, \
         {month} AS month, {start} AS month_start, events.pull_request_id AS pull_request_id, \
         events.kind AS kind \
         FROM pull_request_events AS events \
         JOIN pull_requests AS requests ON requests.id = events.pull_request_id \
         LEFT JOIN accounts ON accounts.id = events.actor_id \
         LEFT JOIN repos ON repos.id = requests.base_repo_id \
         WHERE events.kind IN ('commented', 'approved', 'changes requested') \
         AND events.at IS NOT NULL AND events.actor_id <> '' \
         AND events.actor_id <> COALESCE(requests.author_id, '')) AS reviews GROUP BY {groups}"
    )
}

fn deployments(sql: Sql) -> String {
    let table = sql.name("table");
    format!(
        "SELECT COALESCE(mapping.project_name, '') AS project_name, rows_of.id AS id, \
         rows_of.cicd_deployment_id AS deployment_id, scopes.name AS scope, \
         rows_of.repo_id AS repo_id, repos.name AS repository, \
         rows_of.environment AS environment, rows_of.original_environment AS environment_name, \
         rows_of.result AS result, rows_of.status AS status, rows_of.commit_sha AS commit_sha, \
         rows_of.ref_name AS ref_name, rows_of.url AS url, rows_of.subtask_name AS made_of, \
         rows_of.created_date AS created_date, rows_of.started_date AS started_date, \
         rows_of.finished_date AS finished_date, rows_of.duration_sec AS duration_sec, \
         rows_of.prev_success_deployment_commit_id AS previous_id, \
         CASE WHEN counted.id IS NULL THEN 0 ELSE 1 END AS is_measured, \
         counted.failed AS failed, counted.repairs AS repairs, \
         counted.commit_samples AS new_commits \
         FROM cicd_deployment_commits AS rows_of \
         LEFT JOIN cicd_scopes AS scopes ON scopes.id = rows_of.cicd_scope_id \
         LEFT JOIN repos ON repos.id = rows_of.repo_id \
         LEFT JOIN project_mapping AS mapping ON mapping.{table} = 'cicd_scopes' \
         AND mapping.row_id = rows_of.cicd_scope_id \
         LEFT JOIN project_deployments AS counted ON counted.project_name = mapping.project_name \
         AND counted.id = COALESCE(NULLIF(rows_of.cicd_deployment_id, ''), rows_of.id) \
         AND rows_of.environment = 'PRODUCTION'"
    )
}

fn incidents(sql: Sql) -> String {
    let between = sql.seconds("incidents.created_date", "incidents.resolution_date");
    let whole = sql.divided(&between, "60");
    let empty = sql.text("''");
    format!(
        "SELECT COALESCE(links.project_name, '') AS project_name, incidents.id AS id, \
         incidents.incident_key AS incident_key, incidents.title AS title, incidents.url AS url, \
         incidents.status AS status, incidents.priority AS priority, \
         incidents.severity AS severity, incidents.component AS component, \
         incidents.created_date AS created_date, incidents.resolution_date AS resolution_date, \
         COALESCE(incidents.lead_time_minutes, \
         CASE WHEN incidents.resolution_date >= incidents.created_date THEN {whole} END) \
         AS minutes_to_restore, links.deployment_id AS deployment_id, \
         caused.finished_date AS deployed_date, links.method AS method, \
         links.confidence AS confidence, links.reason AS reason \
         FROM incidents LEFT JOIN (SELECT id, project_name, deployment_id, method, confidence, \
         {empty} AS reason FROM project_incident_deployment_relationships \
         UNION ALL SELECT id, project_name, {empty} AS deployment_id, {empty} AS method, \
         NULL AS confidence, reason FROM unlinked_incidents) AS links ON links.id = incidents.id \
         LEFT JOIN project_deployments AS caused ON caused.id = links.deployment_id \
         AND caused.project_name = links.project_name"
    )
}

fn pipeline_health(sql: Sql) -> String {
    let start = sql.start(Grain::Week, "pipelines.finished_date");
    let week = sql.period(Grain::Week, &start);
    let rows = format!(
        "SELECT pipelines.cicd_scope_id AS scope_id, scopes.name AS scope, {week} AS week, \
         {start} AS week_start, pipelines.result AS result, pipelines.duration_sec AS duration, \
         pipelines.queued_duration_sec AS queued FROM cicd_pipelines AS pipelines \
         LEFT JOIN cicd_scopes AS scopes ON scopes.id = pipelines.cicd_scope_id \
         WHERE pipelines.finished_date IS NOT NULL"
    );
    let measures = [
        Measure {
            column: "duration",
            percentiles: &[(50, "median_seconds"), (90, "p90_seconds")],
        },
        Measure {
            column: "queued",
            percentiles: &[(50, "median_queued_seconds")],
        },
    ];
    let succeeded = count("result = 'SUCCESS'");
    let failed = count("result = 'FAILURE'");
    let ratio = sql.ratio(&succeeded, &format!("({succeeded} + {failed})"));
    let more = [
        "COUNT(*) AS pipelines".to_owned(),
        format!("{succeeded} AS succeeded"),
        format!("{failed} AS failed"),
        format!("{ratio} AS success_ratio"),
    ];
    let more: Vec<&str> = more.iter().map(String::as_str).collect();
    percentiles(&rows, "scope_id, scope, week, week_start", &measures, &more)
}

fn data_freshness(_: Sql) -> String {
    "SELECT scopes.connection_id AS connection_id, scopes.full_name AS scope, \
     latest.stream AS stream, steps.state AS state, steps.finished_at AS read_at, \
     latest.succeeded_at AS succeeded_at, walks.since AS fresh_until, \
     steps.message AS message, scopes.data_after AS data_after, \
     scopes.source_gone_at AS source_gone_at, letters.dead_letters AS dead_letters \
     FROM _headwater_scopes AS scopes \
     LEFT JOIN (SELECT params, stream, MAX(id) AS id, \
     MAX(CASE WHEN state = 'success' THEN finished_at END) AS succeeded_at \
     FROM _headwater_steps WHERE stage = 'collect' GROUP BY params, stream) AS latest \
     ON latest.params = scopes.params \
     LEFT JOIN _headwater_steps AS steps ON steps.id = latest.id \
     LEFT JOIN _headwater_walks AS walks ON walks.params = scopes.params \
     AND walks.stream = latest.stream \
     LEFT JOIN (SELECT params, stream, COUNT(*) AS dead_letters FROM _headwater_dead_letters \
     GROUP BY params, stream) AS letters ON letters.params = scopes.params \
     AND letters.stream = latest.stream"
        .to_owned()
}

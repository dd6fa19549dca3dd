//! Where rows differ from DevLake's on purpose, so that a comparison can name the decision.

/// One decision, by its number in `docs/decisions/README.md`, and what it changes.
struct Deviation {
    decision: u32,
    tables: &'static [&'static str],
    /// Columns whose values differ.
    columns: &'static [&'static str],
    /// Whether one side has rows that the other has not.
    rows: bool,
}

const fn columns(
    decision: u32,
    tables: &'static [&'static str],
    columns: &'static [&'static str],
) -> Deviation {
    Deviation {
        decision,
        tables,
        columns,
        rows: false,
    }
}

const fn rows(decision: u32, tables: &'static [&'static str]) -> Deviation {
    Deviation {
        decision,
        tables,
        columns: &[],
        rows: true,
    }
}

const DEPLOYMENTS: &[&str] = &["cicd_deployments", "cicd_deployment_commits"];

/// The first that fits is named.
const DEVIATIONS: &[Deviation] = &[
    columns(1, &["issues"], &["type", "original_type"]),
    columns(2, &["issues"], &["status"]),
    columns(2, &["_tool_bitbucket_issues"], &["std_state"]),
    columns(
        3,
        &["issues"],
        &["url", "resolution_date", "lead_time_minutes"],
    ),
    columns(4, &["cicd_tasks"], &["type", "environment"]),
    columns(5, &["cicd_pipelines"], &["type", "environment"]),
    columns(6, DEPLOYMENTS, &["environment", "original_environment"]),
    columns(7, DEPLOYMENTS, &["result", "original_result"]),
    rows(8, DEPLOYMENTS),
    columns(
        10,
        &["pull_requests"],
        &["head_commit_sha", "merge_commit_sha", "base_commit_sha"],
    ),
    columns(10, &["cicd_deployment_commits"], &["commit_sha"]),
    rows(10, &["cicd_pipeline_commits"]),
    columns(
        11,
        &["pull_requests"],
        &[
            "merged_date",
            "closed_date",
            "merged_by_name",
            "merged_by_id",
        ],
    ),
    rows(12, &["pull_request_reviewers"]),
    columns(14, &["pull_request_comments"], &["type"]),
    rows(14, &["pull_request_comments"]),
    columns(15, &["cicd_scopes"], &["url"]),
    columns(
        16,
        &["cicd_pipelines"],
        &["started_date", "queued_duration_sec", "url"],
    ),
    columns(17, &["pull_requests"], &["status"]),
    rows(18, &["commits_diffs"]),
    columns(
        19,
        &["cicd_deployment_commits"],
        &["prev_success_deployment_commit_id"],
    ),
    rows(21, &["project_incident_deployment_relationships"]),
    rows(23, &["ref_commits"]),
    columns(
        24,
        &["accounts"],
        &[
            "email",
            "full_name",
            "user_name",
            "avatar_url",
            "organization",
            "created_date",
        ],
    ),
    columns(26, &["issue_comments"], &["issue_id"]),
    rows(29, &["pull_request_issues", "issue_commits"]),
    rows(34, &["accounts"]),
    columns(36, &["pull_requests"], &["additions", "deletions"]),
];

/// The decision by which a column may hold something else.
pub(crate) fn of_column(table: &str, column: &str) -> Option<u32> {
    let fits = |it: &&Deviation| it.tables.contains(&table) && it.columns.contains(&column);
    DEVIATIONS.iter().find(fits).map(|it| it.decision)
}

/// The decision by which a table may have other rows.
pub(crate) fn of_rows(table: &str) -> Option<u32> {
    let fits = |it: &&Deviation| it.rows && it.tables.contains(&table);
    DEVIATIONS.iter().find(fits).map(|it| it.decision)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::Sources;

    #[test]
    fn every_deviation_has_its_decision_its_tables_and_its_columns() {
        let decisions = include_str!("../docs/decisions/README.md");
        let tables = Sources::all().tables().rows;
        for deviation in DEVIATIONS {
            let number = deviation.decision;
            assert!(decisions.contains(&format!("\n| {number} | ")), "{number}");
            for name in deviation.tables {
                let table = tables.iter().find(|table| table.name == *name);
                let table = table.unwrap_or_else(|| panic!("{number}: {name}"));
                for column in deviation.columns {
                    assert!(
                        table.position(column).is_some(),
                        "{number}: {name} {column}"
                    );
                }
            }
        }
    }
}

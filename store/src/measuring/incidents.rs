//! Incidents: those of a project, and the rows that issues of type INCIDENT become.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use headwater_domain::ticket::{incident, incident_assignee, issue};
use headwater_domain::{Row as _, Table};
use sea_orm::Value;

use super::{Mapping, Milliseconds, moment, text};
use crate::error::{During, StoreError};
use crate::rows::read::{model, select};
use crate::{Changes, Owner, Replacement, Store, Transaction};

/// What rows made of issues say in `_raw_data_table`.
pub const INCIDENT_ORIGIN: &str = "incidents";

/// One row of `incidents`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredIncident {
    /// `id`.
    pub id: String,
    /// `component`.
    pub component: String,
    /// `scope_id`.
    pub scope_id: String,
    /// `created_date`.
    pub created: Option<Milliseconds>,
    /// `resolution_date`.
    pub resolved: Option<Milliseconds>,
    /// `lead_time_minutes`.
    pub lead_time_minutes: Option<i64>,
    /// `deployment_id`.
    pub deployment_id: String,
}

const COLUMNS: &str = "SELECT incidents.id, incidents.component, incidents.scope_id, \
                       incidents.created_date, incidents.resolution_date, \
                       incidents.lead_time_minutes, incidents.deployment_id FROM incidents";

/// Issues that are incidents of a board that some project maps.
const OF_BOARDS: &str = "FROM issues JOIN board_issues AS own ON own.issue_id = issues.id \
                         JOIN project_mapping AS mapped ON mapped.row_id = own.board_id \
                         AND mapped.\"table\" = 'boards' WHERE issues.type = 'INCIDENT'";

/// Incidents that are made of issues: those of boards whose id is an issue's, and those whose issue
/// is gone.
const MADE_OF_ISSUES: &str = "\"table\" = 'boards' AND (_raw_data_table = 'incidents' \
                              OR id IN (SELECT issues.id FROM issues))";

impl Store {
    /// The incidents of a project, by id: those whose scope is mapped, and those of issues of which
    /// any board is.
    pub async fn incidents_of(&self, mapping: &Mapping) -> Result<Vec<StoredIncident>, StoreError> {
        let mut found: BTreeMap<String, StoredIncident> = BTreeMap::new();
        let tables: BTreeSet<&String> = mapping.rows.iter().map(|(table, _)| table).collect();
        let boards = mapping.of("boards");
        let of_boards = format!(
            "{COLUMNS} JOIN board_issues AS own ON own.issue_id = incidents.id \
             WHERE incidents.\"table\" = ? AND own.board_id IN "
        );
        let of_scopes =
            format!("{COLUMNS} WHERE incidents.\"table\" = ? AND incidents.scope_id IN ");
        let mut asked = vec![(of_boards.as_str(), "boards", boards)];
        for table in tables {
            asked.push((of_scopes.as_str(), table.as_str(), mapping.of(table)));
        }
        for (sql, table, ids) in asked {
            for row in self.rows_in(sql, &[table.into()], &ids).await? {
                let read = || {
                    Ok(StoredIncident {
                        id: text(&row, 0)?,
                        component: text(&row, 1)?,
                        scope_id: text(&row, 2)?,
                        created: moment(&row, 3)?,
                        resolved: moment(&row, 4)?,
                        lead_time_minutes: row.get(5)?,
                        deployment_id: text(&row, 6)?,
                    })
                };
                let incident = read().during(sql)?;
                found.insert(incident.id.clone(), incident);
            }
        }
        Ok(found.into_values().collect())
    }

    /// Commits that name issues: hash and issue.
    pub async fn commits_that_name(
        &self,
        issues: &[String],
    ) -> Result<Vec<(String, String)>, StoreError> {
        let sql = "SELECT commit_sha, issue_id FROM issue_commits WHERE issue_id IN ";
        self.pairs_in(sql, issues).await
    }

    /// Pull requests that name issues: pull request and issue.
    pub async fn pull_requests_that_name(
        &self,
        issues: &[String],
    ) -> Result<Vec<(String, String)>, StoreError> {
        let sql = "SELECT pull_request_id, issue_id FROM pull_request_issues WHERE issue_id IN ";
        self.pairs_in(sql, issues).await
    }

    async fn pairs_in(
        &self,
        sql: &str,
        keys: &[String],
    ) -> Result<Vec<(String, String)>, StoreError> {
        let rows = self.rows_in(sql, &[], keys).await?;
        let read = rows.iter().map(|row| Ok((text(row, 0)?, text(row, 1)?)));
        let mut pairs: Vec<(String, String)> = read.collect::<Result<_, _>>().during(sql)?;
        pairs.sort_unstable();
        Ok(pairs)
    }
}

impl Transaction<'_> {
    /// Makes `incidents` and `incident_assignees` hold what issues of type INCIDENT say, on boards
    /// that any project maps. Imported incidents stay as they are; so does the deployment that an
    /// incident of an issue names.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn renew_incidents(&mut self) -> Result<Changes, StoreError> {
        let boards = self.boards_of_incidents().await?;
        let causes = self.named_causes().await?;
        let table = Table::of::<issue::Entity>();
        let sql = format!(
            "{} WHERE issues.id IN (SELECT issues.id {OF_BOARDS})",
            select(table)
        );
        let mut rows = self.rows_of_step(INCIDENT_ORIGIN);
        let mut assignees: BTreeMap<(String, String), String> = BTreeMap::new();
        for row in self.query_all(&sql, Vec::new()).await? {
            let issue = model::<issue::Entity>(table, &row).during(&sql)?;
            let Some(board) = boards.get(&issue.id) else {
                continue;
            };
            if !issue.assignee_id.is_empty() {
                let key = (issue.id.clone(), issue.assignee_id.clone());
                assignees.insert(key, issue.assignee_name.clone());
            }
            let cause = causes.get(&issue.id).cloned().unwrap_or_default();
            rows.push(incident_of(issue, board.clone(), cause));
        }
        self.add_assignees(&mut assignees).await?;
        for ((incident_id, assignee_id), assignee_name) in assignees {
            rows.push(incident_assignee::Model {
                incident_id,
                assignee_id,
                assignee_name,
            });
        }
        let owners = [
            (incident::Model::table(), MADE_OF_ISSUES.to_owned()),
            (
                incident_assignee::Model::table(),
                "_raw_data_table = 'incidents' OR incident_id IN (SELECT issues.id FROM issues)"
                    .to_owned(),
            ),
        ];
        let mut changes = Changes::default();
        for (table, condition) in owners {
            changes += self
                .replace(Replacement {
                    table,
                    owner: Owner::Within {
                        condition,
                        values: Vec::new(),
                    },
                    rows: rows.take(table),
                    first: false,
                })
                .await?;
        }
        Ok(changes)
    }

    /// The smallest mapped board of each issue that is an incident.
    async fn boards_of_incidents(&self) -> Result<HashMap<String, String>, StoreError> {
        let sql = format!("SELECT issues.id, own.board_id {OF_BOARDS}");
        let mut boards: HashMap<String, String> = HashMap::new();
        for row in self.query_all(&sql, Vec::new()).await? {
            let read = || Ok((text(&row, 0)?, text(&row, 1)?));
            let (issue, board) = read().during(&sql)?;
            let smallest = boards.entry(issue).or_insert_with(|| board.clone());
            if board < *smallest {
                *smallest = board;
            }
        }
        Ok(boards)
    }

    /// The deployments that incidents name as their cause.
    async fn named_causes(&self) -> Result<HashMap<String, String>, StoreError> {
        let sql = "SELECT id, deployment_id FROM incidents WHERE deployment_id <> ''";
        let rows = self.query_all(sql, Vec::<Value>::new()).await?;
        let read = rows.iter().map(|row| Ok((text(row, 0)?, text(row, 1)?)));
        read.collect::<Result<_, _>>().during(sql)
    }

    async fn add_assignees(
        &self,
        assignees: &mut BTreeMap<(String, String), String>,
    ) -> Result<(), StoreError> {
        let sql = format!(
            "SELECT people.issue_id, people.assignee_id, people.assignee_name \
             FROM issue_assignees AS people WHERE people.assignee_id <> '' \
             AND people.issue_id IN (SELECT issues.id {OF_BOARDS})"
        );
        for row in self.query_all(&sql, Vec::new()).await? {
            let read = || Ok(((text(&row, 0)?, text(&row, 1)?), text(&row, 2)?));
            let (key, name) = read().during(&sql)?;
            assignees.insert(key, name);
        }
        Ok(())
    }
}

/// The incident that an issue is.
fn incident_of(issue: issue::Model, board: String, cause: String) -> incident::Model {
    incident::Model {
        id: issue.id,
        url: issue.url,
        incident_key: issue.issue_key,
        title: issue.title,
        description: issue.description,
        status: issue.status,
        original_status: issue.original_status,
        resolution_date: issue.resolution_date,
        created_date: issue.created_date,
        updated_date: issue.updated_date,
        lead_time_minutes: issue.lead_time_minutes,
        original_estimate_minutes: issue.original_estimate_minutes,
        time_spent_minutes: issue.time_spent_minutes,
        time_remaining_minutes: issue.time_remaining_minutes,
        creator_id: issue.creator_id,
        creator_name: issue.creator_name,
        parent_incident_id: issue.parent_issue_id,
        priority: issue.priority,
        severity: issue.severity,
        urgency: issue.urgency,
        component: issue.component,
        original_project: issue.original_project,
        table: "boards".to_owned(),
        scope_id: board,
        assignee_id: issue.assignee_id,
        assignee_name: issue.assignee_name,
        deployment_id: cause,
    }
}

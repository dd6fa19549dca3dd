//! What `doctor` looks at: counts over stored rows that show what makes numbers wrong, old or empty,
//! and what servers said beside their answers.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sea_orm::DbErr;

use crate::Store;
use crate::database::Row;
use crate::error::{During, StoreError};

/// How often something occurs in a scope.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// The scope: `params` of raw rows, or the id of a repository.
    pub scope: String,
    /// What occurs: a name of a step, of an environment, of a stream.
    pub name: String,
    /// How often.
    pub count: i64,
}

/// Merged pull requests of a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Merged {
    /// `repos.id`.
    pub repo_id: String,
    /// How many there are.
    pub merged: i64,
    /// Those of which no commit was found in the history.
    pub unlinked: i64,
}

/// One list of one scope, as `v_data_freshness` has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadList {
    /// Number of the connection.
    pub connection_id: i64,
    /// Full name of the scope.
    pub scope: String,
    /// The stream; empty where nothing was read.
    pub stream: String,
    /// How the last reading ended.
    pub state: String,
    /// When a reading last succeeded (UTC).
    pub succeeded_at: Option<DateTime<Utc>>,
}

/// An endpoint that its server announced to remove.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Announcement {
    /// Number of the connection.
    pub connection_id: i64,
    /// Path, with `*` for names and numbers.
    pub endpoint: String,
    /// The header `Deprecation`.
    pub deprecation: String,
    /// The header `Sunset`.
    pub sunset: String,
}

/// What the answers of one connection said beside their bodies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerNotes {
    /// Endpoints that were asked, each with its `Deprecation` and `Sunset`; none where the answer
    /// had neither.
    pub endpoints: BTreeMap<String, Option<(String, String)>>,
    /// Seconds by which our clock is ahead of the server's.
    pub ahead_seconds: Option<i64>,
}

/// What `doctor` looks at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Symptoms {
    /// `repos.id` with the scope (`params`) that it was made of.
    pub repositories: BTreeMap<String, String>,
    /// Projects, each with pairs of table and id that it maps.
    pub projects: BTreeMap<String, Vec<(String, String)>>,
    /// Names of steps that ran, by `params`.
    pub steps: Vec<Counted>,
    /// Pipelines, by `params`, named by whether a deployment names them: see [`DEPLOYED`].
    pub pipelines: Vec<Counted>,
    /// Names of environments of deployments that no rule knows, by `params`.
    pub nowhere: Vec<Counted>,
    /// Short hashes that no commit was found for, by `repos.id`.
    pub short_hashes: Vec<Counted>,
    /// Merged pull requests.
    pub merged: Vec<Merged>,
    /// Incidents of each project.
    pub incidents: BTreeMap<String, i64>,
    /// Names of environments with successful production deployments, by `cicd_scopes.id`.
    pub production: Vec<Counted>,
    /// Names of environments with successful deployments that are not production, by
    /// `cicd_scopes.id`.
    pub elsewhere: Vec<Counted>,
    /// Lists of the known scopes.
    pub lists: Vec<ReadList>,
    /// Dead letters by `params` and stream.
    pub dead_letters: Vec<Counted>,
    /// Endpoints that are announced to go.
    pub announcements: Vec<Announcement>,
    /// Seconds by which our clock was ahead of the server's, by connection.
    pub ahead_seconds: BTreeMap<i64, i64>,
}

const STEPS: &str = "SELECT _raw_data_params, name, COUNT(*) FROM cicd_tasks \
                     GROUP BY _raw_data_params, name";
/// What [`Symptoms::pipelines`] calls those that a deployment names; the others have no name.
pub const DEPLOYED: &str = "DEPLOYED";

const PIPELINES: &str = "SELECT of_pipelines, deployed, COUNT(*) FROM \
                         (SELECT _raw_data_params AS of_pipelines, CASE WHEN EXISTS \
                         (SELECT 1 FROM cicd_deployments AS told \
                         WHERE told.cicd_pipeline_id = pipelines.id) \
                         THEN 'DEPLOYED' ELSE '' END AS deployed \
                         FROM cicd_pipelines AS pipelines) AS counted \
                         GROUP BY of_pipelines, deployed";
const NOWHERE: &str = "SELECT _raw_data_params, original_environment, COUNT(*) \
                       FROM cicd_deployments WHERE environment = '' AND subtask_name = '' \
                       GROUP BY _raw_data_params, original_environment";
const SHORT_HASHES: &str = "SELECT repo_id, state, COUNT(*) FROM short_hashes \
                            WHERE state <> 'FULL' GROUP BY repo_id, state";
const PRODUCTION: &str = "SELECT cicd_scope_id, COALESCE(NULLIF(original_environment, ''), \
                          environment), COUNT(*) FROM cicd_deployment_commits \
                          WHERE environment = 'PRODUCTION' AND result = 'SUCCESS' \
                          AND finished_date IS NOT NULL GROUP BY cicd_scope_id, \
                          COALESCE(NULLIF(original_environment, ''), environment)";
const ELSEWHERE: &str = "SELECT cicd_scope_id, original_environment, COUNT(*) \
                         FROM cicd_deployment_commits WHERE environment <> 'PRODUCTION' \
                         AND original_environment <> '' AND result = 'SUCCESS' \
                         AND finished_date IS NOT NULL \
                         GROUP BY cicd_scope_id, original_environment";
const DEAD_LETTERS: &str = "SELECT params, stream, COUNT(*) FROM _headwater_dead_letters \
                            GROUP BY params, stream";
const MERGED: &str = "SELECT requests.base_repo_id, COUNT(*), COUNT(unlinked.pull_request_id) \
                      FROM pull_requests AS requests LEFT JOIN unlinked_pull_requests AS unlinked \
                      ON unlinked.pull_request_id = requests.id \
                      WHERE requests.merged_date IS NOT NULL GROUP BY requests.base_repo_id";
const INCIDENTS: &str = "SELECT project_name, COUNT(*) FROM (SELECT project_name, id \
                         FROM project_incident_deployment_relationships UNION ALL \
                         SELECT project_name, id FROM unlinked_incidents) AS incidents_of \
                         GROUP BY project_name";
const LISTS: &str = "SELECT connection_id, scope, stream, state, succeeded_at \
                     FROM v_data_freshness WHERE source_gone_at IS NULL";
const ANNOUNCEMENTS: &str = "SELECT connection_id, endpoint, deprecation, sunset \
                             FROM _headwater_endpoints ORDER BY connection_id, endpoint";
const CLOCKS: &str = "SELECT connection_id, ahead_sec FROM _headwater_clocks";

fn text(row: &Row, place: usize) -> Result<String, DbErr> {
    Ok(row.get::<Option<String>>(place)?.unwrap_or_default())
}

impl Store {
    /// What `doctor` looks at, of everything that is stored.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn symptoms(&self) -> Result<Symptoms, StoreError> {
        let mut projects = BTreeMap::new();
        for project in self.project_names().await? {
            let mapping = self.mapping_of(&project).await?;
            projects.insert(project, mapping.rows);
        }
        Ok(Symptoms {
            projects,
            repositories: self
                .pairs("SELECT id, _raw_data_params FROM repos", |row| {
                    Ok((text(row, 0)?, text(row, 1)?))
                })
                .await?
                .into_iter()
                .collect(),
            steps: self.counted(STEPS).await?,
            pipelines: self.counted(PIPELINES).await?,
            nowhere: self.counted(NOWHERE).await?,
            short_hashes: self.counted(SHORT_HASHES).await?,
            production: self.counted(PRODUCTION).await?,
            elsewhere: self.counted(ELSEWHERE).await?,
            dead_letters: self.counted(DEAD_LETTERS).await?,
            merged: self
                .pairs(MERGED, |row| {
                    Ok(Merged {
                        repo_id: text(row, 0)?,
                        merged: row.get(1)?,
                        unlinked: row.get(2)?,
                    })
                })
                .await?,
            incidents: self
                .pairs(INCIDENTS, |row| Ok((text(row, 0)?, row.get(1)?)))
                .await?
                .into_iter()
                .collect(),
            lists: self.pairs(LISTS, read_list).await?,
            announcements: self.pairs(ANNOUNCEMENTS, announcement).await?,
            ahead_seconds: self
                .pairs(CLOCKS, |row| Ok((row.get(0)?, row.get(1)?)))
                .await?
                .into_iter()
                .collect(),
        })
    }

    async fn counted(&self, sql: &str) -> Result<Vec<Counted>, StoreError> {
        let mut counted = self
            .pairs(sql, |row| {
                Ok(Counted {
                    scope: text(row, 0)?,
                    name: text(row, 1)?,
                    count: row.get(2)?,
                })
            })
            .await?;
        counted.sort_by(|one, other| (&one.scope, &one.name).cmp(&(&other.scope, &other.name)));
        Ok(counted)
    }

    async fn pairs<T>(
        &self,
        sql: &str,
        read: impl Fn(&Row) -> Result<T, DbErr>,
    ) -> Result<Vec<T>, StoreError> {
        let rows = self.query_all(sql, Vec::new()).await?;
        rows.iter().map(read).collect::<Result<_, _>>().during(sql)
    }

    /// Remembers what the answers of a connection said beside their bodies. An announcement goes
    /// when the endpoint answers without it.
    ///
    /// # Errors
    /// When the database fails. Announcements that were not written are written by the next run.
    pub async fn record_server_notes(
        &self,
        connection_id: i64,
        notes: &ServerNotes,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        for (endpoint, announced) in &notes.endpoints {
            let delete =
                "DELETE FROM _headwater_endpoints WHERE connection_id = ? AND endpoint = ?";
            let key = vec![connection_id.into(), endpoint.clone().into()];
            self.execute(delete, key).await?;
            let Some((deprecation, sunset)) = announced else {
                continue;
            };
            let insert = "INSERT INTO _headwater_endpoints (connection_id, endpoint, deprecation, \
                          sunset, noted_at) VALUES (?, ?, ?, ?, ?)";
            let values = vec![
                connection_id.into(),
                endpoint.clone().into(),
                deprecation.clone().into(),
                sunset.clone().into(),
                now.into(),
            ];
            self.execute(insert, values).await?;
        }
        let Some(ahead) = notes.ahead_seconds else {
            return Ok(());
        };
        let delete = "DELETE FROM _headwater_clocks WHERE connection_id = ?";
        self.execute(delete, vec![connection_id.into()]).await?;
        let insert = "INSERT INTO _headwater_clocks (connection_id, ahead_sec, noted_at) \
                      VALUES (?, ?, ?)";
        let values = vec![connection_id.into(), ahead.into(), now.into()];
        self.execute(insert, values).await.map(|_| ())
    }
}

fn read_list(row: &Row) -> Result<ReadList, DbErr> {
    Ok(ReadList {
        connection_id: row.get(0)?,
        scope: text(row, 1)?,
        stream: text(row, 2)?,
        state: text(row, 3)?,
        succeeded_at: row.get(4)?,
    })
}

fn announcement(row: &Row) -> Result<Announcement, DbErr> {
    Ok(Announcement {
        connection_id: row.get(0)?,
        endpoint: text(row, 1)?,
        deprecation: text(row, 2)?,
        sunset: text(row, 3)?,
    })
}

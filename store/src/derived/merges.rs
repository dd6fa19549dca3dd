//! Merged pull requests and the commits of a history: what is looked at, and what was found.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use headwater_domain::Row as Made;
use headwater_domain::code::{pull_request_merge, unlinked_pull_request};
use sea_orm::DbErr;

use crate::database::Row;
use crate::database::sql::{LENGTHS, list_of};
use crate::database::transaction::Transaction;
use crate::error::{During, StoreError};
use crate::rows::read::{model, select};
use crate::{Changes, Owner, Replacement, Store};

/// The step that links: its checkpoint says whether anything it reads has changed.
pub const STEP: &str = "convert:merges";

/// Its checkpoint says who named the changes that are kept.
pub const NAMES: &str = "convert:merges:names";

/// Its checkpoint describes the branches that pull requests went into when they were linked.
pub const BRANCHES: &str = "convert:merges:branches";

/// What its rows say in `_raw_data_table`.
const ORIGIN: &str = "merges";

/// Characters of a message that are looked through for a number: a subject is shorter.
const SUBJECT: i64 = 500;

/// A merged pull request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Merged {
    /// Domain id.
    pub id: String,
    /// Its number.
    pub number: i64,
    /// Branch that it was merged into.
    pub base_ref: String,
    /// Hash of its merge commit, or how it begins; empty where none is given.
    pub merge_commit: String,
    /// Hash of the newest commit of its source branch, or how it begins.
    pub head_commit: String,
    /// When it was opened (UTC).
    pub created: Option<DateTime<Utc>>,
    /// When it was merged (UTC).
    pub merged: Option<DateTime<Utc>>,
}

/// A commit whose message may say a number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Naming {
    /// Full hash.
    pub sha: String,
    /// The beginning of its message.
    pub message: String,
    /// When it was committed (UTC).
    pub committed: Option<DateTime<Utc>>,
}

/// The beginning of a message, of which the subject is a part.
pub(crate) fn beginning(column: &str) -> String {
    // A length that is bound is a `bigint` to PostgreSQL, whose SUBSTR takes none.
    format!("SUBSTR({column}, 1, {SUBJECT})")
}

const MERGED: &str = "SELECT id, pull_request_key, base_ref, merge_commit_sha, head_commit_sha, \
                      created_date, merged_date FROM pull_requests \
                      WHERE base_repo_id = ? AND status = 'MERGED'";

fn merged(row: &Row) -> Result<Merged, DbErr> {
    Ok(Merged {
        id: row.get(0)?,
        number: row.get::<Option<i64>>(1)?.unwrap_or_default(),
        base_ref: text_at(row, 2)?,
        merge_commit: text_at(row, 3)?,
        head_commit: text_at(row, 4)?,
        created: row.get(5)?,
        merged: row.get(6)?,
    })
}

fn text_at(row: &Row, place: usize) -> Result<String, DbErr> {
    Ok(row.get::<Option<String>>(place)?.unwrap_or_default())
}

impl Store {
    /// The merged pull requests of a repository, by id.
    pub async fn merged_to_link(&self, repo_id: &str) -> Result<Vec<Merged>, StoreError> {
        let text = format!("{MERGED} ORDER BY id");
        let rows = self.query_all(&text, vec![repo_id.into()]).await?;
        let read = rows.iter().map(merged);
        read.collect::<Result<_, _>>().during(&text)
    }

    /// Those of them that have one of these ids, in no particular order.
    pub async fn merged_among(
        &self,
        repo_id: &str,
        ids: &BTreeSet<String>,
    ) -> Result<Vec<Merged>, StoreError> {
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let text = format!("{MERGED} AND id IN ");
        let rows = self.rows_in(&text, &[repo_id.into()], &ids).await?;
        let read = rows.iter().map(merged);
        read.collect::<Result<_, _>>().during(&text)
    }

    /// The own commits of these pull requests, by pull request.
    pub async fn own_commits(
        &self,
        pull_requests: &[String],
    ) -> Result<HashMap<String, Vec<String>>, StoreError> {
        let mut own: HashMap<String, Vec<String>> = HashMap::new();
        for group in pull_requests.chunks(LENGTHS[0]) {
            let (list, values) = list_of(group);
            let text = format!(
                "SELECT pull_request_id, commit_sha FROM pull_request_commits \
                 WHERE pull_request_id IN {list} ORDER BY pull_request_id, commit_sha"
            );
            for row in self.query_all(&text, values).await? {
                let read = || -> Result<(String, String), DbErr> { Ok((row.get(0)?, row.get(1)?)) };
                let (key, sha) = read().during(&text)?;
                own.entry(key).or_default().push(sha);
            }
        }
        Ok(own)
    }

    /// The pull requests of a repository that have rows of links, or of none.
    pub async fn linked_pull_requests(
        &self,
        repo_id: &str,
    ) -> Result<BTreeSet<String>, StoreError> {
        let text = "SELECT pull_request_id FROM pull_request_merges WHERE repo_id = ? \
                    UNION SELECT pull_request_id FROM unlinked_pull_requests WHERE repo_id = ?";
        let values = vec![repo_id.into(), repo_id.into()];
        let rows = self.query_all(text, values).await?;
        let read = rows.iter().map(|row| row.get(0));
        read.collect::<Result<_, _>>().during(text)
    }

    /// Commits of a repository whose message may say the number of a pull request, those behind a
    /// hash in the order of hashes. Fewer than `limit` are the last ones.
    pub async fn commits_naming(
        &self,
        repo_id: &str,
        after: &str,
        limit: i64,
    ) -> Result<Vec<Naming>, StoreError> {
        let message = beginning("made.message");
        let text = format!(
            "SELECT made.sha, {message}, made.committed_date \
                    FROM repo_commits AS held JOIN commits AS made ON made.sha = held.commit_sha \
                    WHERE held.repo_id = ? AND held.commit_sha > ? AND made.message LIKE '%#%' \
                    ORDER BY held.commit_sha LIMIT ?"
        );
        let values = vec![repo_id.into(), after.into(), limit.into()];
        let rows = self.query_all(&text, values).await?;
        let read = rows.iter().map(|row| {
            Ok(Naming {
                sha: row.get(0)?,
                message: text_at(row, 1)?,
                committed: row.get(2)?,
            })
        });
        read.collect::<Result<_, _>>().during(&text)
    }

    /// The status of a pull request; none where there is no such row.
    pub async fn pull_request_status(&self, id: &str) -> Result<Option<String>, StoreError> {
        let text = "SELECT status FROM pull_requests WHERE id = ?";
        let rows = self.query_all(text, vec![id.into()]).await?;
        let status = rows.first().map(|row| text_at(row, 0));
        status.transpose().during(text)
    }

    /// The commits that a pull request is linked with, by hash.
    pub async fn merges_of(&self, id: &str) -> Result<Vec<pull_request_merge::Model>, StoreError> {
        let table = pull_request_merge::Model::table();
        let text = format!(
            "{} WHERE pull_request_id = ? ORDER BY commit_sha",
            select(table)
        );
        let rows = self.query_all(&text, vec![id.into()]).await?;
        let read = rows
            .iter()
            .map(|row| model::<pull_request_merge::Entity>(table, row));
        read.collect::<Result<_, _>>().during(&text)
    }

    /// Why a merged pull request has no commit; none when it has some, or is not known.
    pub async fn reason_unlinked(&self, id: &str) -> Result<Option<String>, StoreError> {
        let text = "SELECT reason FROM unlinked_pull_requests WHERE pull_request_id = ?";
        let rows = self.query_all(text, vec![id.into()]).await?;
        rows.first()
            .map(|row| text_at(row, 0))
            .transpose()
            .during(text)
    }
}

impl Transaction<'_> {
    /// Makes the rows of these pull requests exactly these.
    pub async fn settle_merges(
        &mut self,
        pull_requests: &[String],
        linked: Vec<pull_request_merge::Model>,
        unlinked: Vec<unlinked_pull_request::Model>,
        first: bool,
    ) -> Result<Changes, StoreError> {
        let mut changes = self.replace_links(pull_requests, linked, first).await?;
        changes += self.replace_links(pull_requests, unlinked, first).await?;
        Ok(changes)
    }

    async fn replace_links<R: Made>(
        &mut self,
        pull_requests: &[String],
        made: Vec<R>,
        first: bool,
    ) -> Result<Changes, StoreError> {
        let mut rows = self.rows_of_step(ORIGIN);
        for row in made {
            rows.push(row);
        }
        self.replace(Replacement {
            table: R::table(),
            owner: Owner::Column {
                name: "pull_request_id",
                values: pull_requests.to_vec(),
                connection_id: None,
            },
            rows: rows.take(R::table()),
            first,
        })
        .await
    }
}

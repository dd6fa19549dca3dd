//! What commits change, by name, and commits that may change the same.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::{DbErr, Value};

use crate::Store;
use crate::database::sql::{LENGTHS, key_list};
use crate::database::transaction::Transaction;
use crate::error::{During, StoreError};
use crate::rows::shape::Shape;

/// A commit, and what it is compared with: another commit, else its first parent.
pub type Change = (String, Option<String>);

/// Characters of a message that are its subject here.
const SUBJECT: i64 = 200;

/// A commit that has its author and its time from another one, or the other way round.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Alike {
    /// Full hash.
    pub sha: String,
    /// Address of the author.
    pub author_email: String,
    /// When it was written (UTC).
    pub authored: Option<DateTime<Utc>>,
    /// The beginning of the first line of its message.
    pub subject: String,
}

impl Store {
    /// The commits of a repository that share author and time with another one of it.
    pub async fn commits_alike(&self, repo_id: &str) -> Result<Vec<Alike>, StoreError> {
        // A length that is bound is a `bigint` to PostgreSQL, whose SUBSTR takes none.
        let text = format!(
            "SELECT made.sha, made.author_email, made.authored_date, \
                    SUBSTR(made.message, 1, {SUBJECT}) FROM repo_commits AS held \
                    JOIN commits AS made ON made.sha = held.commit_sha \
                    JOIN (SELECT one.author_email AS email, one.authored_date AS authored \
                    FROM repo_commits AS own JOIN commits AS one ON one.sha = own.commit_sha \
                    WHERE own.repo_id = ? AND one.authored_date IS NOT NULL \
                    GROUP BY one.author_email, one.authored_date HAVING COUNT(*) > 1) AS twice \
                    ON twice.email = made.author_email AND twice.authored = made.authored_date \
                    WHERE held.repo_id = ?"
        );
        let values = vec![repo_id.into(), repo_id.into()];
        let rows = self.query_all(&text, values).await?;
        let read = rows.iter().map(|row| {
            let message: Option<String> = row.get(3)?;
            let message = message.unwrap_or_default();
            Ok(Alike {
                sha: row.get(0)?,
                author_email: row.get::<Option<String>>(1)?.unwrap_or_default(),
                authored: row.get(2)?,
                subject: message.lines().next().unwrap_or_default().to_owned(),
            })
        });
        read.collect::<Result<_, _>>().during(&text)
    }

    /// The commits of a repository and when they were committed (UTC).
    pub async fn commit_dates(
        &self,
        repo_id: &str,
    ) -> Result<Vec<(String, Option<DateTime<Utc>>)>, StoreError> {
        let text = "SELECT made.sha, made.committed_date FROM repo_commits AS held \
                    JOIN commits AS made ON made.sha = held.commit_sha WHERE held.repo_id = ?";
        let rows = self.query_all(text, vec![repo_id.into()]).await?;
        let read = rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?)));
        read.collect::<Result<_, _>>().during(text)
    }

    /// The names of those of these changes that were named before.
    pub async fn patches_known(
        &self,
        changes: &[Change],
    ) -> Result<HashMap<Change, String>, StoreError> {
        let mut known = HashMap::new();
        for group in changes.chunks(LENGTHS[0]) {
            let keys = group.iter().map(|(commit, _)| Value::from(commit.clone()));
            let (list, values) = key_list(keys.collect());
            let text = format!(
                "SELECT commit_sha, base_sha, patch_id FROM _headwater_patches \
                 WHERE commit_sha IN {list}"
            );
            for row in self.query_all(&text, values).await? {
                let read = || -> Result<(String, String, String), DbErr> {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
                };
                let (commit, base, name) = read().during(&text)?;
                known.insert((commit, (!base.is_empty()).then_some(base)), name);
            }
        }
        Ok(known)
    }
}

impl Transaction<'_> {
    /// Keeps the names of changes, which stay the same while one version of one program gives them.
    pub async fn keep_patches(
        &self,
        named: impl IntoIterator<Item = (Change, String)> + Send,
    ) -> Result<(), StoreError> {
        let shape = Shape::plain(
            "_headwater_patches",
            &["commit_sha", "base_sha", "patch_id"],
            &["commit_sha", "base_sha"],
        );
        let rows = named.into_iter().map(|((commit, base), name)| {
            let base = base.unwrap_or_default();
            vec![commit.into(), base.into(), name.into()]
        });
        self.upsert(&shape, rows.collect()).await
    }

    /// Forgets the names of changes of commits that no repository has any more.
    pub fn forget_patches(&self) -> Result<(), StoreError> {
        let text = "DELETE FROM _headwater_patches WHERE NOT EXISTS (SELECT 1 FROM repo_commits \
                    WHERE repo_commits.commit_sha = _headwater_patches.commit_sha)";
        self.queue(text, Vec::new())
    }

    /// Forgets the names of changes of a repository's commits.
    pub fn forget_patches_of(&self, repo_id: &str) -> Result<(), StoreError> {
        let text = "DELETE FROM _headwater_patches WHERE commit_sha IN \
                    (SELECT commit_sha FROM repo_commits WHERE repo_id = ?)";
        self.queue(text, vec![repo_id.into()])
    }
}

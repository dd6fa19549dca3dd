//! Which issues pull requests and commits name: from what they mention to issues that exist.
//!
//! Mentions are written with the rows that hold them; the links follow from them and from the
//! issues there are. Only what differs is read and written here.

use chrono::{DateTime, Utc};
use headwater_domain::crossdomain::{issue_commit, pull_request_issue};
use headwater_domain::id::{self, Ids};
use headwater_domain::{Rows, Scope, Table};
use sea_orm::Value;

use crate::error::{During, StoreError};
use crate::{Changes, Store, Transaction};

/// The step that links: its checkpoint says whether anything it reads has changed.
pub const STEP: &str = "convert:issue_links";

/// What links say in `_raw_data_table`.
pub const LINK_ORIGIN: &str = "issue_links";

/// Mentions looked at in one transaction.
const PAGE: i64 = 4096;

/// How a mention finds an issue: by its number in the own tracker, or by its key in any.
const FINDS: [&str; 2] = [
    "issues.id = named.issue_id",
    "issues.issue_key = named.mention AND named.issue_id = ''",
];

/// What names issues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    /// Pull requests, in `pull_request_mentions`.
    PullRequests,
    /// Commits, in `commit_mentions`.
    Commits,
}

impl Naming {
    /// Both.
    pub const ALL: [Self; 2] = [Self::PullRequests, Self::Commits];

    fn links(self) -> &'static Table {
        match self {
            Self::PullRequests => Table::of::<pull_request_issue::Entity>(),
            Self::Commits => Table::of::<issue_commit::Entity>(),
        }
    }

    /// The mentions' table and its first key column, which begins with the repository's name.
    fn mentions(self) -> (&'static str, &'static str) {
        match self {
            Self::PullRequests => ("pull_request_mentions", "pull_request_id"),
            Self::Commits => ("commit_mentions", "source_id"),
        }
    }
}

/// Mentions of one repository: those behind one key, up to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// What holds them.
    pub naming: Naming,
    /// The key before the first of them.
    pub after: String,
    /// Their last key, or one behind it.
    pub last: String,
}

impl Span {
    /// All mentions of a repository, and perhaps some of others, which `params` distinguishes.
    #[must_use]
    pub fn whole(naming: Naming, scope: &Scope, (ids, repo_id): (&Ids, &str)) -> Self {
        match naming {
            Naming::PullRequests => Self::behind(naming, ids.pull_requests(scope)),
            Naming::Commits => Self::of_commits(repo_id),
        }
    }

    /// All mentions of a repository's commits.
    pub(crate) fn of_commits(repo_id: &str) -> Self {
        Self::behind(Naming::Commits, id::git_ref(repo_id, ""))
    }

    /// Keys that begin with a text.
    fn behind(naming: Naming, after: String) -> Self {
        Self {
            naming,
            last: format!("{after}{}", char::MAX),
            after,
        }
    }

    fn values(&self, scope: &str) -> Vec<Value> {
        let (after, last) = (self.after.clone(), self.last.clone());
        vec![scope.into(), after.into(), last.into()]
    }

    /// The condition for its mentions; [`values`](Self::values) go with it.
    fn within(&self) -> String {
        let (_, key) = self.naming.mentions();
        format!("named._raw_data_params = ? AND named.{key} > ? AND named.{key} <= ?")
    }
}

/// A link without a reason any more.
struct Stale {
    issue_id: String,
    item: String,
    /// Another scope that has the same link.
    heir: Option<String>,
}

impl Store {
    /// What there is of issues whose keys are like `ABC-12`. Others may have written them, and
    /// leave no note of it.
    pub async fn keyed_issues(&self) -> Result<String, StoreError> {
        // In the order of bytes, digits come before letters.
        let text = "SELECT COUNT(*) FROM issues WHERE issue_key >= 'A'";
        let rows = self.query_all(text, Vec::new()).await?;
        let count: i64 = match rows.first() {
            Some(row) => row.get(0).during(text)?,
            None => 0,
        };
        if count == 0 {
            return Ok(String::new());
        }
        let text = "SELECT updated_at FROM issues WHERE issue_key >= 'A' \
                    AND updated_at IS NOT NULL ORDER BY updated_at DESC LIMIT 1";
        let rows = self.query_all(text, Vec::new()).await?;
        // What another program wrote may be no time in an SQLite file; then only the count shows it.
        let newest = rows.first().and_then(|row| row.get(0).ok());
        let newest = newest.map(|time: DateTime<Utc>| time.timestamp_millis());
        Ok(format!("keyed={count} {}", newest.unwrap_or_default()))
    }

    /// Whether messages of any of a repository's commits name issues, as far as they were read.
    pub async fn has_commit_mentions(
        &self,
        scope: &Scope,
        repo_id: &str,
    ) -> Result<bool, StoreError> {
        let span = Span::of_commits(repo_id);
        let within = span.within();
        let text = format!("SELECT 1 FROM commit_mentions AS named WHERE {within} LIMIT 1");
        let rows = self.query_all(&text, span.values(&scope.params())).await?;
        Ok(!rows.is_empty())
    }

    /// How many mentions there are, and how many of them name no issue that there is.
    pub async fn count_mentions(
        &self,
        scope: &Scope,
        span: &Span,
    ) -> Result<(u64, u64), StoreError> {
        let ((mentions, _), within) = (span.naming.mentions(), span.within());
        let [by_number, by_key] = FINDS;
        let text = format!("SELECT COUNT(*) FROM {mentions} AS named WHERE {within}");
        let missing = format!(
            "{text} AND NOT EXISTS (SELECT 1 FROM issues WHERE {by_number}) \
             AND NOT EXISTS (SELECT 1 FROM issues WHERE {by_key})"
        );
        let mut counts = [0, 0];
        for (text, count) in [text, missing].iter().zip(&mut counts) {
            for row in self.query_all(text, span.values(&scope.params())).await? {
                let found: i64 = row.get(0).during(text)?;
                *count = u64::try_from(found).unwrap_or_default();
            }
        }
        Ok(counts.into())
    }

    /// The part of a span that is looked at at once, and what is left then.
    pub async fn first_mentions(
        &self,
        scope: &Scope,
        span: Span,
    ) -> Result<(Span, Option<Span>), StoreError> {
        let ((mentions, key), within) = (span.naming.mentions(), span.within());
        let text = format!(
            "SELECT named.{key} FROM {mentions} AS named WHERE {within} \
             ORDER BY named.{key} LIMIT 1 OFFSET {PAGE}"
        );
        let rows = self.query_all(&text, span.values(&scope.params())).await?;
        let Some(row) = rows.first() else {
            return Ok((span, None));
        };
        let middle: String = row.get(0).during(&text)?;
        let first = Span {
            last: middle.clone(),
            ..span.clone()
        };
        let rest = Span {
            after: middle,
            ..span
        };
        Ok((first, Some(rest)))
    }
}

impl Transaction<'_> {
    /// Writes the links that some mentions are to have and have not.
    pub async fn add_issue_links(&mut self, span: &Span) -> Result<Changes, StoreError> {
        let links = span.naming.links();
        let mut rows = self.rows_of_step(LINK_ORIGIN);
        for finds in FINDS {
            match span.naming {
                Naming::PullRequests => self.missing_of_pull_requests(finds, span, &mut rows).await,
                Naming::Commits => self.missing_of_commits(finds, span, &mut rows).await,
            }?;
        }
        let rows = rows.take(links);
        Ok(Changes {
            written: self.write(links, rows).await?,
            ..Changes::default()
        })
    }

    async fn missing_of_pull_requests(
        &self,
        finds: &str,
        span: &Span,
        rows: &mut Rows,
    ) -> Result<(), StoreError> {
        let within = span.within();
        let text = format!(
            "SELECT named.pull_request_id, issues.id, items.pull_request_key, issues.issue_key, \
             named.place FROM pull_request_mentions AS named JOIN issues ON {finds} \
             JOIN pull_requests AS items ON items.id = named.pull_request_id WHERE {within} \
             AND NOT EXISTS (SELECT 1 FROM pull_request_issues AS known \
             WHERE known.pull_request_id = named.pull_request_id AND known.issue_id = issues.id \
             AND known.place = named.place AND known.issue_key = issues.issue_key \
             AND known.pull_request_key = items.pull_request_key)"
        );
        for row in self.query_all(&text, span.values(&self.params)).await? {
            let read = || {
                Ok(pull_request_issue::Model {
                    pull_request_id: row.get(0)?,
                    issue_id: row.get(1)?,
                    pull_request_key: row.get(2)?,
                    issue_key: row.get(3)?,
                    place: row.get(4)?,
                })
            };
            rows.push(read().during(&text)?);
        }
        Ok(())
    }

    /// Repositories that have a commit in common may have a link in common: it says that it is of
    /// the first of them by `params`, whichever came first.
    async fn missing_of_commits(
        &self,
        finds: &str,
        span: &Span,
        rows: &mut Rows,
    ) -> Result<(), StoreError> {
        let (within, mut values) = (span.within(), span.values(&self.params));
        let text = format!(
            "SELECT named.commit_sha, issues.id FROM commit_mentions AS named \
             JOIN issues ON {finds} WHERE {within} \
             AND NOT EXISTS (SELECT 1 FROM issue_commits AS known \
             WHERE known.issue_id = issues.id AND known.commit_sha = named.commit_sha \
             AND known.place = 'message' AND known._raw_data_params <= ?)"
        );
        values.push(self.params.clone().into());
        for row in self.query_all(&text, values).await? {
            let read = || {
                Ok(issue_commit::Model {
                    commit_sha: row.get(0)?,
                    issue_id: row.get(1)?,
                    place: "message".to_owned(),
                })
            };
            rows.push(read().during(&text)?);
        }
        Ok(())
    }

    /// Removes some of the links without a reason any more. Of one that another
    /// repository has too only the origin changes. The result also says whether there may be more.
    pub async fn remove_issue_links(
        &mut self,
        naming: Naming,
        repo_id: &str,
    ) -> Result<(Changes, bool), StoreError> {
        let stale = match naming {
            Naming::PullRequests => self.stale_of_pull_requests().await,
            Naming::Commits => self.stale_of_commits(repo_id).await,
        }?;
        let mut changes = Changes::default();
        let mut keys = Vec::new();
        for link in &stale {
            if let Some(heir) = &link.heir {
                let key = vec![link.issue_id.clone().into(), link.item.clone().into()];
                let columns = ["issue_id", "commit_sha"];
                self.note_updated(naming.links(), (&columns, &[key]), &["_raw_data_params"])
                    .await?;
                let text = "UPDATE issue_commits SET _raw_data_params = ?, updated_at = ? \
                            WHERE issue_id = ? AND commit_sha = ?";
                let values = vec![
                    heir.clone().into(),
                    self.now.into(),
                    link.issue_id.clone().into(),
                    link.item.clone().into(),
                ];
                self.execute(text, values).await?;
                changes.written += 1;
                continue;
            }
            let mut key: Vec<Value> = vec![link.issue_id.clone().into(), link.item.clone().into()];
            if naming == Naming::PullRequests {
                // The key's columns in their order.
                key.reverse();
            }
            keys.push(key);
        }
        changes.removed = keys.len() as u64;
        self.remove(naming.links(), keys).await?;
        Ok((changes, stale.len() as u64 == PAGE.unsigned_abs()))
    }

    async fn stale_of_pull_requests(&self) -> Result<Vec<Stale>, StoreError> {
        let [by_number, by_key] = FINDS;
        let text = format!(
            "SELECT known.issue_id, known.pull_request_id, '' FROM pull_request_issues AS known \
             WHERE known._raw_data_params = ? AND NOT EXISTS \
             (SELECT 1 FROM pull_request_mentions AS named \
             JOIN issues ON ({by_number}) OR ({by_key}) \
             WHERE named.pull_request_id = known.pull_request_id \
             AND issues.id = known.issue_id) LIMIT {PAGE}"
        );
        self.stale(&text, vec![self.params.clone().into()]).await
    }

    /// Commits are in several repositories, and links by key are of all of them.
    async fn stale_of_commits(&self, repo_id: &str) -> Result<Vec<Stale>, StoreError> {
        let [by_number, by_key] = FINDS;
        let named = "repo_commits AS held JOIN commit_mentions AS named \
                     ON named.source_id = held.source_id JOIN issues ON";
        let text = format!(
            "SELECT known.issue_id, known.commit_sha, \
             (SELECT MIN(named._raw_data_params) FROM {named} {by_key} \
             WHERE held.commit_sha = known.commit_sha AND issues.id = known.issue_id \
             AND held.repo_id <> ?) FROM issue_commits AS known \
             WHERE known._raw_data_params = ? AND NOT EXISTS \
             (SELECT 1 FROM {named} (({by_number}) OR ({by_key})) WHERE held.repo_id = ? \
             AND held.commit_sha = known.commit_sha AND issues.id = known.issue_id) LIMIT {PAGE}"
        );
        let repo = Value::from(repo_id);
        self.stale(&text, vec![repo.clone(), self.params.clone().into(), repo])
            .await
    }

    async fn stale(&self, text: &str, values: Vec<Value>) -> Result<Vec<Stale>, StoreError> {
        let rows = self.query_all(text, values).await?;
        let read = rows.iter().map(|row| {
            let heir: Option<String> = row.get(2)?;
            Ok(Stale {
                issue_id: row.get(0)?,
                item: row.get(1)?,
                heir: heir.filter(|heir| !heir.is_empty()),
            })
        });
        read.collect::<Result<_, _>>().during(text)
    }
}

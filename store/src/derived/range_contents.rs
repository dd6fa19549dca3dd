//! The contents of commits: who wrote them, which pull requests merged them, which issues they name.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, Utc};
use headwater_domain::Scope;
use sea_orm::{DbErr, Value};

use crate::Store;
use crate::database::Row;
use crate::derived::issue_links::Span;
use crate::error::{During, StoreError};

/// A commit as people read of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BroughtCommit {
    /// Full hash.
    pub sha: String,
    /// First line of the message.
    pub subject: String,
    /// Who wrote it.
    pub author_name: String,
    /// Their e-mail address.
    pub author_email: String,
    /// When it was written (UTC).
    pub authored_date: Option<DateTime<Utc>>,
}

/// A merged pull request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BroughtPullRequest {
    /// Domain id.
    pub id: String,
    /// Its number.
    pub key: i64,
    /// Title.
    pub title: String,
    /// Page.
    pub url: String,
    /// Who opened it.
    pub author_name: String,
    /// Commit that merged it; the beginning of its hash where no more is known.
    pub merge_commit: String,
    /// Commits with which all of it is there; none where no commit was linked with it.
    pub merged_with: Vec<String>,
    /// Its own commits.
    pub commits: Vec<String>,
    /// Issues that it names.
    pub issues: Vec<String>,
}

/// An issue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BroughtIssue {
    /// Domain id.
    pub id: String,
    /// Its key, such as `12`.
    pub key: String,
    /// Title.
    pub title: String,
    /// Page.
    pub url: String,
}

fn text_at(row: &Row, place: usize) -> Result<String, DbErr> {
    Ok(row.get::<Option<String>>(place)?.unwrap_or_default())
}

impl Store {
    /// The commits with these hashes, in the order of the hashes. One that no table has has
    /// nothing but its hash.
    pub async fn commits_brought(&self, shas: &[String]) -> Result<Vec<BroughtCommit>, StoreError> {
        let mut known = HashMap::with_capacity(shas.len());
        let read = |row: &Row| -> Result<BroughtCommit, DbErr> {
            let message: Option<String> = row.get(1)?;
            let message = message.unwrap_or_default();
            Ok(BroughtCommit {
                sha: row.get(0)?,
                subject: message.lines().next().unwrap_or_default().to_owned(),
                author_name: text_at(row, 2)?,
                author_email: text_at(row, 3)?,
                authored_date: row.get(4)?,
            })
        };
        let text = "SELECT sha, message, author_name, author_email, authored_date FROM commits \
                    WHERE sha IN ";
        for row in self.rows_in(text, &[], shas).await? {
            let commit = read(&row).during(text)?;
            known.insert(commit.sha.clone(), commit);
        }
        let commits = shas.iter().map(|sha| {
            known.remove(sha).unwrap_or_else(|| BroughtCommit {
                sha: sha.clone(),
                ..BroughtCommit::default()
            })
        });
        Ok(commits.collect())
    }

    /// The merged pull requests of a repository, by number, with their commits and issues.
    pub async fn merged_pull_requests(
        &self,
        repo_id: &str,
    ) -> Result<Vec<BroughtPullRequest>, StoreError> {
        const MERGED: &str = "pr.base_repo_id = ? AND pr.status = 'MERGED'";
        let text = format!(
            "SELECT pr.id, pr.pull_request_key, pr.title, pr.url, pr.author_name, \
             pr.merge_commit_sha FROM pull_requests AS pr WHERE {MERGED} \
             ORDER BY pr.pull_request_key, pr.id"
        );
        let rows = self.query_all(&text, vec![repo_id.into()]).await?;
        let read = rows.iter().map(|row| {
            Ok(BroughtPullRequest {
                id: row.get(0)?,
                key: row.get(1)?,
                title: text_at(row, 2)?,
                url: text_at(row, 3)?,
                author_name: text_at(row, 4)?,
                merge_commit: text_at(row, 5)?,
                ..BroughtPullRequest::default()
            })
        });
        let mut merged: Vec<BroughtPullRequest> = read.collect::<Result<_, _>>().during(&text)?;
        for (table, column) in [
            ("pull_request_commits", "commit_sha"),
            ("pull_request_issues", "issue_id"),
        ] {
            let text = format!(
                "SELECT pr.id, part.{column} FROM pull_requests AS pr JOIN {table} AS part \
                 ON part.pull_request_id = pr.id WHERE {MERGED} ORDER BY pr.id, part.{column}"
            );
            let mut parts = self.grouped(&text, vec![repo_id.into()]).await?;
            for pull_request in &mut merged {
                let own = parts.remove(&pull_request.id).unwrap_or_default();
                match column {
                    "issue_id" => pull_request.issues = own,
                    _ => pull_request.commits = own,
                }
            }
        }
        let text = "SELECT pull_request_id, commit_sha FROM pull_request_merges \
                    WHERE repo_id = ? AND is_tip ORDER BY pull_request_id, commit_sha";
        let mut tips = self.grouped(text, vec![repo_id.into()]).await?;
        for pull_request in &mut merged {
            pull_request.merged_with = tips.remove(&pull_request.id).unwrap_or_default();
        }
        Ok(merged)
    }

    async fn grouped(
        &self,
        text: &str,
        values: Vec<Value>,
    ) -> Result<HashMap<String, Vec<String>>, StoreError> {
        let mut groups: HashMap<String, Vec<String>> = HashMap::new();
        for row in self.query_all(text, values).await? {
            let read = || -> Result<(String, String), DbErr> { Ok((row.get(0)?, row.get(1)?)) };
            let (key, part) = read().during(text)?;
            groups.entry(key).or_default().push(part);
        }
        Ok(groups)
    }

    /// The issues that a scope's commits name, by commit.
    pub async fn issues_by_commit(
        &self,
        scope: &Scope,
        repo_id: &str,
    ) -> Result<HashMap<String, Vec<String>>, StoreError> {
        let text = "SELECT DISTINCT named.commit_sha, issues.id FROM commit_mentions AS named \
                    JOIN issue_commits AS links ON links.commit_sha = named.commit_sha \
                    JOIN issues ON issues.id = links.issue_id AND (issues.id = named.issue_id \
                    OR (named.issue_id = '' AND issues.issue_key = named.mention)) \
                    WHERE named.source_id > ? AND named.source_id <= ? \
                    AND named._raw_data_params = ? ORDER BY named.commit_sha, issues.id";
        let Span { after, last, .. } = Span::of_commits(repo_id);
        let values = vec![after.into(), last.into(), scope.params().into()];
        self.grouped(text, values).await
    }

    /// The issues with these ids, by id. Of one that no table has the key is its id.
    pub async fn issues_brought(
        &self,
        ids: &HashSet<String>,
    ) -> Result<Vec<BroughtIssue>, StoreError> {
        let text = "SELECT id, issue_key, title, url FROM issues WHERE id IN ";
        let mut wanted: Vec<String> = ids.iter().cloned().collect();
        wanted.sort_unstable();
        let unknown = wanted.iter().map(|id| {
            let issue = BroughtIssue {
                id: id.clone(),
                key: id.clone(),
                ..BroughtIssue::default()
            };
            (id.clone(), issue)
        });
        let mut issues: BTreeMap<String, BroughtIssue> = unknown.collect();
        for row in self.rows_in(text, &[], &wanted).await? {
            let read = |row: &Row| -> Result<BroughtIssue, DbErr> {
                Ok(BroughtIssue {
                    id: row.get(0)?,
                    key: text_at(row, 1)?,
                    title: text_at(row, 2)?,
                    url: text_at(row, 3)?,
                })
            };
            let issue = read(&row).during(text)?;
            issues.insert(issue.id.clone(), issue);
        }
        Ok(issues.into_values().collect())
    }
}

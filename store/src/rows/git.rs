//! What is remembered of git histories, and the rows that several repositories share.
//!
//! A commit is the same in every repository that has it, so its rows are shared. Which of them
//! writes it when they would not write the same: docs/decisions/0039-git-history.md.

mod history;

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap, HashSet};

use headwater_domain::code::{commit, commit_file, commit_parent, repo_commit};
use headwater_domain::crossdomain::{account, commit_mention};
use headwater_domain::{Origin, Rows, Sourced, Table, id};
use sea_orm::Value;

use crate::database::sql::{LENGTHS, list_of};
use crate::error::{During, StoreError};
use crate::rows::read;
use crate::rows::shape::Shape;
use crate::{Store, Transaction};

pub use history::{GitState, GitTips};

/// What rows made of a git history say in `_raw_data_table`.
pub const GIT_ORIGIN: &str = "gitextractor";

/// A tool table of commits that tells accounts by e-mail address.
#[derive(Debug, PartialEq, Eq)]
pub struct AddressColumns {
    /// The table.
    pub table: &'static str,
    /// Its column with the address.
    pub email: &'static str,
    /// Its column with the account's id.
    pub account: &'static str,
}

/// Another scope that has a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The scope, as in `params`.
    pub params: String,
    /// What its columns follow from; none where the commit came from the API.
    pub identity: Option<String>,
    /// Whether it counts lines.
    pub line_counts: bool,
}

impl Store {
    /// Which of these commits a repository has from this generation.
    pub async fn git_commits_done(
        &self,
        repo_id: &str,
        generation: i64,
        shas: &[String],
    ) -> Result<HashSet<String>, StoreError> {
        let mut done = HashSet::new();
        for group in shas.chunks(LENGTHS[0]) {
            let (list, keys) = list_of(group);
            let text = format!(
                "SELECT commit_sha FROM repo_commits WHERE repo_id = ? AND _raw_data_id = ? \
                 AND _raw_data_table = ? AND commit_sha IN {list}"
            );
            let mut values = vec![repo_id.into(), generation.into(), GIT_ORIGIN.into()];
            values.extend(keys);
            for row in self.query_all(&text, values).await? {
                done.insert(row.get(0).during(&text)?);
            }
        }
        Ok(done)
    }

    /// Some commits that a repository does not have from this generation; none when all are.
    pub async fn git_commits_stale(
        &self,
        repo_id: &str,
        generation: i64,
        limit: usize,
    ) -> Result<Vec<String>, StoreError> {
        let text = "SELECT commit_sha FROM repo_commits WHERE repo_id = ? \
                    AND (_raw_data_id <> ? OR _raw_data_table <> ?) LIMIT ?";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let values = vec![
            repo_id.into(),
            generation.into(),
            GIT_ORIGIN.into(),
            limit.into(),
        ];
        let rows = self.query_all(text, values).await?;
        let shas = rows.iter().map(|row| row.get(0));
        shas.collect::<Result<_, _>>().during(text)
    }

    /// Which of these commits a repository has whose history is read from git.
    pub async fn commits_held_by_git(
        &self,
        shas: &[String],
    ) -> Result<HashSet<String>, StoreError> {
        let mut held = HashSet::new();
        // Noted before the first commit is written, and until the last one is gone.
        let any = "SELECT 1 FROM _headwater_git LIMIT 1";
        if self.query_all(any, Vec::new()).await?.is_empty() {
            return Ok(held);
        }
        for group in shas.chunks(LENGTHS[0]) {
            let (list, mut values) = list_of(group);
            let text = format!(
                "SELECT commit_sha FROM repo_commits WHERE commit_sha IN {list} \
                 AND _raw_data_table = ?"
            );
            values.push(GIT_ORIGIN.into());
            for row in self.query_all(&text, values).await? {
                held.insert(row.get(0).during(&text)?);
            }
        }
        Ok(held)
    }

    /// Some commits that a repository has from git, whenever they were read.
    pub async fn git_commits(
        &self,
        repo_id: &str,
        limit: usize,
    ) -> Result<Vec<String>, StoreError> {
        let text = "SELECT commit_sha FROM repo_commits WHERE repo_id = ? \
                    AND _raw_data_table = ? LIMIT ?";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let values = vec![repo_id.into(), GIT_ORIGIN.into(), limit.into()];
        let rows = self.query_all(text, values).await?;
        let shas = rows.iter().map(|row| row.get(0));
        shas.collect::<Result<_, _>>().during(text)
    }

    /// Accounts of authors by e-mail address, as far as the API told them with commits. Of
    /// several accounts with one address the first by name counts.
    pub async fn accounts_by_email(
        &self,
        connection_id: i64,
        told: &[AddressColumns],
    ) -> Result<BTreeMap<String, String>, StoreError> {
        let mut accounts: BTreeMap<String, String> = BTreeMap::new();
        for columns in told {
            let AddressColumns {
                table,
                email,
                account,
            } = columns;
            let text = format!(
                "SELECT {email}, MIN({account}) FROM {table} WHERE connection_id = ? \
                 AND {account} <> '' AND {email} <> '' GROUP BY {email}"
            );
            for row in self.query_all(&text, vec![connection_id.into()]).await? {
                let email: String = row.get(0).during(&text)?;
                let account: String = row.get(1).during(&text)?;
                match accounts.get(&email) {
                    Some(known) if *known <= account => {}
                    _ => {
                        accounts.insert(email, account);
                    }
                }
            }
        }
        Ok(accounts)
    }

    /// Accounts by e-mail address as they were last joined to commits.
    pub async fn joined_accounts(
        &self,
        connection_id: i64,
    ) -> Result<BTreeMap<String, String>, StoreError> {
        let text = "SELECT email, account_id FROM _headwater_git_authors WHERE connection_id = ?";
        let rows = self.query_all(text, vec![connection_id.into()]).await?;
        let read = rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?)));
        read.collect::<Result<_, _>>().during(text)
    }
}

impl Transaction<'_> {
    /// Upserts rows without looking at what is there, in the order of their keys: hashes fall
    /// anywhere in a table, and so each of its pages is touched but once.
    pub async fn write_rows(&mut self, mut rows: Rows) -> Result<u64, StoreError> {
        let tables: Vec<&'static Table> = rows.tables().map(|rows| rows.table).collect();
        let mut written = 0;
        for table in tables {
            let mut rows = rows.take(table);
            let keys: Vec<usize> = table.key_positions().collect();
            rows.sort_by(|one, other| {
                let order = |&key: &usize| text(&one.values[key]).cmp(&text(&other.values[key]));
                keys.iter().map(order).fold(Ordering::Equal, Ordering::then)
            });
            written += self.write(table, rows).await?;
        }
        Ok(written)
    }

    /// Whether any other repository than this has commits.
    async fn others_have_commits(&self, repo_id: &str) -> Result<bool, StoreError> {
        for side in ["<", ">"] {
            let text = format!("SELECT repo_id FROM repo_commits WHERE repo_id {side} ? LIMIT 1");
            if self.query_one(&text, vec![repo_id.into()]).await?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Other scopes than this repository's that have some of these commits.
    pub async fn holders(
        &self,
        repo_id: &str,
        shas: &[String],
    ) -> Result<HashMap<String, Vec<Holder>>, StoreError> {
        let mut found: HashMap<String, Vec<Holder>> = HashMap::new();
        if !self.others_have_commits(repo_id).await? {
            return Ok(found);
        }
        for group in shas.chunks(LENGTHS[0]) {
            let (list, mut values) = list_of(group);
            let text = format!(
                "SELECT held.commit_sha, held._raw_data_params, git.identity, git.line_counts \
                 FROM repo_commits AS held LEFT JOIN _headwater_git AS git \
                 ON git.params = held._raw_data_params AND held._raw_data_table = '{GIT_ORIGIN}' \
                 WHERE held.commit_sha IN {list} AND held.repo_id <> ?"
            );
            values.push(repo_id.into());
            for row in self.query_all(&text, values).await? {
                let read = || {
                    let counts: Option<bool> = row.get(3)?;
                    let holder = Holder {
                        params: row.get(1)?,
                        identity: row.get(2)?,
                        line_counts: counts.unwrap_or_default(),
                    };
                    Ok((row.get(0)?, holder))
                };
                let (sha, holder) = read().during("reading who has a commit")?;
                found.entry(sha).or_default().push(holder);
            }
        }
        Ok(found)
    }

    /// The rows of these commits.
    pub async fn stored_commits(
        &self,
        shas: &[String],
    ) -> Result<HashMap<String, Sourced<commit::Model>>, StoreError> {
        let table = Table::of::<commit::Entity>();
        let mut found = HashMap::new();
        for group in shas.chunks(LENGTHS[0]) {
            let (list, values) = list_of(group);
            let text = format!("{} WHERE sha IN {list}", read::select(table));
            for row in self.query_all(&text, values).await? {
                let read = || {
                    let origin = table.columns.len();
                    Ok(Sourced {
                        row: read::model::<commit::Entity>(table, &row)?,
                        origin: Origin {
                            params: row.get(origin)?,
                            table: row.get(origin + 1)?,
                            id: row.get(origin + 2)?,
                        },
                    })
                };
                let commit = read().during("reading commits")?;
                found.insert(commit.row.sha.clone(), commit);
            }
        }
        Ok(found)
    }

    /// Takes commits from a repository; the rows that it shares stay.
    pub async fn release_commits(
        &mut self,
        repo_id: &str,
        shas: &[String],
    ) -> Result<u64, StoreError> {
        let table = Table::of::<repo_commit::Entity>();
        let mut removed = 0;
        let of = |sha: &String| vec![repo_id.into(), sha.clone().into()];
        let gone: Vec<Vec<Value>> = shas.iter().map(of).collect();
        self.note_removed(table, &["repo_id", "commit_sha"], &gone)
            .await?;
        for group in shas.chunks(LENGTHS[0]) {
            let (list, keys) = list_of(group);
            let text = format!(
                "DELETE FROM {} WHERE repo_id = ? AND commit_sha IN {list}",
                table.name
            );
            let mut values = vec![repo_id.into()];
            values.extend(keys);
            removed += self.execute(&text, values).await?;
        }
        self.remove_commit_mentions(repo_id, shas).await?;
        Ok(removed)
    }

    /// Removes what the messages of some of a repository's commits name.
    pub async fn remove_commit_mentions(
        &self,
        repo_id: &str,
        shas: &[String],
    ) -> Result<u64, StoreError> {
        let table = Table::of::<commit_mention::Entity>();
        let sources: Vec<String> = shas.iter().map(|sha| id::git_ref(repo_id, sha)).collect();
        self.remove_by(table, "source_id", &sources).await
    }

    /// Removes commits with their parents and files.
    pub async fn remove_commits(&mut self, shas: &[String]) -> Result<u64, StoreError> {
        let mut removed = self
            .remove_by(Table::of::<commit::Entity>(), "sha", shas)
            .await?;
        let parents = Table::of::<commit_parent::Entity>();
        removed += self.remove_by(parents, "commit_sha", shas).await?;
        Ok(removed + self.remove_commit_files(shas).await?)
    }

    /// Removes the files of commits.
    pub async fn remove_commit_files(&mut self, shas: &[String]) -> Result<u64, StoreError> {
        self.remove_by(Table::of::<commit_file::Entity>(), "commit_sha", shas)
            .await
    }

    /// Sets the line counts of commits to 0 and removes their files.
    pub async fn uncount_commits(&mut self, shas: &[String]) -> Result<(), StoreError> {
        let of = |sha: &String| vec![sha.clone().into()];
        let rows: Vec<Vec<Value>> = shas.iter().map(of).collect();
        let changed = ["additions", "deletions"];
        self.note_updated(Table::of::<commit::Entity>(), (&["sha"], &rows), &changed)
            .await?;
        for group in shas.chunks(LENGTHS[0]) {
            let (list, values) = list_of(group);
            let text =
                format!("UPDATE commits SET additions = 0, deletions = 0 WHERE sha IN {list}");
            self.execute(&text, values).await?;
        }
        self.remove_commit_files(shas).await.map(|_| ())
    }

    async fn remove_by(
        &self,
        table: &Table,
        column: &str,
        keys: &[String],
    ) -> Result<u64, StoreError> {
        let mut removed = 0;
        for group in keys.chunks(LENGTHS[0]) {
            let (list, values) = list_of(group);
            let text = format!("DELETE FROM {} WHERE {column} IN {list}", table.name);
            let gone = self.execute(&text, values).await?;
            if gone > 0 {
                let of = |key: &String| vec![key.clone().into()];
                let rows: Vec<Vec<Value>> = group.iter().map(of).collect();
                self.note_removed(table, &[column], &rows).await?;
            }
            removed += gone;
        }
        Ok(removed)
    }

    /// The name that the newest commit of an address gives its author. One without a date is the
    /// oldest.
    pub async fn newest_author_name(&self, email: &str) -> Result<Option<String>, StoreError> {
        // The databases do not agree on where nulls come. Said in full, since a statement with
        // parameters does not use the index on the commits of git.
        for dated in ["IS NOT NULL", "IS NULL"] {
            let text = format!(
                "SELECT author_name FROM commits WHERE author_id = ? \
                 AND _raw_data_table = '{GIT_ORIGIN}' AND authored_date {dated} \
                 ORDER BY authored_date DESC, sha DESC LIMIT 1"
            );
            if let Some(row) = self.query_one(&text, vec![email.into()]).await? {
                return row.get(0).map(Some).during(&text);
            }
        }
        Ok(None)
    }

    /// Removes the accounts of addresses that are known from git alone.
    pub async fn remove_git_accounts(&self, emails: &[String]) -> Result<(), StoreError> {
        let table = Table::of::<account::Entity>();
        let of = |email: &String| vec![email.clone().into()];
        let gone: Vec<Vec<Value>> = emails.iter().map(of).collect();
        self.note_removed(table, &["id"], &gone).await?;
        for group in emails.chunks(LENGTHS[0]) {
            let (list, mut values) = list_of(group);
            let table = table.name;
            let text = format!("DELETE FROM {table} WHERE id IN {list} AND _raw_data_table = ?");
            values.push(GIT_ORIGIN.into());
            self.execute(&text, values).await?;
        }
        Ok(())
    }

    /// Gives commits of an address another account, wherever a connection's histories have them.
    pub async fn rejoin_author(
        &self,
        (connection_id, email): (i64, &str),
        (before, now): (&str, &str),
    ) -> Result<(), StoreError> {
        let params = format!(r#"{{"ConnectionId":{connection_id},%"#);
        for role in ["author", "committer"] {
            let text = format!(
                "UPDATE commits SET {role}_id = ? WHERE {role}_id = ? AND {role}_email = ? \
                 AND _raw_data_table = ? AND _raw_data_params LIKE ?"
            );
            let values: Vec<Value> = vec![
                now.into(),
                before.into(),
                email.into(),
                GIT_ORIGIN.into(),
                params.clone().into(),
            ];
            if self.execute(&text, values).await? > 0 {
                // They may be of any scope.
                let table = Table::of::<commit::Entity>();
                self.note_unknown(table, &[&format!("{role}_id")]);
            }
        }
        Ok(())
    }

    /// Notes which accounts commits were joined to.
    pub async fn note_joined_accounts(
        &self,
        connection_id: i64,
        accounts: impl IntoIterator<Item = (&String, &String)>,
    ) -> Result<(), StoreError> {
        let columns = ["connection_id", "email", "account_id"];
        let shape = Shape::plain("_headwater_git_authors", &columns, &columns[..2]);
        let row = |(email, account): (&String, &String)| {
            vec![
                connection_id.into(),
                email.clone().into(),
                account.clone().into(),
            ]
        };
        self.upsert(&shape, accounts.into_iter().map(row).collect())
            .await
    }

    /// Forgets an address that no account has any more.
    pub async fn forget_joined_account(
        &self,
        connection_id: i64,
        email: &str,
    ) -> Result<(), StoreError> {
        let text = "DELETE FROM _headwater_git_authors WHERE connection_id = ? AND email = ?";
        let values = vec![connection_id.into(), email.into()];
        self.execute(text, values).await.map(|_| ())
    }

    /// Adds keys to a step's work in another scope.
    pub async fn add_work_of(
        &self,
        params: &str,
        step: &str,
        keys: &[String],
    ) -> Result<(), StoreError> {
        let names = ["params", "step", "row_key"];
        let shape = Shape::plain("_headwater_work", &names, &names);
        let row = |key: &String| vec![params.into(), step.into(), key.clone().into()];
        self.upsert(&shape, keys.iter().map(row).collect()).await
    }
}

fn text(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => text.as_ref().map(String::as_str),
        _ => None,
    }
}

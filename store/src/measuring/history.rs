//! The commits of a repository: what each is built on, when it was authored, and what it reverts.

use std::collections::HashMap;

use headwater_domain::graph::{CommitHash, Graph, GraphBuilder};
use sea_orm::DbErr;

use super::{Milliseconds, next_moment, text};
use crate::Store;
use crate::database::Row;
use crate::error::{During, StoreError};
use crate::rows::graph;

/// Commits read at a time. Two pages of them are in memory at once, as rows of text.
const PAGE: i64 = 2_500;

/// When a commit was authored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DatedCommit {
    /// Its hash.
    pub hash: CommitHash,
    /// `authored_date`.
    pub authored: Milliseconds,
}

/// The commits of one repository.
pub struct StoredHistory {
    /// All of them with their parents.
    pub graph: Graph,
    /// Those with a date, by hash.
    pub dated: Vec<DatedCommit>,
    /// The texts of those whose text is no full hash: they have a stand-in.
    pub names: HashMap<CommitHash, String>,
    /// Those whose message has a sentence that reverts another one: hash and message.
    pub reverting: Vec<(String, String)>,
}

/// A commit, wherever it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LooseCommit {
    /// `sha`.
    pub sha: String,
    /// `authored_date`.
    pub authored: Option<Milliseconds>,
    /// How many distinct parents it has.
    pub parents: i64,
}

/// Whether a message of a commit says that it reverts another one.
pub type Says<'s> = dyn Fn(&str) -> bool + Send + Sync + 's;

/// What git writes into the message of a commit that reverts another one.
const REVERTS: &str = "This reverts commit ";

/// A history while its rows are read.
#[derive(Default)]
struct Reading<'s> {
    /// Tells whether a message reverts that does not say so as git does.
    says: Option<&'s Says<'s>>,
    builder: GraphBuilder,
    dated: Vec<DatedCommit>,
    names: HashMap<CommitHash, String>,
    reverting: Vec<(String, String)>,
}

/// One commit with one of its parents.
struct Parentage {
    sha: String,
    parent: Option<(i64, CommitHash)>,
    authored: Option<Milliseconds>,
    message: Option<String>,
}

impl Parentage {
    fn of(row: Row) -> Result<Self, DbErr> {
        let mut cells = row.into_cells();
        let sha = cells.text()?;
        let parent: Option<String> = cells.read()?;
        let order: Option<i64> = cells.read()?;
        Ok(Self {
            sha,
            parent: parent.map(|it| (order.unwrap_or_default(), CommitHash::named(&it))),
            authored: next_moment(&mut cells)?,
            message: cells.read()?,
        })
    }
}

impl Reading<'_> {
    /// Adds a page of rows: each commit is in one page, with all of its parents.
    fn add(&mut self, rows: Vec<Row>) -> Result<Result<(), StoreError>, DbErr> {
        let mut rows = rows.into_iter().map(Parentage::of).peekable();
        let mut parents: Vec<(i64, CommitHash)> = Vec::new();
        while let Some(row) = rows.next() {
            let row = row?;
            parents.extend(row.parent);
            let is_last = |next: &Result<Parentage, DbErr>| {
                next.as_ref().map_or(true, |next| next.sha != row.sha)
            };
            if !rows.peek().is_none_or(is_last) {
                continue;
            }
            parents.sort_unstable();
            if let Err(error) = self.add_commit(row, &parents) {
                return Ok(Err(error));
            }
            parents.clear();
        }
        Ok(Ok(()))
    }

    fn add_commit(
        &mut self,
        commit: Parentage,
        parents: &[(i64, CommitHash)],
    ) -> Result<(), StoreError> {
        let hash = CommitHash::named(&commit.sha);
        let parents: Vec<CommitHash> = parents.iter().map(|(_, parent)| *parent).collect();
        graph::add_hashes(&mut self.builder, hash, &parents)?;
        let authored = commit.authored;
        self.dated
            .extend(authored.map(|authored| DatedCommit { hash, authored }));
        let reverts = |message: &String| {
            message.contains(REVERTS) || self.says.is_some_and(|says| says(message))
        };
        let message = commit.message.filter(reverts);
        self.reverting
            .extend(message.map(|message| (commit.sha.clone(), message)));
        if hash.to_string() != commit.sha {
            self.names.insert(hash, commit.sha);
        }
        Ok(())
    }

    fn finish(mut self) -> StoredHistory {
        self.dated.sort_unstable_by_key(|it| it.hash);
        StoredHistory {
            graph: self.builder.finish(),
            dated: self.dated,
            names: self.names,
            reverting: self.reverting,
        }
    }
}

impl Store {
    /// The commits of a repository (`repos.id`). `says` is asked of every message that has not got
    /// git's own sentence.
    ///
    /// Texts that are no full hash, as imported rows may have them, stand for commits too.
    pub async fn dated_history(
        &self,
        repo_id: &str,
        says: Option<&Says<'_>>,
    ) -> Result<StoredHistory, StoreError> {
        // Without further patterns most messages never leave the database.
        let message = match says {
            Some(_) => "own.message".to_owned(),
            None => format!("CASE WHEN own.message LIKE '%{REVERTS}%' THEN own.message END"),
        };
        // Commits are limited before others are joined, so that no page ends inside a commit.
        let sql = &format!(
            "SELECT held.commit_sha, parents.parent_commit_sha, parents.parent_order, \
                   own.authored_date, {message} FROM \
                   (SELECT commit_sha FROM repo_commits WHERE repo_id = ? AND commit_sha > ? \
                   ORDER BY commit_sha LIMIT ?) AS held \
                   LEFT JOIN commits AS own ON own.sha = held.commit_sha \
                   LEFT JOIN commit_parents AS parents ON parents.commit_sha = held.commit_sha \
                   ORDER BY held.commit_sha"
        );
        let page = |last: String| {
            let values = vec![repo_id.into(), last.into(), PAGE.into()];
            self.query_all(sql, values)
        };
        let mut reading = Reading {
            says,
            ..Reading::default()
        };
        let mut rows = page(String::new()).await?;
        while let Some(last) = rows.last() {
            // The database reads on while these are looked at.
            let next = page(text(last, 0).during(sql)?);
            let looked_at = async { reading.add(std::mem::take(&mut rows)).during(sql) };
            let (next, looked_at) = futures::join!(next, looked_at);
            looked_at??;
            rows = next?;
        }
        Ok(reading.finish())
    }

    /// Commits with these hashes, of any repository or none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn loose_commits(&self, shas: &[String]) -> Result<Vec<LooseCommit>, StoreError> {
        let sql = "SELECT own.sha, own.authored_date, (SELECT COUNT(DISTINCT parent_commit_sha) \
                   FROM commit_parents WHERE commit_parents.commit_sha = own.sha) \
                   FROM commits AS own WHERE own.sha IN ";
        let rows = self.rows_in(sql, &[], shas).await?;
        let read = rows.into_iter().map(|row| {
            let mut cells = row.into_cells();
            Ok(LooseCommit {
                sha: cells.text()?,
                authored: next_moment(&mut cells)?,
                parents: cells.read()?,
            })
        });
        read.collect::<Result<_, _>>().during(sql)
    }

    /// The stored differences of pairs whose newer commit is one of these: newer, older, commit.
    pub async fn stored_differences(
        &self,
        newer: &[String],
    ) -> Result<Vec<(String, String, String)>, StoreError> {
        let sql = "SELECT new_commit_sha, old_commit_sha, commit_sha FROM commits_diffs \
                   WHERE new_commit_sha IN ";
        let rows = self.rows_in(sql, &[], newer).await?;
        let read = rows
            .iter()
            .map(|row| Ok((text(row, 0)?, text(row, 1)?, text(row, 2)?)));
        read.collect::<Result<_, _>>().during(sql)
    }
}

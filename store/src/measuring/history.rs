//! The commits of a repository: what each is built on, when it was authored, and what it reverts.

use std::collections::HashMap;

use headwater_domain::graph::{CommitHash, Graph, GraphBuilder};

use super::{Milliseconds, moment, text};
use crate::Store;
use crate::error::{During, StoreError};
use crate::rows::graph;

/// Commits read at a time.
const PAGE: i64 = 10_000;

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

impl Store {
    /// The commits of a repository (`repos.id`).
    ///
    /// Texts that are no full hash, as imported rows may have them, stand for commits too.
    pub async fn dated_history(&self, repo_id: &str) -> Result<StoredHistory, StoreError> {
        // Commits are limited before others are joined, so that no page ends inside a commit.
        let sql = "SELECT held.commit_sha, parents.parent_commit_sha, parents.parent_order, \
                   own.authored_date, CASE WHEN own.message LIKE '%This reverts commit %' \
                   THEN own.message ELSE NULL END FROM \
                   (SELECT commit_sha FROM repo_commits WHERE repo_id = ? AND commit_sha > ? \
                   ORDER BY commit_sha LIMIT ?) AS held \
                   LEFT JOIN commits AS own ON own.sha = held.commit_sha \
                   LEFT JOIN commit_parents AS parents ON parents.commit_sha = held.commit_sha \
                   ORDER BY held.commit_sha";
        let mut builder = GraphBuilder::default();
        let (mut dated, mut reverting) = (Vec::new(), Vec::new());
        let mut names = HashMap::new();
        let mut last = String::new();
        loop {
            let values = vec![repo_id.into(), last.clone().into(), PAGE.into()];
            let rows = self.query_all(sql, values).await?;
            let mut commits = 0;
            let mut rows = rows.iter().peekable();
            while let Some(row) = rows.next() {
                let sha = text(row, 0).during(sql)?;
                let authored = moment(row, 3).during(sql)?;
                let message: Option<String> = row.get(4).during(sql)?;
                let mut parents = vec![graph::parent_in(row).during(sql)?];
                while let Some(next) = rows.peek() {
                    if text(next, 0).during(sql)? != sha {
                        break;
                    }
                    parents.push(graph::parent_in(next).during(sql)?);
                    rows.next();
                }
                let mut parents: Vec<(i64, String)> = parents.into_iter().flatten().collect();
                parents.sort_unstable();
                let hash = CommitHash::named(&sha);
                let parents = parents.iter().map(|(_, parent)| CommitHash::named(parent));
                graph::add_hashes(&mut builder, hash, &parents.collect::<Vec<_>>())?;
                if hash.to_string() != sha {
                    names.insert(hash, sha.clone());
                }
                dated.extend(authored.map(|authored| DatedCommit { hash, authored }));
                reverting.extend(message.map(|message| (sha.clone(), message)));
                commits += 1;
                last = sha;
            }
            if commits < PAGE {
                break;
            }
        }
        dated.sort_unstable_by_key(|it| it.hash);
        Ok(StoredHistory {
            graph: builder.finish(),
            dated,
            names,
            reverting,
        })
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

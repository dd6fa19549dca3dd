//! The commit graph of a repository, read from its rows.

use headwater_domain::graph::{CommitHash, Graph, GraphBuilder, GraphError};
use sea_orm::DbErr;

use crate::Store;
use crate::database::Row;
use crate::error::{During, StoreError};

/// Commits read at a time.
const PAGE: i64 = 10_000;

impl Store {
    /// The graph of the commits that a repository has.
    ///
    /// A commit whose row, or one of whose parents' rows, holds no full hash is left out: what is
    /// built on it counts as incomplete.
    pub async fn commit_graph(&self, repo_id: &str) -> Result<Graph, StoreError> {
        // Commits are limited before parents are joined, so that no page ends inside a commit.
        let text = "SELECT held.commit_sha, parents.parent_commit_sha, parents.parent_order FROM \
                    (SELECT commit_sha FROM repo_commits WHERE repo_id = ? AND commit_sha > ? \
                    ORDER BY commit_sha LIMIT ?) AS held \
                    LEFT JOIN commit_parents AS parents ON parents.commit_sha = held.commit_sha \
                    ORDER BY held.commit_sha";
        let mut builder = GraphBuilder::default();
        let mut last = String::new();
        loop {
            let values = vec![repo_id.into(), last.clone().into(), PAGE.into()];
            let rows = self.query_all(text, values).await?;
            let mut commits = 0;
            let mut parents: Vec<(i64, String)> = Vec::new();
            let mut rows = rows.iter().peekable();
            while let Some(row) = rows.next() {
                let sha: String = row.get(0).during(text)?;
                parents.extend(parent_in(row).during(text)?);
                let next: Option<String> = match rows.peek() {
                    Some(next) => Some(next.get(0).during(text)?),
                    None => None,
                };
                if next.as_ref() != Some(&sha) {
                    parents.sort_unstable();
                    add(&mut builder, &sha, &parents)?;
                    parents.clear();
                    commits += 1;
                    last = sha;
                }
            }
            if commits < PAGE {
                return Ok(builder.finish());
            }
        }
    }
}

/// The parent, with its place, in a row whose second and third columns hold it.
pub(crate) fn parent_in(row: &Row) -> Result<Option<(i64, String)>, DbErr> {
    let parent: Option<String> = row.get(1)?;
    let order: Option<i64> = row.get(2)?;
    Ok(parent.map(|parent| (order.unwrap_or_default(), parent)))
}

/// Adds a commit, unless its hash or that of a parent is none.
pub(crate) fn add(
    builder: &mut GraphBuilder,
    sha: &str,
    parents: &[(i64, String)],
) -> Result<(), StoreError> {
    let parents = parents.iter().map(|(_, parent)| parent.parse());
    let parents: Result<Vec<CommitHash>, GraphError> = parents.collect();
    let (Ok(commit), Ok(parents)) = (sha.parse(), parents) else {
        return Ok(());
    };
    add_hashes(builder, commit, &parents)
}

/// Adds a commit, unless its hash is of another kind than those before it.
pub(crate) fn add_hashes(
    builder: &mut GraphBuilder,
    commit: CommitHash,
    parents: &[CommitHash],
) -> Result<(), StoreError> {
    match builder.add(commit, parents) {
        Ok(()) | Err(GraphError::OtherKind(_) | GraphError::NotAHash(_)) => Ok(()),
        Err(error @ GraphError::TooLarge) => Err(StoreError::refused(
            "reading the commits of a repository",
            error.to_string(),
        )),
    }
}

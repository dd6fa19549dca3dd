//! How far the git history of a scope is read.

use std::collections::{BTreeMap, HashSet};

use headwater_domain::Scope;
use sea_orm::Value;

use crate::database::sql::{LENGTHS, list_of};
use crate::error::{During, StoreError};
use crate::rows::shape::Shape;
use crate::{Store, Transaction};

/// How the history of a scope was read, and is being read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GitState {
    /// Counts how often everything was begun anew; `repo_commits` says it in `_raw_data_id`.
    pub generation: i64,
    /// The rules under which everything is read; empty until then.
    pub done_as: String,
    /// The rules under which it is being read.
    pub doing_as: String,
    /// What the columns of a commit follow from, beside the commit. Repositories for which it is
    /// the same write the same row.
    pub identity: String,
    /// Whether lines are counted.
    pub line_counts: bool,
    /// How many commits have parents that the mirror lacks, because it is shallow.
    pub boundary: i64,
}

/// Commits from which the history of a scope is reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GitTips {
    /// Everything that they reach is stored.
    pub done: HashSet<String>,
    /// Some of what they reach may be stored.
    pub begun: HashSet<String>,
}

impl Store {
    /// How the history of a scope was read; none when it never was.
    pub async fn git_state(&self, scope: &Scope) -> Result<Option<GitState>, StoreError> {
        let text = "SELECT generation, done_as, doing_as, identity, line_counts, boundary \
                    FROM _headwater_git WHERE params = ?";
        let rows = self.query_all(text, vec![scope.params().into()]).await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        let read = || {
            Ok(GitState {
                generation: row.get(0)?,
                done_as: row.get(1)?,
                doing_as: row.get(2)?,
                identity: row.get(3)?,
                line_counts: row.get(4)?,
                boundary: row.get(5)?,
            })
        };
        read()
            .map(Some)
            .during("reading the state of a git history")
    }

    /// The commits from which a scope's history was read.
    pub async fn git_tips(&self, scope: &Scope) -> Result<GitTips, StoreError> {
        let text = "SELECT sha, done FROM _headwater_git_tips WHERE params = ?";
        let mut tips = GitTips::default();
        for row in self.query_all(text, vec![scope.params().into()]).await? {
            let sha = row.get(0).during(text)?;
            let done: bool = row.get(1).during(text)?;
            if done {
                tips.done.insert(sha);
            } else {
                tips.begun.insert(sha);
            }
        }
        Ok(tips)
    }

    /// Branches and tags of a scope that have no row in `refs`, by full name, each with the reason.
    pub async fn left_out_refs(
        &self,
        scope: &Scope,
    ) -> Result<BTreeMap<String, String>, StoreError> {
        let text = "SELECT name, reason FROM _headwater_left_out_refs WHERE params = ?";
        let rows = self.query_all(text, vec![scope.params().into()]).await?;
        let read = rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?)));
        read.collect::<Result<_, _>>().during(text)
    }
}

impl Transaction<'_> {
    /// Stores how the history is read.
    pub async fn set_git_state(&self, state: &GitState) -> Result<(), StoreError> {
        let columns = [
            "params",
            "generation",
            "done_as",
            "doing_as",
            "identity",
            "line_counts",
            "boundary",
        ];
        let shape = Shape::plain("_headwater_git", &columns, &["params"]);
        let row = vec![
            self.params.clone().into(),
            state.generation.into(),
            state.done_as.clone().into(),
            state.doing_as.clone().into(),
            state.identity.clone().into(),
            state.line_counts.into(),
            state.boundary.into(),
        ];
        self.upsert(&shape, vec![row]).await
    }

    /// Forgets that the scope's history was read.
    pub async fn forget_git(&self) -> Result<(), StoreError> {
        for table in [
            "_headwater_git",
            "_headwater_git_tips",
            "_headwater_left_out_refs",
        ] {
            let text = format!("DELETE FROM {table} WHERE params = ?");
            self.execute(&text, vec![self.params.clone().into()])
                .await?;
        }
        Ok(())
    }

    /// Notes which branches and tags have no row in `refs`, whatever was noted before.
    pub async fn set_left_out_refs(
        &self,
        left_out: &BTreeMap<String, String>,
    ) -> Result<(), StoreError> {
        let text = "DELETE FROM _headwater_left_out_refs WHERE params = ?";
        let values = vec![self.params.clone().into()];
        self.execute(text, values).await?;
        let columns = ["params", "name", "reason"];
        let shape = Shape::plain("_headwater_left_out_refs", &columns, &columns[..2]);
        let rows = left_out.iter().map(|(name, reason)| {
            let texts = [self.params.clone(), name.clone(), reason.clone()];
            texts.map(Value::from).into()
        });
        self.upsert(&shape, rows.collect()).await
    }

    /// True while it was not asked for this scope's history to be read anew.
    pub async fn git_goes_on(&self, state: &GitState) -> Result<bool, StoreError> {
        let text = "SELECT doing_as FROM _headwater_git WHERE params = ?";
        let row = self
            .query_one(text, vec![self.params.clone().into()])
            .await?;
        let doing: Option<String> = match row {
            Some(row) => Some(row.get(0).during(text)?),
            None => None,
        };
        Ok(doing.as_deref() == Some(&state.doing_as))
    }

    /// Has the history of another scope read anew.
    pub async fn git_again(&self, params: &str) -> Result<(), StoreError> {
        let text = "UPDATE _headwater_git SET done_as = '', doing_as = '' WHERE params = ?";
        self.execute(text, vec![params.into()]).await.map(|_| ())
    }

    /// Notes commits from which the history is about to be read, or was read.
    pub async fn note_git_tips(
        &self,
        shas: impl IntoIterator<Item = &String>,
        done: bool,
    ) -> Result<(), StoreError> {
        let columns = ["params", "sha", "done"];
        let shape = Shape::plain("_headwater_git_tips", &columns, &columns[..2]);
        let row = |sha: &String| vec![self.params.clone().into(), sha.clone().into(), done.into()];
        self.upsert(&shape, shas.into_iter().map(row).collect())
            .await
    }

    /// Forgets commits from which the history was read.
    pub async fn forget_git_tips(&self, shas: &[String]) -> Result<(), StoreError> {
        for group in shas.chunks(LENGTHS[0]) {
            let (list, keys) = list_of(group);
            let text =
                format!("DELETE FROM _headwater_git_tips WHERE params = ? AND sha IN {list}");
            let mut values = vec![self.params.clone().into()];
            values.extend(keys);
            self.execute(&text, values).await?;
        }
        Ok(())
    }
}

//! What changed commits and pull requests concern, found out without a history.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use headwater_domain::Scope;
use headwater_domain::graph::CommitHash;

use super::text;
use crate::error::{During, StoreError};
use crate::{Store, Transaction};

/// The work list that holds how the abbreviated hashes begin which reverting commits name.
const ABBREVIATED: &str = "known:project_metrics:abbreviated";

/// Characters that an abbreviated hash has at least.
const SHORTEST: usize = 7;

/// Commits on top of others that are looked at; where there are more, everything may follow.
const MOST: usize = 2000;

/// How many commits deep.
const DEEPEST: usize = 64;

impl Store {
    /// The commits among these that each repository has.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn holders_of(
        &self,
        shas: &[String],
    ) -> Result<BTreeMap<String, Vec<String>>, StoreError> {
        let sql = "SELECT repo_id, commit_sha FROM repo_commits WHERE commit_sha IN ";
        let mut held: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for row in self.rows_in(sql, &[], shas).await? {
            let read = || Ok((text(&row, 0)?, text(&row, 1)?));
            let (repo_id, sha) = read().during(sql)?;
            held.entry(repo_id).or_default().push(sha);
        }
        Ok(held)
    }

    /// Those of these commits that something is built on which the repository has.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn parents_in(
        &self,
        repo_id: &str,
        shas: &[String],
    ) -> Result<BTreeSet<String>, StoreError> {
        let sql = "SELECT DISTINCT below.parent_commit_sha FROM commit_parents AS below \
                   JOIN repo_commits AS held ON held.commit_sha = below.commit_sha \
                   WHERE held.repo_id = ? AND below.parent_commit_sha IN ";
        let rows = self.rows_in(sql, &[repo_id.into()], shas).await?;
        let found = rows.iter().map(|row| text(row, 0));
        found.collect::<Result<_, _>>().during(sql)
    }

    /// What these commits are built on, as far as the repository does not have it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn parents_elsewhere(
        &self,
        repo_id: &str,
        shas: &[String],
    ) -> Result<BTreeSet<String>, StoreError> {
        let sql = "SELECT below.parent_commit_sha FROM commit_parents AS below \
                   LEFT JOIN repo_commits AS held ON held.repo_id = ? \
                   AND held.commit_sha = below.parent_commit_sha \
                   WHERE held.commit_sha IS NULL AND below.commit_sha IN ";
        let rows = self.rows_in(sql, &[repo_id.into()], shas).await?;
        let found = rows.iter().map(|row| text(row, 0));
        found.collect::<Result<_, _>>().during(sql)
    }

    /// Whether a repository has more commits than so many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_more_commits(&self, repo_id: &str, than: usize) -> Result<bool, StoreError> {
        let sql = "SELECT commit_sha FROM repo_commits WHERE repo_id = ? LIMIT ?";
        let limit = i64::try_from(than).unwrap_or(i64::MAX).saturating_add(1);
        let rows = self.query_all(sql, vec![repo_id.into(), limit.into()]);
        Ok(rows.await?.len() > than)
    }

    /// Names of the projects that map something with this id, in whichever table, sorted.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn projects_of(&self, row_id: &str) -> Result<BTreeSet<String>, StoreError> {
        let sql = "SELECT project_name FROM project_mapping WHERE row_id = ?";
        let rows = self.query_all(sql, vec![row_id.into()]).await?;
        let names = rows.iter().map(|row| text(row, 0));
        names.collect::<Result<_, _>>().during(sql)
    }

    /// Pull requests that became one of these commits.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn pull_requests_that_became(
        &self,
        shas: &[String],
    ) -> Result<BTreeSet<String>, StoreError> {
        let mut ids = BTreeSet::new();
        for sql in [
            "SELECT id FROM pull_requests WHERE merge_commit_sha IN ",
            "SELECT pull_request_id FROM pull_request_merges WHERE commit_sha IN ",
        ] {
            for row in self.rows_in(sql, &[], shas).await? {
                ids.insert(text(&row, 0).during(sql)?);
            }
        }
        Ok(ids)
    }

    /// False where certainly none of these commits was ever deployed: none of them, and nothing
    /// that is built on them, is the commit of a deployment, and no stored difference of one has
    /// them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn may_be_deployed(&self, shas: &[String]) -> Result<bool, StoreError> {
        // Other spellings of a hash are found by graphs alone.
        let is_plain = |sha: &String| CommitHash::named(sha).to_string() == *sha;
        if !shas.iter().all(is_plain) {
            return Ok(true);
        }
        let deployed = "SELECT DISTINCT found.commit_sha FROM commits_diffs AS found \
                        JOIN cicd_deployment_commits AS made \
                        ON made.commit_sha = found.new_commit_sha WHERE found.commit_sha IN ";
        if !self.rows_in(deployed, &[], shas).await?.is_empty() {
            return Ok(true);
        }
        let deployed = "SELECT commit_sha FROM cicd_deployment_commits WHERE commit_sha IN ";
        let built = "SELECT commit_sha FROM commit_parents WHERE parent_commit_sha IN ";
        let mut seen: HashSet<String> = shas.iter().cloned().collect();
        let mut top: Vec<String> = shas.to_vec();
        for _ in 0..DEEPEST {
            if !self.rows_in(deployed, &[], &top).await?.is_empty() {
                return Ok(true);
            }
            let mut next = Vec::new();
            for row in self.rows_in(built, &[], &top).await? {
                let sha = text(&row, 0).during(built)?;
                if seen.insert(sha.clone()) {
                    next.push(sha);
                }
            }
            if next.is_empty() {
                return Ok(false);
            }
            if seen.len() > MOST {
                return Ok(true);
            }
            top = next;
        }
        Ok(true)
    }

    /// Whether one of these commits begins as an abbreviated hash does that was noted.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn may_be_abbreviated(&self, shas: &[String]) -> Result<bool, StoreError> {
        let beginnings = shas.iter().filter_map(|sha| sha.get(..SHORTEST));
        let beginnings: Vec<String> = beginnings.map(str::to_owned).collect();
        let sql = "SELECT row_key FROM _headwater_work WHERE params = ? AND step = ? \
                   AND row_key IN ";
        let first = [Scope::everywhere().params().into(), ABBREVIATED.into()];
        Ok(!self.rows_in(sql, &first, &beginnings).await?.is_empty())
    }
}

impl Transaction<'_> {
    /// Notes how abbreviated hashes begin that reverting commits name: a commit that begins so may
    /// be meant, too. They stay, whatever becomes of those commits.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn note_abbreviated(&self, hashes: &BTreeSet<String>) -> Result<(), StoreError> {
        let beginnings = hashes.iter().filter_map(|it| it.get(..SHORTEST));
        let beginnings: BTreeSet<String> = beginnings.map(str::to_owned).collect();
        self.add_work(ABBREVIATED, beginnings.into_iter().collect())
            .await
    }
}

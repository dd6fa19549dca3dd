//! Commits that several repositories have.
//!
//! Columns of a commit follow from the commit, the mailmap and the accounts of the connection. Of
//! repositories for which these differ, the first by its `params` writes the row, and git goes
//! before the API. Lines are counted when any of the repositories counts them.

use std::collections::{BTreeSet, HashMap};

use headwater_domain::code::commit;
use headwater_domain::{Origin, Rows, Sourced};
use headwater_store::git::{GitState, Holder};
use headwater_store::{StoreError, Transaction};

/// The conversion that makes the rows of commits that the API gives.
const CONVERSION: &str = "convert:commits";

/// The scope whose history is written.
pub(super) struct Own<'a> {
    pub(super) repo_id: &'a str,
    pub(super) params: &'a str,
    pub(super) state: &'a GitState,
}

type Holders = HashMap<String, Vec<Holder>>;

impl Own<'_> {
    /// Adds rows of commits as they are to be written, beside others that have them. Returns
    /// addresses that were authors of rows that are written over.
    pub(super) async fn settle(
        &self,
        page: &mut Transaction<'_>,
        (commits, origin): (Vec<commit::Model>, &Origin),
        rows: &mut Rows,
    ) -> Result<BTreeSet<String>, StoreError> {
        let shas: Vec<String> = commits.iter().map(|commit| commit.sha.clone()).collect();
        let holders = page.holders(self.repo_id, &shas).await?;
        let known = if self.state.generation > 1 {
            shas
        } else {
            holders.keys().cloned().collect()
        };
        let stored = page.stored_commits(&known).await?;
        let mut former = BTreeSet::new();
        for commit in commits {
            let holders = holders.get(&commit.sha).map_or(&[][..], Vec::as_slice);
            let stored = stored.get(&commit.sha);
            let Sourced { row, origin } = self.settled((commit, origin), holders, stored);
            if let Some(before) = stored
                && before.row.author_id != row.author_id
                && before.row.author_id == before.row.author_email
            {
                former.insert(before.row.author_id.clone());
            }
            rows.from_origin(origin);
            rows.push(row);
        }
        Ok(former)
    }

    fn settled(
        &self,
        (own, origin): (commit::Model, &Origin),
        holders: &[Holder],
        stored: Option<&Sourced<commit::Model>>,
    ) -> Sourced<commit::Model> {
        let first = first_of(holders);
        let is_own = first.is_none_or(|first| {
            *self.params < *first.params || first.identity.as_deref() == Some(&self.state.identity)
        });
        let counted_elsewhere = holders.iter().any(|holder| holder.line_counts);
        let lines = match stored {
            _ if self.state.line_counts => (own.additions, own.deletions),
            Some(stored) if counted_elsewhere => (stored.row.additions, stored.row.deletions),
            _ => (0, 0),
        };
        let mut settled = match stored {
            Some(stored) if !is_own => stored.clone(),
            _ => Sourced {
                row: own,
                origin: origin.clone(),
            },
        };
        (settled.row.additions, settled.row.deletions) = lines;
        settled
    }

    /// Which of these commits no other repository counts the lines of.
    pub(super) async fn uncounted(
        &self,
        page: &Transaction<'_>,
        shas: &[String],
    ) -> Result<Vec<String>, StoreError> {
        let holders = page.holders(self.repo_id, shas).await?;
        let counted = |sha: &String| {
            let holders = holders.get(sha);
            holders.is_some_and(|holders| holders.iter().any(|holder| holder.line_counts))
        };
        Ok(shas.iter().filter(|sha| !counted(sha)).cloned().collect())
    }

    /// Takes commits from the repository. Returns those that no repository has any more; their rows are
    /// still there.
    pub(super) async fn release(
        &self,
        page: &mut Transaction<'_>,
        shas: &[String],
    ) -> Result<Vec<String>, StoreError> {
        page.release_commits(self.repo_id, shas).await?;
        let holders = page.holders(self.repo_id, shas).await?;
        let (kept, gone): (Vec<String>, Vec<String>) = shas
            .iter()
            .cloned()
            .partition(|sha| holders.contains_key(sha));
        self.hand_over(page, (&kept, &holders)).await?;
        Ok(gone)
    }

    /// Leaves commits to the others that have them.
    async fn hand_over(
        &self,
        page: &mut Transaction<'_>,
        (kept, holders): (&[String], &Holders),
    ) -> Result<(), StoreError> {
        let mut uncounted = Vec::new();
        let mut of_api: HashMap<&str, Vec<String>> = HashMap::new();
        let mut again: Vec<&str> = Vec::new();
        for sha in kept {
            let holders = holders.get(sha).map_or(&[][..], Vec::as_slice);
            if !holders.iter().any(|holder| holder.line_counts) {
                uncounted.push(sha.clone());
            }
            match first_of(holders) {
                Some(first) => {
                    // Rows that were not read again may be of former rules.
                    let other = first.identity.as_deref() != Some(&self.state.identity)
                        || self.state.done_as != self.state.doing_as;
                    if other && *self.params < *first.params {
                        again.push(&first.params);
                    }
                }
                None => {
                    for holder in holders {
                        of_api.entry(&holder.params).or_default().push(sha.clone());
                    }
                }
            }
        }
        page.uncount_commits(&uncounted).await?;
        for (params, shas) in of_api {
            page.add_work_of(params, CONVERSION, &shas).await?;
        }
        again.sort_unstable();
        again.dedup();
        for params in again {
            page.git_again(params).await?;
        }
        Ok(())
    }
}

/// The one that writes the row, of those that read it from git.
fn first_of(holders: &[Holder]) -> Option<&Holder> {
    let by_git = holders.iter().filter(|holder| holder.identity.is_some());
    by_git.min_by(|a, b| a.params.cmp(&b.params))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(params: &str, identity: Option<&str>, line_counts: bool) -> Holder {
        Holder {
            params: params.to_owned(),
            identity: identity.map(str::to_owned),
            line_counts,
        }
    }

    fn named(name: &str, additions: i64) -> commit::Model {
        commit::Model {
            sha: "00aa".to_owned(),
            author_name: name.to_owned(),
            additions,
            ..commit::Model::default()
        }
    }

    fn settled(own_counts: bool, holders: &[Holder]) -> (String, i64) {
        let state = GitState {
            identity: "ours".to_owned(),
            line_counts: own_counts,
            ..GitState::default()
        };
        let own = Own {
            repo_id: "b",
            params: "b",
            state: &state,
        };
        let stored = Sourced {
            row: named("stored", 7),
            origin: Origin::default(),
        };
        let commit = named("own", if own_counts { 7 } else { 0 });
        let stored = (!holders.is_empty()).then_some(&stored);
        let row = own
            .settled((commit, &Origin::default()), holders, stored)
            .row;
        (row.author_name, row.additions)
    }

    #[test]
    fn the_first_repository_that_reads_git_writes_the_row() {
        let of = |holders: &[Holder]| settled(false, holders).0;
        assert_eq!(of(&[]), "own");
        assert_eq!(of(&[holder("a", None, false)]), "own", "git before the API");
        assert_eq!(of(&[holder("a", Some("theirs"), false)]), "stored");
        assert_eq!(of(&[holder("a", Some("ours"), false)]), "own", "the same");
        assert_eq!(of(&[holder("c", Some("theirs"), false)]), "own");
    }

    #[test]
    fn counts_stay_while_anybody_counts() {
        let of = |counts, holders: &[Holder]| settled(counts, holders).1;
        assert_eq!(of(true, &[holder("a", Some("theirs"), false)]), 7);
        assert_eq!(of(false, &[holder("c", Some("theirs"), true)]), 7);
        assert_eq!(of(false, &[holder("a", Some("theirs"), false)]), 0);
        assert_eq!(of(false, &[]), 0);
    }
}

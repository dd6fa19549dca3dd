//! What pairs of commits differ in: which pairs are wanted by whom, and what was found.
//!
//! The commits of a pair have no repository: what is built on what is fixed by the hashes, so
//! repositories that want the same pair share its rows. Each repository's own pairs, in
//! `commits_diff_pairs`, say who wants what; a pair's rows go with the last one.

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Utc};
use headwater_domain::code::{commits_diff, commits_diff_pair, git_ref, ref_commit};
use headwater_domain::crossdomain::refs_issues_diff;
use headwater_domain::devops::cicd_deployment_commit;
use headwater_domain::tool::refdiff::finished_commits_diff as finished;
use headwater_domain::{Row as _, Table};
use sea_orm::{EntityTrait, Value};

use crate::database::sql::{LENGTHS, list_of};
use crate::database::transaction::Transaction;
use crate::derived::derivations::{Image, RowChange};
use crate::derived::issue_links::Span;
use crate::derived::merges;
use crate::error::{During, StoreError};
use crate::rows::read::{model, select};
use crate::rows::shape::Shape;
use crate::{Changes, Owner, Replacement, Store};

/// The step that compares: its checkpoint says whether anything it reads has changed.
pub const STEP: &str = "convert:diffs";

/// Likewise for commits alone: what was made of a cut-off history may have to be made again.
pub const GRAPH: &str = "convert:diffs:graph";

/// Likewise for parents that were corrected: whatever was found is to be found again.
pub const PARENTS: &str = "convert:diffs:parents";

/// What rows made by the comparison say in `_raw_data_table`.
pub const DIFF_ORIGIN: &str = "refdiff";

/// States of a pair, as `commits_diff_pairs` spells them.
pub mod state {
    /// Everything is known that can be reached from either end.
    pub const COMPLETE: &str = "COMPLETE";
    /// History is cut off.
    pub const INCOMPLETE: &str = "INCOMPLETE";
    /// The repository has not both commits.
    pub const MISSING: &str = "MISSING";
    /// It is being computed.
    pub const PENDING: &str = "PENDING";
}

/// The commits of a pair: the newer one, and the older one.
pub type Ends = (String, String);

/// What was found for a pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// How many commits.
    pub commits: i64,
    /// Whether all history was known.
    pub is_complete: bool,
    /// Of which repository's history an incomplete one was made.
    pub repo_id: String,
}

/// Commits whose rows in `commit_parents` are others than before.
#[derive(Debug, Default)]
pub(crate) struct ParentChanges {
    /// Rows were changed or removed.
    pub(crate) changed: BTreeSet<String>,
    /// Rows were added, and no other was there.
    pub(crate) added: BTreeSet<String>,
}

impl ParentChanges {
    pub(crate) fn is_empty(&self) -> bool {
        self.changed.is_empty() && self.added.is_empty()
    }

    /// Takes the commit of a row, which was there before or was not.
    pub(crate) fn note(&mut self, row: &[Value], was_there: bool) {
        if let Some(Value::String(Some(sha))) = row.first() {
            let shas = if was_there {
                &mut self.changed
            } else {
                &mut self.added
            };
            shas.insert(sha.clone());
        }
    }
}

/// Another repository that wants a pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherWant {
    /// The repository.
    pub repo_id: String,
    /// Its scope, as in `params`.
    pub params: String,
    /// The pair's state there.
    pub state: String,
}

impl Store {
    /// Branches and tags of a repository.
    pub async fn refs_of(&self, repo_id: &str) -> Result<Vec<git_ref::Model>, StoreError> {
        self.rows_where::<git_ref::Entity>("repo_id = ? ORDER BY id", vec![repo_id.into()])
            .await
    }

    /// Deployments of a repository that are in a chain of successful ones, or were.
    pub async fn deployments_in_chains(
        &self,
        repo_id: &str,
    ) -> Result<Vec<cicd_deployment_commit::Model>, StoreError> {
        let condition = "cicd_scope_id = ? AND (prev_success_deployment_commit_id <> '' \
                         OR (result = 'SUCCESS' AND finished_date IS NOT NULL)) \
                         ORDER BY id, commit_sha";
        self.rows_where::<cicd_deployment_commit::Entity>(condition, vec![repo_id.into()])
            .await
    }

    /// The pairs of a repository as they are stored.
    pub async fn diff_pairs_of(
        &self,
        repo_id: &str,
    ) -> Result<Vec<commits_diff_pair::Model>, StoreError> {
        let condition = "repo_id = ? ORDER BY id";
        self.rows_where::<commits_diff_pair::Entity>(condition, vec![repo_id.into()])
            .await
    }

    async fn rows_where<E>(
        &self,
        condition: &str,
        values: Vec<Value>,
    ) -> Result<Vec<E::Model>, StoreError>
    where
        E: EntityTrait<Model: Default>,
    {
        let table = Table::of::<E>();
        let text = format!("{} WHERE {condition}", select(table));
        let rows = self.query_all(&text, values).await?;
        let read = rows.iter().map(|row| model::<E>(table, row));
        read.collect::<Result<_, _>>().during(&text)
    }

    /// What was found for the pairs that a repository wants.
    pub async fn finished_pairs_of(
        &self,
        repo_id: &str,
    ) -> Result<HashMap<Ends, Finished>, StoreError> {
        let text = "SELECT DISTINCT done.new_commit_sha, done.old_commit_sha, done.commits, \
                    done.is_complete, done.repo_id FROM commits_diff_pairs AS pairs \
                    JOIN _tool_refdiff_finished_commits_diffs AS done \
                    ON done.new_commit_sha = pairs.new_commit_sha \
                    AND done.old_commit_sha = pairs.old_commit_sha WHERE pairs.repo_id = ?";
        let rows = self.query_all(text, vec![repo_id.into()]).await?;
        let read = rows.iter().map(|row| {
            let done = Finished {
                commits: row.get(2)?,
                is_complete: row.get(3)?,
                repo_id: row.get(4)?,
            };
            Ok(((row.get(0)?, row.get(1)?), done))
        });
        read.collect::<Result<_, _>>().during(text)
    }

    /// Who else wants the pairs that a repository wants.
    pub async fn other_wants(
        &self,
        repo_id: &str,
    ) -> Result<HashMap<Ends, Vec<OtherWant>>, StoreError> {
        let text = "SELECT DISTINCT own.new_commit_sha, own.old_commit_sha, other.repo_id, \
                    other._raw_data_params, other.state FROM commits_diff_pairs AS own \
                    JOIN commits_diff_pairs AS other \
                    ON other.new_commit_sha = own.new_commit_sha \
                    AND other.old_commit_sha = own.old_commit_sha \
                    AND other.repo_id <> own.repo_id WHERE own.repo_id = ?";
        let rows = self.query_all(text, vec![repo_id.into()]).await?;
        let mut wants: HashMap<Ends, Vec<OtherWant>> = HashMap::new();
        for row in &rows {
            let read = || {
                let want = OtherWant {
                    repo_id: row.get(2)?,
                    params: row.get(3)?,
                    state: row.get(4)?,
                };
                Ok(((row.get(0)?, row.get(1)?), want))
            };
            let (ends, want) = read().during(text)?;
            wants.entry(ends).or_default().push(want);
        }
        Ok(wants)
    }

    /// Which commits at the ends of its pairs a repository has.
    pub async fn held_ends(&self, repo_id: &str) -> Result<HashSet<String>, StoreError> {
        let mut held = HashSet::new();
        for end in ["new_commit_sha", "old_commit_sha"] {
            // By key, as `FETCHED_AS_OF`.
            let text = format!(
                "SELECT DISTINCT pairs.{end} FROM commits_diff_pairs AS pairs \
                 WHERE pairs.repo_id = ? AND (SELECT held.commit_sha FROM repo_commits AS held \
                 WHERE held.repo_id = pairs.repo_id AND held.commit_sha = pairs.{end}) IS NOT NULL"
            );
            for row in self.query_all(&text, vec![repo_id.into()]).await? {
                held.insert(row.get(0).during(&text)?);
            }
        }
        Ok(held)
    }
}

impl Transaction<'_> {
    /// Has the pairs of another scope computed again, because that one shares their rows.
    pub fn diffs_of_are_stale(&self, params: &str) -> Result<(), StoreError> {
        for step in [STEP, GRAPH] {
            self.step_is_stale(params, step)?;
        }
        Ok(())
    }

    /// Has everything found anew that follows from what commits are built on, in each repository
    /// that has one of these commits: their parents are others than before. Commits that are new,
    /// or gone, are none of these.
    pub(crate) async fn parents_changed(&self, changes: ParentChanges) -> Result<(), StoreError> {
        let ParentChanges { changed, added } = changes;
        let mut corrected = Vec::new();
        // Commits are written, and removed, before their parents; who has them, afterwards.
        for (text, shas) in [
            ("SELECT sha FROM commits WHERE sha IN ", changed),
            (
                "SELECT DISTINCT commit_sha FROM repo_commits WHERE commit_sha IN ",
                added,
            ),
        ] {
            let shas: Vec<&str> = shas.iter().map(String::as_str).collect();
            for group in shas.chunks(LENGTHS[0]) {
                let (list, values) = list_of(group);
                for row in self.query_all(&format!("{text}{list}"), values).await? {
                    corrected.push(row.get::<String>(0).during(text)?);
                }
            }
        }
        let mut scopes = BTreeSet::new();
        for group in corrected.chunks(LENGTHS[0]) {
            let (list, values) = list_of(group);
            let text = format!(
                "SELECT DISTINCT _raw_data_params FROM repo_commits WHERE commit_sha IN {list}"
            );
            for row in self.query_all(&text, values).await? {
                scopes.insert(row.get::<String>(0).during(&text)?);
            }
        }
        for params in scopes {
            for step in [STEP, GRAPH, PARENTS, merges::STEP] {
                self.step_is_stale(&params, step)?;
            }
        }
        Ok(())
    }

    /// Writes pairs that are wanted from now on, whatever was there.
    pub async fn want_pairs(
        &mut self,
        pairs: Vec<commits_diff_pair::Model>,
    ) -> Result<(), StoreError> {
        let rows = self.made(pairs);
        let table = Table::of::<commits_diff_pair::Entity>();
        self.write(table, rows).await.map(|_| ())
    }

    /// Takes away what was found for a pair.
    pub async fn forget_pair(&self, (new, old): &Ends) -> Result<(), StoreError> {
        let ends: Vec<Value> = vec![new.clone().into(), old.clone().into()];
        for table in [
            Table::of::<commits_diff::Entity>(),
            Table::of::<finished::Entity>(),
        ] {
            let columns = ["new_commit_sha", "old_commit_sha"];
            let gone = std::slice::from_ref(&ends);
            self.note_removed(table, &columns, gone).await?;
            let text = format!(
                "DELETE FROM {} WHERE new_commit_sha = ? AND old_commit_sha = ?",
                table.name
            );
            self.queue(&text, ends.clone())?;
        }
        Ok(())
    }

    /// Writes some of the commits found for a pair. Nothing may be there under their keys.
    pub async fn add_to_pair(
        &mut self,
        commits: Vec<commits_diff::Model>,
    ) -> Result<u64, StoreError> {
        let rows = self.made(commits);
        self.write_new(Table::of::<commits_diff::Entity>(), rows)
            .await
    }

    /// Notes that all commits found for a pair are written.
    pub async fn finish_pair(&self, done: finished::Model) -> Result<(), StoreError> {
        // Not `write`: the row is shared, and no step follows it by the scope's sequence.
        let table = Table::of::<finished::Entity>();
        let shape = Shape::sourced(table);
        let mut row = done.into_values();
        let change = RowChange::new(table, Image::Unknown, Image::Row(&row));
        self.note(table, std::iter::once(change)).await?;
        row.push(0i64.into());
        let now = Value::ChronoDateTimeUtc(Some(self.now));
        let origin = [self.params.clone().into(), DIFF_ORIGIN.into()];
        let shared = origin.into_iter().chain([now.clone(), now, 0i64.into()]);
        self.upsert_sharing(&shape, vec![row], shared.collect())
            .await
    }

    /// Makes the stored pairs of a repository exactly these, and its compared refs these.
    pub async fn settle_pairs(
        &mut self,
        repo_id: &str,
        pairs: Vec<commits_diff_pair::Model>,
        refs: Vec<ref_commit::Model>,
    ) -> Result<Changes, StoreError> {
        let mut changes = self.replace_of(repo_id, pairs).await?;
        changes += self.replace_of(repo_id, refs).await?;
        let issues = self.issues_between_refs(repo_id).await?;
        changes += self.replace_of(repo_id, issues).await?;
        Ok(changes)
    }

    async fn replace_of<R: headwater_domain::Row>(
        &mut self,
        repo_id: &str,
        rows: Vec<R>,
    ) -> Result<Changes, StoreError> {
        let rows = self.made(rows);
        self.replace(Replacement {
            table: R::table(),
            owner: Owner::Column {
                name: "repo_id",
                values: vec![repo_id.to_owned()],
                connection_id: None,
            },
            rows,
            first: false,
        })
        .await
    }

    /// Rows that the comparison makes for the scope.
    fn made<R: headwater_domain::Row>(&self, rows: Vec<R>) -> Vec<headwater_domain::rows::NewRow> {
        let mut made = self.rows_of_step(DIFF_ORIGIN);
        for row in rows {
            made.push(row);
        }
        made.take(R::table())
    }

    /// The issues that commits between compared refs solve: named by the pull request that is all
    /// there with a commit, or by the commit itself. A pull request that is linked with no commit
    /// is there with its own ones.
    async fn issues_between_refs(
        &self,
        repo_id: &str,
    ) -> Result<Vec<refs_issues_diff::Model>, StoreError> {
        let text = "SELECT DISTINCT refs.new_ref_id, refs.old_ref_id, refs.new_commit_sha, \
            refs.old_commit_sha, links.issue_id, issues.issue_key FROM ( \
            SELECT merged.commit_sha AS commit_sha, named.issue_id AS issue_id \
            FROM pull_request_merges AS merged \
            JOIN pull_request_issues AS named ON named.pull_request_id = merged.pull_request_id \
            WHERE merged.repo_id = ? AND merged.is_tip \
            UNION SELECT own.commit_sha, named.issue_id FROM pull_requests AS pr \
            JOIN pull_request_issues AS named ON named.pull_request_id = pr.id \
            JOIN pull_request_commits AS own ON own.pull_request_id = pr.id \
            WHERE pr.base_repo_id = ? AND pr.status = 'MERGED' AND NOT EXISTS \
            (SELECT 1 FROM pull_request_merges AS merged WHERE merged.pull_request_id = pr.id) \
            UNION SELECT direct.commit_sha, direct.issue_id FROM commit_mentions AS named \
            JOIN issue_commits AS direct ON direct.commit_sha = named.commit_sha \
            JOIN issues AS own ON own.id = direct.issue_id \
            AND (own.id = named.issue_id OR (named.issue_id = '' AND own.issue_key = named.mention)) \
            WHERE named.source_id > ? AND named.source_id <= ? \
            AND named._raw_data_params = ?) AS links \
            JOIN commits_diffs AS diffs ON diffs.commit_sha = links.commit_sha \
            JOIN ref_commits AS refs ON refs.new_commit_sha = diffs.new_commit_sha \
            AND refs.old_commit_sha = diffs.old_commit_sha AND refs.repo_id = ? \
            LEFT JOIN issues ON issues.id = links.issue_id";
        let named = Span::of_commits(repo_id);
        let values = vec![
            repo_id.into(),
            repo_id.into(),
            named.after.into(),
            named.last.into(),
            self.params.clone().into(),
            repo_id.into(),
        ];
        let rows = self.query_all(text, values).await?;
        let read = rows.iter().map(|row| {
            let key: Option<String> = row.get(5)?;
            Ok(refs_issues_diff::Model {
                new_ref_id: row.get(0)?,
                old_ref_id: row.get(1)?,
                new_ref_commit_sha: row.get(2)?,
                old_ref_commit_sha: row.get(3)?,
                issue_id: row.get(4)?,
                issue_number: key.unwrap_or_default(),
                repo_id: repo_id.to_owned(),
            })
        });
        read.collect::<Result<_, _>>().during(text)
    }

    /// Says which successful deployment came before another.
    pub async fn set_predecessor(
        &self,
        (id, commit_sha): (&str, &str),
        predecessor: &str,
    ) -> Result<(), StoreError> {
        let table = Table::of::<cicd_deployment_commit::Entity>();
        let (columns, row) = (["id", "commit_sha"], vec![id.into(), commit_sha.into()]);
        let changed = ["prev_success_deployment_commit_id"];
        self.note_updated(table, (&columns, &[row]), &changed)
            .await?;
        let text = "UPDATE cicd_deployment_commits SET prev_success_deployment_commit_id = ?, \
                    updated_at = ? WHERE id = ? AND commit_sha = ?";
        let now: DateTime<Utc> = self.now;
        let values = vec![predecessor.into(), now.into(), id.into(), commit_sha.into()];
        self.queue(text, values)
    }
}

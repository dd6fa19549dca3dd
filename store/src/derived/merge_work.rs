//! What changed since merged pull requests were linked with commits, so that only those are
//! looked at whose links may be others now: docs/decisions/0043-merges.md.

use std::collections::BTreeSet;

use headwater_domain::Scope;
use sea_orm::{DbErr, Value};

use crate::bookkeeping::progress::Checkpoint;
use crate::database::Row;
use crate::database::values::KeyValue;
use crate::derived::derivations::{RowChange, Stale};
use crate::derived::hashes::SHORTEST;
use crate::derived::merges::{self, STEP};
use crate::error::{During, StoreError};
use crate::{Store, Transaction};

/// Work of the step beside pull requests: commits that came.
const COMMITS: &str = "convert:merges:commits";

/// Its one key says that branches moved.
const MOVED: &str = "convert:merges:moved";

/// Pull requests whose links follow from what branches hold: they are looked at again whenever
/// commits come or branches move.
const WAITING: &str = "convert:merges:waiting";

/// Commits that are named as a parent and are not there, so that a history is noticed that was
/// continued below what is known of it.
const MISSING: &str = "convert:merges:missing";

/// Names of the branches that pull requests went into.
const BASES: &str = "convert:merges:bases";

/// The key of missing commits that says that they are not known.
const UNKNOWN: &str = "unknown";

/// Keys of work beyond which everything is looked at.
const MOST: i64 = 5000;

/// Missing commits beyond which they are not remembered.
const MANY: usize = 5000;

/// Columns of a merged pull request that its links follow from.
const LINKING: [&str; 8] = [
    "status",
    "base_repo_id",
    "pull_request_key",
    "base_ref",
    "merge_commit_sha",
    "head_commit_sha",
    "created_date",
    "merged_date",
];

/// Likewise of a commit.
const NAMING: [&str; 4] = ["message", "author_email", "authored_date", "committed_date"];

/// Likewise of a ref.
const POINTING: [&str; 4] = ["name", "commit_sha", "is_default", "ref_type"];

/// Commits looked up by one statement, each of which has a part of its own in it.
const RANGES: usize = 64;

/// What changed since pull requests were linked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MergeWork {
    /// Domain ids of pull requests that changed, or their own commits did; of other ones too.
    pub pull_requests: BTreeSet<String>,
    /// Hashes of commits that came.
    pub commits: BTreeSet<String>,
    /// Branches came, went or moved.
    pub branches: bool,
    /// There is more than this.
    pub more: bool,
}

impl MergeWork {
    /// True when nothing changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What is known after pull requests were linked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// Domain ids of those that were looked at; nothing when all were.
    pub looked_at: Option<BTreeSet<String>>,
    /// Of these, those whose links follow from what branches hold.
    pub waiting: BTreeSet<String>,
    /// Commits that are named as a parent and are not there: all of the repository, or, where not
    /// all pull requests were looked at, those that came to be named. Nothing if not known.
    pub missing: Option<BTreeSet<String>>,
    /// Names of the branches that pull requests went into, if any was looked at ever.
    pub bases: BTreeSet<String>,
    /// A description of these branches; nothing if it is the one from before.
    pub branches: Option<String>,
}

/// What a change of a row that links follow from means for them.
#[must_use]
pub fn meaning(change: &RowChange<'_>) -> Stale {
    match change.table().name {
        "pull_requests" => {
            if change.may_be("status", "MERGED") && change.differs(&LINKING) {
                change.work(STEP, "id")
            } else {
                Stale::Nothing
            }
        }
        "pull_request_commits" if change.is_update() => Stale::Nothing,
        "pull_request_commits" => change.work(STEP, "pull_request_id"),
        "refs" if !change.may_be("ref_type", "BRANCH") => Stale::Nothing,
        "refs" if change.differs(&POINTING) => Stale::Work(MOVED, "moved".to_owned()),
        "refs" => Stale::Nothing,
        // What a commit is stays as it is while it is there.
        "commits" if change.is_new() => change.work(COMMITS, "sha"),
        "commits" if !change.differs(&NAMING) => Stale::Nothing,
        "repo_commits" | "commit_parents" if change.is_new() => change.work(COMMITS, "commit_sha"),
        "repo_commits" if change.is_update() => Stale::Nothing,
        _ => Stale::Everything,
    }
}

impl Transaction<'_> {
    /// Notes that what changed has been looked at, and what is to be known next time.
    pub async fn finish_merges(&self, settled: Settled) -> Result<(), StoreError> {
        // Where none was looked at, nothing is known of branches either.
        let nothing = settled.looked_at.is_none().then(String::new);
        if let Some(rules) = settled.branches.or(nothing) {
            let done = Checkpoint {
                rules,
                ..Checkpoint::default()
            };
            self.set_checkpoint(merges::BRANCHES, &done).await?;
        }
        let mut ended = vec![STEP, COMMITS, MOVED];
        match settled.looked_at {
            None => ended.extend([WAITING, MISSING, BASES]),
            Some(ids) => self.finish_work(WAITING, &ids.into_iter().collect::<Vec<_>>())?,
        }
        let text = "DELETE FROM _headwater_work WHERE params = ? AND step = ?";
        for step in ended {
            self.queue(text, vec![self.params.clone().into(), step.into()])?;
        }
        let missing = match settled.missing {
            Some(missing) if missing.len() <= MANY => missing,
            _ => BTreeSet::from([UNKNOWN.to_owned()]),
        };
        for (step, keys) in [
            (WAITING, settled.waiting),
            (MISSING, missing),
            (BASES, settled.bases),
        ] {
            let keys: Vec<KeyValue> = keys.into_iter().collect();
            if !keys.is_empty() {
                self.add_work(step, keys).await?;
            }
        }
        Ok(())
    }
}

impl Store {
    /// What changed since the pull requests of a scope were linked.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn merge_work(&self, scope: &Scope) -> Result<MergeWork, StoreError> {
        let text = "SELECT step, row_key FROM _headwater_work \
                    WHERE params = ? AND step IN (?, ?, ?) LIMIT ?";
        let mut values: Vec<Value> = vec![scope.params().into()];
        values.extend([STEP, COMMITS, MOVED].map(Value::from));
        values.push((MOST + 1).into());
        let rows = self.query_all(text, values).await?;
        let mut work = MergeWork {
            more: i64::try_from(rows.len()).is_ok_and(|count| count > MOST),
            ..MergeWork::default()
        };
        for row in rows {
            let read = || Ok((row.get(0)?, row.get(1)?));
            let (step, key): (String, String) = read().during(text)?;
            match step.as_str() {
                COMMITS => {
                    work.commits.insert(key);
                }
                MOVED => work.branches = true,
                _ => {
                    work.pull_requests.insert(key);
                }
            }
        }
        Ok(work)
    }

    /// The pull requests of a scope whose links follow from what branches hold.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn waiting_for_branches(
        &self,
        scope: &Scope,
    ) -> Result<BTreeSet<String>, StoreError> {
        self.standing(scope, WAITING).await
    }

    /// Names of the branches that the pull requests of a scope went into.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn bases(&self, scope: &Scope) -> Result<BTreeSet<String>, StoreError> {
        self.standing(scope, BASES).await
    }

    async fn standing(&self, scope: &Scope, step: &str) -> Result<BTreeSet<String>, StoreError> {
        let text = "SELECT row_key FROM _headwater_work WHERE params = ? AND step = ?";
        let rows = self
            .query_all(text, vec![scope.params().into(), step.into()])
            .await?;
        let keys = rows.iter().map(|row| row.get(0));
        keys.collect::<Result<_, _>>().during(text)
    }

    /// Commits that a repository names as a parent and has not, as they were when its pull
    /// requests were linked; nothing where that is not known.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn missing_parents(
        &self,
        scope: &Scope,
    ) -> Result<Option<BTreeSet<String>>, StoreError> {
        let missing = self.standing(scope, MISSING).await?;
        Ok((!missing.contains(UNKNOWN)).then_some(missing))
    }

    /// Parents of these commits that a repository has not.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn parents_missing_of(
        &self,
        repo_id: &str,
        commits: &BTreeSet<String>,
    ) -> Result<BTreeSet<String>, StoreError> {
        let shas: Vec<&str> = commits.iter().map(String::as_str).collect();
        let mut missing = BTreeSet::new();
        // By key, as `FETCHED_AS_OF`.
        let text = "SELECT parents.parent_commit_sha FROM commit_parents AS parents \
                    WHERE (SELECT held.commit_sha FROM repo_commits AS held \
                    WHERE held.repo_id = ? AND held.commit_sha = parents.parent_commit_sha) \
                    IS NULL AND parents.commit_sha IN ";
        for row in self.rows_in(text, &[repo_id.into()], &shas).await? {
            missing.insert(row.get(0).during(text)?);
        }
        Ok(missing)
    }

    /// Pull requests of a repository that have one of these among their own commits, or name one as
    /// their newest commit or the one that merged them, perhaps by its beginning; some others too.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn pull_requests_with(
        &self,
        repo_id: &str,
        commits: &BTreeSet<String>,
    ) -> Result<BTreeSet<String>, StoreError> {
        let shas: Vec<&str> = commits.iter().map(String::as_str).collect();
        let mut found = BTreeSet::new();
        // Forks have the same commits. Whose a pull request is is looked at here, so that no
        // database looks through all of a repository instead of asking for the commits.
        let mut add = |row: &Row| -> Result<(), DbErr> {
            if row.get::<Option<String>>(1)?.as_deref() == Some(repo_id) {
                found.insert(row.get(0)?);
            }
            Ok(())
        };
        let text = "SELECT pr.id, pr.base_repo_id FROM pull_request_commits AS own \
                    JOIN pull_requests AS pr ON pr.id = own.pull_request_id \
                    WHERE own.commit_sha IN ";
        for row in self.rows_in(text, &[], &shas).await? {
            add(&row).during(text)?;
        }
        for column in ["merge_commit_sha", "head_commit_sha"] {
            // The beginnings of a hash come before it, and are no shorter than that.
            let part = format!(
                "SELECT id, base_repo_id FROM pull_requests WHERE {column} BETWEEN ? AND ?"
            );
            for group in shas.chunks(RANGES) {
                let text = vec![part.as_str(); group.len()].join(" UNION ALL ");
                let values = group.iter().flat_map(|sha| -> [Value; 2] {
                    let beginning = sha.get(..SHORTEST).unwrap_or(sha);
                    [beginning.into(), (*sha).into()]
                });
                for row in self.query_all(&text, values.collect()).await? {
                    add(&row).during(&text)?;
                }
            }
        }
        Ok(found)
    }

    /// The messages of these commits, of each the beginning.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn messages_of(&self, commits: &BTreeSet<String>) -> Result<Vec<String>, StoreError> {
        let shas: Vec<&str> = commits.iter().map(String::as_str).collect();
        let mut found = Vec::new();
        let message = merges::beginning("message");
        let text = format!("SELECT {message} FROM commits WHERE sha IN ");
        for row in self.rows_in(&text, &[], &shas).await? {
            let message: Option<String> = row.get(0).during(&text)?;
            found.extend(message);
        }
        Ok(found)
    }

    /// Which of these commits a repository has.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn commits_held(
        &self,
        repo_id: &str,
        commits: &[&str],
    ) -> Result<BTreeSet<String>, StoreError> {
        let mut held = BTreeSet::new();
        let text = "SELECT commit_sha FROM repo_commits WHERE repo_id = ? AND commit_sha IN ";
        for row in self.rows_in(text, &[repo_id.into()], commits).await? {
            held.insert(row.get(0).during(text)?);
        }
        Ok(held)
    }

    /// Whether a repository has any commit.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_commits(&self, repo_id: &str) -> Result<bool, StoreError> {
        let text = "SELECT 1 FROM repo_commits WHERE repo_id = ? LIMIT 1";
        let rows = self.query_all(text, vec![repo_id.into()]).await?;
        Ok(!rows.is_empty())
    }
}

//! What derives rows from stored rows: what it declares, and how it runs.
//!
//! Whatever a derivation reads, it declares: a change of it puts what follows on its work list, in
//! the same transaction. Why so: docs/decisions/0047-derivations.md.

use std::sync::Arc;

use futures::future::BoxFuture;
use headwater_domain::Scope;
use headwater_domain::id::Ids;
use headwater_metrics::stored::Projects;
use headwater_store::derivations::{self as declared, Input, Reach, Written};
use headwater_store::{StepContext, Store};

use crate::computation::{self, Compute};
use crate::engine::{Error, Outcome};
use crate::merges::Patches;
use crate::rules::Rules;

/// A derivation with an engine of its own; [`Compute`] is for those whose rows follow key by key.
pub trait Derive: 'static {
    /// Its name, unique among conversions and derivations of the source.
    const NAME: &'static str;

    /// Whose keys it works on.
    const REACH: Reach = Reach::Scope;

    /// True when scopes of a connection may have its rows in common: then they take turns.
    const SHARED: bool = false;

    /// True when it compares the contents of commits, where a mirror has them.
    const READS_CONTENTS: bool = false;

    /// Groups of tables: it runs only where of each group at least one table is filled.
    const NEEDS: &'static [&'static [&'static str]];

    /// Tables that its rows follow from.
    fn reads() -> Vec<Input>;

    /// Tables that it writes.
    fn writes() -> Vec<Written>;

    /// Whether anything changed that its rows follow from.
    fn is_stale<'a>(task: &'a Task<'a>) -> BoxFuture<'a, Result<bool, Error>>;

    /// Makes its rows what they should be.
    fn derive<'a>(task: &'a Task<'a>) -> BoxFuture<'a, Result<Outcome, Error>>;
}

/// What a derivation works on.
pub struct Task<'a> {
    /// The database.
    pub store: &'a Store,
    /// The scope; all scopes together for a derivation whose keys span them.
    pub scope: &'a Scope,
    /// How the source spells domain ids.
    pub ids: &'static Ids,
    /// Domain id of the scope's repository.
    pub repo_id: &'a str,
    /// The rules of the scope's configuration.
    pub rules: &'a Arc<Rules>,
    /// What the configuration says of projects.
    pub projects: &'a Projects,
    /// The contents of commits, where a mirror has them.
    pub patches: Option<&'a dyn Patches>,
    /// What an offline engine needs from outside.
    pub context: &'a StepContext<'a>,
}

type IsStale = for<'a> fn(&'a Task<'a>) -> BoxFuture<'a, Result<bool, Error>>;
type Run = for<'a> fn(&'a Task<'a>) -> BoxFuture<'a, Result<Outcome, Error>>;

/// A derivation as runs see it, whatever it derives.
pub struct Derivation {
    /// What it reads and writes.
    pub declared: declared::Derivation,
    /// Scopes of a connection may have its rows in common.
    pub shared: bool,
    /// It compares the contents of commits, where a mirror has them.
    pub reads_contents: bool,
    is_stale: IsStale,
    run: Run,
}

impl Derivation {
    /// The derivation declared by a type.
    #[must_use]
    pub fn of<D: Derive>() -> Self {
        Self {
            declared: declared::Derivation {
                name: D::NAME,
                reach: D::REACH,
                reads: D::reads(),
                writes: D::writes(),
                needs: D::NEEDS,
            },
            shared: D::SHARED,
            reads_contents: D::READS_CONTENTS,
            is_stale: D::is_stale,
            run: D::derive,
        }
    }

    /// The derivation whose rows a type computes key by key.
    #[must_use]
    pub fn computed<C: Compute>() -> Self {
        Self {
            declared: computation::declared::<C>(),
            shared: false,
            reads_contents: false,
            is_stale: computation::is_stale::<C>,
            run: computation::run::<C>,
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.declared.name
    }

    /// Whether anything changed that its rows follow from.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_stale(&self, task: &Task<'_>) -> Result<bool, Error> {
        (self.is_stale)(task).await
    }

    /// Makes its rows what they should be.
    ///
    /// # Errors
    /// When cancelled, the database fails, or contents of commits cannot be read.
    pub async fn run(&self, task: &Task<'_>) -> Result<Outcome, Error> {
        (self.run)(task).await
    }
}

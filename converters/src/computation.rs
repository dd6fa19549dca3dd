//! Derivations whose rows follow key by key: keys of changed rows in, all their rows out.

use futures::FutureExt as _;
use futures::future::BoxFuture;
use headwater_domain::{Origin, Rows};
use headwater_store::derivations::{Derivation, Input, Reach, Written};
use headwater_store::{Owner, Replacement, Store, StoreError};

use crate::derivation::Task;
use crate::engine::{Error, Outcome};

/// Keys computed in one transaction.
const PAGE: usize = 256;

/// A derivation that computes all rows of a key from rows of domain tables.
pub trait Compute: 'static {
    /// Its name, unique among conversions and derivations of the source.
    const NAME: &'static str;

    /// Raise it when other rows are to be made: all keys are computed again.
    const VERSION: u32 = 1;

    /// Whose keys it computes. What is keyed by a project, or reads rows that repositories have in
    /// common, spans scopes.
    const REACH: Reach = Reach::Everywhere;

    /// Groups of tables: it runs only where of each group at least one table is filled.
    const NEEDS: &'static [&'static [&'static str]];

    /// Tables that its rows follow from, each with the way from a row to keys.
    fn reads() -> Vec<Input>;

    /// Tables that it writes, each with the column that holds the key.
    fn writes() -> Vec<Written>;

    /// Makes all rows of these keys. A key whose rows are gone makes none.
    fn compute<'a>(
        store: &'a Store,
        keys: &'a [String],
        rows: &'a mut Rows,
    ) -> BoxFuture<'a, Result<(), StoreError>>;
}

pub(crate) fn declared<C: Compute>() -> Derivation {
    Derivation {
        name: C::NAME,
        reach: C::REACH,
        reads: C::reads(),
        writes: C::writes(),
        needs: C::NEEDS,
    }
}

fn rules<C: Compute>() -> String {
    format!("v{}", C::VERSION)
}

fn failed<C: Compute>(task: &Task<'_>, source: StoreError) -> Error {
    Error::Store {
        conversion: C::NAME,
        scope: if task.scope.is_everywhere() {
            "all scopes".to_owned()
        } else {
            task.scope.full_name.clone()
        },
        source,
    }
}

pub(crate) fn is_stale<'a, C: Compute>(task: &'a Task<'a>) -> BoxFuture<'a, Result<bool, Error>> {
    let asked = async move {
        let (step, rules) = (declared::<C>().step(), rules::<C>());
        let asked = task.store.has_keys_to_compute(task.scope, &step, &rules);
        asked.await.map_err(|source| failed::<C>(task, source))
    };
    asked.boxed()
}

pub(crate) fn run<'a, C: Compute>(task: &'a Task<'a>) -> BoxFuture<'a, Result<Outcome, Error>> {
    let computed = async move {
        let (declared, rules) = (declared::<C>(), rules::<C>());
        let step = declared.step();
        let failed = |source| failed::<C>(task, source);
        let (store, scope, context) = (task.store, task.scope, task.context);
        let listed = store.list_all_keys(scope, &declared, &rules, context);
        listed.await.map_err(failed)?;
        let mut outcome = Outcome::default();
        loop {
            if context.cancel.is_cancelled() {
                return Err(Error::Cancelled);
            }
            let taken = store.take_keys(scope, &step, PAGE, context);
            let keys = taken.await.map_err(failed)?;
            if keys.is_empty() {
                return Ok(outcome);
            }
            compute::<C>(task, &declared, &keys, &mut outcome)
                .await
                .map_err(failed)?;
            (context.progress)(keys.len() as u64);
        }
    };
    computed.boxed()
}

async fn compute<C: Compute>(
    task: &Task<'_>,
    declared: &Derivation,
    keys: &[String],
    outcome: &mut Outcome,
) -> Result<(), StoreError> {
    let mut rows = Rows::default();
    rows.from_origin(Origin {
        params: task.scope.params(),
        table: C::NAME.to_owned(),
        id: 0,
    });
    C::compute(task.store, keys, &mut rows).await?;
    let page = task.store.begin(task.scope, task.context.now).await?;
    let mut page = page.deriving(C::NAME);
    for written in &declared.writes {
        let replacement = Replacement {
            table: written.table,
            owner: Owner::Column {
                name: written.owner,
                values: keys.to_vec(),
                connection_id: None,
            },
            rows: rows.take(written.table),
            first: false,
        };
        outcome.changes += page.replace(replacement).await?;
    }
    debug_assert!(rows.is_empty(), "{} writes undeclared tables", C::NAME);
    page.finish_taken(&declared.step(), keys)?;
    page.commit().await?;
    outcome.items += keys.len() as u64;
    Ok(())
}

//! The work list of a derivation that computes keys: all keys there are, and taking some off.

use headwater_domain::Scope;
use sea_orm::Value;

use super::{Derivation, Follows, Reach};
use crate::bookkeeping::progress::Checkpoint;
use crate::database::values::KeyValue;
use crate::error::StoreError;
use crate::{StepContext, Store, Transaction};

/// Names the list of keys that were taken off a step's list and are being computed.
fn taken(step: &str) -> String {
    format!("taken:{step}")
}

impl Store {
    /// Whether a derivation that computes keys has anything to do under these rules.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_keys_to_compute(
        &self,
        scope: &Scope,
        step: &str,
        rules: &str,
    ) -> Result<bool, StoreError> {
        if self.checkpoint(scope, step).await?.rules != rules {
            return Ok(true);
        }
        self.has_listed_keys(scope, step).await
    }

    /// Whether a work list has keys, or keys that were taken off it and are not finished.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_listed_keys(&self, scope: &Scope, step: &str) -> Result<bool, StoreError> {
        for step in [step, &taken(step)] {
            if !self.work(scope, step, "", 1).await?.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Puts all keys there are on the work list of a derivation, unless it works under these rules
    /// already: the values of the columns that it reads keys from, and of those that say whose
    /// rows it has written.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_all_keys(
        &self,
        scope: &Scope,
        derivation: &Derivation,
        rules: &str,
        context: &StepContext<'_>,
    ) -> Result<(), StoreError> {
        let step = derivation.step();
        if self.checkpoint(scope, &step).await?.rules == rules {
            return Ok(());
        }
        // From here on changes are noted key by key. Only then all keys are looked at: whatever
        // was committed before is among them.
        let begun = Checkpoint {
            rules: format!("listing for {rules}"),
            ..Checkpoint::default()
        };
        let page = self.begin(scope, context.now).await?;
        page.set_checkpoint(&step, &begun).await?;
        page.commit().await?;
        let page = self.begin(scope, context.now).await?;
        page.add_all_keys(derivation)?;
        let done = Checkpoint {
            rules: rules.to_owned(),
            ..Checkpoint::default()
        };
        page.set_checkpoint(&step, &done).await?;
        page.commit().await
    }

    /// Takes some keys off a work list. What changes from here on lists them again; those that are
    /// not finished come again.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn take_keys(
        &self,
        scope: &Scope,
        step: &str,
        limit: usize,
        context: &StepContext<'_>,
    ) -> Result<Vec<KeyValue>, StoreError> {
        let left = self.work(scope, &taken(step), "", limit).await?;
        if !left.is_empty() {
            return Ok(left);
        }
        let keys = self.work(scope, step, "", limit).await?;
        if !keys.is_empty() {
            let page = self.begin(scope, context.now).await?;
            page.finish_work(step, &keys)?;
            page.add_work(&taken(step), keys.clone()).await?;
            page.commit().await?;
        }
        Ok(keys)
    }
}

impl Transaction<'_> {
    /// Notes that keys that were taken off a work list are computed.
    ///
    /// # Errors
    /// When the database fails.
    pub fn finish_taken(&self, step: &str, keys: &[KeyValue]) -> Result<(), StoreError> {
        self.finish_work(&taken(step), keys)
    }

    fn add_all_keys(&self, derivation: &Derivation) -> Result<(), StoreError> {
        let mut sources: Vec<(&str, &str)> = Vec::new();
        for read in &derivation.reads {
            match read.follows {
                Follows::Key(column) => sources.push((read.table.name, column)),
                Follows::Through(through) => {
                    sources.push((through.last().table, through.last().key));
                }
                _ => {}
            }
        }
        let writes = derivation.writes.iter();
        let owned = writes.filter(|write| !write.owner.is_empty());
        sources.extend(owned.map(|write| (write.table.name, write.owner)));
        sources.sort_unstable();
        sources.dedup();
        for (table, column) in sources {
            let mut values: Vec<Value> = vec![self.params.clone().into(), derivation.step().into()];
            let within = match derivation.reach {
                Reach::Everywhere => "",
                Reach::Scope => {
                    values.push(self.params.clone().into());
                    "AND there._raw_data_params = ?"
                }
            };
            let text = format!(
                "INSERT INTO _headwater_work (params, step, row_key) \
                 SELECT DISTINCT ?, ?, {} FROM {table} AS there \
                 WHERE there.{column} IS NOT NULL {within} {}",
                self.store.dialect().text(&format!("there.{column}")),
                self.locking_listed()
            );
            self.queue(&text, values)?;
        }
        Ok(())
    }
}

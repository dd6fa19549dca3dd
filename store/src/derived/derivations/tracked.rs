//! The work list of a step that reads tracked tables: keys of rows that changed or went since its
//! checkpoint.

use headwater_domain::{Scope, Table};

use crate::bookkeeping::progress::Checkpoint;
use crate::error::StoreError;
use crate::{StepContext, Store, Way};

/// A tracked table that a step reads.
#[derive(Clone, Copy, Debug)]
pub struct Tracked<'a> {
    /// The table.
    pub table: &'a Table,
    /// Its column that holds the step's key, or what leads to it.
    pub column: &'static str,
    /// How the column leads to keys, where it holds none.
    pub way: Option<&'a Way>,
}

/// What is to be listed for a step.
#[derive(Clone, Debug)]
pub struct ToList<'a> {
    /// The step.
    pub step: &'a str,
    /// What it reads.
    pub reads: Vec<Tracked<'a>>,
    /// The rules under which it works; under others everything is listed.
    pub rules: String,
    /// It can work through all there is in the order of keys, without a list.
    pub passes: bool,
}

impl Store {
    /// Lists the keys of rows that changed since a step's checkpoint, together with the checkpoint
    /// that covers them. Returns true when the step begins: nothing was ever made of these.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_changed(
        &self,
        scope: &Scope,
        list: ToList<'_>,
        context: &StepContext<'_>,
    ) -> Result<bool, StoreError> {
        let step = list.step;
        let stored = self.checkpoint(scope, step).await?;
        let after = if stored.rules == list.rules {
            stored.seq
        } else {
            0
        };
        let latest = self.latest_seq(scope).await?;
        if after == latest {
            return Ok(false);
        }
        let mut removed = Vec::new();
        for read in &list.reads {
            let name = read.table.name;
            let keys = self.removed_between(scope, name, after, latest).await?;
            let keys = keys.iter().filter_map(|key| key_in(key, read.column));
            match read.way {
                None => removed.extend(keys),
                Some(way) => {
                    let names: Vec<String> = keys.collect();
                    removed.extend(self.keys_naming(scope, way, &names).await?);
                }
            }
        }
        let page = self.begin(scope, context.now).await?;
        if after == 0 && list.passes {
            page.begin_everything(step).await?;
        } else {
            for read in &list.reads {
                let changed = (read.table.name, read.column);
                let range = (after, latest);
                match read.way {
                    None => page.add_changed_work(step, changed, range).await?,
                    Some(way) => page.add_work_naming(step, changed, way, range).await?,
                }
            }
        }
        page.add_work(step, removed).await?;
        let done = Checkpoint {
            seq: latest,
            row_id: 0,
            rules: list.rules,
        };
        page.set_checkpoint(step, &done).await?;
        page.commit().await?;
        Ok(stored.is_start())
    }
}

/// What a column held in the key of a removed row.
fn key_in(removed_key: &str, column: &str) -> Option<String> {
    let key: serde_json::Value = serde_json::from_str(removed_key).ok()?;
    Some(key.get(column)?.as_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::key_in;

    #[test]
    fn the_key_is_read_from_the_key_of_a_removed_row() {
        let removed = r#"{"connection_id":"1","pull_request_id":"12","commit_sha":"aa"}"#;
        assert_eq!(key_in(removed, "pull_request_id").as_deref(), Some("12"));
        assert_eq!(key_in(removed, "bitbucket_id"), None);
        assert_eq!(key_in("12", "pull_request_id"), None);
        assert_eq!(key_in("not JSON", "pull_request_id"), None);
    }
}

//! Items that a complete walk did not see: asked for one by one, and removed when they are gone.

use super::Walk;
use crate::endpoint::{Collection, Paging};
use crate::engine::{bad_url, fetch};
use crate::error::{CollectErrorKind, RequestErrorKind};
use crate::page::RawItem;

impl Walk<'_> {
    /// Asks for every item the walk did not see: lists shift while they are read.
    pub(super) async fn remove_missing(&mut self) -> Result<(), CollectErrorKind> {
        let table = &self.collection.raw_table;
        let store = self.task.store;
        let missing = store
            .not_seen(self.task.scope, table, self.state.walk)
            .await?;
        for (id, key) in missing {
            match self.still_there(&key).await? {
                Some(item) => {
                    self.stage(vec![item], None).await?;
                    self.commit().await?;
                }
                None => self.remove(id, &key).await?,
            }
        }
        Ok(())
    }

    pub(super) async fn still_there(&self, key: &str) -> Result<Option<RawItem>, CollectErrorKind> {
        let client = &self.task.client;
        let url = self
            .collection
            .item_url(client.endpoint(), self.task.scope, key);
        let Some(url) = url.map_err(|error| bad_url(client, error))? else {
            // A list of one item whose key changed: the old one is no longer there.
            return Ok(None);
        };
        let single = Collection {
            endpoint: crate::endpoint::Endpoint {
                paging: Paging::Single,
                ..self.collection.endpoint
            },
            ..self.collection.clone()
        };
        match fetch(client, &self.task.cancel, &single, &url).await {
            Ok(mut page) => Ok(page.items.items.pop()),
            Err(error) => match error.kind {
                // With the number of a change the endpoint is gone, not the item.
                RequestErrorKind::NotFound { .. } | RequestErrorKind::Gone { change: None, .. } => {
                    Ok(None)
                }
                _ => Err(error.into()),
            },
        }
    }

    /// Removes an item with all its children, in one transaction.
    pub(super) async fn remove(&mut self, id: i64, key: &str) -> Result<(), CollectErrorKind> {
        let mut settled = Vec::new();
        for child in self.task.children {
            let dead = self.task.store.dead_items(self.task.scope, child.stream);
            let mut dead = dead.await?;
            dead.retain(|item| {
                item.split_once('/')
                    .is_some_and(|(parent, _)| parent == key)
            });
            settled.push((child.stream, dead));
        }
        let mut page = self
            .task
            .store
            .begin(self.task.scope, self.task.now)
            .await?;
        for child in self.task.children {
            let child_stream = (child.raw_table.as_str(), child.stream);
            self.outcome.removed += page.remove_children(child_stream, key).await?;
        }
        for (stream, items) in settled {
            page.resolve_letters(stream, &items).await?;
        }
        page.remove_items(&self.collection.raw_table, &[id]).await?;
        let ended: Vec<String> = self.unended.forget(key).into_iter().collect();
        page.finish_work(&self.collection.unended_step(), &ended)?;
        page.commit().await?;
        self.outcome.removed += 1;
        Ok(())
    }
}

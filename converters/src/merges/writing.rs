//! What was found, written where it differs.

use std::collections::{BTreeSet, HashSet};

use headwater_domain::code::{pull_request_merge, unlinked_pull_request};
use headwater_domain::graph::Graph;
use headwater_store::Transaction;
use headwater_store::merges::{Merged, STEP};

use super::destinations::Destinations;
use super::engine::{Linked, Linking, PAGE, done_as, rules};
use super::patches::Stop;
use super::reasons::reason;

impl Linking<'_> {
    /// Removes the rows of pull requests that are merged no more, or gone: of some, or of all.
    pub(super) async fn forget_others(
        &mut self,
        merged: &[Merged],
        some: Option<&BTreeSet<String>>,
    ) -> Result<(), Stop> {
        if self.first {
            return Ok(());
        }
        let merged: HashSet<&str> = merged.iter().map(|it| it.id.as_str()).collect();
        let known = match some {
            Some(some) => some.clone(),
            None => self.store.linked_pull_requests(self.repo_id).await?,
        };
        let others = known.into_iter().filter(|id| !merged.contains(id.as_str()));
        let others: Vec<String> = others.collect();
        for group in others.chunks(PAGE) {
            let mut page = self.store.begin(self.scope, self.context.now).await?;
            let changes = page.settle_merges(group, Vec::new(), Vec::new(), false);
            self.outcome.changes += changes.await?;
            page.commit().await?;
        }
        Ok(())
    }

    /// Writes what differs.
    pub(super) async fn write(
        &mut self,
        linked: &[Linked],
        graph: &Graph,
        destinations: &Destinations<'_>,
    ) -> Result<(), Stop> {
        let mut open: Option<Transaction<'_>> = None;
        for group in linked.chunks(PAGE) {
            self.check_cancelled()?;
            let mut page = match open.take() {
                Some(page) => page,
                None => self.store.begin(self.scope, self.context.now).await?,
            };
            if self.first {
                // Should it end before its end, the next one finds something.
                page.set_checkpoint(STEP, &done_as("begun".to_owned()))
                    .await?;
            }
            let ids: Vec<String> = group.iter().map(|it| it.row.id.clone()).collect();
            let mut rows = Vec::new();
            let mut unlinked = Vec::new();
            for pull_request in group {
                rows.extend(self.rows(pull_request, graph));
                if pull_request.links.is_empty() {
                    unlinked.push(unlinked_pull_request::Model {
                        pull_request_id: pull_request.row.id.clone(),
                        reason: reason(pull_request, graph, destinations, self.patches.is_some()),
                        repo_id: self.repo_id.to_owned(),
                    });
                }
            }
            self.outcome.unlinked += unlinked.len() as u64;
            let changes = page.settle_merges(&ids, rows, unlinked, self.first).await?;
            open = page.go_on().await?;
            self.outcome.changes += changes;
            self.outcome.items += group.len() as u64;
            (self.context.progress)(group.len() as u64);
        }
        if let Some(page) = open {
            page.commit().await?;
        }
        Ok(())
    }

    fn rows<'r>(
        &'r self,
        pull_request: &'r Linked,
        graph: &'r Graph,
    ) -> impl Iterator<Item = pull_request_merge::Model> + 'r {
        let links = pull_request.links.iter();
        links.map(|link| pull_request_merge::Model {
            pull_request_id: pull_request.row.id.clone(),
            commit_sha: graph.hash(link.commit).to_string(),
            method: link.method.as_str().to_owned(),
            is_tip: link.is_tip,
            repo_id: self.repo_id.to_owned(),
        })
    }

    pub(super) async fn finish(&mut self) -> Result<(), Stop> {
        self.check_cancelled()?;
        let page = self.store.begin(self.scope, self.context.now).await?;
        page.finish_merges(std::mem::take(&mut self.settled))
            .await?;
        page.set_checkpoint(STEP, &done_as(rules(self.patches)))
            .await?;
        page.commit().await?;
        Ok(())
    }
}

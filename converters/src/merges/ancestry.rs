//! Pull requests linked by what their merge commit says, and by where their own commits are.

use headwater_domain::graph::{Graph, PrefixIndex, PrefixMatch, RangeWalk};
use headwater_domain::merges::{Method, brought_by, moved_to};
use headwater_store::merges::Merged;

use super::destinations::Destinations;
use super::engine::{Linked, Linking, PAGE};
use super::patches::Stop;

impl Linking<'_> {
    /// Finds the commits that each merge commit added, and what was moved to its destination as it was.
    pub(super) async fn by_ancestry(
        &self,
        merged: Vec<Merged>,
        graph: &Graph,
        destinations: &mut Destinations<'_>,
    ) -> Result<Vec<Linked>, Stop> {
        let mut prefixes = PrefixIndex::of(graph);
        let mut walk = RangeWalk::over(graph);
        let mut linked = Vec::with_capacity(merged.len());
        let mut merged = merged.into_iter().peekable();
        while merged.peek().is_some() {
            self.check_cancelled()?;
            let group = merged.by_ref().take(PAGE).map(|row| Linked {
                merge: prefixes.find(&row.merge_commit),
                head: prefixes.find(&row.head_commit).commit(),
                own: Vec::new(),
                is_named: false,
                links: Vec::new(),
                row,
            });
            let mut group: Vec<Linked> = group.collect();
            self.read_own(&mut group, graph).await?;
            for pull_request in &mut group {
                let source = pull_request.source();
                pull_request.links = match pull_request.merge {
                    PrefixMatch::One(merge) => {
                        brought_by(&mut walk, graph, merge, source, Method::Ancestry)
                    }
                    PrefixMatch::None | PrefixMatch::Several => {
                        let reach = destinations.reach(&pull_request.row.base_ref);
                        reach.map_or_else(Vec::new, |reach| moved_to(source, reach))
                    }
                };
            }
            linked.append(&mut group);
        }
        Ok(linked)
    }

    /// Reads the own commits of those pull requests for which they say something: a merge commit
    /// says all, unless the repository still has the head of the source branch.
    async fn read_own(&self, group: &mut [Linked], graph: &Graph) -> Result<(), Stop> {
        if graph.is_empty() {
            return Ok(());
        }
        let wanted = group
            .iter()
            .filter(|it| it.merge.commit().is_none() || it.head.is_some());
        let wanted: Vec<String> = wanted.map(|it| it.row.id.clone()).collect();
        let mut own = self.store.own_commits(&wanted).await?;
        for pull_request in group {
            let shas = own.remove(&pull_request.row.id).unwrap_or_default();
            let known = shas.iter().filter_map(|sha| graph.find(sha.parse().ok()?));
            pull_request.own = known.collect();
        }
        Ok(())
    }
}

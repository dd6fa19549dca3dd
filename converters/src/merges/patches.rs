//! Pull requests linked by what commits change: rebased and picked ones, and squashes of them.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Duration, Utc};
use futures::future::BoxFuture;
use headwater_domain::Scope;
use headwater_domain::graph::{Commit, Graph};
use headwater_domain::merges::{Link, Method, SizeOfChange, copies};
use headwater_store::{Store, StoreError};

pub use headwater_store::patches::Change;

use super::destinations::Destinations;
use super::engine::Linked;
use crate::engine::Error;

/// A commit and when it was made.
type Dated = (DateTime<Utc>, Commit);

/// Whoever has the contents of commits, and can say which of them change the same.
pub trait Patches: Send + Sync {
    /// Who gives the names, and in which version: another one may give others.
    fn namer(&self) -> String;

    /// Names what these commits change: equal names, equal changes. One that changes nothing has
    /// no name.
    fn names<'a>(
        &'a self,
        changes: &'a [Change],
    ) -> BoxFuture<'a, Result<HashMap<Change, String>, Unnamed>>;

    /// Counts the lines and files that these commits change.
    fn sizes<'a>(
        &'a self,
        changes: &'a [Change],
    ) -> BoxFuture<'a, Result<HashMap<Change, SizeOfChange>, Unnamed>>;
}

/// Why changes have no names.
#[derive(Debug)]
pub enum Unnamed {
    /// It was cancelled.
    Cancelled,
    /// The contents cannot be read.
    Failed(Box<dyn std::error::Error + Send + Sync>),
}

/// Why work on contents of commits ends early.
pub(crate) enum Stop {
    /// It was cancelled.
    Cancelled,
    /// The database failed.
    Store(StoreError),
    /// The contents cannot be read.
    Contents(Box<dyn std::error::Error + Send + Sync>),
}

impl Stop {
    /// The error of a conversion of a repository.
    pub(crate) fn into_error(self, conversion: &'static str, scope: &Scope) -> Error {
        let scope = scope.full_name.clone();
        match self {
            Self::Cancelled => Error::Cancelled,
            Self::Store(source) => Error::Store {
                conversion,
                scope,
                source,
            },
            Self::Contents(source) => Error::Patches { scope, source },
        }
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Unnamed> for Stop {
    fn from(error: Unnamed) -> Self {
        match error {
            Unnamed::Cancelled => Self::Cancelled,
            Unnamed::Failed(source) => Self::Contents(source),
        }
    }
}

/// Commits with one author and one time that may be copies of each other. Where there are more,
/// their subjects are compared too, and where there still are, they are made by a machine.
const ALIKE: usize = 64;

/// Commits that may be the squash of one pull request: the first in time.
const SQUASHES: usize = 200;

/// How long after a pull request was merged its squash may say to be made: clocks differ.
const LATE: Duration = Duration::days(1);

/// Changes named in one go.
const ASKED: usize = 2048;

/// What is known of changes while pull requests are linked.
pub(super) struct Comparing<'a> {
    pub(super) store: &'a Store,
    pub(super) repo_id: &'a str,
    pub(super) graph: &'a Graph,
    pub(super) patches: &'a dyn Patches,
    pub(super) names: HashMap<Change, String>,
    /// Named in this run.
    pub(super) new: Vec<Change>,
}

impl Comparing<'_> {
    /// Links what was copied, and what was squashed where nothing else is known of it.
    pub(super) async fn link(
        &mut self,
        linked: &mut [Linked],
        destinations: &mut Destinations<'_>,
    ) -> Result<(), Stop> {
        self.link_copies(linked).await?;
        let mut left = Vec::new();
        for pull_request in linked {
            let reach = destinations.reach(&pull_request.row.base_ref);
            let arrived = reach.is_none_or(|reach| {
                let mut links = pull_request.links.iter();
                links.any(|link| reach.has(link.commit))
            });
            if pull_request.merge.commit().is_none() && pull_request.head.is_some() && !arrived {
                left.push(pull_request);
            }
        }
        if left.is_empty() {
            return Ok(());
        }
        let dates = self.dates().await?;
        let by_commit = dates
            .iter()
            .map(|(date, commit)| (*commit, *date))
            .collect();
        for pull_request in left {
            let made = (&dates[..], &by_commit);
            self.link_squash(pull_request, made, destinations).await?;
        }
        Ok(())
    }

    async fn link_copies(&mut self, linked: &mut [Linked]) -> Result<(), Stop> {
        let groups = self.groups().await?;
        let places: HashMap<Commit, usize> = (0..)
            .zip(&groups)
            .flat_map(|(place, group)| group.iter().map(move |commit| (*commit, place)))
            .collect();
        let mut wanted: Vec<usize> = Vec::new();
        for pull_request in &*linked {
            let links = pull_request.links.iter().map(|link| link.commit);
            let own = pull_request.own.iter().copied();
            let all = links.chain(own).chain(pull_request.head);
            wanted.extend(all.filter_map(|commit| places.get(&commit)));
        }
        wanted.sort_unstable();
        wanted.dedup();
        let commits = wanted.iter().flat_map(|place| &groups[*place]);
        let changes: Vec<Change> = commits.map(|commit| self.change(*commit)).collect();
        self.name(changes).await?;
        for pull_request in linked {
            let same = |commit: Commit| self.same(commit, &groups, &places);
            let source = pull_request.source();
            let mut found = copies(self.graph, (&pull_request.links, source), same);
            pull_request.links.append(&mut found);
        }
        Ok(())
    }

    /// Commits without a second parent that have one author and were written at one time.
    async fn groups(&self) -> Result<Vec<Vec<Commit>>, StoreError> {
        type Key = (String, Option<DateTime<Utc>>);
        let mut alike: HashMap<Key, Vec<(Commit, String)>> = HashMap::new();
        for found in self.store.commits_alike(self.repo_id).await? {
            let commit = found.sha.parse().ok();
            let commit = commit.and_then(|hash| self.graph.find(hash));
            if let Some(commit) = commit.filter(|it| self.graph.parents(*it).len() < 2) {
                let key = (found.author_email, found.authored);
                alike.entry(key).or_default().push((commit, found.subject));
            }
        }
        let mut groups = Vec::new();
        for group in alike.into_values() {
            if group.len() <= ALIKE {
                groups.push(group.into_iter().map(|(commit, _)| commit).collect());
                continue;
            }
            let mut by_subject: HashMap<String, Vec<Commit>> = HashMap::new();
            for (commit, subject) in group {
                by_subject.entry(subject).or_default().push(commit);
            }
            groups.extend(by_subject.into_values().filter(|it| it.len() <= ALIKE));
        }
        groups.retain(|group: &Vec<Commit>| group.len() > 1);
        Ok(groups)
    }

    fn same(
        &self,
        commit: Commit,
        groups: &[Vec<Commit>],
        places: &HashMap<Commit, usize>,
    ) -> Vec<Commit> {
        let Some(place) = places.get(&commit) else {
            return Vec::new();
        };
        let Some(name) = self.name_of(&self.change(commit)) else {
            return Vec::new();
        };
        let others = groups[*place].iter().filter(|other| **other != commit);
        let same = others.filter(|other| self.name_of(&self.change(**other)) == Some(name));
        same.copied().collect()
    }

    /// None of what changes nothing.
    fn name_of(&self, change: &Change) -> Option<&str> {
        let name = self.names.get(change).map(String::as_str);
        name.filter(|name| !name.is_empty())
    }

    fn change(&self, commit: Commit) -> Change {
        (self.graph.hash(commit).to_string(), None)
    }

    /// Names changes that have no name yet.
    async fn name(&mut self, mut changes: Vec<Change>) -> Result<(), Stop> {
        changes.retain(|change| !self.names.contains_key(change));
        changes.sort_unstable();
        changes.dedup();
        for group in changes.chunks(ASKED) {
            let mut known = self.store.patches_known(group).await?;
            let mut unknown = group.to_vec();
            unknown.retain(|change| !known.contains_key(change));
            if !unknown.is_empty() {
                let mut named = self.patches.names(&unknown).await?;
                for change in unknown {
                    // What changes nothing is remembered too.
                    let name = named.remove(&change).unwrap_or_default();
                    self.new.push(change.clone());
                    known.insert(change, name);
                }
            }
            self.names.extend(known);
        }
        Ok(())
    }

    /// When the commits of the repository were committed, the first one first.
    async fn dates(&self) -> Result<Vec<(DateTime<Utc>, Commit)>, StoreError> {
        let found = self.store.commit_dates(self.repo_id).await?;
        let dates = found.into_iter().filter_map(|(sha, date)| {
            let commit = self.graph.find(sha.parse().ok()?)?;
            Some((date?, commit))
        });
        let mut dates: Vec<_> = dates.collect();
        dates.sort_by_key(|(date, commit)| (*date, self.graph.hash(*commit)));
        Ok(dates)
    }

    /// Finds the commit of the destination that changes what all of a pull request's own do.
    async fn link_squash(
        &mut self,
        pull_request: &mut Linked,
        (in_order, by_commit): (&[Dated], &HashMap<Commit, DateTime<Utc>>),
        destinations: &mut Destinations<'_>,
    ) -> Result<(), Stop> {
        let Some(head) = pull_request.head else {
            return Ok(());
        };
        let made = by_commit.get(&head);
        let (Some(made), Some(base)) = (made, self.base(pull_request)) else {
            return Ok(());
        };
        let last = pull_request.row.merged.map(|merged| merged + LATE);
        let own: HashSet<Commit> = pull_request.own.iter().copied().collect();
        let Some(reach) = destinations.reach(&pull_request.row.base_ref) else {
            return Ok(());
        };
        let start = in_order.partition_point(|(date, _)| date < made);
        let in_time = in_order[start..]
            .iter()
            .take_while(|(date, _)| last.is_none_or(|last| *date <= last));
        let fitting = in_time.map(|(_, commit)| *commit).filter(|commit| {
            let is_plain = self.graph.parents(*commit).len() < 2;
            is_plain && reach.has(*commit) && !own.contains(commit)
        });
        let fitting: Vec<Commit> = fitting.take(SQUASHES).collect();
        if fitting.is_empty() {
            return Ok(());
        }
        let all = (self.change(head).0, Some(self.change(base).0));
        let mut asked: Vec<Change> = fitting.iter().map(|it| self.change(*it)).collect();
        asked.push(all.clone());
        self.name(asked).await?;
        let Some(name) = self.name_of(&all) else {
            return Ok(());
        };
        let mut fitting = fitting.into_iter();
        let found = fitting.find(|it| self.name_of(&self.change(*it)) == Some(name));
        pull_request.links.extend(found.map(|commit| Link {
            commit,
            method: Method::PatchId,
            is_tip: true,
        }));
        Ok(())
    }

    /// Where the source branch was last at one with the others: the highest commit below the
    /// pull request's own.
    fn base(&self, pull_request: &Linked) -> Option<Commit> {
        let own: HashSet<Commit> = pull_request.own.iter().copied().collect();
        let below = own.iter().flat_map(|commit| self.graph.parents(*commit));
        let below = below.filter(|parent| !own.contains(parent));
        below
            .max_by_key(|parent| self.graph.height(**parent))
            .copied()
    }
}

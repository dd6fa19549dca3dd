//! What happens in git itself: pushes to the main branch, forced ones, tags and branches.

use std::collections::BTreeMap;

use rand::Rng;
use rand::seq::IndexedRandom;

use super::model::{Commit, Hash, PullRequest, Repository, SourceRepository, State, Time};
use super::{Change, Refused, Touched, World, prose};

/// What is before the first commit.
pub(crate) const NOTHING: Hash = Hash([0; 20]);

/// A tag.
#[derive(Clone, Debug)]
pub struct Tag {
    /// The commit it points to.
    pub target: Hash,
    /// Date of that commit.
    pub date: Time,
    /// Message and date of an annotated one.
    pub annotation: Option<(String, Time)>,
}

/// One change to a repository's git, with everything that was decided about it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant says what happens")]
pub enum GitChange {
    Push { count: usize },
    PushMessage { message: String },
    ForcePush { drop: usize, count: usize },
    Tag { name: String, annotated: bool },
    DeleteTag { name: String },
    Branch { name: String },
    DeleteBranch { name: String },
}

impl Repository {
    /// Branches by name, each with the commit it points to and that commit's date.
    #[must_use]
    pub fn branches(&self) -> BTreeMap<&str, (Hash, Time)> {
        let open = |found: &&PullRequest| {
            found.state == State::Open && found.source == SourceRepository::Same
        };
        let open = self.pull_requests.values().filter(open);
        let mut branches: BTreeMap<&str, (Hash, Time)> = BTreeMap::new();
        branches.extend(
            self.branches
                .iter()
                .map(|(name, stands)| (name.as_str(), *stands)),
        );
        branches.extend(open.map(|found| {
            let date = found.commits.last().map_or(found.created_on, |it| it.date);
            (found.source_branch.as_str(), (found.source_commit, date))
        }));
        if let (Some(name), Some(head)) = (&self.mainbranch, self.main.last()) {
            branches.insert(name, (head.hash, head.date));
        }
        branches
    }

    /// Puts a commit without further ado on the main branch, as a merge or a first push does.
    pub(super) fn put_on_main(&mut self, salt: Hash, at: Time, message: String) -> Hash {
        let parent = self.main.last().map_or(NOTHING, |head| head.hash);
        let commit = Commit {
            hash: NOTHING,
            salt,
            parent,
            merged: None,
            date: chrono::SubsecRound::trunc_subsecs(at, 0),
            message,
            author: "Merge Queue <merge@builds.example.net>".to_owned(),
            user: None,
        };
        let commit = commit.hashed();
        self.main_head = commit.hash;
        self.main.push(commit);
        self.main_head
    }
}

impl World {
    /// Lets the main branch of one repository point to the head of another's, as in a fork.
    pub fn copy_main(&mut self, from: &str, to: &str) -> Result<(), Refused> {
        let source = &self.repositories[self.repository_index(from)?];
        let (main, head) = (source.main.clone(), source.main_head);
        let dropped = source.dropped.clone();
        let index = self.repository_index(to)?;
        let revision = self.next_revision();
        let repository = &mut self.repositories[index];
        repository.revision = revision;
        repository.main = main;
        repository.main_head = head;
        repository.dropped.extend(dropped);
        Ok(())
    }

    /// Makes a change to the git of a repository.
    pub fn change_git(&mut self, slug: &str, change: &GitChange) -> Result<Touched, Refused> {
        let index = self.repository_index(slug)?;
        let repository = &self.repositories[index];
        let possible = match change {
            GitChange::ForcePush { drop, .. } => *drop < repository.main.len(),
            GitChange::DeleteTag { name } => repository.tags.contains_key(name),
            GitChange::DeleteBranch { name } => repository.branches.contains_key(name),
            GitChange::Tag { .. } | GitChange::Branch { .. } => !repository.main.is_empty(),
            GitChange::Push { .. } | GitChange::PushMessage { .. } => {
                repository.mainbranch.is_some()
            }
        };
        if !possible {
            return Err(Refused::NoRef);
        }
        let at = self.tick();
        let revision = self.next_revision();
        let dice = &mut self.dice;
        let repository = &mut self.repositories[index];
        repository.revision = revision;
        let mut push = |repository: &mut Repository, count: usize| {
            for _ in 0..count {
                let message = prose::commit_message(&mut dice.rng);
                repository.put_on_main(dice.hash(), at, message);
            }
        };
        match change {
            GitChange::Push { count } => push(repository, *count),
            GitChange::PushMessage { message } => {
                repository.put_on_main(dice.hash(), at, message.clone());
            }
            GitChange::ForcePush { drop, count } => {
                let left = repository.main.len() - drop;
                let dropped = repository.main.split_off(left);
                repository.dropped.extend(dropped);
                if let Some(head) = repository.main.last() {
                    repository.main_head = head.hash;
                }
                push(repository, *count);
            }
            GitChange::Tag { name, annotated } => {
                if let Some(head) = repository.main.last() {
                    let tag = Tag {
                        target: head.hash,
                        date: head.date,
                        annotation: annotated.then(|| (format!("Release {name}"), at)),
                    };
                    repository.tags.insert(name.clone(), tag);
                }
            }
            GitChange::DeleteTag { name } => {
                repository.tags.remove(name);
            }
            GitChange::Branch { name } => {
                if let Some(head) = repository.main.last() {
                    let stands = (head.hash, head.date);
                    repository.branches.insert(name.clone(), stands);
                }
            }
            GitChange::DeleteBranch { name } => {
                repository.branches.remove(name);
            }
        }
        Ok(Touched {
            repository: Some(slug.to_owned()),
            ..Touched::default()
        })
    }

    /// Draws a change to the git of some repository; none when that one has nothing for it.
    pub(super) fn draw_git_change<R: Rng + ?Sized>(&self, rng: &mut R) -> Option<Change> {
        let repository = self.repositories.choose(rng)?;
        repository.main.last()?;
        let name = |names: Vec<&String>, rng: &mut R| names.choose(rng).map(|it| (*it).clone());
        let change = match rng.random_range(0..100) {
            0..45 => GitChange::Push {
                count: rng.random_range(1..4),
            },
            45..60 => GitChange::ForcePush {
                drop: rng.random_range(0..repository.main.len().min(5)),
                count: rng.random_range(0..3),
            },
            60..75 => GitChange::Tag {
                name: format!("v{}.{}", rng.random_range(0..3), rng.random_range(0..20)),
                annotated: rng.random_bool(0.5),
            },
            75..82 => GitChange::DeleteTag {
                name: name(repository.tags.keys().collect(), rng)?,
            },
            82..93 => GitChange::Branch {
                name: prose::branch(rng),
            },
            _ => GitChange::DeleteBranch {
                name: name(repository.branches.keys().collect(), rng)?,
            },
        };
        Some(Change::Git {
            repository: repository.slug.clone(),
            change,
        })
    }
}

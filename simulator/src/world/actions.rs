//! Changes to pull requests. Each one bumps `updated_on` of the pull request it touches.

use chrono::TimeDelta;
use rand::Rng;

use super::dice::Dice;
use super::git::NOTHING;
use super::model::{
    Commit, Difference, Fork, Hash, Participant, PullRequest, SourceRepository, State, UserId,
};
use super::step::{Step, record_update, touched};
use super::{Refused, Time, Touched, World, prose};

impl World {
    /// Opens a pull request with one commit from a new branch; now and then from a fork.
    pub fn create_pull_request(
        &mut self,
        slug: &str,
        author: Option<UserId>,
        title: &str,
        description: &str,
    ) -> Result<Touched, Refused> {
        let index = self.repository_index(slug)?;
        let at = self.tick();
        let revision = self.next_revision();
        let reviewers = self.pick_reviewers(author);
        let fork = self.pick_fork(slug, author);
        let writer = author.and_then(|author| self.users.get(author.0));
        let signature = signature(writer);
        let repository = &mut self.repositories[index];
        // The first pull request implies a first push.
        if repository.main.is_empty() {
            repository.put_on_main(repository.main_head, at, "First commit".to_owned());
        }
        let main = repository
            .mainbranch
            .get_or_insert_with(|| "main".to_owned())
            .clone();
        repository.size += self.dice.rng.random_range(2_000..90_000);
        repository.updated_on = repository.updated_on.max(at);
        repository.revision = revision;
        let commit = commit(&mut self.dice, at, repository.main_head, &signature, author);
        let id = repository.next_pull_request;
        repository.next_pull_request += 1;
        let mut pull_request = PullRequest {
            id,
            title: title.into(),
            description: description.into(),
            state: State::Open,
            draft: self.dice.rng.random_bool(0.1),
            author,
            closed_by: None,
            reason: String::new(),
            merge_commit: None,
            close_source_branch: self.dice.rng.random_bool(0.6),
            task_count: self.dice.rng.random_range(0..8_u64).saturating_sub(5),
            created_on: at,
            updated_on: at,
            source: fork,
            source_branch: prose::branch(&mut self.dice.rng),
            source_commit: commit.hash,
            destination_branch: main,
            destination_commit: repository.main_head,
            participants: reviewers,
            comments: Vec::new(),
            commits: vec![commit],
            activity: Vec::new(),
            revision,
        };
        record_update(&mut pull_request, at, author, Vec::new());
        if self.habits.creation_is_logged_twice {
            let again = at + TimeDelta::milliseconds(80);
            record_update(&mut pull_request, again, author, Vec::new());
        }
        repository.pull_requests.insert(id, pull_request);
        Ok(touched(slug, id, None))
    }

    /// Changes what is given of the title and the description.
    pub fn edit_pull_request(
        &mut self,
        slug: &str,
        id: u64,
        by: UserId,
        title: Option<&str>,
        description: Option<&str>,
    ) -> Result<Touched, Refused> {
        let step = self.begin(slug, id, |_| Ok(()))?;
        let mut changes = Vec::new();
        let pull_request = step.pull_request;
        if let Some(title) = title {
            let before = std::mem::replace(&mut pull_request.title, title.into());
            changes.push(Difference::Title(before));
        }
        if let Some(description) = description {
            let before = std::mem::replace(&mut pull_request.description, description.into());
            changes.push(Difference::Description(before));
        }
        record_update(pull_request, step.at, Some(by), changes);
        Ok(touched(slug, id, None))
    }

    /// Merges an open pull request into its destination.
    pub fn merge(&mut self, slug: &str, id: u64, by: UserId) -> Result<Touched, Refused> {
        let step = self.begin(slug, id, open)?;
        let salt = step.dice.hash();
        *step.pushed_on = step.at.max(*step.pushed_on);
        let (at, id) = (step.at, step.pull_request.id);
        let closed = step.close(State::Merged, by);
        let index = self.repository_index(slug)?;
        let repository = &mut self.repositories[index];
        let hash = repository.put_on_main(salt, at, format!("Merged pull request #{id}"));
        if let Some(merged) = repository.pull_requests.get_mut(&id) {
            merged.merge_commit = Some(hash);
        }
        Ok(closed)
    }

    /// Declines an open pull request; the reason may be empty.
    pub fn decline(
        &mut self,
        slug: &str,
        id: u64,
        by: UserId,
        reason: &str,
    ) -> Result<Touched, Refused> {
        let step = self.begin(slug, id, open)?;
        reason.clone_into(&mut step.pull_request.reason);
        Ok(step.close(State::Declined, by))
    }

    /// Marks an open pull request as replaced by another one.
    pub fn supersede(&mut self, slug: &str, id: u64, by: UserId) -> Result<Touched, Refused> {
        Ok(self.begin(slug, id, open)?.close(State::Superseded, by))
    }

    /// Adds commits to the source branch of an open pull request.
    pub fn push_commits(
        &mut self,
        slug: &str,
        id: u64,
        by: UserId,
        count: usize,
    ) -> Result<Touched, Refused> {
        let signature = signature(self.users.get(by.0));
        let step = self.begin(slug, id, open)?;
        let onto = step.pull_request.commits.last();
        let onto = onto.map_or(step.pull_request.destination_commit, |commit| commit.hash);
        Ok(step.push(by, &signature, count, onto))
    }

    /// Replaces all commits of an open pull request, as a forced push does.
    pub fn rewrite_commits(
        &mut self,
        slug: &str,
        id: u64,
        by: UserId,
        count: usize,
    ) -> Result<Touched, Refused> {
        let signature = signature(self.users.get(by.0));
        let step = self.begin(slug, id, open)?;
        step.pull_request.commits.clear();
        step.pull_request.destination_commit = *step.main_head;
        let onto = *step.main_head;
        Ok(step.push(by, &signature, count, onto))
    }

    /// Removes a pull request as support staff can: it leaves the lists and answers 404.
    pub fn delete_pull_request(&mut self, slug: &str, id: u64) -> Result<Touched, Refused> {
        let index = self.repository_index(slug)?;
        if !self.repositories[index].pull_requests.contains_key(&id) {
            return Err(Refused::NoPullRequest);
        }
        self.tick();
        self.next_revision();
        self.repositories[index].pull_requests.remove(&id);
        Ok(touched(slug, id, None))
    }

    /// Deletes the fork a pull request comes from: no source repository and no commits any more.
    pub fn remove_fork(&mut self, slug: &str, id: u64) -> Result<Touched, Refused> {
        let step = self.begin(slug, id, |found| match found.source {
            SourceRepository::Fork(_) => Ok(()),
            SourceRepository::Same | SourceRepository::Gone => Err(Refused::NoFork),
        })?;
        step.pull_request.source = SourceRepository::Gone;
        Ok(touched(slug, id, None))
    }

    fn pick_reviewers(&mut self, author: Option<UserId>) -> Vec<Participant> {
        let mut reviewers: Vec<Participant> = Vec::new();
        if self.users.is_empty() {
            return reviewers;
        }
        for _ in 0..self.dice.rng.random_range(0..4) {
            let user = UserId(self.dice.rng.random_range(0..self.users.len()));
            if Some(user) != author && reviewers.iter().all(|other| other.user != user) {
                let (verdict, participated_on) = (None, None);
                reviewers.push(Participant {
                    user,
                    reviewer: true,
                    verdict,
                    participated_on,
                });
            }
        }
        reviewers
    }

    fn pick_fork(&mut self, slug: &str, author: Option<UserId>) -> SourceRepository {
        let owner = author.and_then(|author| self.users.get(author.0));
        match owner.map(|owner| format!("{}/{slug}", owner.nickname)) {
            Some(full_name) if self.dice.rng.random_bool(0.08) => {
                let uuid = format!("{{{}}}", self.dice.uuid());
                SourceRepository::Fork(Fork { full_name, uuid })
            }
            _ => SourceRepository::Same,
        }
    }
}

impl Step<'_> {
    fn close(self, state: State, by: UserId) -> Touched {
        self.pull_request.state = state;
        self.pull_request.closed_by = Some(by);
        record_update(
            self.pull_request,
            self.at,
            Some(by),
            vec![Difference::State(state)],
        );
        touched(self.slug, self.pull_request.id, None)
    }

    fn push(self, by: UserId, signature: &str, count: usize, onto: Hash) -> Touched {
        let mut parent = onto;
        for _ in 0..count.max(1) {
            let commit = commit(self.dice, self.at, parent, signature, Some(by));
            parent = commit.hash;
            self.pull_request.commits.push(commit);
        }
        self.pull_request.source_commit = parent;
        record_update(self.pull_request, self.at, Some(by), Vec::new());
        touched(self.slug, self.pull_request.id, None)
    }
}

fn open(pull_request: &PullRequest) -> Result<(), Refused> {
    if pull_request.state == State::Open {
        Ok(())
    } else {
        Err(Refused::Closed)
    }
}

fn signature(user: Option<&super::User>) -> String {
    match user {
        Some(user) => format!(
            "{} <{}>",
            user.display_name.replace(['<', '>'], ""),
            user.email
        ),
        None => "Former Colleague <former.colleague@example.com>".to_owned(),
    }
}

fn commit(dice: &mut Dice, at: Time, parent: Hash, signature: &str, by: Option<UserId>) -> Commit {
    // An address that no account claims leaves the commit without a user.
    let unmapped = by.is_none() || dice.rng.random_bool(0.1);
    // Git keeps whole seconds and commits precede the push that shows them.
    let date = at - dice.span(1..3600);
    let commit = Commit {
        hash: NOTHING,
        salt: dice.hash(),
        parent,
        merged: None,
        date: chrono::SubsecRound::trunc_subsecs(date, 0),
        message: prose::commit_message(&mut dice.rng),
        author: if unmapped && by.is_some() {
            "Build Machine <ci@builds.example.net>".to_owned()
        } else {
            signature.to_owned()
        },
        user: if unmapped { None } else { by },
    };
    commit.hashed()
}

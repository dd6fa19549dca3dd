//! One change to one pull request while it is being made.

use std::sync::Arc;

use super::dice::Dice;
use super::model::{Activity, Difference, Event, Hash, PullRequest, Update, UserId};
use super::{Refused, Time, Touched, World};

/// What about a pull request changes, where that decides whether `updated_on` moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Comments,
    Verdicts,
    Anything,
}

/// A pull request about to change, and what the change may use.
pub(super) struct Step<'a> {
    pub(super) slug: &'a str,
    pub(super) at: Time,
    pub(super) pull_request: &'a mut PullRequest,
    pub(super) main_head: &'a mut Hash,
    pub(super) pushed_on: &'a mut Time,
    pub(super) dice: &'a mut Dice,
}

impl World {
    /// Checks a change and, only when it is possible, lets its time pass.
    pub(super) fn begin<'a>(
        &'a mut self,
        slug: &'a str,
        id: u64,
        check: impl FnOnce(&PullRequest) -> Result<(), Refused>,
    ) -> Result<Step<'a>, Refused> {
        self.begin_on(Part::Anything, slug, id, check)
    }

    /// The same for a part of the pull request that may leave its `updated_on` alone.
    pub(super) fn begin_on<'a>(
        &'a mut self,
        part: Part,
        slug: &'a str,
        id: u64,
        check: impl FnOnce(&PullRequest) -> Result<(), Refused>,
    ) -> Result<Step<'a>, Refused> {
        let moves = match part {
            Part::Comments => self.habits.comments_move_updated_on,
            Part::Verdicts => self.habits.verdicts_move_updated_on,
            Part::Anything => true,
        };
        let index = self.repository_index(slug)?;
        let found = self.repositories[index].pull_requests.get(&id);
        check(found.ok_or(Refused::NoPullRequest)?)?;
        let at = self.tick();
        let revision = self.next_revision();
        let repository = &mut self.repositories[index];
        let found = repository.pull_requests.get_mut(&id);
        let pull_request = found.ok_or(Refused::NoPullRequest)?;
        if moves {
            // A late change does not turn the time of an earlier one back.
            pull_request.updated_on = pull_request.updated_on.max(at);
        }
        pull_request.revision = revision;
        repository.revision = revision;
        Ok(Step {
            slug,
            at,
            pull_request,
            main_head: &mut repository.main_head,
            pushed_on: &mut repository.updated_on,
            dice: &mut self.dice,
        })
    }
}

pub(super) fn touched(slug: &str, id: u64, comment: Option<u64>) -> Touched {
    Touched {
        repository: Some(slug.to_owned()),
        pull_request: Some(id),
        comment,
        user: None,
    }
}

pub(super) fn record_update(
    pull_request: &mut PullRequest,
    at: Time,
    author: Option<UserId>,
    changes: Vec<Difference>,
) {
    let reviewers = pull_request
        .participants
        .iter()
        .filter(|part| part.reviewer);
    let update = Update {
        state: pull_request.state,
        draft: pull_request.draft,
        title: Arc::clone(&pull_request.title),
        description: Arc::clone(&pull_request.description),
        reviewers: reviewers.map(|part| part.user).collect(),
        author,
        reason: pull_request.reason.clone(),
        source_commit: pull_request.source_commit,
        destination_commit: pull_request.destination_commit,
        changes,
    };
    pull_request.activity.push(Activity {
        date: at,
        event: Event::Update(Box::new(update)),
    });
}

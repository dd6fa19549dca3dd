//! Comments and verdicts. Each of them bumps `updated_on` of the pull request, too, unless the
//! world's habits say otherwise.

use super::model::{Activity, Comment, Event, Inline, Participant, PullRequest, UserId, Verdict};
use super::step::{Part, Step, touched};
use super::{Refused, Time, Touched, World};

impl World {
    /// Writes a comment, on a line of a file when `inline` is given.
    pub fn comment(
        &mut self,
        slug: &str,
        id: u64,
        by: Option<UserId>,
        text: &str,
        inline: Option<Inline>,
    ) -> Result<Touched, Refused> {
        Ok(self
            .begin_on(Part::Comments, slug, id, |_| Ok(()))?
            .comment(by, text, inline, None))
    }

    /// Answers a comment.
    pub fn reply(
        &mut self,
        slug: &str,
        id: u64,
        by: Option<UserId>,
        parent: u64,
        text: &str,
    ) -> Result<Touched, Refused> {
        let step = self.begin_on(Part::Comments, slug, id, |found| {
            live_comment(found, parent)
        })?;
        let inline = step
            .pull_request
            .comment(parent)
            .and_then(|comment| comment.inline.clone());
        Ok(step.comment(by, text, inline, Some(parent)))
    }

    /// Rewrites a comment.
    pub fn edit_comment(
        &mut self,
        slug: &str,
        id: u64,
        comment: u64,
        text: &str,
    ) -> Result<Touched, Refused> {
        let step = self.begin_on(Part::Comments, slug, id, |found| {
            live_comment(found, comment)
        })?;
        let found = comment_mut(step.pull_request, comment)?;
        text.clone_into(&mut found.text);
        found.updated_on = step.at;
        Ok(touched(slug, id, Some(comment)))
    }

    /// Deletes a comment. It stays as a marker, or vanishes when `disappear` is set and nothing answers it.
    pub fn delete_comment(
        &mut self,
        slug: &str,
        id: u64,
        comment: u64,
        disappear: bool,
    ) -> Result<Touched, Refused> {
        let step = self.begin_on(Part::Comments, slug, id, |found| {
            live_comment(found, comment)
        })?;
        let pull_request = step.pull_request;
        let answered = pull_request
            .comments
            .iter()
            .any(|other| other.parent == Some(comment));
        if disappear && !answered {
            pull_request.comments.retain(|other| other.id != comment);
            pull_request
                .activity
                .retain(|entry| !matches!(entry.event, Event::Comment(other) if other == comment));
        } else {
            let found = comment_mut(pull_request, comment)?;
            found.text.clear();
            found.deleted = true;
            found.updated_on = step.at;
        }
        Ok(touched(slug, id, Some(comment)))
    }

    /// Approves; an earlier request for changes by the same user is withdrawn.
    pub fn approve(&mut self, slug: &str, id: u64, by: UserId) -> Result<Touched, Refused> {
        self.vote(slug, id, by, Verdict::Approved)
    }

    /// Requests changes; an earlier approval by the same user is withdrawn.
    pub fn request_changes(&mut self, slug: &str, id: u64, by: UserId) -> Result<Touched, Refused> {
        self.vote(slug, id, by, Verdict::ChangesRequested)
    }

    /// Takes back an approval, which also leaves the activity log.
    pub fn unapprove(&mut self, slug: &str, id: u64, by: UserId) -> Result<Touched, Refused> {
        let step = self.begin_on(Part::Verdicts, slug, id, |found| {
            let verdict = found
                .participant(by)
                .and_then(|participant| participant.verdict);
            if verdict == Some(Verdict::Approved) {
                Ok(())
            } else {
                Err(Refused::SameVerdict)
            }
        })?;
        forget_verdict(step.pull_request, by);
        if let Some(part) = step
            .pull_request
            .participants
            .iter_mut()
            .find(|part| part.user == by)
        {
            part.verdict = None;
        }
        Ok(touched(slug, id, None))
    }

    fn vote(
        &mut self,
        slug: &str,
        id: u64,
        by: UserId,
        verdict: Verdict,
    ) -> Result<Touched, Refused> {
        let step = self.begin_on(Part::Verdicts, slug, id, |found| {
            let before = found
                .participant(by)
                .and_then(|participant| participant.verdict);
            if before == Some(verdict) {
                Err(Refused::SameVerdict)
            } else {
                Ok(())
            }
        })?;
        forget_verdict(step.pull_request, by);
        take_part(step.pull_request, by, step.at).verdict = Some(verdict);
        let event = Event::Verdict(by, verdict);
        step.pull_request.activity.push(Activity {
            date: step.at,
            event,
        });
        Ok(touched(slug, id, None))
    }
}

impl Step<'_> {
    fn comment(
        self,
        by: Option<UserId>,
        text: &str,
        inline: Option<Inline>,
        parent: Option<u64>,
    ) -> Touched {
        let id = self.dice.comment_id();
        self.pull_request.comments.push(Comment {
            id,
            text: text.to_owned(),
            user: by,
            parent,
            inline,
            deleted: false,
            created_on: self.at,
            updated_on: self.at,
        });
        self.pull_request.activity.push(Activity {
            date: self.at,
            event: Event::Comment(id),
        });
        if let Some(by) = by {
            take_part(self.pull_request, by, self.at);
        }
        touched(self.slug, self.pull_request.id, Some(id))
    }
}

fn live_comment(pull_request: &PullRequest, id: u64) -> Result<(), Refused> {
    match pull_request.comment(id) {
        Some(comment) if !comment.deleted => Ok(()),
        _ => Err(Refused::NoComment),
    }
}

fn comment_mut(pull_request: &mut PullRequest, id: u64) -> Result<&mut Comment, Refused> {
    let found = pull_request
        .comments
        .binary_search_by_key(&id, |comment| comment.id);
    let index = found.map_err(|_| Refused::NoComment)?;
    Ok(&mut pull_request.comments[index])
}

fn forget_verdict(pull_request: &mut PullRequest, by: UserId) {
    let is_theirs = |event: &Event| matches!(event, Event::Verdict(user, _) if *user == by);
    pull_request
        .activity
        .retain(|entry| !is_theirs(&entry.event));
}

fn take_part(pull_request: &mut PullRequest, user: UserId, at: Time) -> &mut Participant {
    let parts = &mut pull_request.participants;
    let index = parts
        .iter()
        .position(|part| part.user == user)
        .unwrap_or_else(|| {
            parts.push(Participant {
                user,
                reviewer: false,
                verdict: None,
                participated_on: None,
            });
            parts.len() - 1
        });
    parts[index].participated_on = Some(at);
    &mut parts[index]
}

//! Which change comes next when chance decides.

use rand::Rng;
use rand::seq::IndexedRandom;

use super::change::Change;
use super::generate::anchor;
use super::model::{Comment, PullRequest, Repository, SourceRepository, State, UserId, Verdict};
use super::{World, prose, repositories};

/// The kinds of change and how often each happens in a thousand.
const WEIGHTS: [(Kind, u32); 20] = [
    (Kind::Comment, 220),
    (Kind::Reply, 110),
    (Kind::PushCommits, 100),
    (Kind::Approve, 100),
    (Kind::CreatePullRequest, 80),
    (Kind::Merge, 75),
    (Kind::EditPullRequest, 70),
    (Kind::EditComment, 60),
    (Kind::DeleteComment, 40),
    (Kind::RequestChanges, 30),
    (Kind::Unapprove, 25),
    (Kind::Decline, 20),
    (Kind::RewriteCommits, 20),
    (Kind::EditRepository, 12),
    (Kind::RenameUser, 10),
    (Kind::RemoveFork, 8),
    (Kind::Supersede, 6),
    (Kind::AddRepository, 6),
    (Kind::DeletePullRequest, 5),
    (Kind::DeleteRepository, 3),
];

#[derive(Clone, Copy)]
enum Kind {
    CreatePullRequest,
    EditPullRequest,
    Merge,
    Decline,
    Supersede,
    Comment,
    Reply,
    EditComment,
    DeleteComment,
    Approve,
    Unapprove,
    RequestChanges,
    PushCommits,
    RewriteCommits,
    DeletePullRequest,
    AddRepository,
    DeleteRepository,
    EditRepository,
    RenameUser,
    RemoveFork,
}

impl World {
    /// Makes one plausible change and says which.
    ///
    /// Common changes come up more often than rare ones. The change itself is drawn from `rng`;
    /// applying the returned value to an equal world gives an equal world.
    pub fn random_change<R: Rng + ?Sized>(&mut self, rng: &mut R) -> Change {
        loop {
            let change = self.propose(rng);
            // Refusals are rare races of the draw, such as the last repository being asked for twice.
            if self.apply(&change).is_ok() {
                return change;
            }
        }
    }

    /// Draws a change that the world in its present state would accept.
    pub fn propose<R: Rng + ?Sized>(&self, rng: &mut R) -> Change {
        // Only where there are trackers, so that scripts of other worlds stay what they were.
        if self.has_trackers
            && rng.random_bool(0.25)
            && let Some(change) = self.draw_tracker_change(rng)
        {
            return change;
        }
        if self.habits.rename_share > 0.0
            && rng.random_bool(self.habits.rename_share.min(1.0))
            && let Some(change) = self.draw_rename(rng)
        {
            return change;
        }
        if self.habits.git_share > 0.0
            && rng.random_bool(self.habits.git_share.min(1.0))
            && let Some(change) = self.draw_git_change(rng)
        {
            return change;
        }
        if self.habits.account_share > 0.0
            && rng.random_bool(self.habits.account_share.min(1.0))
            && let Some(change) = self.draw_account_change(rng)
        {
            return change;
        }
        // Few draws fail; a world where nearly everything is impossible just grows.
        for _ in 0..100 {
            let weight = |(kind, weight): &(Kind, u32)| match kind {
                Kind::DeletePullRequest | Kind::DeleteComment => weight * self.habits.deletions,
                _ => *weight,
            };
            let kind = WEIGHTS.choose_weighted(rng, weight);
            let drawn = kind.ok().and_then(|(kind, _)| self.draw(*kind, rng));
            if let Some(change) = drawn {
                return self.habits.dress(change, rng);
            }
        }
        self.new_repository()
    }

    fn draw<R: Rng + ?Sized>(&self, kind: Kind, rng: &mut R) -> Option<Change> {
        match kind {
            Kind::AddRepository => return Some(self.new_repository()),
            Kind::RenameUser => {
                let user = self.users.choose(rng)?.id;
                let (name, _) = prose::person(rng.random_range(0..1000));
                return Some(Change::RenameUser {
                    user,
                    display_name: name,
                });
            }
            _ => {}
        }
        let chosen = self.repositories.choose(rng)?;
        let repository = chosen.slug.clone();
        match kind {
            // A company that loses its last repositories has nothing left to test.
            Kind::DeleteRepository => {
                (self.repositories.len() > 2).then_some(Change::DeleteRepository { repository })
            }
            Kind::EditRepository => {
                let description = rng
                    .random_bool(0.7)
                    .then(|| prose::sentence(rng).to_owned());
                let language = description
                    .is_none()
                    .then(|| prose::language(rng).to_owned());
                Some(Change::EditRepository {
                    repository,
                    description,
                    language,
                })
            }
            Kind::CreatePullRequest => Some(Change::CreatePullRequest {
                repository,
                author: Some(self.users.choose(rng)?.id).filter(|_| !rng.random_bool(0.02)),
                title: prose::title(rng),
                description: prose::description(rng),
            }),
            _ => self.draw_for(any_pull_request(chosen, rng)?, repository, kind, rng),
        }
    }

    fn draw_for<R: Rng + ?Sized>(
        &self,
        pull_request: &PullRequest,
        repository: String,
        kind: Kind,
        rng: &mut R,
    ) -> Option<Change> {
        let by = self.users.choose(rng)?.id;
        let id = pull_request.id;
        let is_open = pull_request.state == State::Open;
        match kind {
            Kind::EditPullRequest => {
                let title = rng.random_bool(0.5).then(|| prose::title(rng));
                let description = title.is_none().then(|| prose::description(rng));
                Some(Change::EditPullRequest {
                    repository,
                    id,
                    by,
                    title,
                    description,
                })
            }
            Kind::Merge if is_open => Some(Change::Merge { repository, id, by }),
            Kind::Decline if is_open => {
                let reason = if rng.random_bool(0.5) {
                    prose::sentence(rng)
                } else {
                    ""
                };
                Some(Change::Decline {
                    repository,
                    id,
                    by,
                    reason: reason.to_owned(),
                })
            }
            Kind::Supersede if is_open => Some(Change::Supersede { repository, id, by }),
            Kind::PushCommits if is_open => Some(Change::PushCommits {
                repository,
                id,
                by,
                count: rng.random_range(1..4),
            }),
            Kind::RewriteCommits if is_open => Some(Change::RewriteCommits {
                repository,
                id,
                by,
                count: rng.random_range(1..5),
            }),
            Kind::Approve => Some(Change::Approve { repository, id, by }),
            Kind::RequestChanges => Some(Change::RequestChanges { repository, id, by }),
            Kind::Unapprove => {
                let mut parts = pull_request.participants.iter();
                let by = parts
                    .rfind(|part| part.verdict == Some(Verdict::Approved))?
                    .user;
                Some(Change::Unapprove { repository, id, by })
            }
            Kind::DeletePullRequest => Some(Change::DeletePullRequest { repository, id }),
            Kind::RemoveFork if matches!(pull_request.source, SourceRepository::Fork(_)) => {
                Some(Change::RemoveFork { repository, id })
            }
            _ => draw_comment(pull_request, by, repository, kind, rng),
        }
    }

    /// A repository under the first name that is free.
    fn new_repository(&self) -> Change {
        let names = (0..).map(prose::repository);
        let free = names.filter(|name| self.repository_index(&repositories::slug(name)).is_err());
        Change::AddRepository {
            name: free.take(1).collect(),
        }
    }
}

fn draw_comment<R: Rng + ?Sized>(
    pull_request: &PullRequest,
    by: UserId,
    repository: String,
    kind: Kind,
    rng: &mut R,
) -> Option<Change> {
    let id = pull_request.id;
    let author = Some(by).filter(|_| !rng.random_bool(0.03));
    let text = prose::remark(rng);
    match kind {
        Kind::Comment => {
            let inline = rng.random_bool(1.0 / 3.0).then(|| anchor(rng));
            Some(Change::Comment {
                repository,
                id,
                by: author,
                text,
                inline,
            })
        }
        Kind::Reply => {
            let parent = any_comment(pull_request, rng)?.id;
            Some(Change::Reply {
                repository,
                id,
                by: author,
                parent,
                text,
            })
        }
        Kind::EditComment => {
            let comment = any_comment(pull_request, rng)?.id;
            Some(Change::EditComment {
                repository,
                id,
                comment,
                text,
            })
        }
        Kind::DeleteComment => {
            let comment = any_comment(pull_request, rng)?.id;
            Some(Change::DeleteComment {
                repository,
                id,
                comment,
                disappear: rng.random_bool(0.3),
            })
        }
        _ => None,
    }
}

/// Any pull request, recent ones more often, as in life.
fn any_pull_request<'a, R: Rng + ?Sized>(
    repository: &'a Repository,
    rng: &mut R,
) -> Option<&'a PullRequest> {
    let last = *repository.pull_requests.keys().next_back()?;
    let first = if rng.random_bool(0.7) {
        last.saturating_sub(30)
    } else {
        0
    };
    let from = rng.random_range(first..=last);
    repository
        .pull_requests
        .range(from..)
        .next()
        .map(|(_, found)| found)
}

fn any_comment<'a, R: Rng + ?Sized>(
    pull_request: &'a PullRequest,
    rng: &mut R,
) -> Option<&'a Comment> {
    pull_request
        .comments
        .choose(rng)
        .filter(|comment| !comment.deleted)
}

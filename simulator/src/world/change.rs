//! Changes as values, so that a test can print what happened and play it again elsewhere.

use std::time::Duration;

use super::model::{Inline, UserId};
use super::{GitChange, Refused, Touched, TrackerChange, World};

/// One change to a world, with everything that was decided about it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "each variant is the method of the same name with its arguments"
)]
pub enum Change {
    CreatePullRequest {
        repository: String,
        author: Option<UserId>,
        title: String,
        description: String,
    },
    EditPullRequest {
        repository: String,
        id: u64,
        by: UserId,
        title: Option<String>,
        description: Option<String>,
    },
    Merge {
        repository: String,
        id: u64,
        by: UserId,
    },
    Decline {
        repository: String,
        id: u64,
        by: UserId,
        reason: String,
    },
    Supersede {
        repository: String,
        id: u64,
        by: UserId,
    },
    Comment {
        repository: String,
        id: u64,
        by: Option<UserId>,
        text: String,
        inline: Option<Inline>,
    },
    Reply {
        repository: String,
        id: u64,
        by: Option<UserId>,
        parent: u64,
        text: String,
    },
    EditComment {
        repository: String,
        id: u64,
        comment: u64,
        text: String,
    },
    DeleteComment {
        repository: String,
        id: u64,
        comment: u64,
        disappear: bool,
    },
    Approve {
        repository: String,
        id: u64,
        by: UserId,
    },
    Unapprove {
        repository: String,
        id: u64,
        by: UserId,
    },
    RequestChanges {
        repository: String,
        id: u64,
        by: UserId,
    },
    PushCommits {
        repository: String,
        id: u64,
        by: UserId,
        count: usize,
    },
    RewriteCommits {
        repository: String,
        id: u64,
        by: UserId,
        count: usize,
    },
    DeletePullRequest {
        repository: String,
        id: u64,
    },
    AddRepository {
        name: String,
    },
    DeleteRepository {
        repository: String,
    },
    EditRepository {
        repository: String,
        description: Option<String>,
        language: Option<String>,
    },
    RenameRepository {
        repository: String,
        name: String,
    },
    SwapRepositories {
        repository: String,
        with: String,
    },
    RenameUser {
        user: UserId,
        display_name: String,
    },
    CloseAccount {
        user: UserId,
    },
    CorrectPicture {
        user: UserId,
    },
    RemoveFork {
        repository: String,
        id: u64,
    },
    Git {
        repository: String,
        change: GitChange,
    },
    Tracker {
        repository: String,
        change: TrackerChange,
    },
    Silent {
        change: Box<Change>,
    },
    Late {
        behind: Duration,
        change: Box<Change>,
    },
}

impl Change {
    /// The change itself, without what [`Silent`](Change::Silent) and [`Late`](Change::Late) add.
    #[must_use]
    pub fn plain(&self) -> &Change {
        match self {
            Change::Silent { change } | Change::Late { change, .. } => change.plain(),
            change => change,
        }
    }

    /// Whether the change leaves `updated_on` of its pull request as it was.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        match self {
            Change::Silent { .. } => true,
            Change::Late { change, .. } => change.is_silent(),
            _ => false,
        }
    }
}

impl World {
    /// Makes a change that was described before.
    pub fn apply(&mut self, change: &Change) -> Result<Touched, Refused> {
        match change {
            Change::CreatePullRequest {
                repository,
                author,
                title,
                description,
            } => self.create_pull_request(repository, *author, title, description),
            Change::EditPullRequest {
                repository,
                id,
                by,
                title,
                description,
            } => self.edit_pull_request(
                repository,
                *id,
                *by,
                title.as_deref(),
                description.as_deref(),
            ),
            Change::Merge { repository, id, by } => self.merge(repository, *id, *by),
            Change::Decline {
                repository,
                id,
                by,
                reason,
            } => self.decline(repository, *id, *by, reason),
            Change::Supersede { repository, id, by } => self.supersede(repository, *id, *by),
            Change::Comment {
                repository,
                id,
                by,
                text,
                inline,
            } => self.comment(repository, *id, *by, text, inline.clone()),
            Change::Reply {
                repository,
                id,
                by,
                parent,
                text,
            } => self.reply(repository, *id, *by, *parent, text),
            Change::EditComment {
                repository,
                id,
                comment,
                text,
            } => self.edit_comment(repository, *id, *comment, text),
            Change::DeleteComment {
                repository,
                id,
                comment,
                disappear,
            } => self.delete_comment(repository, *id, *comment, *disappear),
            Change::Approve { repository, id, by } => self.approve(repository, *id, *by),
            Change::Unapprove { repository, id, by } => self.unapprove(repository, *id, *by),
            Change::RequestChanges { repository, id, by } => {
                self.request_changes(repository, *id, *by)
            }
            Change::PushCommits {
                repository,
                id,
                by,
                count,
            } => self.push_commits(repository, *id, *by, *count),
            Change::RewriteCommits {
                repository,
                id,
                by,
                count,
            } => self.rewrite_commits(repository, *id, *by, *count),
            Change::DeletePullRequest { repository, id } => {
                self.delete_pull_request(repository, *id)
            }
            Change::AddRepository { name } => self.add_repository(name),
            Change::DeleteRepository { repository } => self.delete_repository(repository),
            Change::EditRepository {
                repository,
                description,
                language,
            } => self.edit_repository(repository, description.as_deref(), language.as_deref()),
            Change::RenameRepository { repository, name } => {
                self.rename_repository(repository, name)
            }
            Change::SwapRepositories { repository, with } => {
                self.swap_repositories(repository, with)
            }
            Change::RenameUser { user, display_name } => self.rename_user(*user, display_name),
            Change::CloseAccount { user } => self.close_account(*user),
            Change::CorrectPicture { user } => self.correct_picture(*user),
            Change::RemoveFork { repository, id } => self.remove_fork(repository, *id),
            Change::Git { repository, change } => self.change_git(repository, change),
            Change::Tracker { repository, change } => self.change_tracker(repository, change),
            Change::Silent { change } => self.silently(change),
            Change::Late { behind, change } => self.late(*behind, change),
        }
    }
}

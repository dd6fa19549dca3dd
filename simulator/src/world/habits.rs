//! How a world's changes show, where the real service differs or that was not observed.

use std::time::Duration;

use rand::Rng;

use super::change::Change;
use super::{Refused, Touched, World};

/// What changes do to `updated_on`, and what random changes look like.
///
/// The default is a service that reports everything in time: each change moves `updated_on`.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a habit of its own that a test turns on or off by its name"
)]
#[derive(Clone, Debug, PartialEq)]
pub struct Habits {
    /// Whether comments, their edits and their deletion move `updated_on` of the pull request.
    pub comments_move_updated_on: bool,
    /// Whether approvals and requests for changes move `updated_on` of the pull request.
    pub verdicts_move_updated_on: bool,
    /// Share (0 to 1) of drawn comments and verdicts that leave `updated_on` alone, whatever the
    /// two flags say. They come out as [`Change::Silent`].
    pub silent_share: f64,
    /// Share (0 to 1) of drawn changes that show up late. They come out as [`Change::Late`].
    pub late_share: f64,
    /// How late at most.
    pub late_by: Duration,
    /// How many times as often as usual pull requests and comments are deleted; 0 for never.
    pub deletions: u32,
    /// Share (0 to 1) of drawn changes that happen in git itself: pushes to the main branch, forced
    /// ones, tags and branches.
    pub git_share: f64,
    /// Share (0 to 1) of drawn changes that give repositories other names.
    pub rename_share: f64,
    /// Share (0 to 1) of drawn changes that close accounts or correct what payloads say of them.
    pub account_share: f64,
    /// Whether the activity log of a new pull request begins with two entries, as every recorded
    /// one does: they differ in their dates only.
    pub creation_is_logged_twice: bool,
    /// Whether a repository still answers to a name that it had before and that no other has.
    pub former_names_answer: bool,
}

impl Default for Habits {
    fn default() -> Habits {
        Habits {
            comments_move_updated_on: true,
            verdicts_move_updated_on: true,
            silent_share: 0.0,
            late_share: 0.0,
            late_by: Duration::from_secs(90),
            deletions: 1,
            git_share: 0.0,
            rename_share: 0.0,
            account_share: 0.0,
            creation_is_logged_twice: false,
            former_names_answer: false,
        }
    }
}

impl Habits {
    /// Everything that a client which trusts `updated_on` trips over: silent and late changes,
    /// and eight times as many deletions as usual.
    #[must_use]
    pub fn nasty() -> Habits {
        Habits {
            silent_share: 0.1,
            late_share: 0.1,
            deletions: 8,
            ..Habits::default()
        }
    }

    /// Makes some drawn changes silent or late. Draws nothing where the shares are zero, so that
    /// scripts of the default habits stay what they were.
    pub(super) fn dress<R: Rng + ?Sized>(&self, change: Change, rng: &mut R) -> Change {
        let mut change = change;
        if self.silent_share > 0.0
            && may_be_silent(&change)
            && rng.random_bool(self.silent_share.min(1.0))
        {
            change = Change::Silent {
                change: Box::new(change),
            };
        }
        if self.late_share > 0.0 && rng.random_bool(self.late_share.clamp(0.0, 1.0)) {
            let most = u64::try_from(self.late_by.as_millis()).unwrap_or(u64::MAX);
            change = Change::Late {
                behind: Duration::from_millis(rng.random_range(0..=most)),
                change: Box::new(change),
            };
        }
        change
    }
}

fn may_be_silent(change: &Change) -> bool {
    matches!(
        change,
        Change::Comment { .. }
            | Change::Reply { .. }
            | Change::EditComment { .. }
            | Change::DeleteComment { .. }
            | Change::Approve { .. }
            | Change::Unapprove { .. }
            | Change::RequestChanges { .. }
    )
}

impl World {
    /// How changes show at present.
    #[must_use]
    pub fn habits(&self) -> &Habits {
        &self.habits
    }

    /// Decides how changes show from now on; what has happened stays as it is.
    pub fn set_habits(&mut self, habits: Habits) {
        self.habits = habits;
    }

    /// Makes a change to comments or verdicts that leaves `updated_on` of the pull request alone.
    /// On other changes it has no effect of its own.
    pub fn silently(&mut self, change: &Change) -> Result<Touched, Refused> {
        let usual = self.habits.clone();
        self.habits.comments_move_updated_on = false;
        self.habits.verdicts_move_updated_on = false;
        let made = self.apply(change);
        self.habits = usual;
        made
    }

    /// Makes a change that happened a while ago and only shows now, as when a replica lags: all
    /// its times are that far behind the clock, but never before an earlier update of the same
    /// pull request.
    pub fn late(&mut self, behind: Duration, change: &Change) -> Result<Touched, Refused> {
        let (clock, dice, pace) = (self.clock, self.dice.clone(), self.pace.clone());
        let now = self.tick();
        // A duration that chrono cannot hold is centuries long: punctual is as good an answer.
        self.clock = now - chrono::TimeDelta::from_std(behind).unwrap_or_default();
        self.pace = 0..1;
        let made = self.apply(change);
        self.pace = pace;
        if made.is_ok() {
            self.clock = self.clock.max(now);
        } else {
            (self.clock, self.dice) = (clock, dice);
        }
        made
    }

    /// Sets the clock forward or back, as an administrator does: what happens from now on is
    /// stamped by the new time, also where that is before what happened already.
    pub fn turn_clock(&mut self, by: chrono::TimeDelta) {
        self.clock += by;
    }
}

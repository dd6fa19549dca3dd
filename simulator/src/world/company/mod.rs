//! A company that ships: a year of a shop's repositories, ending when it is asked for.
//!
//! Everything that happens is an entry of one agenda, which is worked off in the order of time until
//! the end. So what is under way then is under way: pull requests wait for reviews, pipelines run,
//! incidents are open.

mod delivery;
mod hours;
mod incidents;
mod play;
mod review;
mod services;
mod staff;
mod tracker;
mod words;

use chrono::{DateTime, Utc};

use super::World;
use play::Play;

use staff::{MEMBERS, Member, TEAMS};

/// A company, by its seed and its last moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Company {
    seed: u64,
    until: DateTime<Utc>,
}

impl Company {
    /// Slug of its workspace.
    pub const WORKSPACE: &'static str = "acme";

    /// The company of a seed as it is at a moment (UTC), a year after it began to keep records.
    #[must_use]
    pub fn new(seed: u64, until: DateTime<Utc>) -> Company {
        Company { seed, until }
    }

    /// Its workspace. The same company gives the same world, byte for byte.
    #[must_use]
    pub fn world(&self) -> World {
        Play::new(self.seed, self.until).played()
    }

    /// Its people as rows of `users` in CSV, as its personnel office would give them out.
    #[must_use]
    pub fn users_csv() -> String {
        let rows = people().map(|(place, member)| {
            format!("{},{},{}\n", number(place), member.email(), member.name)
        });
        format!("id,email,name\n{}", rows.collect::<String>())
    }

    /// Its teams as rows of `teams` in CSV.
    #[must_use]
    pub fn teams_csv() -> String {
        let rows = (0..)
            .zip(TEAMS)
            .map(|(place, (name, alias))| format!("{},{name},{alias},,{place}\n", team(place)));
        let header = "id,name,alias,parent_id,sorting_index\n";
        format!("{header}{}", rows.collect::<String>())
    }

    /// Who is in which team, as rows of `team_users` in CSV.
    #[must_use]
    pub fn team_users_csv() -> String {
        let rows = people().filter_map(|(place, member)| {
            Some(format!("{},{}\n", team(member.team?), number(place)))
        });
        format!("team_id,user_id\n{}", rows.collect::<String>())
    }
}

/// Everyone but bots, with their places.
fn people() -> impl Iterator<Item = (usize, &'static Member)> {
    let everyone = MEMBERS.iter().enumerate();
    everyone.filter(|(_, member)| member.team.is_some())
}

/// Personnel number.
fn number(place: usize) -> String {
    format!("P{:03}", place + 1)
}

fn team(place: usize) -> String {
    format!("T{}", place + 1)
}

//! Who works at the company, and in which teams.

use crate::world::dice::Dice;
use crate::world::model::{User, UserId};
use crate::world::repositories::avatar;

/// One person of the company.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Member {
    /// Name shown to people.
    pub(super) name: &'static str,
    /// Name in addresses.
    pub(super) nickname: &'static str,
    /// Place in [`TEAMS`]; none for a bot.
    pub(super) team: Option<usize>,
    /// Minutes by which the local time is ahead of UTC.
    pub(super) zone: i64,
}

impl Member {
    /// The address in commits.
    #[must_use]
    pub(super) fn email(&self) -> String {
        format!("{}@example.com", self.nickname)
    }
}

/// Name and other name of each team.
pub(super) const TEAMS: [(&str, &str); 4] = [
    ("Storefront", "Shop window"),
    ("Payments", "Till"),
    ("Catalog", "Shelves"),
    ("Fulfilment", "Warehouse"),
];

const BERLIN: i64 = 60;
const LISBON: i64 = 0;
const TORONTO: i64 = -300;
const PUNE: i64 = 330;

const fn person(
    name: &'static str,
    nickname: &'static str,
    team: Option<usize>,
    zone: i64,
) -> Member {
    Member {
        name,
        nickname,
        team,
        zone,
    }
}

/// Everyone, the bot last.
pub(super) const MEMBERS: [Member; 16] = [
    person("Ines Carvalho", "ines", Some(0), LISBON),
    person("Jonas Weber", "jonas", Some(0), BERLIN),
    person("Priya Nair", "priya", Some(0), PUNE),
    person("Lena Fischer", "lena", Some(0), BERLIN),
    person("Marta Kowalska", "marta", Some(1), BERLIN),
    person("David Chen", "david", Some(1), TORONTO),
    person("Amina Yusuf", "amina", Some(1), LISBON),
    person("Erik Lindqvist", "erik", Some(1), BERLIN),
    person("Claire Dubois", "claire", Some(2), BERLIN),
    person("Samir Haddad", "samir", Some(2), BERLIN),
    person("Oleh Bondar", "oleh", Some(2), LISBON),
    person("Rohan Kulkarni", "rohan", Some(2), PUNE),
    person("Sofia Rossi", "sofia", Some(3), BERLIN),
    person("Hannah Berg", "hannah", Some(3), BERLIN),
    person("Liam Tremblay", "liam", Some(3), TORONTO),
    person("Renovate Bot", "renovate-bot", None, BERLIN),
];

/// The bot that keeps dependencies up to date.
pub(super) const BOT: UserId = UserId(MEMBERS.len() - 1);

/// Minutes by which a person's local time is ahead of UTC.
pub(super) fn zone(user: UserId) -> i64 {
    MEMBERS.get(user.0).map_or(BERLIN, |member| member.zone)
}

/// People of a team.
pub(super) fn of_team(team: usize) -> Vec<UserId> {
    let everyone = MEMBERS.iter().enumerate();
    everyone
        .filter(|(_, member)| member.team == Some(team))
        .map(|(place, _)| UserId(place))
        .collect()
}

/// Everyone's accounts.
pub(super) fn users(dice: &mut Dice) -> Vec<User> {
    let everyone = MEMBERS.iter().enumerate();
    everyone
        .map(|(place, member)| User {
            id: UserId(place),
            uuid: format!("{{{}}}", dice.uuid()),
            account_id: dice.account_id(),
            display_name: member.name.to_owned(),
            nickname: member.nickname.to_owned(),
            email: member.email(),
            avatar: avatar(dice),
        })
        .collect()
}

//! Who is who: accounts and authors that are one person, by e-mail address, mailmap and name.
//!
//! Pure: rows in, rows and reasons out.

pub(crate) mod mailmap;

use std::collections::{BTreeMap, BTreeSet};

use headwater_domain::crossdomain::{user, user_account};
use headwater_store::measuring::{Author, GivenPeople, StoredAccount};

use mailmap::Mailmap;

/// What people are joined from.
#[derive(Default)]
pub(crate) struct Sources {
    pub(crate) accounts: Vec<StoredAccount>,
    pub(crate) authors: Vec<Author>,
    /// Users and accounts that were imported: they stay as they are.
    pub(crate) given: GivenPeople,
    pub(crate) mailmap: Mailmap,
    /// Accounts whose name is that of exactly one user are this user's.
    pub(crate) by_name: bool,
}

/// One account, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Joined {
    /// The account, or the address of an author without one.
    pub(crate) account: String,
    /// The user; empty where it is nobody's.
    pub(crate) user: String,
    /// Why.
    pub(crate) reason: String,
}

/// Who is who.
#[derive(Debug, Default)]
pub(crate) struct People {
    /// Users that are not given.
    pub(crate) users: Vec<user::Model>,
    /// Accounts of users that are not given.
    pub(crate) accounts: Vec<user_account::Model>,
    /// Every account, with the reason.
    pub(crate) report: Vec<Joined>,
}

/// An account with the addresses that it is known by.
#[derive(Default)]
struct Known {
    name: String,
    is_bot: bool,
    /// Addresses, each with how it is known.
    addresses: BTreeMap<String, String>,
}

/// Joins accounts that share an address. An account that is given a user by an import keeps it; so
/// accounts are split.
pub(crate) fn join(sources: &Sources) -> People {
    let known = known_accounts(sources);
    let given: BTreeMap<&str, &str> = sources
        .given
        .accounts
        .iter()
        .map(|row| (row.account_id.as_str(), row.user_id.as_str()))
        .collect();
    let free = known
        .iter()
        .filter(|(id, it)| !it.is_bot && !given.contains_key(id.as_str()));
    let groups = grouped(free.map(|(id, it)| (id.as_str(), it.addresses.keys())));
    let users = users_by_address(sources);
    let mut people = People::default();
    for (id, it) in &known {
        let (user, reason) = if let Some(user) = given.get(id.as_str()) {
            ((*user).to_owned(), "given by an import".to_owned())
        } else if it.is_bot {
            (String::new(), "a bot".to_owned())
        } else if let Some(group) = groups.get(id.as_str()) {
            of_group(sources, it, group, &users)
        } else {
            by_name(sources, it)
        };
        if !given.contains_key(id.as_str()) && !user.is_empty() {
            people.accounts.push(user_account::Model {
                user_id: user.clone(),
                account_id: id.clone(),
            });
        }
        people.report.push(Joined {
            account: id.clone(),
            user,
            reason,
        });
    }
    people.users = new_users(sources, &known, &people.accounts);
    people
}

fn known_accounts(sources: &Sources) -> BTreeMap<String, Known> {
    let mut known: BTreeMap<String, Known> = BTreeMap::new();
    for account in &sources.accounts {
        let it = known.entry(account.id.clone()).or_default();
        it.name.clone_from(&account.full_name);
        it.is_bot = account.is_bot;
        add_address(
            sources,
            it,
            (&account.full_name, &account.email),
            "the account's address",
        );
    }
    // Of several names the one of most commits is an author's.
    let mut most: BTreeMap<&str, i64> = BTreeMap::new();
    for author in &sources.authors {
        let it = known.entry(author.id.clone()).or_default();
        let most = most.entry(&author.id).or_default();
        if author.id == author.email && author.commits > *most {
            *most = author.commits;
            it.name.clone_from(&author.name);
        }
        let of = crate::report::counted(author.commits.unsigned_abs(), "commit", "commits");
        add_address(
            sources,
            it,
            (&author.name, &author.email),
            &format!("author of {of}"),
        );
    }
    known
}

/// Adds the address that the mailmap gives for one, unless nobody is told by it.
fn add_address(sources: &Sources, known: &mut Known, (name, email): (&str, &str), how: &str) {
    if !email.contains('@') || is_shared(email) {
        return;
    }
    let proper = sources.mailmap.address_of(name, email);
    let reason = if proper == email.to_lowercase() {
        format!("{proper}, {how}")
    } else {
        format!("{proper}, by the mailmap for {email}, {how}")
    };
    known.addresses.entry(proper).or_insert(reason);
}

/// Addresses that programs give to everybody.
fn is_shared(email: &str) -> bool {
    let local = email.split('@').next().unwrap_or_default().to_lowercase();
    ["noreply", "no-reply", "root", "nobody", "unknown"].contains(&local.as_str())
        || email.to_lowercase().ends_with("@localhost")
}

/// The addresses of the group that each account is in; accounts without an address are in none.
fn grouped<'k>(
    accounts: impl Iterator<Item = (&'k str, impl Iterator<Item = &'k String>)>,
) -> BTreeMap<&'k str, BTreeSet<&'k str>> {
    let mut groups: Vec<(BTreeSet<&str>, BTreeSet<&str>)> = Vec::new();
    let mut of_address: BTreeMap<&str, usize> = BTreeMap::new();
    for (account, addresses) in accounts {
        let addresses: BTreeSet<&str> = addresses.map(String::as_str).collect();
        if addresses.is_empty() {
            continue;
        }
        let met: BTreeSet<usize> = addresses
            .iter()
            .filter_map(|it| of_address.get(it).copied())
            .collect();
        let place = groups.len();
        groups.push((BTreeSet::from([account]), addresses));
        for other in met {
            let (accounts, addresses) = std::mem::take(&mut groups[other]);
            groups[place].0.extend(accounts);
            groups[place].1.extend(addresses);
        }
        for address in &groups[place].1 {
            of_address.insert(address, place);
        }
    }
    let mut by_account = BTreeMap::new();
    for (accounts, addresses) in groups {
        for account in accounts {
            by_account.insert(account, addresses.clone());
        }
    }
    by_account
}

fn users_by_address(sources: &Sources) -> BTreeMap<String, &str> {
    let users = sources.given.users.iter();
    let with_address = users.filter(|user| user.email.contains('@'));
    with_address
        .map(|user| {
            let address = sources.mailmap.address_of(&user.name, &user.email);
            (address, user.id.as_str())
        })
        .collect()
}

/// The user of an account that is known by addresses: the given one of any of them, else one that
/// is named by the smallest.
fn of_group(
    sources: &Sources,
    known: &Known,
    group: &BTreeSet<&str>,
    users: &BTreeMap<String, &str>,
) -> (String, String) {
    let given: BTreeSet<&str> = group
        .iter()
        .filter_map(|it| users.get(*it).copied())
        .collect();
    let how: Vec<&str> = known.addresses.values().map(String::as_str).collect();
    let how = how.join("; ");
    match given.len() {
        1 => {
            let user = given.first().copied().unwrap_or_default();
            (user.to_owned(), how)
        }
        0 => match by_name(sources, known) {
            (user, reason) if !user.is_empty() => (user, reason),
            _ => {
                let smallest = group.first().copied().unwrap_or_default();
                (smallest.to_owned(), how)
            }
        },
        _ => {
            let users: Vec<&str> = given.into_iter().collect();
            let reason = format!(
                "its addresses are those of several users: {}",
                users.join(", ")
            );
            (String::new(), reason)
        }
    }
}

fn by_name(sources: &Sources, known: &Known) -> (String, String) {
    let nobody = |reason: &str| (String::new(), reason.to_owned());
    if !sources.by_name || known.name.is_empty() {
        return nobody("no address is known");
    }
    let lower = known.name.to_lowercase();
    let users = sources.given.users.iter();
    let mut named = users.filter(|user| user.name.to_lowercase() == lower);
    match (named.next(), named.next()) {
        (Some(user), None) => (user.id.clone(), format!("the name {}", known.name)),
        (Some(_), Some(_)) => nobody("several users have its name"),
        (None, _) => nobody("no address is known, and no user has its name"),
    }
}

/// Users that accounts were joined to and that are not given: named like the account with the
/// longest name.
fn new_users(
    sources: &Sources,
    known: &BTreeMap<String, Known>,
    accounts: &[user_account::Model],
) -> Vec<user::Model> {
    let given: BTreeSet<&str> = sources
        .given
        .users
        .iter()
        .map(|it| it.id.as_str())
        .collect();
    let mut users: BTreeMap<&str, &str> = BTreeMap::new();
    for row in accounts
        .iter()
        .filter(|row| !given.contains(row.user_id.as_str()))
    {
        let name = known.get(&row.account_id).map_or("", |it| it.name.as_str());
        let so_far = users.entry(&row.user_id).or_default();
        if name.len() > so_far.len() {
            *so_far = name;
        }
    }
    let users = users.into_iter().map(|(id, name)| user::Model {
        id: id.to_owned(),
        email: id.to_owned(),
        name: sources.mailmap.name_of(id).unwrap_or(name).to_owned(),
    });
    users.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(id: &str, email: &str, full_name: &str) -> StoredAccount {
        StoredAccount {
            id: id.to_owned(),
            email: email.to_owned(),
            full_name: full_name.to_owned(),
            is_bot: full_name == "Build",
        }
    }

    fn author(id: &str, email: &str, name: &str) -> Author {
        Author {
            id: id.to_owned(),
            email: email.to_owned(),
            name: name.to_owned(),
            commits: 2,
        }
    }

    fn given_user(id: &str, email: &str, name: &str) -> user::Model {
        user::Model {
            id: id.to_owned(),
            email: email.to_owned(),
            name: name.to_owned(),
        }
    }

    fn shown(people: &People) -> Vec<String> {
        let report = people.report.iter();
        let lines = report.map(|it| format!("{} -> {}: {}", it.account, it.user, it.reason));
        lines.collect()
    }

    #[test]
    fn accounts_that_share_an_address_are_one_person() {
        let sources = Sources {
            accounts: vec![
                account("a1", "", "Ann"),
                account("a2", "ANN@acme.org", "Ann Archer"),
                account("b1", "", "Bob"),
                account("ci", "ann@acme.org", "Build"),
            ],
            authors: vec![
                author("a1", "ann@acme.org", "ann"),
                author("a1", "noreply@acme.org", "ann"),
                author("ann@home.org", "ann@home.org", "Ann"),
                author("c@acme.org", "c@acme.org", "Cy"),
            ],
            mailmap: Mailmap::parse("Ann Archer <ann@acme.org> <ann@home.org>").unwrap(),
            ..Sources::default()
        };
        let people = join(&sources);
        assert_eq!(
            shown(&people),
            [
                "a1 -> ann@acme.org: ann@acme.org, author of 2 commits",
                "a2 -> ann@acme.org: ann@acme.org, the account's address",
                "ann@home.org -> ann@acme.org: ann@acme.org, by the mailmap for ann@home.org, \
                 author of 2 commits",
                "b1 -> : no address is known",
                "c@acme.org -> c@acme.org: c@acme.org, author of 2 commits",
                "ci -> : a bot",
            ]
        );
        let users: Vec<(&str, &str)> = people
            .users
            .iter()
            .map(|user| (user.id.as_str(), user.name.as_str()))
            .collect();
        assert_eq!(
            users,
            [("ann@acme.org", "Ann Archer"), ("c@acme.org", "Cy")]
        );
    }

    #[test]
    fn what_was_imported_wins_and_splits() {
        let mut sources = Sources {
            accounts: vec![
                account("a1", "ann@acme.org", "Ann"),
                account("a2", "ann@acme.org", "Ann"),
                account("b1", "", "Bob"),
            ],
            given: GivenPeople {
                users: vec![
                    given_user("7", "Ann@Acme.org", "Ann Archer"),
                    given_user("8", "", "bob"),
                ],
                accounts: Vec::new(),
            },
            by_name: true,
            ..Sources::default()
        };
        let people = join(&sources);
        let users: Vec<&str> = people
            .accounts
            .iter()
            .map(|it| it.user_id.as_str())
            .collect();
        assert_eq!(users, ["7", "7", "8"]);
        assert!(people.users.is_empty());
        sources.given.accounts = vec![user_account::Model {
            user_id: "9".to_owned(),
            account_id: "a2".to_owned(),
        }];
        let people = join(&sources);
        assert_eq!(people.report[1].reason, "given by an import");
        let kept: Vec<&str> = people
            .accounts
            .iter()
            .map(|it| it.account_id.as_str())
            .collect();
        assert_eq!(kept, ["a1", "b1"], "what is given is not written");
    }

    #[test]
    fn an_account_of_two_users_is_nobodys() {
        let sources = Sources {
            accounts: vec![account("a1", "", "Ann")],
            authors: vec![
                author("a1", "x@a.org", "Ann"),
                author("a1", "y@a.org", "Ann"),
            ],
            given: GivenPeople {
                users: vec![
                    given_user("1", "x@a.org", "X"),
                    given_user("2", "y@a.org", "Y"),
                ],
                accounts: Vec::new(),
            },
            ..Sources::default()
        };
        let people = join(&sources);
        assert!(people.accounts.is_empty());
        assert_eq!(
            people.report[0].reason,
            "its addresses are those of several users: 1, 2"
        );
    }
}

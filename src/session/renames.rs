//! Repositories whose names changed at the source: their rows follow before anything is collected.
//!
//! What stays is the UUID. Where rows of one UUID bear a name that another UUID has now, they must
//! give it up first, or two repositories would be mixed. Why here: docs/decisions/0028-renames.md.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures::{StreamExt, stream};
use headwater_collectors::{Repositories, RequestError, RequestErrorKind, Verdict};
use headwater_domain::Scope;
use headwater_store::renames::{Rename, Renaming};
use tokio_util::sync::CancellationToken;

use super::Session;
use crate::exit::{Exit, Failure};
use crate::report::Event;
use crate::resolve::{Resolved, WantedScope};
use crate::run::lease_all;
use crate::source::{REPOSITORIES, Source};

/// Asks for the repositories that are named in full, since only their UUID says whether they are
/// still those of last time. What comes back is their payload, so it costs no request more.
///
/// Only names that `is_asked` says are asked for. Names that lead elsewhere now are replaced. A name that cannot be asked for stays as it is: its
/// collection will say why. Returns names as configured with those they lead to, where they differ.
///
/// # Errors
/// When the database fails.
pub(super) async fn ask_for_names(
    session: &Session,
    (repositories, is_asked): (&Repositories<'_>, &(dyn Fn(&str) -> bool + Sync)),
    cancel: &CancellationToken,
    found: &mut Resolved,
) -> Result<Vec<(String, String)>, Failure> {
    let wanted = std::mem::take(&mut found.wanted);
    let asked = stream::iter(wanted).map(|wanted| async move {
        if wanted.prefetched.is_some() || !is_asked(&wanted.scope.full_name) {
            return (wanted, Ok(None));
        }
        let answer = repositories.named(&wanted.scope, cancel).await;
        (wanted, answer)
    });
    let answers: Vec<_> = asked
        .buffered(repositories.client().concurrency())
        .collect()
        .await;
    let mut aliases: Option<HashMap<String, String>> = None;
    let mut by_name: BTreeMap<String, WantedScope> = BTreeMap::new();
    let mut leads = Vec::new();
    for (mut wanted, answer) in answers {
        let connection_id = wanted.scope.connection_id;
        let name = wanted.scope.full_name.clone();
        match answer {
            Ok(Some(repository)) => {
                let uuid = repository.lasting_id();
                found
                    .listed
                    .extend(uuid.map(|uuid| (uuid, repository.full_name.clone())));
                wanted = WantedScope {
                    scope: Scope::new(connection_id, repository.full_name),
                    prefetched: Some(repository.item),
                };
            }
            Err(error) if is_missing(&error) => {
                // A former name that does not lead on any more.
                if aliases.is_none() {
                    aliases = Some(present_names(session, connection_id).await?);
                }
                let present = aliases.as_ref().and_then(|aliases| aliases.get(&name));
                if let Some(present) = present {
                    wanted.scope = Scope::new(connection_id, present.clone());
                }
            }
            // Whatever it is, its collection will say it.
            Ok(None) | Err(_) => {}
        }
        if wanted.scope.full_name != name {
            leads.push((name, wanted.scope.full_name.clone()));
        }
        let known = by_name.get(&wanted.scope.full_name);
        if known.is_none_or(|known| known.prefetched.is_none()) {
            by_name.insert(wanted.scope.full_name.clone(), wanted);
        }
    }
    found.wanted = by_name.into_values().collect();
    Ok(leads)
}

fn is_missing(error: &RequestError) -> bool {
    matches!(
        error.kind,
        RequestErrorKind::NotFound { .. } | RequestErrorKind::Forbidden { .. }
    )
}

/// Former names of repositories, unless a repository bears them now.
async fn present_names(
    session: &Session,
    connection_id: i64,
) -> Result<HashMap<String, String>, Failure> {
    let store = &session.store;
    let mut names = HashMap::new();
    for (former, present) in store.aliases(connection_id).await? {
        names.entry(former).or_insert(present);
    }
    for known in store.scopes().await? {
        if known.scope.connection_id == connection_id {
            names.remove(&known.scope.full_name);
        }
    }
    Ok(names)
}

/// Gives the rows of renamed repositories their new names. Those that another process works on are left out of `found`; returns true when there are any.
///
/// # Errors
/// When the database fails.
pub(super) async fn follow(
    session: &Session,
    (name, connection_id): (&str, i64),
    (source, repositories): (&Source, &Repositories<'_>),
    cancel: &CancellationToken,
    found: &mut Resolved,
) -> Result<bool, Failure> {
    let store = &session.store;
    let tables = source.tables();
    let Some(entry) = source.find(REPOSITORIES) else {
        return Ok(false);
    };
    let raw_table = &entry.collection.raw_table;
    let listing = repositories.listing;
    let mut known = store
        .collected_repositories(connection_id, raw_table)
        .await?;
    // Recordings of old have other keys.
    known.retain(|(id, _)| (listing.is_lasting_id)(id));
    let mut names = Names::new(known, &found.listed);
    let mut unreached = Vec::new();
    while let Some((uuid, scope)) = names.displaced() {
        let at = (listing.by_lasting_id)(&scope, &uuid);
        match repositories.named(&at, cancel).await {
            Ok(Some(there)) if there.lasting_id().as_ref() == Some(&uuid) => {
                names.found(uuid, there.full_name);
            }
            Err(error) if error.kind.verdict() != Verdict::Skip => {
                let mut unclear = involved(&names.renames());
                unclear.insert(scope);
                return Ok(leave_out(
                    session,
                    name,
                    found,
                    &unclear,
                    &error.to_string(),
                ));
            }
            _ => {
                unreached.push(at.clone());
                names.found(uuid, at.full_name);
            }
        }
    }
    let mut renames = names.renames();
    let mut taken = Vec::new();
    for rename in &renames {
        let is_left = renames.iter().any(|other| other.from == rename.to);
        if !is_left && store.has_rows(&rename.to, &tables).await? {
            taken.push(rename.clone());
        }
    }
    renames.retain(|rename| !taken.contains(rename));
    for rename in &taken {
        let message = format!(
            "{name}:{} is called {} now, and rows of that name are there already; both stay as \
             they are",
            rename.from.full_name, rename.to.full_name
        );
        session.reporter.event(&Event::Notice { message });
    }
    if renames.is_empty() {
        return Ok(false);
    }
    let scopes = involved(&renames);
    let leases = match lease_all(store, scopes.iter(), "rename").await {
        Ok(leases) => leases,
        Err(failure) if failure.exit == Exit::Leased => {
            return Ok(leave_out(
                session,
                name,
                found,
                &scopes,
                &failure.to_string(),
            ));
        }
        Err(failure) => return Err(failure),
    };
    // The endpoint was parsed long ago: every name has an address.
    let address = |scope: &Scope| repositories.address(scope).unwrap_or_default();
    let renaming = Renaming {
        tables: &tables,
        steps: &renames
            .first()
            .map_or_else(Vec::new, |rename| source.reading_steps(&rename.from)),
        ids: source.ids,
        aside: listing.by_lasting_id,
        address: &address,
    };
    store
        .rename(&renames, &renaming, session.clock.now())
        .await?;
    for lease in leases {
        lease.release().await?;
    }
    lead_on(found, &renames);
    for scope in &unreached {
        let now = session.clock.now();
        store.set_source_gone(scope, Some(now)).await?;
    }
    for rename in &renames {
        let (from, to) = (&rename.from.full_name, &rename.to.full_name);
        let message = format!("{name}:{from} is called {to} now; its rows follow");
        session.reporter.event(&Event::Notice { message });
    }
    Ok(false)
}

/// Collects nothing under names of which it is not clear whose they are.
fn leave_out(
    session: &Session,
    name: &str,
    found: &mut Resolved,
    scopes: &BTreeSet<Scope>,
    why: &str,
) -> bool {
    let (left_out, wanted): (Vec<WantedScope>, Vec<WantedScope>) =
        std::mem::take(&mut found.wanted)
            .into_iter()
            .partition(|wanted| scopes.contains(&wanted.scope));
    found.wanted = wanted;
    for scope in scopes {
        // Not gone, only not looked at.
        found.left_aside.insert(scope.full_name.clone());
    }
    let names = left_out
        .iter()
        .map(|wanted| wanted.scope.full_name.as_str());
    let message = format!(
        "{name}: a repository has another name now, and its rows could not follow: {why}; not \
         collected this time: {}",
        names.collect::<Vec<_>>().join(", ")
    );
    session.reporter.event(&Event::Notice { message });
    true
}

/// Names of before that did not answer lead to the repositories that had them.
fn lead_on(found: &mut Resolved, renames: &[Rename]) {
    for rename in renames {
        let is_there = |scope: &Scope| found.wanted.iter().position(|it| it.scope == *scope);
        let unanswered = is_there(&rename.from).filter(|&at| found.wanted[at].prefetched.is_none());
        match (unanswered, is_there(&rename.to)) {
            (Some(place), Some(_)) => drop(found.wanted.remove(place)),
            (Some(place), None) => found.wanted[place].scope = rename.to.clone(),
            (None, _) => {}
        }
    }
}

fn involved(renames: &[Rename]) -> BTreeSet<Scope> {
    let scopes = renames.iter().flat_map(|rename| [&rename.from, &rename.to]);
    scopes.cloned().collect()
}

/// Names that repositories have here and at the source.
struct Names {
    known: Vec<(String, Scope)>,
    /// By UUID.
    present: HashMap<String, String>,
    /// By name.
    owners: HashMap<String, String>,
}

impl Names {
    fn new(known: Vec<(String, Scope)>, listed: &[(String, String)]) -> Self {
        let mut names = Self {
            known,
            present: HashMap::new(),
            owners: HashMap::new(),
        };
        for (uuid, name) in listed {
            names.found(uuid.clone(), name.clone());
        }
        names
    }

    fn found(&mut self, uuid: String, name: String) {
        self.owners.insert(name.clone(), uuid.clone());
        self.present.insert(uuid, name);
    }

    /// A repository of which nothing is known but that another one bears its name now.
    fn displaced(&self) -> Option<(String, Scope)> {
        let mut known = self.known.iter();
        let displaced = known.find(|(uuid, scope)| {
            let owner = self.owners.get(&scope.full_name);
            !self.present.contains_key(uuid) && owner.is_some_and(|owner| owner != uuid)
        });
        displaced.cloned()
    }

    /// The repositories that have another name at the source. Of rows that are there under both
    /// names already, none move.
    fn renames(&self) -> Vec<Rename> {
        let renamed = self.known.iter().filter_map(|(uuid, from)| {
            let name = self
                .present
                .get(uuid)
                .filter(|name| **name != from.full_name)?;
            let to = Scope::new(from.connection_id, name.clone());
            let settled = self.known.contains(&(uuid.clone(), to.clone()));
            let is_theirs = self.owners.get(name) == Some(uuid);
            (is_theirs && !settled).then(|| Rename {
                uuid: uuid.clone(),
                from: from.clone(),
                to,
            })
        });
        renamed.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "{aa-01}";
    const B: &str = "{bb-02}";

    fn names(known: &[(&str, &str)], listed: &[(&str, &str)]) -> Names {
        let known = known.iter();
        let known = known.map(|(uuid, name)| ((*uuid).to_owned(), Scope::new(1, *name)));
        let owned = |(uuid, name): &(&str, &str)| ((*uuid).to_owned(), (*name).to_owned());
        let listed: Vec<_> = listed.iter().map(owned).collect();
        Names::new(known.collect(), &listed)
    }

    fn renames(names: &Names) -> Vec<String> {
        let renames = names.renames().into_iter();
        let shown = renames.map(|r| format!("{} > {}", r.from.full_name, r.to.full_name));
        shown.collect()
    }

    #[test]
    fn only_a_uuid_tells_that_a_repository_was_renamed() {
        let listed = [(A, "acme/new"), (B, "acme/other")];
        let renamed = names(&[(A, "acme/old"), (B, "acme/other")], &listed);
        assert_eq!(renames(&renamed), ["acme/old > acme/new"]);
        assert_eq!(renamed.displaced(), None);
        let by_name = names(&[("acme/old", "acme/old")], &listed);
        assert!(renames(&by_name).is_empty());
    }

    #[test]
    fn swapped_names_go_round() {
        let swapped = names(&[(A, "w/a"), (B, "w/b")], &[(A, "w/b"), (B, "w/a")]);
        assert_eq!(renames(&swapped), ["w/a > w/b", "w/b > w/a"]);
    }

    #[test]
    fn a_repository_that_is_not_listed_gives_up_the_name_that_another_one_has() {
        let mut taken = names(&[(A, "w/a")], &[(B, "w/a")]);
        assert_eq!(
            taken.displaced(),
            Some((A.to_owned(), Scope::new(1, "w/a")))
        );
        taken.found(A.to_owned(), format!("w/{A}"));
        assert_eq!(taken.displaced(), None);
        assert_eq!(renames(&taken), ["w/a > w/{aa-01}"]);
    }

    #[test]
    fn rows_that_are_there_under_both_names_stay() {
        let both = names(&[(A, "w/a"), (A, "w/b")], &[(A, "w/b")]);
        assert!(renames(&both).is_empty());
    }
}

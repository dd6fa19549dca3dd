//! Leases of a run: who we are, and what another process's lease means.

use std::time::{Duration, Instant};

use headwater_domain::Scope;
use headwater_store::leases::{Claim, Holder, Lease, Taken};
use headwater_store::{Store, StoreError};
use tokio_util::sync::CancellationToken;

use crate::exit::{Exit, Failure};

/// Time between two looks at a lease that is waited for.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// How long a lease is waited for without a word.
const TELL_AFTER: Duration = Duration::from_secs(5);

/// This process, as leases name it.
#[must_use]
pub fn claim(command: &str) -> Claim {
    Claim {
        host: host(),
        machine: machine(),
        process: i64::from(std::process::id()),
        command: command.to_owned(),
    }
}

fn host() -> String {
    let read = std::fs::read_to_string("/proc/sys/kernel/hostname");
    let named = read.ok().map(|name| name.trim().to_owned());
    let named = named.or_else(|| std::env::var("HOSTNAME").ok());
    let named = named.or_else(|| std::env::var("COMPUTERNAME").ok());
    named
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "unknown".to_owned())
}

/// The boot and the space of process numbers, so that a number of another container says nothing
/// here. Empty where the system does not tell: then a dead process's lease has to expire.
fn machine() -> String {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id");
    let space = std::fs::read_link("/proc/self/ns/pid");
    match (boot, space) {
        (Ok(boot), Ok(space)) => format!("{} {}", boot.trim(), space.display()),
        _ => String::new(),
    }
}

/// True when the holder was a process of this machine and is no more.
fn is_dead(holder: &Claim, own: &Claim) -> bool {
    let near = !own.machine.is_empty() && holder.machine == own.machine;
    near && !std::path::Path::new(&format!("/proc/{}", holder.process)).exists()
}

/// Takes the lease of a scope; one whose holder is known to be dead is taken over at once.
pub(super) async fn lease_scope(
    store: &Store,
    scope: &Scope,
    own: &Claim,
) -> Result<Taken, StoreError> {
    let taken = store.lease_scope(scope, own).await?;
    match ended(store, taken, own).await? {
        Some(taken) => Ok(taken),
        None => store.lease_scope(scope, own).await,
    }
}

/// Takes the lease of a queued run; one whose holder is known to be dead is taken over at once.
///
/// # Errors
/// When the database fails.
pub async fn lease_queued(store: &Store, run: i64, own: &Claim) -> Result<Taken, StoreError> {
    let taken = store.lease_queued(run, own).await?;
    match ended(store, taken, own).await? {
        Some(taken) => Ok(taken),
        None => store.lease_queued(run, own).await,
    }
}

/// Other processes that work on the database now.
///
/// # Errors
/// When the database fails.
pub async fn others(store: &Store) -> Result<Vec<Holder>, StoreError> {
    let own = claim("");
    let mut others: Vec<Holder> = Vec::new();
    for holder in store.lease_holders().await? {
        let is_own = holder.claim.process == own.process && holder.claim.machine == own.machine;
        let is_known = others.iter().any(|other| other.claim == holder.claim);
        if !is_own && !is_known && !is_dead(&holder.claim, &own) {
            others.push(holder);
        }
    }
    Ok(others)
}

/// Takes the leases of scopes for a command that writes to them outside a run.
///
/// # Errors
/// Exit 7 when another process works on one of them.
pub async fn lease_all(
    store: &Store,
    scopes: impl Iterator<Item = &Scope>,
    command: &str,
) -> Result<Vec<Lease>, Failure> {
    let own = claim(command);
    let mut leases = Vec::new();
    for scope in scopes {
        match lease_scope(store, scope, &own).await? {
            Taken::Ours(lease) => leases.push(lease),
            Taken::Held(holder) => {
                let message = held(&scope.full_name, &holder);
                return Err(Failure::new(Exit::Leased, message));
            }
        }
    }
    Ok(leases)
}

/// Takes the lease of what the scopes of a connection share, as soon as it is free. None when
/// cancelled. `tell` learns once who is waited for.
///
/// # Errors
/// When the database fails, or the holder is frozen and its lease cannot be taken over.
pub(super) async fn lease_shared(
    store: &Store,
    scope: &Scope,
    own: &Claim,
    cancel: &CancellationToken,
    tell: &(dyn Fn(&Holder) + Sync),
) -> Result<Option<Lease>, StoreError> {
    let began = Instant::now();
    let mut is_told = false;
    loop {
        let taken = store.lease_shared(scope, own).await?;
        match ended(store, taken, own).await? {
            Some(Taken::Ours(lease)) => return Ok(Some(lease)),
            Some(Taken::Held(holder)) => {
                store.require_alive(&holder).await?;
                if !is_told && holder.claim.process != own.process && began.elapsed() > TELL_AFTER {
                    is_told = true;
                    tell(&holder);
                }
            }
            None => continue,
        }
        tokio::select! {
            () = cancel.cancelled() => return Ok(None),
            () = tokio::time::sleep(LOOK_AGAIN) => {}
        }
    }
}

/// None when the holder was dead and its lease is ended now.
async fn ended(store: &Store, taken: Taken, own: &Claim) -> Result<Option<Taken>, StoreError> {
    match taken {
        Taken::Held(holder) if is_dead(&holder.claim, own) => {
            store.end_lease(&holder).await?;
            Ok(None)
        }
        taken => Ok(Some(taken)),
    }
}

/// What a person is shown about a scope that another process works on.
pub(super) fn held(scope: &str, holder: &Holder) -> String {
    format!("{scope}: another headwater process works on it ({holder}); wait for it, or stop it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_process_of_this_machine_is_ever_taken_for_dead() {
        let own = claim("sync");
        assert!(!is_dead(&own, &own), "we are alive");
        // Process numbers end at 2^22.
        let gone = Claim {
            process: 1 << 40,
            ..own.clone()
        };
        assert_eq!(is_dead(&gone, &own), !own.machine.is_empty());
        let elsewhere = Claim {
            machine: "another boot".to_owned(),
            ..gone.clone()
        };
        assert!(!is_dead(&elsewhere, &own));
        let unknown = Claim {
            machine: String::new(),
            ..gone
        };
        assert!(!is_dead(&unknown, &unknown));
    }
}

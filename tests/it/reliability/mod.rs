//! What may happen to a sync, and that the tables come out the same: random histories, faults,
//! killed processes, full disks, databases that go away, broken items.
//!
//! `docs/reliability.md` says how to run more of it, and what was found.

#[cfg(target_os = "linux")]
mod beside;
mod broken_items;
mod faults;
#[cfg(target_os = "linux")]
mod frozen;
mod history;
#[cfg(unix)]
mod installation;
#[cfg(target_os = "linux")]
mod kill;
mod minimal;
#[cfg(target_os = "linux")]
mod outage;
mod script;
#[cfg(target_os = "linux")]
mod storage;
mod table;
mod worlds;

/// What a variable holds, as a number.
fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// The same, of things to count.
fn count(variable: &str) -> Option<usize> {
    usize::try_from(number(variable)?).ok()
}

/// Whether the long runs are wanted.
fn is_soak() -> bool {
    std::env::var("HEADWATER_SOAK").is_ok_and(|value| value == "1")
}

//! The secrets of this process, which no text may hold that it shows or stores.
//!
//! Whoever reads a secret makes it known here. What is written to a terminal, a log or a table
//! passes by, also where it was cleaned before: the last place knows the secrets of all
//! connections, and does not depend on who made the text.

use std::sync::{PoisonError, RwLock};

use crate::{Secrets, printable};

static KNOWN: RwLock<Option<Secrets>> = RwLock::new(None);

/// Secrets that no text may hold from now on, whoever writes it.
pub fn conceal(secrets: &Secrets) {
    let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
    let all = known.take().unwrap_or_default().and_those_of(secrets);
    *known = Some(all);
}

/// The text without the secrets that are known, in whatever encoding it holds them.
#[must_use]
pub fn without_known(text: &str) -> String {
    let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner);
    match &*known {
        Some(secrets) => secrets.hide(text),
        None => text.to_owned(),
    }
}

/// A text as a person may see it and a table may hold it: without the secrets that are known,
/// control characters and terminal sequences.
#[must_use]
pub fn shown(text: &str) -> String {
    // Characters without a width might stand between the letters of a secret.
    without_known(&printable(text))
}

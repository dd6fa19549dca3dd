//! Requests that are not sent because they could not be counted.

use headwater_store::StoreError;

use crate::error::RequestErrorKind as Kind;

/// What it means that a request could not be counted.
pub(super) fn uncounted(error: &StoreError) -> Kind {
    let said = with_causes(error);
    if error.is_of_another_process() {
        Kind::LedgerInUse(said)
    } else {
        Kind::Ledger(said)
    }
}

/// What an error says, with the causes behind it.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text = format!("{text}: {inner}");
        source = inner.source();
    }
    text
}

//! What must not be shown or stored: secrets in any encoding, control characters of terminals,
//! and members of payloads that the API's description marks as secret.
//!
//! All text from outside passes [`Secrets::shown`] on its way into a message: error bodies,
//! headers, the standard error of git, errors of the network. All payloads pass
//! [`payload::without_secrets`] before they are hashed and stored. What is shown or stored as a
//! message passes [`known::shown`] at last. No I/O.

mod decoding;
pub mod known;
pub mod payload;
mod printable;
mod secrets;

pub use printable::{one_line, printable};
pub use secrets::Secrets;

/// The text in place of a secret, whatever its length.
pub const HIDDEN: &str = "***";

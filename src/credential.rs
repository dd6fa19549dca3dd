//! What the database knows a credential by. Never the credential.

use std::fmt::Write as _;
use std::num::NonZeroU32;

use ring::pbkdf2;

/// Rounds for what is no secret, so that addresses cannot be looked up in a list.
const ROUNDS: u32 = 1_000;

/// Rounds for tokens: guessing a short one would take this many times as long.
const ROUNDS_OF_TOKENS: u32 = 200_000;

/// Whose requests the server counts.
#[derive(Clone, Copy)]
pub enum Credential<'a> {
    /// A user, by name or e-mail address: whichever of their tokens is used.
    User(&'a str),
    /// An OAuth consumer, by its key.
    Consumer(&'a str),
    /// An access token: it belongs to no user, so there is only the secret itself.
    Token(&'a str),
    /// No credentials: this machine's address.
    Nobody,
}

impl Credential<'_> {
    /// Tells credentials apart within a process. Holds the secret of a token: not to be shown.
    #[must_use]
    pub fn key(self, origin: &str) -> String {
        let (kind, text) = match self {
            Self::User(user) => ("user", user.to_lowercase()),
            Self::Consumer(key) => ("consumer", key.to_owned()),
            Self::Token(token) => ("token", token.to_owned()),
            Self::Nobody => ("nobody", String::new()),
        };
        format!("{kind}\n{origin}\n{text}")
    }
}

/// A credential as the ledger knows it: 64 hexadecimal digits that say nothing without the
/// database's own salt, and with it no more than a guess can confirm, slowly.
#[must_use]
pub fn fingerprint(origin: &str, credential: Credential<'_>, salt: &str) -> String {
    let rounds = match credential {
        Credential::Token(_) => ROUNDS_OF_TOKENS,
        _ => ROUNDS,
    };
    let rounds = NonZeroU32::new(rounds).unwrap_or(NonZeroU32::MIN);
    let mut derived = [0; 32];
    pbkdf2::derive(
        pbkdf2::PBKDF2_HMAC_SHA256,
        rounds,
        salt.as_bytes(),
        credential.key(origin).as_bytes(),
        &mut derived,
    );
    derived.iter().fold(String::new(), |mut text, byte| {
        // Writing to text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORIGIN: &str = "https://api.example";

    #[test]
    fn a_credential_has_one_fingerprint_in_a_database_and_another_elsewhere() {
        let all = [
            Credential::User("me@acme.example"),
            Credential::Consumer("me@acme.example"),
            Credential::Token("me@acme.example"),
            Credential::Nobody,
        ];
        let mut seen = Vec::new();
        for credential in all {
            let known = fingerprint(ORIGIN, credential, "salt");
            assert_eq!(known, fingerprint(ORIGIN, credential, "salt"));
            assert_eq!(known.len(), 64);
            seen.push(known);
            seen.push(fingerprint(ORIGIN, credential, "other salt"));
            seen.push(fingerprint("https://other.example", credential, "salt"));
        }
        seen.sort();
        let all = seen.len();
        seen.dedup();
        assert_eq!(seen.len(), all);
    }

    #[test]
    fn a_user_is_the_same_however_the_address_is_written() {
        let written = |user| fingerprint(ORIGIN, Credential::User(user), "salt");
        assert_eq!(written("Me@Acme.example"), written("me@acme.example"));
    }
}

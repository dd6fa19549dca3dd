//! Why no answer came: what the network, TLS and the proxy said.

use std::error::Error;
use std::fmt;
use std::io;

use headwater_redaction::Secrets;

/// What prevented a connection to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A host name is not known.
    Name,
    /// Nothing listens at the address, or the way there is closed.
    Refused,
    /// The proxy cannot be reached, wants a login, or does not let us through.
    Proxy,
    /// The certificate is not trusted, or the two sides do not agree on encryption.
    Tls,
    /// Nothing came in time.
    Timeout,
    /// The connection broke.
    Broken,
}

/// A request without an answer. The text never holds the address, which the caller names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkError {
    /// What prevented it.
    pub cause: Cause,
    /// What was said about it.
    pub message: String,
}

impl fmt::Display for NetworkError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)
    }
}

impl NetworkError {
    pub(super) fn of(error: &reqwest::Error, proxied: bool, hidden: &Secrets) -> Self {
        let cause = cause(error, proxied);
        let mut message = match cause {
            Cause::Timeout => "timed out",
            _ if error.is_connect() => "could not connect",
            _ => "the answer broke off",
        }
        .to_owned();
        let mut source = error.source();
        while let Some(inner) = source {
            let text = inner.to_string();
            if !message.contains(&text) {
                message = format!("{message}: {text}");
            }
            source = inner.source();
        }
        Self {
            cause,
            message: hidden.shown(&message, 1000),
        }
    }
}

fn cause(error: &reqwest::Error, proxied: bool) -> Cause {
    if error.is_timeout() {
        Cause::Timeout
    } else if error.is_dns() {
        Cause::Name
    } else if speaks_of_tls(error) {
        Cause::Tls
    } else if !error.is_connect() {
        Cause::Broken
    } else if proxied {
        Cause::Proxy
    } else {
        Cause::Refused
    }
}

/// Whether some error in the chain is one of TLS.
fn speaks_of_tls(error: &(dyn Error + 'static)) -> bool {
    if error.is::<rustls::Error>() {
        return true;
    }
    // An error of input and output does not count the one it wraps among its sources.
    let wrapped = error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref);
    if wrapped.is_some_and(|wrapped| speaks_of_tls(wrapped)) {
        return true;
    }
    error.source().is_some_and(speaks_of_tls)
}

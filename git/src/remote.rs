//! A repository elsewhere, and the way to it.

use std::path::PathBuf;

use secrecy::SecretString;

use crate::{Credentials, RemoteUrl};

/// A repository elsewhere, and the way to it.
#[derive(Clone, Debug)]
pub struct Remote {
    /// Where it is.
    pub url: RemoteUrl,
    /// Who asks. Only https sends them, and only to the address's own origin.
    pub credentials: Credentials,
    /// The connection's proxy, which may hold a password; none takes the environment's.
    pub proxy: Option<SecretString>,
    /// A file of certificates in PEM to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
}

impl Remote {
    /// A remote that needs no credentials, directly.
    #[must_use]
    pub fn new(url: RemoteUrl) -> Self {
        Self {
            url,
            credentials: Credentials::None,
            proxy: None,
            ca_file: None,
        }
    }
}

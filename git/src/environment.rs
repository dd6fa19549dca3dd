//! The only environment and configuration that a git command sees.

use std::collections::BTreeMap;
use std::ffi::OsString;

use secrecy::{ExposeSecret as _, SecretString};

use crate::stderr::Hidden;
use crate::{Remote, Scheme};

/// Configuration that holds for every command, instead of the system's and the user's.
const ALWAYS: &[(&str, &str)] = &[
    // Nothing of a repository is run.
    ("core.hooksPath", "/dev/null"),
    ("core.fsmonitor", "false"),
    // There is no prompt, and nothing is remembered.
    ("credential.helper", ""),
    ("core.askPass", ""),
    // Nothing goes on in the background after a command has ended.
    ("gc.auto", "0"),
    ("gc.autoDetach", "false"),
    ("maintenance.auto", "false"),
    // No way of transport; the one of a remote is allowed by GIT_ALLOW_PROTOCOL.
    ("protocol.allow", "never"),
    ("http.followRedirects", "false"),
    ("transfer.bundleURI", "false"),
    ("fetch.recurseSubmodules", "false"),
    // Keeps packs as they came, so that there are no half-written loose objects.
    ("fetch.unpackLimit", "1"),
    ("fetch.writeCommitGraph", "false"),
    ("core.logAllRefUpdates", "false"),
    // A server that sends nothing for five minutes is gone.
    ("http.lowSpeedLimit", "1"),
    ("http.lowSpeedTime", "300"),
];

/// Variables that hold for every command.
const VARIABLES: &[(&str, &str)] = &[
    ("LC_ALL", "C"),
    ("TZ", "UTC"),
    // A home that is no folder: no .netrc, no .gitconfig, no .config.
    ("HOME", "/dev/null"),
    ("GIT_CONFIG_NOSYSTEM", "1"),
    ("GIT_CONFIG_SYSTEM", "/dev/null"),
    ("GIT_CONFIG_GLOBAL", "/dev/null"),
    ("GIT_ATTR_NOSYSTEM", "1"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GIT_ASKPASS", ""),
    ("SSH_ASKPASS", ""),
    ("GIT_OPTIONAL_LOCKS", "0"),
    ("GIT_NO_LAZY_FETCH", "1"),
    ("GIT_NO_REPLACE_OBJECTS", "1"),
    ("GIT_PAGER", "cat"),
    // Into a pipe git would write commit by commit, and the reader would wake up for each.
    ("GIT_FLUSH", "0"),
];

/// SSH never prompts, trusts no new host, forwards nothing, and notices a dead connection.
const SSH: &str = "ssh -o BatchMode=yes -o StrictHostKeyChecking=yes -o ConnectTimeout=30 \
                   -o ServerAliveInterval=30 -o ServerAliveCountMax=4 -o ForwardAgent=no \
                   -o ForwardX11=no -o ClearAllForwardings=yes -o PermitLocalCommand=no";

/// Where a proxy and certificates are found if the connection names none, as REST does it.
const OF_THE_WEB: &[&str] = &[
    "http_proxy",
    "https_proxy",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];

/// Variables and configuration of one command.
pub(crate) struct Environment {
    variables: BTreeMap<&'static str, OsString>,
    configuration: Vec<(String, SecretString)>,
    /// Texts that no message may hold.
    pub(crate) hidden: Hidden,
}

impl Environment {
    /// For a command that is offline.
    pub(crate) fn offline() -> Self {
        let mut variables: BTreeMap<&'static str, OsString> = BTreeMap::new();
        for &(name, value) in VARIABLES {
            variables.insert(name, value.into());
        }
        // A list of allowed protocols that no protocol is on.
        variables.insert("GIT_ALLOW_PROTOCOL", "none".into());
        let mut this = Self {
            variables,
            configuration: Vec::new(),
            hidden: Hidden::default(),
        };
        this.take_over(&["PATH", "SYSTEMROOT"]);
        for (name, value) in ALWAYS {
            this.configure((*name).to_owned(), value);
        }
        this
    }

    /// Sets a variable.
    pub(crate) fn set(&mut self, name: &'static str, value: impl Into<OsString>) {
        self.variables.insert(name, value.into());
    }

    /// Sets a configuration value.
    pub(crate) fn configure(&mut self, name: String, value: &str) {
        self.configuration.push((name, value.to_owned().into()));
    }

    /// Takes variables over from our own environment.
    fn take_over(&mut self, names: &[&'static str]) {
        for name in names {
            if let Some(value) = std::env::var_os(name) {
                self.variables.insert(name, value);
            }
        }
    }

    /// Opens the way to a remote, called `origin`, and to nothing else.
    ///
    /// # Errors
    /// When the credentials cannot be sent.
    pub(crate) fn reach(&mut self, remote: &Remote) -> Result<(), String> {
        let scheme = remote.url.scheme();
        self.set("GIT_ALLOW_PROTOCOL", scheme.protocol());
        self.configure("remote.origin.url".to_owned(), &remote.url.to_string());
        match scheme {
            Scheme::Path => {}
            Scheme::Ssh => {
                self.set("GIT_SSH_COMMAND", SSH);
                self.set("GIT_SSH_VARIANT", "ssh");
                self.take_over(&["SSH_AUTH_SOCK"]);
            }
            Scheme::Https | Scheme::Http => self.reach_web(remote)?,
        }
        Ok(())
    }

    fn reach_web(&mut self, remote: &Remote) -> Result<(), String> {
        if let Some(proxy) = &remote.proxy {
            let name = "http.proxy".to_owned();
            self.configuration.push((name, proxy.clone()));
            self.hidden.add([proxy.clone()]);
        } else if !remote.url.is_loopback() {
            self.take_over(OF_THE_WEB);
        }
        if let Some(file) = &remote.ca_file {
            let file = std::path::absolute(file).map_err(|error| error.to_string())?;
            let file = file.to_str();
            let file = file.ok_or("the path of the ca_file is not UTF-8")?;
            self.configure("http.sslCAInfo".to_owned(), file);
        }
        if let (Some(proof), Some(origin)) = (remote.credentials.proof()?, remote.url.web_origin())
        {
            let name = format!("http.{origin}.extraHeader");
            self.configuration.push((name, proof.header));
            self.hidden.add(proof.hidden);
        }
        Ok(())
    }

    /// Gives it to a child, instead of ours.
    pub(crate) fn give(&self, child: &mut tokio::process::Command) {
        child.env_clear().envs(&self.variables);
        child.env("GIT_CONFIG_COUNT", self.configuration.len().to_string());
        for (number, (name, value)) in self.configuration.iter().enumerate() {
            child.env(format!("GIT_CONFIG_KEY_{number}"), name);
            child.env(format!("GIT_CONFIG_VALUE_{number}"), value.expose_secret());
        }
    }
}

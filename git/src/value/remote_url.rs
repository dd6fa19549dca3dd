//! Where a repository is read from.

use std::fmt;
use std::path::PathBuf;

use url::{Host, Url};

use super::InvalidValue;

/// The longest address, in bytes, that is taken.
const LONGEST: usize = 2048;

/// Whether a path of this machine may be a remote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paths {
    /// It may: it was written into the configuration for this repository.
    Allowed,
    /// It may not: the address is made of names that came from elsewhere.
    Refused,
}

/// How a remote is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `https://`.
    Https,
    /// `http://`, on loopback only.
    Http,
    /// `ssh://` and `user@host:path`.
    Ssh,
    /// A folder of this machine.
    Path,
}

impl Scheme {
    /// Git's word for it.
    pub(crate) fn protocol(self) -> &'static str {
        match self {
            Self::Https => "https",
            Self::Http => "http",
            Self::Ssh => "ssh",
            Self::Path => "file",
        }
    }
}

/// The address of a repository: checked, and without user info except the user of SSH.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RemoteUrl(Address);

#[derive(Clone, PartialEq, Eq, Hash)]
enum Address {
    Url(Url),
    Scp(String),
    Path(PathBuf),
}

impl RemoteUrl {
    /// An address: `https://`, `ssh://`, `user@host:path`, `http://` on loopback, or a path from
    /// the root where that is allowed. A user in an https address is dropped, since credentials
    /// are given elsewhere.
    ///
    /// # Errors
    /// Says what is wrong with it and what to write instead.
    pub fn parse(text: &str, paths: Paths) -> Result<Self, InvalidValue> {
        let address = check_text(text).and_then(|()| {
            if text.contains("://") {
                url(text)
            } else if text.starts_with('/') {
                path(text, paths)
            } else {
                scp(text)
            }
        });
        address
            .map(Self)
            .map_err(|why| InvalidValue::new("address of a repository", text.as_bytes(), why))
    }

    /// How it is reached.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        match &self.0 {
            Address::Url(url) => match url.scheme() {
                "https" => Scheme::Https,
                "http" => Scheme::Http,
                _ => Scheme::Ssh,
            },
            Address::Scp(_) => Scheme::Ssh,
            Address::Path(_) => Scheme::Path,
        }
    }

    /// Scheme, host and port with a slash at the end, of an address of the web.
    pub(crate) fn web_origin(&self) -> Option<String> {
        match &self.0 {
            Address::Url(url) if url.scheme() != "ssh" => {
                Some(format!("{}/", url.origin().ascii_serialization()))
            }
            _ => None,
        }
    }

    /// Whether it is on this machine, so that no proxy of the environment is used.
    pub(crate) fn is_loopback(&self) -> bool {
        matches!(&self.0, Address::Url(url) if on_loopback(url))
    }
}

impl fmt::Display for RemoteUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Address::Url(url) => url.fmt(out),
            Address::Scp(text) => out.write_str(text),
            Address::Path(path) => path.display().fmt(out),
        }
    }
}

impl fmt::Debug for RemoteUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

/// What holds for every form of address.
fn check_text(text: &str) -> Result<(), &'static str> {
    if text.is_empty() {
        return Err("it is empty");
    }
    if text.len() > LONGEST {
        return Err("it is too long");
    }
    if text.chars().any(char::is_control) {
        return Err("it has control characters");
    }
    if text.starts_with('-') {
        return Err("it begins with a dash, as options do");
    }
    if names_a_helper(text) {
        return Err("it names a transport helper, which could run any command");
    }
    Ok(())
}

/// Whether it has the form `helper::address`.
fn names_a_helper(text: &str) -> bool {
    let Some((name, _)) = text.split_once("::") else {
        return false;
    };
    let of_a_name = |c: char| c.is_ascii_alphanumeric() || "+.-_".contains(c);
    !text.starts_with('/') && name.chars().all(of_a_name)
}

fn url(text: &str) -> Result<Address, &'static str> {
    let (scheme, rest) = text.split_once("://").unwrap_or_default();
    match scheme.to_ascii_lowercase().as_str() {
        "https" | "http" | "ssh" => {}
        "file" => return Err("write a path from the root instead of a file:// URL"),
        "git" => return Err("git:// proves nothing about the server; use https:// or ssh://"),
        _ => return Err("only https://, ssh://, user@host:path and paths are used"),
    }
    if rest.contains(|c: char| c.is_whitespace() || "\\?#".contains(c)) {
        return Err("it has a space, a backslash, a query or a fragment");
    }
    // Asked of the text, because parsing takes them out.
    let path = rest.split_once('/').map(|(_, path)| path);
    if path.is_none_or(|path| path.trim_matches('/').is_empty()) {
        return Err("it names a server and no repository");
    }
    path.map_or(Ok(()), check_segments)?;
    let mut url = Url::parse(text).map_err(|_| "it is no valid URL")?;
    check_host(&url)?;
    if url.password().is_some() {
        return Err("it has a password; give credentials by the keys of auth");
    }
    if url.scheme() == "ssh" {
        let user = url.username();
        if !user.is_empty() && !is_plain_name(user) {
            return Err("its user has characters that names of users do not have");
        }
    } else {
        url.set_username("").map_err(|()| "it is no valid URL")?;
    }
    if url.scheme() == "http" && !on_loopback(&url) {
        return Err("http:// is used on this machine only; use https://");
    }
    Ok(Address::Url(url))
}

fn check_host(url: &Url) -> Result<(), &'static str> {
    match url.host_str() {
        None | Some("") => Err("it names no host"),
        Some(host) if url.scheme() == "ssh" && !host.starts_with('[') && !is_plain_name(host) => {
            Err("its host has characters that names of hosts do not have")
        }
        Some(host) if host.starts_with('-') => Err("its host begins with a dash"),
        Some(_) => Ok(()),
    }
}

fn on_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Letters, digits, dots, dashes and underscores, not beginning with a dash.
fn is_plain_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    !name.is_empty() && !name.starts_with('-') && name.chars().all(plain)
}

/// No way up, and nothing hidden by percent signs.
fn check_segments(path: &str) -> Result<(), &'static str> {
    for segment in path.split('/') {
        let lower = segment.to_ascii_lowercase();
        if lower.replace("%2e", ".") == ".." {
            return Err("it has a part `..`");
        }
        let hidden = |code: &str| {
            let control =
                u8::from_str_radix(code, 16).is_ok_and(|byte| byte < 0x20 || byte == 0x7f);
            control || code == "2f" || code == "5c"
        };
        if lower
            .split('%')
            .skip(1)
            .any(|rest| rest.get(..2).is_none_or(hidden))
        {
            return Err("it hides a slash or a control character behind a percent sign");
        }
    }
    Ok(())
}

fn path(text: &str, paths: Paths) -> Result<Address, &'static str> {
    if paths == Paths::Refused {
        return Err("a path is only used where git.urls names it");
    }
    if text.split('/').any(|segment| segment == "..") {
        return Err("it has a part `..`");
    }
    if text.trim_matches('/').is_empty() {
        return Err("it is the root");
    }
    Ok(Address::Path(PathBuf::from(text)))
}

/// `user@host:path`, as SSH has it.
fn scp(text: &str) -> Result<Address, &'static str> {
    let relative = "write a path from the root, https://, ssh:// or user@host:path";
    let (server, path) = text.split_once(':').ok_or(relative)?;
    if server.contains('/') {
        return Err(relative);
    }
    let (user, host) = server
        .split_once('@')
        .map_or((None, server), |(user, host)| (Some(user), host));
    if !is_plain_name(host) || user.is_some_and(|user| !is_plain_name(user)) {
        return Err("its user or host has characters that such names do not have");
    }
    if path.is_empty() || path.starts_with(['-', ':']) {
        return Err("its path is empty, or begins with a dash or a colon");
    }
    if path.split('/').any(|segment| segment == "..") {
        return Err("it has a part `..`");
    }
    Ok(Address::Scp(text.to_owned()))
}

//! Reads the addresses of a connection: its endpoint and its proxy.
//!
//! An address with userinfo is refused without being repeated.

use std::path::PathBuf;

use url::{Host, Url};

use super::authentication::Auth;
use super::connection::{ConnectionKind, DEFAULT_CLOUD_ENDPOINT, Proxy};
use super::period::DataAfter;
use super::problem::quoted;
use super::reader::{Field, TableReader, refusal};

pub(super) const USERINFO: &str = "carries a user name or password, which would end up in logs";

impl Field<'_> {
    /// A path to a file.
    pub(super) fn path(&self) -> Option<PathBuf> {
        let text = self.text()?;
        if text.trim().is_empty() {
            self.report(self.error("is empty").expecting("a path to a file"));
            return None;
        }
        Some(PathBuf::from(text))
    }

    /// The start of a range; TOML's own dates need no quotes.
    pub(super) fn range(&self) -> Option<DataAfter> {
        let text = self.text_or_date()?;
        text.parse()
            .map_err(|reason| self.report(self.error(refusal(&text, &reason))))
            .ok()
    }

    /// An address with one of the schemes and without userinfo.
    fn url(&self, schemes: &[&str]) -> Option<Url> {
        let text = self.text()?;
        let expected = format!("an address that starts with {}", starts(schemes));
        let Ok(url) = Url::parse(text.trim()) else {
            let message = format!("{} is not an address", quoted(text));
            self.report(self.error(message).expecting(expected));
            return None;
        };
        if has_userinfo(&url) {
            self.report(self.error(USERINFO).expecting("credentials under `auth`"));
            return None;
        }
        if !schemes.contains(&url.scheme()) || url.host().is_none() {
            let message = format!("{} is not an address", quoted(text));
            self.report(self.error(message).expecting(expected));
            return None;
        }
        Some(url)
    }
}

fn starts(schemes: &[&str]) -> String {
    let forms: Vec<String> = schemes
        .iter()
        .map(|scheme| format!("{scheme}://"))
        .collect();
    forms.join(" or ")
}

/// Reads `endpoint`; the result ends with a slash, so that paths can be joined to it.
pub(super) fn read_endpoint(
    table: &mut TableReader<'_>,
    kind: Option<ConnectionKind>,
    auth: Option<&Auth>,
) -> Option<Url> {
    let field = match kind {
        Some(ConnectionKind::BitbucketDataCenter) => {
            table.required("endpoint", "\"https://bitbucket.example.com/\"")
        }
        _ => table.field("endpoint"),
    };
    if kind == Some(ConnectionKind::Git) {
        if let Some(field) = field {
            let problem = field.error("has no effect with kind \"git\"");
            field.report(problem.expecting("the repositories under `git.urls`"));
        }
        return None;
    }
    let Some(field) = field else {
        let is_cloud = kind == Some(ConnectionKind::BitbucketCloud);
        return is_cloud
            .then(|| Url::parse(DEFAULT_CLOUD_ENDPOINT).ok())
            .flatten();
    };
    let mut url = field.url(&["https", "http"])?;
    if url.query().is_some() || url.fragment().is_some() {
        let problem = field.error("has a query or fragment");
        field.report(problem.expecting("an address without `?` and `#`"));
    }
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    check_path(&field, &url, kind);
    if auth.is_some_and(|auth| !auth.is_none()) {
        warn_of_clear_text(&field, &url);
    }
    Some(url)
}

/// Finds the addresses that people copy from a browser or from another program.
fn check_path(field: &Field<'_>, url: &Url, kind: Option<ConnectionKind>) {
    let cloud_host = matches!(
        url.host_str(),
        Some("bitbucket.org" | "www.bitbucket.org" | "api.bitbucket.org")
    );
    let expected = match kind {
        Some(ConnectionKind::BitbucketCloud) if cloud_host => {
            if url.as_str() == DEFAULT_CLOUD_ENDPOINT {
                return;
            }
            DEFAULT_CLOUD_ENDPOINT.to_owned()
        }
        Some(ConnectionKind::BitbucketDataCenter) => {
            let Some((server, _)) = url.as_str().split_once("/rest/") else {
                return;
            };
            format!("{server}/")
        }
        _ => return,
    };
    let problem = field
        .error("is not the address that requests start from")
        .write(format!("endpoint = \"{expected}\""));
    field.report(problem);
}

fn warn_of_clear_text(field: &Field<'_>, url: &Url) {
    let on_this_machine = match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    if url.scheme() == "http" && !on_this_machine {
        let problem = field.warning("credentials travel unencrypted over http");
        field.report(problem.expecting("https"));
    }
}

/// Reads `auth.token_url`.
pub(super) fn read_token_url(field: &Field<'_>) -> Option<Url> {
    let url = field.url(&["https", "http"])?;
    warn_of_clear_text(field, &url);
    Some(url)
}

/// How the address of a proxy may begin.
pub const PROXY_SCHEMES: &[&str] = &["http", "https", "socks5", "socks5h"];

/// Reads `proxy`.
pub(super) fn read_proxy(field: &Field<'_>) -> Option<Proxy> {
    let text = field.text()?;
    if text.starts_with("env:") || text.starts_with("file:") {
        return field.source().map(Proxy::Source);
    }
    // A password is common here, and there is a place for it.
    if Url::parse(text.trim()).is_ok_and(|url| has_userinfo(&url)) {
        let problem = field
            .error(USERINFO)
            .expecting("the address in an environment variable")
            .write("proxy = \"env:NAME\"");
        field.report(problem);
        return None;
    }
    field.url(PROXY_SCHEMES).map(Proxy::Address)
}

/// Whether a URL carries a user name or password.
pub(super) fn has_userinfo(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

//! Where a redirect leads.

use reqwest::header::{HeaderMap, LOCATION};
use url::Url;

use crate::error::RequestErrorKind as Kind;

/// Where a redirect leads; only on the connection's own server.
pub(super) fn led_to(url: &Url, headers: &HeaderMap) -> Result<Url, Kind> {
    let target = headers
        .get(LOCATION)
        .and_then(|target| target.to_str().ok());
    let target = target.unwrap_or("nowhere");
    match url.join(target) {
        Ok(mut to) if headers.contains_key(LOCATION) && to.origin() == url.origin() => {
            // Both fail only for URLs that cannot have user info.
            let _ = to.set_username("");
            let _ = to.set_password(None);
            Ok(to)
        }
        _ => Err(Kind::Foreign(host_of(target))),
    }
}

/// The host of an address, to be named.
pub(super) fn host_of(target: &str) -> String {
    let host = Url::parse(target).ok();
    let host = host.as_ref().and_then(Url::host_str);
    host.unwrap_or("an address without a host").to_owned()
}

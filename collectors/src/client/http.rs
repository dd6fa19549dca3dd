//! The sockets of a connection: proxy, certificates, timeouts, redirects.

use reqwest::header::{ACCEPT, HeaderMap, HeaderValue};
use secrecy::SecretString;
use url::Url;

use super::Settings;

/// An HTTP client without credentials; those are added to each request.
pub(super) fn client(settings: &Settings) -> Result<reqwest::Client, String> {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    let builder = reqwest::Client::builder()
        .user_agent(concat!("headwater/", env!("CARGO_PKG_VERSION")))
        .default_headers(headers)
        // Followed where requests are counted: each one is a request.
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .connect_timeout(settings.connect_timeout)
        .read_timeout(settings.read_timeout)
        .timeout(settings.total_timeout)
        .pool_max_idle_per_host(settings.concurrency.max(1));
    let builder = through_proxy(builder, settings)?;
    trusting(builder, &settings.authorities)?
        .build()
        .map_err(|error| error.to_string())
}

fn through_proxy(
    builder: reqwest::ClientBuilder,
    settings: &Settings,
) -> Result<reqwest::ClientBuilder, String> {
    Ok(match &settings.proxy {
        Some(proxy) => {
            let proxy = reqwest::Proxy::all(proxy.clone());
            builder.proxy(proxy.map_err(|_| "the proxy address is unusable".to_owned())?)
        }
        // The environment may name a proxy; our own machine is never behind it.
        None if is_loopback(&settings.endpoint) => builder.no_proxy(),
        None => builder,
    })
}

/// Adds certificates to those that the system trusts.
fn trusting(
    builder: reqwest::ClientBuilder,
    authorities: &[u8],
) -> Result<reqwest::ClientBuilder, String> {
    if authorities.is_empty() {
        return Ok(builder);
    }
    let certificates = reqwest::Certificate::from_pem_bundle(authorities).unwrap_or_default();
    if certificates.is_empty() {
        return Err("the CA file holds no certificate in PEM form".to_owned());
    }
    Ok(builder.tls_certs_merge(certificates))
}

/// Whether requests go through a proxy, as far as the configuration and the environment tell.
pub(super) fn is_proxied(settings: &Settings) -> bool {
    !proxies(settings).is_empty()
}

/// Passwords of the proxies that requests may go through.
pub(super) fn proxy_passwords(settings: &Settings) -> Vec<SecretString> {
    let urls = proxies(settings);
    let urls = urls.iter().filter_map(|text| Url::parse(text).ok());
    let passwords = urls.filter_map(|url| url.password().map(SecretString::from));
    passwords.collect()
}

fn proxies(settings: &Settings) -> Vec<String> {
    if let Some(proxy) = &settings.proxy {
        return vec![proxy.to_string()];
    }
    if is_loopback(&settings.endpoint) {
        return Vec::new();
    }
    let names: &[&str] = match settings.endpoint.scheme() {
        "https" => &["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"],
        _ => &["http_proxy", "ALL_PROXY", "all_proxy"],
    };
    let values = names.iter().filter_map(std::env::var_os);
    let values = values.filter(|value| !value.is_empty());
    values
        .map(|value| value.to_string_lossy().into_owned())
        .collect()
}

fn is_loopback(endpoint: &Url) -> bool {
    match endpoint.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

//! Addresses as they are kept: requested, stored and shown without what could be a secret.

use headwater_redaction::Secrets;
use url::Url;

/// Longest text that is kept where it is no address, in characters.
const LONGEST: usize = 2000;

/// Parameters of lists that are known, of Bitbucket Cloud's description and of Data Center's, and
/// those by which they page. Others may carry a credential (`access_token`, `jwt`), so they are
/// dropped from addresses that a server gives.
const PARAMETERS: [&str; 63] = [
    "after",
    "at",
    "author",
    "avatarSize",
    "before",
    "branch",
    "context",
    "contextLines",
    "created_on",
    "creator.uuid",
    "ctx",
    "cursor",
    "direction",
    "draft",
    "end",
    "exclude",
    "fields",
    "filter",
    "filterText",
    "followRenames",
    "format",
    "fromId",
    "fromType",
    // Where the redirect of a pull request's diffstat leads.
    "from_pullrequest_id",
    "ignore_whitespace",
    "include",
    "kind",
    "limit",
    "max_depth",
    "merge",
    "merges",
    "name",
    "order",
    "page",
    "pagelen",
    "parents",
    "path",
    "pattern",
    "permission",
    "projectname",
    "projectkey",
    "q",
    "refname",
    "renames",
    "role",
    "search_query",
    "since",
    "sort",
    "start",
    "state",
    "states",
    "status",
    "target.branch",
    "target.commit.hash",
    "target.ref_name",
    "target.ref_type",
    "target.selector.pattern",
    "target.selector.type",
    "topic",
    "trigger_type",
    "until",
    "visibility",
    "withCounts",
];

/// An address that came from elsewhere, such as from a file, without what could be a secret. One
/// that has nothing of that kind stays as it is written.
#[must_use]
pub fn address_without_secrets(address: &str) -> String {
    match Url::parse(address) {
        Ok(url) => {
            let kept = kept(&url);
            if kept == url {
                address.to_owned()
            } else {
                kept.into()
            }
        }
        Err(_) => Secrets::default().shown(address, LONGEST),
    }
}

/// The address with its origin, its path and the parameters that are known.
pub(crate) fn kept(url: &Url) -> Url {
    let mut kept = url.clone();
    // Both fail only for URLs that cannot have user info.
    let _ = kept.set_username("");
    let _ = kept.set_password(None);
    kept.set_fragment(None);
    let known = |name: &str| PARAMETERS.contains(&name);
    if url.query_pairs().all(|(name, _)| known(&name)) {
        // As it was written, since servers differ in how they read escapes.
        return kept;
    }
    let query = url.query().unwrap_or_default().split('&');
    let query: Vec<&str> = query.filter(|pair| known(&name_of(pair))).collect();
    kept.set_query((!query.is_empty()).then(|| query.join("&")).as_deref());
    kept
}

/// The name of one parameter, without escapes.
fn name_of(pair: &str) -> String {
    let mut parsed = url::form_urlencoded::parse(pair.as_bytes());
    parsed
        .next()
        .map(|(name, _)| name.into_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_from_elsewhere_stays_as_it_is_written_unless_it_holds_what_may_be_secret() {
        for (address, expected) in [
            (
                "https://a.example/2.0/x?q=a%20b&page=2",
                "https://a.example/2.0/x?q=a%20b&page=2",
            ),
            ("https://A.example", "https://A.example"),
            ("https://me:pw@a.example/x", "https://a.example/x"),
            (
                "https://a.example/x?access_token=pw&page=2",
                "https://a.example/x?page=2",
            ),
            ("https://a.example/x#pw", "https://a.example/x"),
            ("", ""),
            ("repositories/x", "repositories/x"),
            ("x?access_token=pw", "x?access_token=***"),
        ] {
            assert_eq!(address_without_secrets(address), expected, "{address}");
        }
    }

    #[test]
    fn only_origin_path_and_known_parameters_are_kept() {
        for (address, expected) in [
            (
                "https://a.example/2.0/x?page=2",
                "https://a.example/2.0/x?page=2",
            ),
            (
                "https://me:pw@a.example/2.0/x?access_token=abc&page=2#jwt=x",
                "https://a.example/2.0/x?page=2",
            ),
            (
                "https://a.example/x?access_token=abc",
                "https://a.example/x",
            ),
            (
                "https://a.example/x?q=a%3D%22b%22&jwt=c&sort=-d&ctx=e",
                "https://a.example/x?q=a%3D%22b%22&sort=-d&ctx=e",
            ),
            (
                "https://a.example/x?%61ccess_token=abc&p%61ge=3",
                "https://a.example/x?p%61ge=3",
            ),
            (
                "https://a.example/x?state=OPEN&state=MERGED&x",
                "https://a.example/x?state=OPEN&state=MERGED",
            ),
            ("https://a.example/x?", "https://a.example/x?"),
        ] {
            let url = Url::parse(address).unwrap();
            assert_eq!(kept(&url).as_str(), expected, "{address}");
        }
    }
}

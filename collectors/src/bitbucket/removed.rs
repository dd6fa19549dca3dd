//! Endpoints that Atlassian removed: the change that did it, and what takes their place.

use serde_json::Value;
use url::Url;

const WORKSPACES: &str = "use `user/workspaces`, which lists one's own";
const ISSUES: &str = "Bitbucket Cloud has no issue tracker any more, and nothing there replaces \
                      it; Atlassian points to Jira";

/// Paths below the endpoint, with what to use instead. `*` is one segment, `**` any number of them.
const REMOVED: &[(&str, &str)] = &[
    (
        "repositories",
        "use `repositories/{workspace}` for each workspace of `user/workspaces`",
    ),
    ("workspaces", WORKSPACES),
    (
        "user/permissions/workspaces",
        "use `user/workspaces` and `user/workspaces/{workspace}/permission`",
    ),
    (
        "user/permissions/repositories",
        "use `user/workspaces/{workspace}/permissions/repositories`",
    ),
    (
        "snippets",
        "use `snippets/{workspace}` for each workspace of `user/workspaces`",
    ),
    (
        "teams/**",
        "teams became workspaces: use `workspaces/{workspace}`",
    ),
    (
        "users/*/*/**",
        "use the same path below `workspaces/{workspace}`",
    ),
    ("repositories/*/*/issues/**", ISSUES),
    ("repositories/*/*/components/**", ISSUES),
    ("repositories/*/*/milestones/**", ISSUES),
    ("repositories/*/*/versions/**", ISSUES),
    (
        "repositories/*/*/wiki/**",
        "Bitbucket Cloud has no wikis any more, and nothing there replaces them; Atlassian points \
         to Confluence",
    ),
];

/// What replaces an address, as far as this version knows.
pub(super) fn replacement(endpoint: &Url, url: &Url) -> Option<&'static str> {
    if url.path().starts_with("/1.0/") {
        return Some("version 1.0 of the API is gone: let `endpoint` end in /2.0/");
    }
    let base = endpoint.path().trim_end_matches('/');
    let path = url.path().strip_prefix(base)?.trim_matches('/');
    let segments: Vec<&str> = path.split('/').collect();
    let found = REMOVED
        .iter()
        .find(|(pattern, _)| matches(pattern, &segments));
    found.map(|(_, instead)| *instead)
}

fn matches(pattern: &str, segments: &[&str]) -> bool {
    let mut rest = segments.iter();
    for part in pattern.split('/') {
        match part {
            "**" => return true,
            _ => match rest.next() {
                Some(segment) if part == "*" || part == *segment => {}
                _ => return false,
            },
        }
    }
    rest.next().is_none()
}

/// The number of the change in an answer's message, or else in the address of its announcement.
pub(super) fn change(json: &Value) -> Option<String> {
    let texts = [
        &json["error"]["message"],
        &json["error"]["data"]["announcement_url"],
        &json["data"]["announcement_url"],
    ];
    texts.into_iter().find_map(|text| number(text.as_str()?))
}

fn number(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("CHANGE-")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    (!digits.is_empty()).then(|| format!("CHANGE-{digits}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_replaces_an_endpoint_is_known_by_its_path() {
        for endpoint in [
            "https://api.example/2.0/",
            "http://127.0.0.1:9",
            "https://a.example/x/2.0",
        ] {
            let endpoint = Url::parse(endpoint).unwrap();
            for (path, expected) in [
                ("repositories", Some("`repositories/{workspace}`")),
                (
                    "repositories?role=member",
                    Some("`repositories/{workspace}`"),
                ),
                ("repositories/acme", None),
                ("repositories/acme/rocket", None),
                ("repositories/acme/rocket/pullrequests", None),
                ("workspaces", Some("`user/workspaces`")),
                ("workspaces/acme", None),
                ("user/permissions/workspaces", Some("/permission`")),
                (
                    "user/permissions/repositories/",
                    Some("permissions/repositories`"),
                ),
                ("teams/acme/members", Some("workspaces")),
                ("users/me/followers", Some("workspaces")),
                ("users/me", None),
                ("repositories/acme/rocket/issues", Some("Jira")),
                ("repositories/acme/rocket/issues/3/comments", Some("Jira")),
                ("repositories/acme/rocket/wiki", Some("Confluence")),
            ] {
                let url = format!("{}/{path}", endpoint.as_str().trim_end_matches('/'));
                let found = replacement(&endpoint, &Url::parse(&url).unwrap());
                match (found, expected) {
                    (Some(found), Some(expected)) => assert!(found.contains(expected), "{path}"),
                    (found, expected) => assert_eq!(found, expected, "{path}"),
                }
            }
        }
    }

    #[test]
    fn the_change_is_found_in_the_message_or_in_the_announcement() {
        let announcement = r#"{"error": {"message": "Gone", "data":
            {"announcement_url": "https://developer.example/changelog#CHANGE-3022"}}}"#;
        for (body, expected) in [
            (
                r#"{"error": {"message": "CHANGE-2770 - Functionality has been deprecated"}}"#,
                Some("CHANGE-2770"),
            ),
            (announcement, Some("CHANGE-3022")),
            (r#"{"error": {"message": "Resource removed"}}"#, None),
            (r#"{"error": {"message": "CHANGE-"}}"#, None),
            ("gone", None),
        ] {
            let json = serde_json::from_str(body).unwrap_or_default();
            assert_eq!(change(&json).as_deref(), expected, "{body}");
        }
    }
}

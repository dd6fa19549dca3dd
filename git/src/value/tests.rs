//! Hostile values, and honest ones that look odd.

use proptest::prelude::*;

use super::{ObjectId, Paths, RefName, RemoteUrl, Scheme};

/// Addresses that nothing may be read from, with a word of the reason.
const HOSTILE_ADDRESSES: &[(&str, &str)] = &[
    ("", "empty"),
    ("--upload-pack=touch /tmp/x", "dash"),
    ("-oProxyCommand=touch x", "dash"),
    ("ext::sh -c touch% /tmp/x", "helper"),
    ("EXT::sh -c x", "helper"),
    ("fd::17", "helper"),
    ("http::http://example.com/x", "helper"),
    ("any-thing_1.x::x", "helper"),
    ("::x", "helper"),
    ("file:///srv/git/x.git", "path"),
    ("FILE:///srv/git/x.git", "path"),
    ("git://example.com/x.git", "proves"),
    ("ftp://example.com/x.git", "only"),
    ("ssh+git://example.com/x.git", "only"),
    ("://example.com/x", "only"),
    ("https://", "no repository"),
    ("https://example.com", "no repository"),
    ("https://example.com/", "no repository"),
    ("https://example.com/a.git\n", "control"),
    ("https://example.com/a\0b", "control"),
    ("https://exam\rple.com/a", "control"),
    ("/srv/a\nb", "control"),
    ("git@host:a\nb", "control"),
    ("https://example.com/a b", "space"),
    ("https://example.com/a?b", "query"),
    ("https://example.com/a#b", "fragment"),
    ("https://example.com\\@evil.com/a", "backslash"),
    ("https://example.com/../a", "`..`"),
    ("https://example.com/a/%2e%2E/b", "`..`"),
    ("https://example.com/a/.%2e", "`..`"),
    ("https://example.com/a%0ab", "percent"),
    ("https://example.com/a%2fb", "percent"),
    ("https://user:secret@example.com/a", "password"),
    ("https://:secret@example.com/a", "password"),
    ("https://-host/a", "dash"),
    ("http://example.com/a.git", "https://"),
    ("http://127.0.0.1.example.com/a.git", "https://"),
    ("http://localhost.example.com/a.git", "https://"),
    ("ssh://-oProxyCommand=x/a", "characters"),
    ("ssh://-host/a", "characters"),
    ("ssh://-user@host/a", "characters"),
    ("ssh://git:secret@host/a", "password"),
    ("ssh://us%20er@host/a", "characters"),
    ("ssh://host/a/../b", "`..`"),
    ("git@-host:a", "characters"),
    ("-git@host:a", "dash"),
    ("git@host:-a", "dash"),
    ("git@host:", "empty"),
    ("git@host:../a", "`..`"),
    ("git@host:a/../../b", "`..`"),
    ("gi t@host:a", "characters"),
    ("git@ho$(x)st:a", "characters"),
    ("a@b@host:x", "characters"),
    ("relative/path", "from the root"),
    ("./relative:path", "from the root"),
    ("..", "from the root"),
    ("/", "root"),
    ("//", "root"),
    ("/srv/../etc", "`..`"),
    ("/srv/git/..", "`..`"),
];

const ADDRESSES: &[(&str, Scheme, &str)] = &[
    (
        "https://bitbucket.org/a/b.git",
        Scheme::Https,
        "https://bitbucket.org/a/b.git",
    ),
    (
        "https://me@bitbucket.org/a/b.git",
        Scheme::Https,
        "https://bitbucket.org/a/b.git",
    ),
    (
        "HTTPS://Bitbucket.org:443/a/b",
        Scheme::Https,
        "https://bitbucket.org/a/b",
    ),
    (
        "https://git.example.com:7990/scm/a/b..c.git",
        Scheme::Https,
        "https://git.example.com:7990/scm/a/b..c.git",
    ),
    (
        "http://127.0.0.1:8080/a/b.git",
        Scheme::Http,
        "http://127.0.0.1:8080/a/b.git",
    ),
    ("http://[::1]:8080/a", Scheme::Http, "http://[::1]:8080/a"),
    ("http://localhost/a", Scheme::Http, "http://localhost/a"),
    (
        "ssh://git@host:7999/a/b.git",
        Scheme::Ssh,
        "ssh://git@host:7999/a/b.git",
    ),
    ("ssh://git@[::1]:22/a", Scheme::Ssh, "ssh://git@[::1]:22/a"),
    (
        "git@bitbucket.org:a/b.git",
        Scheme::Ssh,
        "git@bitbucket.org:a/b.git",
    ),
    ("host:a", Scheme::Ssh, "host:a"),
    (
        "/srv/git/odd name::x -y.git",
        Scheme::Path,
        "/srv/git/odd name::x -y.git",
    ),
];

#[test]
fn hostile_addresses_are_refused_and_the_reason_is_told() {
    for (text, reason) in HOSTILE_ADDRESSES {
        let error = RemoteUrl::parse(text, Paths::Allowed)
            .expect_err(text)
            .to_string();
        assert!(error.contains(reason), "{text:?}: {error}");
        assert!(!error.contains("secret"), "{text:?}: {error}");
        assert!(!error.contains(char::is_control), "{text:?}: {error}");
    }
    let long = format!("https://example.com/{}", "a".repeat(3000));
    let error = RemoteUrl::parse(&long, Paths::Allowed)
        .unwrap_err()
        .to_string();
    assert!(error.contains("too long") && error.len() < 400, "{error}");
}

#[test]
fn a_path_is_refused_where_nobody_wrote_it_down() {
    let error = RemoteUrl::parse("/srv/git/a.git", Paths::Refused).unwrap_err();
    assert!(error.to_string().contains("git.urls"), "{error}");
}

#[test]
fn addresses_are_known_by_their_scheme_and_shown_without_user_info() {
    for (text, scheme, shown) in ADDRESSES {
        let url = RemoteUrl::parse(text, Paths::Allowed).expect(text);
        assert_eq!(url.scheme(), *scheme, "{text}");
        assert_eq!(url.to_string(), *shown, "{text}");
    }
}

/// Names that `git check-ref-format` refuses, and some that are not full names.
const HOSTILE_NAMES: &[&[u8]] = &[
    b"",
    b"refs/",
    b"HEAD",
    b"main",
    b"-x",
    b"--all",
    b"heads/main",
    b"refs/heads/a..b",
    b"refs/heads/../x",
    b"refs/heads/.hidden",
    b"refs/heads/a/.b",
    b"refs/heads/a.lock",
    b"refs/heads/a.lock/b",
    b"refs/heads/a.",
    b"refs/heads/a/",
    b"refs//heads",
    b"/refs/heads/a",
    b"refs/heads/a b",
    b"refs/heads/a\nb",
    b"refs/heads/a\0b",
    b"refs/heads/a\x7f",
    b"refs/heads/a~1",
    b"refs/heads/a^",
    b"refs/heads/a:b",
    b"refs/heads/a?",
    b"refs/heads/*",
    b"refs/heads/[a",
    b"refs/heads/a\\b",
    b"refs/heads/a@{1}",
    b"refs/heads/a\tb",
];

#[test]
fn hostile_names_of_refs_are_refused() {
    for name in HOSTILE_NAMES {
        let error = RefName::parse(name)
            .expect_err(&String::from_utf8_lossy(name))
            .to_string();
        assert!(!error.contains(char::is_control), "{error}");
    }
}

#[test]
fn odd_names_that_git_allows_are_allowed() {
    let odd: &[&[u8]] = &[
        b"refs/heads/main",
        b"refs/heads/-x",
        b"refs/heads/--all",
        b"refs/heads/@",
        b"refs/tags/v1.0.0+build",
        b"refs/heads/\xff\xfe",
        "refs/heads/größe".as_bytes(),
        b"refs/heads/a.locked",
        b"refs/heads/$(x);`y`|z",
        b"refs/heads/a{b",
        b"refs/heads/a@b",
    ];
    for name in odd {
        let name = RefName::parse(name).unwrap();
        assert!(name.branch().is_some() || name.tag().is_some(), "{name}");
    }
}

#[test]
fn only_full_hashes_in_lower_case_are_hashes() {
    let full = "0123456789abcdef0123456789abcdef01234567";
    assert_eq!(ObjectId::parse(full).unwrap().as_str(), full);
    assert!(ObjectId::parse(&"a".repeat(64)).unwrap().is_sha256());
    let long = "a".repeat(41);
    let newline = format!("{}\n", &full[1..]);
    let option = format!("--{}", &full[2..]);
    let upper = full.to_uppercase();
    for text in ["", "0123456", &long, &newline, &option, &upper, "HEAD"] {
        assert!(ObjectId::parse(text).is_err(), "{text:?}");
    }
}

proptest! {
    /// The rules agree with git's own, whatever is asked.
    #[test]
    fn names_are_judged_as_git_judges_them(name in r"refs/[-a-c.@{}/~^: \\*?\[lock]{1,12}") {
        let mut git = std::process::Command::new("git");
        git.args(["check-ref-format", &name]);
        prop_assert_eq!(RefName::parse(&name).is_ok(), git.status().unwrap().success(), "{}", name);
    }

    /// Nothing that is accepted can be an option, a helper, or more than one line.
    #[test]
    fn what_is_accepted_is_harmless(text in r"(ext::|file://|https://|ssh://|git@)?[-a-z:@/. \n%]{0,30}") {
        if let Ok(url) = RemoteUrl::parse(&text, Paths::Refused) {
            let shown = url.to_string();
            prop_assert!(!shown.starts_with('-') && !shown.contains('\n'));
            prop_assert!(url.scheme() != Scheme::Path);
            prop_assert!(!shown.split('/').any(|part| part == ".."));
        }
    }
}

//! Names and addresses that git could take for something else: refused before git is started, with
//! the place in the file.

use crate::lake::headwater;

/// A name, its address, and what is said.
const REFUSED: [(&str, &str, &str); 21] = [
    (
        "tools/widget",
        "--upload-pack=touch PROOF",
        "begins with a dash",
    ),
    (
        "tools/widget",
        "-oProxyCommand=touch PROOF",
        "begins with a dash",
    ),
    (
        "tools/widget",
        "ext::sh -c 'touch PROOF'",
        "transport helper",
    ),
    ("tools/widget", "fd::17/foo", "transport helper"),
    ("tools/widget", "file:///srv/git/widget.git", "file:// URL"),
    (
        "tools/widget",
        "git://git.example/widget.git",
        "https:// or ssh://",
    ),
    ("tools/widget", "ftp://git.example/widget.git", "are used"),
    ("tools/widget", "/srv/../etc/widget.git", "`..`"),
    ("tools/widget", "../widget.git", "a path from the root"),
    ("tools/widget", "https://git.example/a/%2e%2e/b.git", "`..`"),
    (
        "tools/widget",
        "https://git.example/a%0ab.git",
        "control character",
    ),
    (
        "tools/widget",
        "https://git.example/\\nwidget.git",
        "control characters",
    ),
    (
        "tools/widget",
        "ssh://-oProxyCommand=touch/widget.git",
        "names of hosts",
    ),
    ("tools/widget", "ssh://git.example:22/-x/../y", "`..`"),
    ("tools/widget", "git@-host:widget.git", "do not have"),
    ("../widget", "/srv/widget.git", "`.` or `..`"),
    ("tools/../../widget", "/srv/widget.git", "`.` or `..`"),
    ("-tools/widget", "/srv/widget.git", "starts with a dash"),
    (
        "tools/--upload-pack=x",
        "/srv/widget.git",
        "starts with a dash",
    ),
    ("tools/wid\\nget", "/srv/widget.git", "do not have"),
    ("/tools/widget", "/srv/widget.git", "empty part"),
];

#[test]
fn hostile_names_and_addresses_are_refused_with_their_place() {
    let folder = tempfile::tempdir().unwrap();
    let proof = folder.path().join("proof");
    for (name, address, says) in REFUSED {
        let address = address.replace("PROOF", &proof.display().to_string());
        let config = format!(
            "[[connection]]\nid = 9\nname = \"plain\"\nkind = \"git\"\n\
             git.urls.\"{name}\" = \"{address}\"\n"
        );
        std::fs::write(folder.path().join("headwater.toml"), config).unwrap();
        for command in [&["sync"][..], &["connection", "test"], &["config", "check"]] {
            let output = headwater(folder.path(), command);
            let said = format!(
                "{}{}",
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            );
            assert_eq!(output.status.code(), Some(3), "{name} {address}: {said}");
            assert!(
                said.contains("headwater.toml:5:"),
                "{name} {address}: {said}"
            );
            assert!(said.contains(says), "{name} {address}: {said}");
        }
        assert!(!proof.exists(), "{name} {address}");
        assert!(!folder.path().join("headwater-git").exists());
    }
}

#[test]
fn globs_and_names_without_an_address_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (scopes, says) in [
        ("[\"tools/*\"]", "is a glob, and git has no list"),
        ("[\"tools/other\"]", "has no entry in git.urls"),
    ] {
        let config = format!(
            "[[connection]]\nid = 9\nname = \"plain\"\nkind = \"git\"\nscopes = {scopes}\n\
             git.urls = {{ \"tools/widget\" = \"/srv/widget.git\" }}\n"
        );
        std::fs::write(folder.path().join("headwater.toml"), config).unwrap();
        let output = headwater(folder.path(), &["sync"]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(3), "{said}");
        assert!(
            said.contains("headwater.toml:5:11") && said.contains(says),
            "{said}"
        );
    }
}

//! Messages that the page of troubleshooting explains: the program has each of them.

use std::path::Path;

use regex::Regex;

use super::root;
use crate::lake::headwater;

/// A message of the page, as what it matches: `…` stands for anything short.
fn messages() -> Vec<(String, Regex)> {
    let page = std::fs::read_to_string(root().join("docs/troubleshooting.md")).unwrap();
    let (messages, _) = page.split_once("## By symptom").unwrap();
    let rows = messages.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.map(|row| {
        let (message, _) = row.split_once('`').unwrap();
        let parts: Vec<String> = message.split('…').map(regex::escape).collect();
        let pattern = Regex::new(&parts.join(".{0,120}")).unwrap();
        (message.to_owned(), pattern)
    })
    .collect()
}

/// The text of the program: all sources, each literal in one line.
fn sources(folder: &Path, text: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, text);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            text.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn every_message_of_the_page_of_troubleshooting_is_one_of_the_program() {
    let mut text = String::new();
    for folder in ["src", "store/src", "collectors/src", "migrations/src"] {
        sources(&root().join(folder), &mut text);
    }
    let literals = Regex::new(r"\\\n\s*").unwrap().replace_all(&text, "");
    let messages = messages();
    assert!(messages.len() > 15, "{}", messages.len());
    for (message, pattern) in &messages {
        assert!(
            pattern.is_match(&literals),
            "the program never says: {message}"
        );
    }
}

/// What a beginner may do, the file that is there, and the beginning of the message.
const MISTAKES: [(&[&str], &str, &str); 5] = [
    (&["sync"], "", "there is no such file"),
    (&["sync"], "# nothing\n", "the configuration has no"),
    (&["sync"], CONNECTION, "environment variable"),
    (&["status"], "", "there is no database"),
    (
        &["connection", "test"],
        "[[connection]]\nid = 1\nname = \"acme\"\nkind = \"bitbucket-cloud\"\n\
         endpoint = \"http://127.0.0.1:1/2.0/\"\nscopes = [\"acme/widgets\"]\n",
        "unreachable",
    ),
];

const CONNECTION: &str = "[[connection]]\nid = 1\nname = \"acme\"\nkind = \"bitbucket-cloud\"\n\
    auth.kind = \"access-token\"\nauth.token = \"env:HEADWATER_NO_SUCH_TOKEN\"\n\
    scopes = [\"acme/widgets\"]\n";

#[test]
fn the_mistakes_of_a_beginner_are_on_the_page() {
    let messages = messages();
    for (arguments, configuration, begin) in MISTAKES {
        let folder = tempfile::tempdir().unwrap();
        if !configuration.is_empty() {
            std::fs::write(folder.path().join("headwater.toml"), configuration).unwrap();
        }
        let said = headwater(folder.path(), arguments);
        let shown = [said.stdout, said.stderr].map(|it| String::from_utf8(it).unwrap());
        let shown = shown.concat();
        let (_, pattern) = messages
            .iter()
            .find(|(message, _)| message.starts_with(begin))
            .unwrap_or_else(|| panic!("{begin} is not on the page"));
        assert!(pattern.is_match(&shown), "{arguments:?}: {shown}");
    }
}

//! Issues that a text names: `#12`, and `ABC-12`.
//!
//! What looks like the name of an issue is one only where such an issue exists, so `UTF-8` harms
//! nobody here. Left out is what names something else for certain: `#12` in an address, in a
//! colour such as `#12ab`, and behind the words `pull request`, as Bitbucket writes into the
//! messages of merges.

use std::collections::BTreeSet;
use std::fmt;

use crate::Scope;
use crate::id::Ids;

#[cfg(test)]
mod tests;

/// Issues taken from one text; the first of them. Nobody solves more with one commit.
pub const MOST_OF_A_TEXT: usize = 100;

/// Digits of a number: more fit into no number of an issue.
const LONGEST_NUMBER: usize = 18;

/// Characters of a project's key. With the number behind it, a mention fits into 64 characters.
const LONGEST_PROJECT: usize = 40;

/// What names an issue.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mention {
    /// `#12`: an issue of the repository's own tracker.
    Number(i64),
    /// `ABC-12`: an issue of a project, wherever that is kept.
    Key(String),
}

impl Mention {
    /// Domain id of the issue of the scope's own tracker that a number names, whether or not there
    /// is one; empty for a key, which may be of any tracker.
    #[must_use]
    pub fn own_issue(&self, ids: &Ids, scope: &Scope) -> String {
        match self {
            Self::Number(number) => ids.issue(scope, *number),
            Self::Key(_) => String::new(),
        }
    }
}

impl fmt::Display for Mention {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(out, "#{number}"),
            Self::Key(key) => out.write_str(key),
        }
    }
}

/// The issues that a text names, at most [`MOST_OF_A_TEXT`]. One pass, whatever the text.
#[must_use]
pub fn of_text(text: &str) -> BTreeSet<Mention> {
    let mut found = BTreeSet::new();
    // Both signs are ASCII, so that no byte of another character is taken for one.
    let bytes = text.as_bytes();
    let mut in_address = false;
    for (place, byte) in bytes.iter().enumerate() {
        let mention = match byte {
            b':' if bytes[place..].starts_with(b"://") => {
                in_address = true;
                None
            }
            b')' | b'>' | b']' | b'"' | b'\'' | b'`' => {
                in_address = false;
                None
            }
            b'#' if !in_address => number_at(text, place),
            b'-' => key_around(text, place),
            _ => {
                in_address &= !byte.is_ascii_whitespace();
                None
            }
        };
        found.extend(mention);
        if found.len() == MOST_OF_A_TEXT {
            break;
        }
    }
    found
}

/// Mentions as one line, with a space between them.
#[must_use]
pub fn line(mentions: &BTreeSet<Mention>) -> String {
    let texts: Vec<String> = mentions.iter().map(Mention::to_string).collect();
    texts.join(" ")
}

/// The issue named by a `#` at this place.
fn number_at(text: &str, place: usize) -> Option<Mention> {
    let (before, rest) = (&text[..place], &text[place + 1..]);
    let digits = number(rest)?;
    // `&#39;` is an apostrophe, and `##12` a heading or nothing.
    let is_part = before.ends_with(['&', '#']) || before.ends_with(is_of_word);
    if is_part || names_pull_request(before) {
        return None;
    }
    digits.parse().ok().map(Mention::Number)
}

/// The issue named by a key whose `-` is at this place.
fn key_around(text: &str, place: usize) -> Option<Mention> {
    let digits = number(&text[place + 1..])?;
    let bytes = text.as_bytes();
    let is_of_project =
        |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_';
    let project = bytes[..place].iter().rev();
    let length = project
        .take(LONGEST_PROJECT + 1)
        .take_while(|byte| is_of_project(byte))
        .count();
    let start = place - length;
    let begins = bytes.get(start).is_some_and(u8::is_ascii_uppercase);
    if !(2..=LONGEST_PROJECT).contains(&length) || !begins || text[..start].ends_with(is_of_word) {
        return None;
    }
    Some(Mention::Key(format!("{}-{digits}", &text[start..place])))
}

/// The number that a text begins with, if it is a word's end there.
fn number(text: &str) -> Option<&str> {
    let bytes = text.as_bytes();
    let digits = bytes.iter().take(LONGEST_NUMBER + 1);
    let length = digits.take_while(|byte| byte.is_ascii_digit()).count();
    if length == 0 || length > LONGEST_NUMBER || bytes[0] == b'0' {
        return None;
    }
    let (digits, rest) = text.split_at(length);
    let mut rest = rest.chars();
    let next = rest.next();
    let goes_on = match next {
        // A version.
        Some('.' | ',') => rest.next().is_some_and(|after| after.is_ascii_digit()),
        Some(next) => is_of_word(next),
        None => false,
    };
    (!goes_on).then_some(digits)
}

fn is_of_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Whether the words before a number say that it is a pull request's.
fn names_pull_request(before: &str) -> bool {
    const WORDS: [&str; 8] = [
        "pull request",
        "pull requests",
        "pull-request",
        "pullrequest",
        "merge request",
        "pr",
        "prs",
        "mr",
    ];
    /// Spaces that may be between the words and the number.
    const SPACES: usize = 3;
    let mut end = before.len();
    for _ in 0..SPACES {
        end -= usize::from(before[..end].ends_with([' ', ':', '\n', '\t']));
    }
    let before = &before[..end];
    WORDS.iter().any(|words| {
        let start = before.len().checked_sub(words.len());
        let found = start.and_then(|start| Some((before.get(..start)?, before.get(start..)?)));
        found.is_some_and(|(before, last)| {
            last.eq_ignore_ascii_case(words) && !before.ends_with(is_of_word)
        })
    })
}

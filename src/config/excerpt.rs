//! The line of the file that a problem is about, without what may be a secret in it.
//!
//! A text of the line is shown when the message repeats it anyway, or when it belongs to a key
//! whose values are never secret. Every other text, and every comment, is left out.

use std::ops::Range;

use super::problem::{Problem, may_hold_credential};
use super::template::EMAIL;
use crate::output;

/// What is shown in place of a text.
const HIDDEN: &str = "***";

/// Longest line that is shown, in bytes.
const LONGEST: usize = 240;

/// Keys whose values are for reading.
const HARMLESS: [&str; 9] = [
    "kind",
    "auth.kind",
    "name",
    "scopes",
    "data_after",
    "reconcile_every",
    "schedule",
    "timezone",
    "entities",
];

/// A line, and what in it is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Excerpt {
    /// The line, without what may be a secret.
    pub(super) line: String,
    /// What is meant, in bytes of the line.
    pub(super) meant: Range<usize>,
}

/// The line of a problem; none where it has no place, or nothing of it can be shown.
pub(super) fn of(text: &str, problem: &Problem) -> Option<Excerpt> {
    let line = text.lines().nth(problem.line.checked_sub(1)?)?;
    // A file that is no TOML has no keys and values: what is behind `=` may be anything.
    let is_broken = problem.key.is_empty();
    let is_header = line.trim_start().starts_with('[');
    let key = line.split_once('=').map(|(key, _)| key.trim());
    if line.len() > LONGEST || (is_broken && key.is_none() && !is_header) {
        return None;
    }
    let says = format!("{} {}", problem.key, problem.message);
    let harmless = key.is_some_and(|key| HARMLESS.contains(&key)) && !is_broken;
    let is_shown = |content: &str| {
        let harmless = harmless || content == EMAIL || says.contains(content);
        harmless && !may_hold_credential(content)
    };
    let mut characters = line.char_indices();
    let at = characters.nth(problem.column.saturating_sub(1));
    let at = at.map_or(line.len(), |(at, _)| at);
    let mut shown = String::new();
    let mut meant = None;
    let mut is_value = false;
    for (place, piece) in pieces(line) {
        let begin = shown.len();
        match piece {
            Piece::Text(text) => {
                let content = text.trim_matches(['"', '\'']);
                let is_key = !is_value && !is_broken;
                if is_shown(content) || is_key && says.contains(content) {
                    shown.push_str(&output::shown(text));
                } else {
                    shown.push('"');
                    shown.push_str(HIDDEN);
                    shown.push('"');
                }
            }
            Piece::Word(_) if is_broken && is_value => shown.push_str(HIDDEN),
            Piece::Word(word) => shown.push_str(&output::shown(word)),
            Piece::Other(other) => {
                is_value |= other == '=';
                shown.push(if other.is_control() { ' ' } else { other });
            }
        }
        if (place..place + piece.len()).contains(&at) {
            meant = Some(begin..shown.len());
        }
    }
    let line = shown.trim_end().to_owned();
    let meant = meant.filter(|meant| meant.end <= line.len());
    let meant = meant.unwrap_or(line.len()..line.len());
    Some(Excerpt { line, meant })
}

/// A part of a line.
#[derive(Clone, Copy)]
enum Piece<'a> {
    /// A text with its quotes.
    Text(&'a str),
    /// A key, a number, a date.
    Word(&'a str),
    /// A blank or a sign.
    Other(char),
}

impl Piece<'_> {
    fn len(self) -> usize {
        match self {
            Self::Text(text) | Self::Word(text) => text.len(),
            Self::Other(other) => other.len_utf8(),
        }
    }
}

/// The parts of a line, with their places, up to its comment.
fn pieces(line: &str) -> Vec<(usize, Piece<'_>)> {
    let mut pieces = Vec::new();
    let mut place = 0;
    while let Some(first) = line[place..].chars().next() {
        let rest = &line[place..];
        let piece = match first {
            '#' => break,
            '"' | '\'' => Piece::Text(&rest[..end_of_text(rest, first)]),
            first if is_of_word(first) => {
                let end = rest.find(|letter| !is_of_word(letter));
                Piece::Word(&rest[..end.unwrap_or(rest.len())])
            }
            other => Piece::Other(other),
        };
        pieces.push((place, piece));
        place += piece.len();
    }
    pieces
}

/// Length of a text that begins with a quote; to the end of the line where it does not end there.
fn end_of_text(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (place, letter) in rest.char_indices().skip(1) {
        match letter {
            _ if escaped => escaped = false,
            '\\' if quote == '"' => escaped = true,
            letter if letter == quote => return place + 1,
            _ => {}
        }
    }
    rest.len()
}

fn is_of_word(letter: char) -> bool {
    !letter.is_whitespace() && !"=[]{},#\"'".contains(letter)
}

//! Text without what a terminal would obey.

use std::iter::Peekable;
use std::str::Chars;

const ESCAPE: char = '\u{1b}';
const BELL: char = '\u{7}';
/// The end of a string of commands, as one character.
const STRING_END: char = '\u{9c}';

/// The text without control characters and terminal sequences. Tabs and line breaks stay.
#[must_use]
pub fn printable(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '\n' | '\t' => kept.push(character),
            ESCAPE => skip_sequence(&mut rest),
            '\u{9b}' => skip_parameters(&mut rest),
            '\u{90}' | '\u{98}' | '\u{9d}'..='\u{9f}' => skip_string(&mut rest),
            _ if character.is_control() || turns_text_around(character) => {}
            _ => kept.push(character),
        }
    }
    kept
}

/// The same in one line: line breaks and tabs become spaces.
#[must_use]
pub fn one_line(text: &str) -> String {
    let lines = text.replace("\r\n", " ").replace(['\n', '\r', '\t'], " ");
    printable(&lines)
}

/// Characters without a width that change how others are shown, or hide that they are there.
fn turns_text_around(character: char) -> bool {
    matches!(
        character,
        '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
    )
}

/// What follows an escape character.
fn skip_sequence(rest: &mut Peekable<Chars<'_>>) {
    match rest.peek() {
        Some('[') => {
            rest.next();
            skip_parameters(rest);
        }
        Some(']' | 'P' | 'X' | '^' | '_') => {
            rest.next();
            skip_string(rest);
        }
        Some(' '..='/') => {
            while rest.next_if(|next| matches!(next, ' '..='/')).is_some() {}
            rest.next_if(|next| matches!(next, '0'..='~'));
        }
        Some('0'..='~') => {
            rest.next();
        }
        _ => {}
    }
}

/// Numbers up to the letter that ends them.
fn skip_parameters(rest: &mut Peekable<Chars<'_>>) {
    while rest.next_if(|next| matches!(next, ' '..='?')).is_some() {}
    rest.next_if(|next| matches!(next, '@'..='~'));
}

/// A string up to its end. One without an end hides nothing of what follows.
fn skip_string(rest: &mut Peekable<Chars<'_>>) {
    let mut ahead = rest.clone();
    while let Some(next) = ahead.next() {
        let ends = match next {
            BELL | STRING_END => true,
            ESCAPE => ahead.next_if_eq(&'\\').is_some(),
            _ => false,
        };
        if ends {
            *rest = ahead;
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_obeys_nothing_of_a_text_from_outside() {
        for (text, expected) in [
            ("plain", "plain"),
            ("a\nb\tc", "a\nb\tc"),
            ("\u{1b}[31mred\u{1b}[0m", "red"),
            ("\u{9b}31mred", "red"),
            ("\u{1b}]0;title\u{7}x", "x"),
            (
                "\u{1b}]8;;https://evil.example\u{1b}\\link\u{1b}]8;;\u{1b}\\",
                "link",
            ),
            ("\u{1b}P1$r\u{9c}x", "x"),
            ("\u{9d}52;c;aGk=\u{7}x", "x"),
            ("\u{1b}]0;no end", "0;no end"),
            ("\u{1b}(Bx", "x"),
            ("\u{1b}cx", "x"),
            ("\u{1b}", ""),
            ("a\u{0}\u{7}\u{8}\u{7f}\u{85}b", "ab"),
            ("\u{202e}evil\u{2066}", "evil"),
            ("Grüße 😀", "Grüße 😀"),
        ] {
            assert_eq!(printable(text), expected, "{text:?}");
        }
    }

    #[test]
    fn one_line_is_one_line() {
        assert_eq!(one_line("a\r\nb\nc\td\re\u{1b}[2J"), "a b c d e");
    }
}

//! Secrets that no text may hold, found in whatever encoding a server or a program repeats them.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret as _, SecretString};

use crate::decoding::Decoded;
use crate::{HIDDEN, one_line};

/// Layers of escapes that are undone: an escaped text in an escaped text, and some more.
const LAYERS: usize = 6;

/// Shorter secrets are looked for as they are: any Base64 holds a few given letters.
const SHORTEST_ENCODED: usize = 4;

/// The part of a secret that may remain at the end of a text that was cut, in characters.
const SHORTEST_PART: usize = 3;

/// Longest text that is looked through, in bytes; what follows is left out of messages.
const LONGEST: usize = 256 << 10;

/// Parameters of addresses whose values are secrets, whoever they belong to.
const SECRET_PARAMETERS: [&str; 8] = [
    "access_token=",
    "refresh_token=",
    "private_token=",
    "client_secret=",
    "x-token-auth:",
    "jwt=",
    "token=",
    "password=",
];

/// Texts that no message may hold. Clones share them.
#[derive(Clone, Default)]
pub struct Secrets(Arc<[Needle]>);

#[derive(Clone)]
struct Needle {
    text: SecretString,
    form: Form,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// The secret itself.
    Plain,
    /// Its hexadecimal digits.
    Hex,
    /// Those letters of Base64 that come from the secret alone.
    Base64,
}

impl Secrets {
    /// These secrets; empty ones are none.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        Self::default().and(secrets)
    }

    /// These secrets and further ones.
    #[must_use]
    pub fn and<'a>(&self, secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let mut needles = self.0.to_vec();
        for secret in secrets {
            for needle in needles_of(secret) {
                let text = needle.text.expose_secret();
                if !needles
                    .iter()
                    .any(|known| known.text.expose_secret() == text)
                {
                    needles.push(needle);
                }
            }
        }
        // What holds another one is hidden as a whole.
        needles.sort_by_key(|needle| std::cmp::Reverse(needle.text.expose_secret().len()));
        Self(needles.into())
    }

    /// The secrets of both.
    #[must_use]
    pub fn and_those_of(&self, others: &Self) -> Self {
        let plain = others.0.iter().filter(|needle| needle.form == Form::Plain);
        self.and(plain.map(|needle| needle.text.expose_secret()))
    }

    /// The text without the secrets, in whatever encoding it holds them.
    #[must_use]
    pub fn hide(&self, text: &str) -> String {
        self.without(text, false)
    }

    /// The same for a text whose ends may have been cut off, maybe in the middle of a secret.
    #[must_use]
    pub fn hide_in_part(&self, text: &str) -> String {
        self.without(text, true)
    }

    /// A text from outside as a message may hold it: on one line, without control characters,
    /// without secrets, without user info and secret parameters of addresses, and of limited
    /// length (in characters).
    #[must_use]
    pub fn shown(&self, text: &str, longest: usize) -> String {
        let (text, is_part) = beginning(text);
        // Characters without a width might stand between the letters of a secret.
        let text = one_line(text);
        let text = self.without(&text, is_part);
        let text = without_addresses_secrets(&text);
        text.trim().chars().take(longest).collect()
    }

    fn without(&self, text: &str, is_part: bool) -> String {
        if self.0.is_empty() {
            return text.to_owned();
        }
        let mut found = Vec::new();
        let mut decoded = Decoded::plain(text);
        for _ in 0..LAYERS {
            for needle in &*self.0 {
                needle.find(&decoded, is_part, &mut found);
            }
            match decoded.once_more() {
                Some(further) => decoded = further,
                None => break,
            }
        }
        replaced(text, found)
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Secrets")
    }
}

impl Needle {
    fn find(&self, decoded: &Decoded, is_part: bool, found: &mut Vec<Range<usize>>) {
        let secret = self.text.expose_secret();
        let text = decoded.text();
        for (at, _) in text.match_indices(secret) {
            let mut part = at..at + secret.len();
            if self.form == Form::Base64 {
                part = whole_word(text, part);
            }
            found.push(decoded.place(part));
        }
        if is_part {
            found.extend(part_at_end(text, secret).map(|part| decoded.place(part)));
            found.extend(part_at_begin(text, secret).map(|part| decoded.place(part)));
        }
    }
}

/// The forms that a secret is looked for in.
fn needles_of(secret: &str) -> Vec<Needle> {
    let needle = |text: String, form| Needle {
        text: SecretString::from(text),
        form,
    };
    if secret.is_empty() {
        return Vec::new();
    }
    if secret.len() < SHORTEST_ENCODED {
        return vec![needle(secret.to_owned(), Form::Plain)];
    }
    // A text is decoded as often as it can be, and the secret may look like an escape itself; the
    // password in an address is one.
    let mut plain = vec![secret.to_owned()];
    let mut decoded = Decoded::plain(secret);
    while let Some(further) = decoded.once_more() {
        decoded = further;
        plain.push(decoded.text().to_owned());
    }
    let mut needles = Vec::new();
    for text in &plain {
        for text in [format_hex(text, false), format_hex(text, true)] {
            needles.push(needle(text, Form::Hex));
        }
        for encoded in (0..3).flat_map(|offset| encoded_at(text, offset)) {
            needles.push(needle(encoded, Form::Base64));
        }
        if text.contains(' ') {
            needles.push(needle(text.replace(' ', "+"), Form::Plain));
        }
    }
    needles.extend(plain.into_iter().map(|text| needle(text, Form::Plain)));
    needles.retain(|needle| needle.text.expose_secret().len() >= SHORTEST_ENCODED);
    needles
}

fn format_hex(secret: &str, upper: bool) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(secret.len() * 2);
    for byte in secret.bytes() {
        // A string takes everything that is written to it.
        let _ = if upper {
            write!(text, "{byte:02X}")
        } else {
            write!(text, "{byte:02x}")
        };
    }
    text
}

/// The letters of Base64 that say nothing but the secret, when so many bytes of something else
/// (modulo three) stand before it; in both alphabets.
fn encoded_at(secret: &str, offset: usize) -> [String; 2] {
    let mut bytes = vec![0; offset];
    bytes.extend_from_slice(secret.as_bytes());
    let first = (8 * offset).div_ceil(6);
    let end = 8 * bytes.len() / 6;
    [
        STANDARD_NO_PAD.encode(&bytes),
        URL_SAFE_NO_PAD.encode(&bytes),
    ]
    .map(|text| text[first..end].to_owned())
}

/// The word of Base64 around a part: what stands before a password is its user.
fn whole_word(text: &str, part: Range<usize>) -> Range<usize> {
    let is_letter = |byte: &u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=')
    };
    let bytes = text.as_bytes();
    let before = bytes[..part.start]
        .iter()
        .rev()
        .take_while(|b| is_letter(b));
    let after = bytes[part.end..].iter().take_while(|b| is_letter(b));
    part.start - before.count()..part.end + after.count()
}

/// The beginning of a secret at the end of a text.
fn part_at_end(text: &str, secret: &str) -> Option<Range<usize>> {
    let mut parts = secret.char_indices().map(|(at, _)| &secret[..at]).rev();
    let part = parts.find(|part| text.ends_with(part))?;
    let long = part.chars().count() >= SHORTEST_PART;
    long.then(|| text.len() - part.len()..text.len())
}

/// The end of a secret at the beginning of a text.
fn part_at_begin(text: &str, secret: &str) -> Option<Range<usize>> {
    let mut parts = secret.char_indices().skip(1).map(|(at, _)| &secret[at..]);
    let part = parts.find(|part| text.starts_with(part))?;
    let long = part.chars().count() >= SHORTEST_PART;
    long.then_some(0..part.len())
}

fn replaced(text: &str, mut found: Vec<Range<usize>>) -> String {
    found.sort_by_key(|part| part.start);
    let mut shown = String::with_capacity(text.len());
    let mut kept = 0;
    for part in found {
        if part.end <= kept {
            continue;
        }
        if part.start >= kept {
            shown.push_str(&text[kept..part.start]);
            shown.push_str(HIDDEN);
        }
        kept = part.end;
    }
    shown.push_str(&text[kept..]);
    shown
}

/// As much of a text as is looked through, and whether that is a part of it.
fn beginning(text: &str) -> (&str, bool) {
    if text.len() <= LONGEST {
        return (text, false);
    }
    let mut end = LONGEST;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    (&text[..end], true)
}

/// The text without what is between `://` and `@`, and without values of secret parameters.
fn without_addresses_secrets(text: &str) -> String {
    let mut shown = without_user_info(text);
    for name in SECRET_PARAMETERS {
        shown = without_values(&shown, name);
    }
    shown
}

fn without_user_info(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        shown.push_str(before);
        let ends = |c: char| matches!(c, '/' | '?' | '#' | '\'' | '"') || c.is_whitespace();
        let authority = after.find(ends).unwrap_or(after.len());
        rest = match after[..authority].rfind('@') {
            Some(end) => &after[end + 1..],
            None => after,
        };
    }
    shown.push_str(rest);
    shown
}

fn without_values(text: &str, name: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    let lower = text.to_ascii_lowercase();
    while let Some(at) = lower[text.len() - rest.len()..].find(name) {
        let (before, after) = rest.split_at(at + name.len());
        shown.push_str(before);
        let ends = |c: char| {
            matches!(c, '&' | '"' | '\'' | '#' | ';' | ',' | ')' | '@') || c.is_whitespace()
        };
        let value = after.find(ends).unwrap_or(after.len());
        if value > 0 {
            shown.push_str(HIDDEN);
        }
        rest = &after[value..];
    }
    shown.push_str(rest);
    shown
}

#[cfg(test)]
mod tests;

//! A text with its escapes undone, which remembers where each character came from.

use std::ops::Range;

/// A text, decoded so far, with the place of each character in the text it was made of.
pub(crate) struct Decoded {
    characters: Vec<char>,
    places: Vec<Range<usize>>,
    text: String,
    /// Where each character begins in `text`.
    begins: Vec<usize>,
}

impl Decoded {
    /// The text as it is.
    pub(crate) fn plain(text: &str) -> Self {
        let places = text
            .char_indices()
            .map(|(at, character)| at..at + character.len_utf8());
        Self::of(text.chars().collect(), places.collect())
    }

    fn of(characters: Vec<char>, places: Vec<Range<usize>>) -> Self {
        let text: String = characters.iter().collect();
        let begins = text.char_indices().map(|(at, _)| at).collect();
        Self {
            characters,
            places,
            text,
            begins,
        }
    }

    /// The decoded text.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Where a part of the decoded text, in bytes, comes from.
    pub(crate) fn place(&self, part: Range<usize>) -> Range<usize> {
        let first = self.begins.partition_point(|&begin| begin < part.start);
        let last = self.begins.partition_point(|&begin| begin < part.end);
        match (
            self.places.get(first),
            self.places.get(last.wrapping_sub(1)),
        ) {
            (Some(first), Some(last)) => first.start..last.end,
            _ => 0..0,
        }
    }

    /// One layer of escapes less; none when there are none.
    pub(crate) fn once_more(&self) -> Option<Self> {
        let mut characters = Vec::with_capacity(self.characters.len());
        let mut places = Vec::with_capacity(self.characters.len());
        let mut at = 0;
        while let Some(&character) = self.characters.get(at) {
            let (length, decoded) = escape(&self.characters[at..]).unwrap_or((1, character));
            characters.push(decoded);
            places.push(self.places[at].start..self.places[at + length - 1].end);
            at += length;
        }
        (characters.len() < self.characters.len()).then(|| Self::of(characters, places))
    }
}

/// The escape that the characters begin with: its length and what it means.
fn escape(characters: &[char]) -> Option<(usize, char)> {
    match characters.first()? {
        '\\' => backslash(characters),
        '%' => percent(characters),
        '&' => entity(characters),
        _ => None,
    }
}

/// Escapes of JSON, and of programs that print texts as their language writes them.
fn backslash(characters: &[char]) -> Option<(usize, char)> {
    match characters.get(1)? {
        'u' if characters.get(2) == Some(&'{') => {
            let length = characters.iter().take(12).position(|&c| c == '}')?;
            let number = hex(characters.get(3..length)?)?;
            Some((length + 1, char::from_u32(number)?))
        }
        'u' => {
            let high = hex(characters.get(2..6)?)?;
            if let Some(character) = char::from_u32(high) {
                return Some((6, character));
            }
            let low = match characters.get(6..8) {
                Some(['\\', 'u']) => hex(characters.get(8..12)?)?,
                _ => return None,
            };
            let pair = char::decode_utf16([u16::try_from(high).ok()?, u16::try_from(low).ok()?]);
            let character = pair.into_iter().next()?.ok()?;
            Some((12, character))
        }
        'x' => {
            let number = hex(characters.get(2..4)?)?;
            Some((4, char::from_u32(number)?))
        }
        'n' => Some((2, '\n')),
        'r' => Some((2, '\r')),
        't' => Some((2, '\t')),
        'b' => Some((2, '\u{8}')),
        'f' => Some((2, '\u{c}')),
        &other if other.is_ascii_punctuation() => Some((2, other)),
        _ => None,
    }
}

/// One character of an address: as many bytes as it has.
fn percent(characters: &[char]) -> Option<(usize, char)> {
    let byte = |place: usize| match characters.get(place..place + 3)? {
        ['%', digits @ ..] => u8::try_from(hex(digits)?).ok(),
        _ => None,
    };
    let first = byte(0)?;
    let count = match first {
        0..0x80 => 1,
        0xc2..0xe0 => 2,
        0xe0..0xf0 => 3,
        0xf0..0xf5 => 4,
        _ => return None,
    };
    let bytes: Option<Vec<u8>> = (0..count).map(|place| byte(place * 3)).collect();
    let text = String::from_utf8(bytes?).ok()?;
    Some((count * 3, text.chars().next()?))
}

/// A character of a page for people.
fn entity(characters: &[char]) -> Option<(usize, char)> {
    let end = characters.iter().take(10).position(|&c| c == ';')?;
    let name: String = characters[1..end].iter().collect();
    let character = match name.as_str() {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        name => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)?
        }
    };
    Some((end + 1, character))
}

fn hex(digits: &[char]) -> Option<u32> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u32, |number, digit| {
        number.checked_mul(16)?.checked_add(digit.to_digit(16)?)
    })
}

/// A string of JSON with its escapes undone, once.
pub(crate) fn unescaped(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let mut plain = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(&character) = characters.get(at) {
        let rest = &characters[at..];
        let read = if character == '\\' {
            backslash(rest)
        } else {
            None
        };
        let (length, read) = read.unwrap_or((1, character));
        plain.push(read);
        at += length;
    }
    plain
}

//! Hashes of commits in binary.

use std::fmt;
use std::str::FromStr;

use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use super::GraphError;

/// The full hash of a commit: SHA-1 (20 bytes) or SHA-256 (32 bytes).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommitHash {
    bytes: [u8; 32],
    length: u8,
}

impl CommitHash {
    /// The bytes, 20 or 32.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }

    /// The hash that a text is; for a text that is none, as tables from elsewhere may have it, a
    /// stand-in made of it, which no other text has.
    #[must_use]
    pub fn named(text: &str) -> Self {
        text.parse().unwrap_or_else(|_| {
            let mut bytes = [0; 20];
            bytes[..16].copy_from_slice(&xxh3_128(text.as_bytes()).to_be_bytes());
            bytes[16..].copy_from_slice(&xxh3_64(text.as_bytes()).to_be_bytes()[..4]);
            Self::of_bytes(&bytes)
        })
    }

    /// A hash of bytes that came from [`CommitHash::as_bytes`].
    pub(super) fn of_bytes(bytes: &[u8]) -> Self {
        let mut hash = Self {
            bytes: [0; 32],
            length: if bytes.len() == 32 { 32 } else { 20 },
        };
        let length = bytes.len().min(usize::from(hash.length));
        hash.bytes[..length].copy_from_slice(&bytes[..length]);
        hash
    }

    /// Whether the text of the hash begins with these digits, in lower case.
    pub(super) fn begins_with(&self, digits: &str) -> bool {
        let digits = digits.as_bytes();
        digits.len() <= usize::from(self.length) * 2
            && digits.iter().enumerate().all(|(place, &digit)| {
                let byte = self.bytes[place / 2];
                let half = if place % 2 == 0 { byte >> 4 } else { byte & 15 };
                hexadecimal(digit) == Some(half)
            })
    }

    /// Whether the text of the hash comes before every text that begins with these digits.
    pub(super) fn is_before(&self, digits: &str) -> bool {
        let own = self.as_bytes().iter();
        let own = own.flat_map(|byte| [byte >> 4, byte & 15]);
        let digits = digits.bytes().map(|digit| hexadecimal(digit).unwrap_or(0));
        own.zip(digits)
            .find(|(own, digit)| own != digit)
            .is_some_and(|(own, digit)| own < digit)
    }
}

fn hexadecimal(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

impl FromStr for CommitHash {
    type Err = GraphError;

    /// Reads 40 or 64 hexadecimal digits.
    fn from_str(text: &str) -> Result<Self, GraphError> {
        let wrong = || GraphError::NotAHash(text.chars().take(64).collect());
        let length = match text.len() {
            40 => 20,
            64 => 32,
            _ => return Err(wrong()),
        };
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let (Some(high), Some(low)) = (hexadecimal(pair[0]), hexadecimal(pair[1])) else {
                return Err(wrong());
            };
            *byte = high << 4 | low;
        }
        Ok(Self { bytes, length })
    }
}

impl fmt::Display for CommitHash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let bytes = self.as_bytes();
        let mut text = [0; 64];
        for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        // Digits are text.
        out.write_str(std::str::from_utf8(&text[..2 * bytes.len()]).unwrap_or_default())
    }
}

impl fmt::Debug for CommitHash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

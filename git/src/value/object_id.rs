//! Full hashes.

use std::fmt;
use std::str::FromStr;

use super::InvalidValue;

/// The full hash of an object: 40 (SHA-1) or 64 (SHA-256) lower-case hexadecimal digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId(Box<str>);

impl ObjectId {
    /// A hash in lower case.
    ///
    /// # Errors
    /// When it has another length or other characters.
    pub fn parse(text: &str) -> Result<Self, InvalidValue> {
        let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if !matches!(text.len(), 40 | 64) || !text.bytes().all(hex) {
            let why = "a full hash has 40 or 64 hexadecimal digits in lower case";
            return Err(InvalidValue::new("hash", text.as_bytes(), why));
        }
        Ok(Self(text.into()))
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is a SHA-256 hash.
    #[must_use]
    pub fn is_sha256(&self) -> bool {
        self.0.len() == 64
    }
}

impl FromStr for ObjectId {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        Self::parse(text)
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

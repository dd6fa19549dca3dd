//! What git's bytes mean as text and times.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};

/// The last second of the year 9999, which is the last that every database stores.
const LAST_SECOND: i64 = 253_402_300_799;

/// Bytes of the longest text that is stored: a quarter of what MariaDB takes by default.
const LONGEST_TEXT: usize = 4 << 20;

/// Text as it is shown: bytes that are no UTF-8 become U+FFFD.
pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Text that is cut, between characters, to what every database takes in one statement.
pub(super) fn long_text(bytes: &[u8]) -> String {
    let mut text = text(&bytes[..bytes.len().min(LONGEST_TEXT)]);
    // A replaced byte takes three.
    let mut end = text.len().min(LONGEST_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text
}

/// The name of a ref: bytes that are no UTF-8 become `\xNN`. Names cannot hold a backslash, so
/// that two names stay two names.
pub(super) fn ref_text(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            // Writing to a string does not fail.
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

/// Seconds since 1970 as a time (UTC); none for what is no number, or no time that every database
/// stores.
pub(super) fn time(seconds: &[u8]) -> Option<DateTime<Utc>> {
    let seconds: i64 = std::str::from_utf8(seconds).ok()?.parse().ok()?;
    if !(0..=LAST_SECOND).contains(&seconds) {
        return None;
    }
    DateTime::from_timestamp(seconds, 0)
}

/// Bytes in hexadecimal.
pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_names_that_are_no_utf_8_stay_two_names() {
        assert_eq!(ref_text(b"refs/heads/caf\xe9"), "refs/heads/caf\\xe9");
        assert_eq!(ref_text(b"refs/heads/caf\xe8"), "refs/heads/caf\\xe8");
        assert_eq!(
            ref_text("refs/heads/größer".as_bytes()),
            "refs/heads/größer"
        );
    }

    #[test]
    fn a_time_that_no_database_stores_is_none() {
        let shown = |seconds: &str| time(seconds.as_bytes()).map(|time| time.to_rfc3339());
        assert_eq!(shown("0").as_deref(), Some("1970-01-01T00:00:00+00:00"));
        assert_eq!(
            shown("253402300799").as_deref(),
            Some("9999-12-31T23:59:59+00:00")
        );
        for odd in ["253402300800", "-1", "", "18446744073709551615", "soon"] {
            assert_eq!(shown(odd), None, "{odd}");
        }
    }

    #[test]
    fn a_text_that_no_statement_could_carry_is_cut_between_characters() {
        let long = "é".repeat(LONGEST_TEXT);
        let cut = long_text(&long.as_bytes()[1..]);
        assert!(cut.len() <= LONGEST_TEXT && cut.len() > LONGEST_TEXT - 8);
        assert!(cut.ends_with("éé"), "{:?}", cut.chars().next_back());
        assert_eq!(long_text("größer".as_bytes()), "größer");
        assert_eq!(
            long_text(&vec![0xff; 2 * LONGEST_TEXT]).len(),
            LONGEST_TEXT / 3 * 3
        );
    }

    #[test]
    fn bytes_are_written_in_hexadecimal() {
        assert_eq!(hexadecimal(&[0x00, 0x9f, 0xff]), "009fff");
    }
}

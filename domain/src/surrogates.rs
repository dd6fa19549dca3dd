//! Halves of characters in JSON: `"\\ud800"` is JSON, and no text. Readers of JSON refuse it.
//!
//! Everywhere else a byte that is no text becomes U+FFFD, and so does a half here.

use std::borrow::Cow;

/// How long an escape is, such as `\u00e9`.
const ESCAPE: usize = 6;

/// JSON in which each half that has no other half is U+FFFD.
#[must_use]
pub fn mended(json: &[u8]) -> Cow<'_, [u8]> {
    replaced(json, *b"\\ufffd")
}

/// JSON in which each half that has no other half is the control character U+0001, which no key
/// may hold: two keys that differ must not become one.
#[must_use]
pub fn marked(json: &[u8]) -> Cow<'_, [u8]> {
    replaced(json, *b"\\u0001")
}

/// JSON with another escape in the place of each half.
fn replaced(json: &[u8], other: [u8; ESCAPE]) -> Cow<'_, [u8]> {
    let mut json = Cow::Borrowed(json);
    let mut at = 0;
    while let Some(found) = json.get(at..).and_then(|rest| memchr::memchr(b'\\', rest)) {
        at += found;
        let (first, second) = (unit(&json, at), unit(&json, at + ESCAPE));
        at += match first {
            // Another escape, such as `\\`: what follows the backslash begins none.
            None => 2,
            Some(0xd800..=0xdbff) if matches!(second, Some(0xdc00..=0xdfff)) => 2 * ESCAPE,
            Some(0xd800..=0xdfff) => {
                json.to_mut()[at..at + ESCAPE].copy_from_slice(&other);
                ESCAPE
            }
            Some(_) => ESCAPE,
        };
    }
    json
}

/// The code unit that an escape at a place writes; none where there is no such escape.
fn unit(json: &[u8], at: usize) -> Option<u16> {
    let escape = json.get(at..at + ESCAPE)?.strip_prefix(b"\\u")?;
    if !escape.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u16::from_str_radix(std::str::from_utf8(escape).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_half_without_its_other_half_is_replaced_and_nothing_else_is() {
        for (json, expected) in [
            (r#""\ud800""#, r#""\ufffd""#),
            (r#""\uDFFF""#, r#""\ufffd""#),
            (r#""a\ud83d\ude80b""#, r#""a\ud83d\ude80b""#),
            (r#""\ud83d\ud83d\ude80""#, r#""\ufffd\ud83d\ude80""#),
            (r#""\ude80\ud83d""#, r#""\ufffd\ufffd""#),
            (r#""\ud83d\u0041""#, r#""\ufffd\u0041""#),
            (r#""\ud83d\n\ude80""#, r#""\ufffd\n\ufffd""#),
            (r#""\\ud800""#, r#""\\ud800""#),
            (r#""\\\ud800""#, r#""\\\ufffd""#),
            (
                r#"{"\ud800": {"\udc00": 1}}"#,
                r#"{"\ufffd": {"\ufffd": 1}}"#,
            ),
            (r#""\u0000\ud7ff\ue000""#, r#""\u0000\ud7ff\ue000""#),
            (r#""\ud80"#, r#""\ud80"#),
            (r#""\ud8zz""#, r#""\ud8zz""#),
            (r#""\"#, r#""\"#),
        ] {
            let shown = String::from_utf8_lossy(&mended(json.as_bytes())).into_owned();
            assert_eq!(shown, expected, "{json}");
        }
    }

    proptest! {
        #[test]
        fn what_is_mended_is_text_to_every_reader(parts in prop::collection::vec(
            prop_oneof![
                Just("\\\\".to_owned()),
                Just("\\n".to_owned()),
                "[a-fu0-9]{0,4}",
                (0xd700..0xe100_u32).prop_map(|unit| format!("\\u{unit:04x}")),
            ],
            0..12,
        )) {
            let json = format!("\"{}\"", parts.concat());
            let read: Result<String, _> = serde_json::from_slice(&mended(json.as_bytes()));
            prop_assert!(read.is_ok(), "{json}");
            let twice = mended(&mended(json.as_bytes())).into_owned();
            prop_assert_eq!(&twice, &mended(json.as_bytes()).into_owned());
        }

        #[test]
        fn any_bytes_keep_their_length(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            prop_assert_eq!(mended(&bytes).len(), bytes.len());
        }
    }
}

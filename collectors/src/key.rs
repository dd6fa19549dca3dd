//! Natural keys: found in an item's JSON without reading the rest of it.

use std::borrow::Cow;
use std::fmt;

use headwater_domain::surrogates;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use xxhash_rust::xxh3::xxh3_128;

/// What identifies an item among its siblings: the first alternative that the item has.
#[derive(Clone, Copy, Debug)]
pub struct Key(pub &'static [Alternative]);

/// One way to make a key of fields.
#[derive(Clone, Copy, Debug)]
pub struct Alternative {
    /// Text before the fields; distinguishes alternatives.
    pub kind: &'static str,
    /// Paths of the fields. The first one must be there, the others may be missing.
    pub fields: &'static [&'static [&'static str]],
}

/// Longest key in bytes: a parent's and its child's, with a slash between them, name a dead letter
/// in 255. Keys of Bitbucket have less than 100.
pub(crate) const MAX_LENGTH: usize = 127;

impl Key {
    /// The key of an item; none when it has none of the alternatives, or one that is too long or
    /// has control characters.
    #[must_use]
    pub fn of(&self, data: &[u8]) -> Option<String> {
        let key = self.text_of(data)?;
        (key.len() <= MAX_LENGTH && !key.contains(char::is_control)).then_some(key)
    }

    /// Hash of the text that identifies an item, however long; none when it has none of the
    /// alternatives.
    #[must_use]
    pub fn hash_of(&self, data: &[u8]) -> Option<String> {
        let text = self.text_of(data)?;
        Some(content_hash(text.as_bytes()))
    }

    fn text_of(&self, data: &[u8]) -> Option<String> {
        self.0.iter().find_map(|alternative| alternative.of(data))
    }
}

impl Alternative {
    fn of(&self, data: &[u8]) -> Option<String> {
        let mut fields = self.fields.iter();
        let first = field(data, fields.next()?)?;
        let mut key = self.kind.to_owned();
        if !key.is_empty() {
            key.push(':');
        }
        key.push_str(&first);
        for path in fields {
            key.push(':');
            key.push_str(&field(data, path).unwrap_or_default());
        }
        Some(key)
    }
}

/// Hash of an item as received; equal hashes mean that nothing changed.
#[must_use]
pub fn content_hash(data: &[u8]) -> String {
    format!("{:032x}", xxh3_128(data))
}

/// Text or number at a path of objects; none when it is missing, empty, something else, or holds
/// half a character.
#[must_use]
pub fn field(data: &[u8], path: &[&str]) -> Option<String> {
    let (mut found, mut flag) = (None, false);
    let data = surrogates::marked(data);
    let mut json = serde_json::Deserializer::from_slice(&data);
    let at = At {
        path,
        found: &mut found,
        flag: &mut flag,
    };
    // The rest of an item is of no interest, so finding the field ends the reading as an error.
    let _ = at.deserialize(&mut json);
    let is_marked = |text: &str| text.contains('\u{1}') && matches!(data, Cow::Owned(_));
    found.filter(|text| !text.is_empty() && !is_marked(text))
}

/// Whether a member at a path of objects is `true`.
pub(crate) fn is_true(data: &[u8], path: &[&str]) -> bool {
    let (mut found, mut flag) = (None, false);
    let mut json = serde_json::Deserializer::from_slice(data);
    let at = At {
        path,
        found: &mut found,
        flag: &mut flag,
    };
    let _ = at.deserialize(&mut json);
    flag
}

/// Walks down a path and ignores everything beside it.
struct At<'p> {
    path: &'p [&'p str],
    found: &'p mut Option<String>,
    flag: &'p mut bool,
}

impl At<'_> {
    /// Takes the value at the end of the path, and stops there.
    fn take<E: Error>(self, value: impl FnOnce() -> Option<String>) -> Result<(), E> {
        if !self.path.is_empty() {
            return Ok(());
        }
        *self.found = value();
        Err(E::custom("found"))
    }
}

impl<'de> DeserializeSeed<'de> for At<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for At<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("JSON")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        let (wanted, rest) = match self.path.split_first() {
            Some((first, rest)) => (Some(*first), rest),
            None => (None, self.path),
        };
        while let Some(is_wanted) = map.next_key_seed(IsName(wanted))? {
            if is_wanted {
                map.next_value_seed(At {
                    path: rest,
                    found: &mut *self.found,
                    flag: &mut *self.flag,
                })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut list: S) -> Result<(), S::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.take(|| Some(text.to_owned()))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<(), E> {
        self.take(|| Some(number.to_string()))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        self.take(|| Some(number.to_string()))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        self.take(|| None)
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<(), E> {
        *self.flag = flag && self.path.is_empty();
        self.take(|| None)
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.take(|| None)
    }
}

/// Compares a name of a member without keeping it.
struct IsName<'p>(Option<&'p str>);

impl<'de> DeserializeSeed<'de> for IsName<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for IsName<'_> {
    type Value = bool;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<bool, E> {
        Ok(self.0 == Some(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_is_found_without_reading_the_rest_however_deep_that_is() {
        let deep = format!("{}1{}", r#"{"a":["#.repeat(100_000), "]}".repeat(100_000));
        let path = &["comment", "deleted"];
        for (flag, expected) in [("true", true), ("false", false), ("\"true\"", false)] {
            let item = format!(r#"{{"x": {deep}, "comment": {{"y": [1], "deleted": {flag}}}}}"#);
            assert_eq!(is_true(item.as_bytes(), path), expected, "{flag}");
        }
        for other in [
            "{}",
            "[]",
            "",
            r#"{"comment": true}"#,
            r#"{"comment": {"deleted": {}}}"#,
        ] {
            assert!(!is_true(other.as_bytes(), path), "{other}");
        }
    }

    const VOTES: Key = Key(&[
        Alternative {
            kind: "approval",
            fields: &[&["approval", "date"], &["approval", "user", "uuid"]],
        },
        Alternative {
            kind: "",
            fields: &[&["id"]],
        },
    ]);

    #[test]
    fn the_first_alternative_that_is_there_makes_the_key() {
        let cases = [
            (r#"{"id": 12}"#, Some("12")),
            (r#"{"id": "{a}"}"#, Some("{a}")),
            (
                r#"{"approval": {"user": {"uuid": "u"}, "date": "d"}, "id": 1}"#,
                Some("approval:d:u"),
            ),
            (
                r#"{"approval": {"date": "d", "user": null}}"#,
                Some("approval:d:"),
            ),
            (r#"{"approval": {"date": ""}}"#, None),
            (r#"{"id": null}"#, None),
            (r#"{"id": [1]}"#, None),
            ("[1, 2]", None),
            ("{", None),
        ];
        for (data, expected) in cases {
            assert_eq!(VOTES.of(data.as_bytes()).as_deref(), expected, "{data}");
        }
    }

    #[test]
    fn a_key_too_long_for_an_index_is_no_key() {
        for (id, usable) in [
            ("x".repeat(127), true),
            ("x".repeat(128), false),
            ("🚀".repeat(31), true),
            ("🚀".repeat(32), false),
            ("x".repeat(10 << 20), false),
            (r"a\u0000b".to_owned(), false),
            (r"a\nb".to_owned(), false),
            (r"a\ud800b".to_owned(), false),
        ] {
            let data = format!(r#"{{"id": "{id}"}}"#);
            let shown: String = data.chars().take(40).collect();
            assert_eq!(VOTES.of(data.as_bytes()).is_some(), usable, "{shown}");
        }
    }

    #[test]
    fn a_key_is_found_behind_names_and_texts_that_are_no_text() {
        let data = br#"{"\ud800": 1, "other": {"\udc00": "\ud83d"}, "id": 12}"#;
        assert_eq!(VOTES.of(data).as_deref(), Some("12"));
        assert_eq!(
            VOTES.of(br#"{"id": "\ud83d\ude80"}"#).as_deref(),
            Some("🚀")
        );
    }

    #[test]
    fn a_key_is_found_beside_anything_however_hostile() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        for other in [
            deep.as_str(),
            "1e999",
            r#""\ud800""#,
            "-0",
            r#"{"id": 1, "id": 2}"#,
        ] {
            let data = format!(r#"{{"other": {other}, "id": 12, "more": {other}}}"#);
            assert_eq!(VOTES.of(data.as_bytes()).as_deref(), Some("12"));
        }
        let deep_id = format!(r#"{{"id": {deep}}}"#);
        assert_eq!(VOTES.of(deep_id.as_bytes()), None);
    }
}

//! Reading hostile JSON: null and missing mean empty, dates come in several forms.

use chrono::{DateTime, Utc};
use headwater_domain::timestamp;
use serde::{Deserialize, Deserializer, de};

/// Text; `null` reads as empty. Numbers and booleans read as their text.
pub fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    struct Text;
    impl de::Visitor<'_> for Text {
        type Value = String;
        fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            out.write_str("text")
        }
        fn visit_str<E>(self, text: &str) -> Result<String, E> {
            Ok(text.to_owned())
        }
        fn visit_string<E>(self, text: String) -> Result<String, E> {
            Ok(text)
        }
        fn visit_unit<E>(self) -> Result<String, E> {
            Ok(String::new())
        }
        fn visit_i64<E>(self, number: i64) -> Result<String, E> {
            Ok(number.to_string())
        }
        fn visit_u64<E>(self, number: u64) -> Result<String, E> {
            Ok(number.to_string())
        }
        fn visit_f64<E>(self, number: f64) -> Result<String, E> {
            Ok(number.to_string())
        }
        fn visit_bool<E>(self, flag: bool) -> Result<String, E> {
            Ok(flag.to_string())
        }
    }
    deserializer.deserialize_any(Text)
}

/// A whole number; `null` reads as 0, a number in quotes as the number.
pub fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    struct Number;
    impl de::Visitor<'_> for Number {
        type Value = i64;
        fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            out.write_str("a whole number")
        }
        fn visit_i64<E>(self, number: i64) -> Result<i64, E> {
            Ok(number)
        }
        fn visit_u64<E: de::Error>(self, number: u64) -> Result<i64, E> {
            i64::try_from(number).map_err(|_| E::custom("number too large"))
        }
        fn visit_f64<E: de::Error>(self, number: f64) -> Result<i64, E> {
            // Beyond 2^53 a float no longer names one whole number.
            if number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0 {
                format!("{number:.0}").parse().map_err(E::custom)
            } else {
                Err(E::custom("not a whole number"))
            }
        }
        fn visit_str<E: de::Error>(self, text: &str) -> Result<i64, E> {
            let text = text.trim();
            text.parse().map_err(|_| E::custom("not a whole number"))
        }
        fn visit_unit<E>(self) -> Result<i64, E> {
            Ok(0)
        }
    }
    deserializer.deserialize_any(Number)
}

/// A number that identifies something: positive, there, and spelt in one way only, since items
/// with keys that differ must never become rows with one key.
pub fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let spelt = text(deserializer)?;
    match spelt.parse() {
        Ok(id) if id > 0 && spelt == i64::to_string(&id) => Ok(id),
        _ => Err(de::Error::custom("an id must be a positive number")),
    }
}

/// Text that identifies something: not empty, there, and no longer than this many characters.
pub fn name<'de, const LONGEST: usize, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<String, D::Error> {
    let name = short_text::<LONGEST, D>(deserializer)?;
    if name.is_empty() {
        return Err(de::Error::custom("it must not be empty"));
    }
    Ok(name)
}

/// Text that becomes part of a key, where changing it would make another key: text longer than
/// this many characters, or with control characters, is refused. `null` reads as empty.
pub fn short_text<'de, const LONGEST: usize, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<String, D::Error> {
    part_of_key(text(deserializer)?, LONGEST).map_err(de::Error::custom)
}

/// Why text cannot be part of a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// It has more characters than the key may have.
    #[error("{length} characters; as part of a key it may have {longest}")]
    Characters {
        /// Characters of the text.
        length: usize,
        /// Characters that it may have.
        longest: usize,
    },
    /// It has a control character.
    #[error("a control character in a key")]
    Control,
}

/// The text, where it can be part of a key of so many characters.
///
/// # Errors
/// When it is too long, or has control characters.
pub fn part_of_key(text: String, longest: usize) -> Result<String, Unfit> {
    let length = text.chars().count();
    if length > longest {
        return Err(Unfit::Characters { length, longest });
    }
    if text.contains(char::is_control) {
        return Err(Unfit::Control);
    }
    Ok(text)
}

/// A whole number, or `null`.
pub fn number_or_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    #[derive(Deserialize)]
    struct Wrapped(#[serde(deserialize_with = "number")] i64);
    let wrapped = Option::<Wrapped>::deserialize(deserializer)?;
    Ok(wrapped.map(|Wrapped(number)| number))
}

/// A truth value; `null` reads as false.
pub fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(Option::<bool>::deserialize(deserializer)?.unwrap_or_default())
}

/// A list; `null` reads as empty.
pub fn list<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Ok(Option::<Vec<T>>::deserialize(deserializer)?.unwrap_or_default())
}

/// A time; `null`, empty text and `0000-00-00` read as none, anything unreadable is an error.
pub fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    match Option::<String>::deserialize(deserializer)? {
        Some(text) => read_time(&text, timestamp::parse),
        None => Ok(None),
    }
}

/// A time as [`time`] reads it, or as a number of milliseconds since 1970.
pub fn time_or_milliseconds<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<DateTime<Utc>>, D::Error> {
    let text = text(deserializer)?;
    read_time(&text, timestamp::milliseconds_or_text)
}

fn read_time<E: de::Error>(
    text: &str,
    parse: fn(&str) -> Option<DateTime<Utc>>,
) -> Result<Option<DateTime<Utc>>, E> {
    if text.trim().is_empty() || text.contains("0000-00-00") {
        return Ok(None);
    }
    let read = parse(text.trim());
    read.map(Some).ok_or_else(|| {
        let shown: String = text.chars().take(40).collect();
        E::custom(format!("not a time: {shown:?}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Fields {
        #[serde(default, deserialize_with = "number")]
        number: i64,
        #[serde(default, deserialize_with = "number_or_null")]
        maybe: Option<i64>,
        #[serde(default, deserialize_with = "text")]
        text: String,
        #[serde(default, deserialize_with = "time")]
        time: Option<DateTime<Utc>>,
    }

    fn read(json: &str) -> Result<Fields, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn a_number_is_read_from_every_spelling_of_a_whole_number() {
        for (json, expected) in [
            ("-7", -7),
            (r#"" 7 ""#, 7),
            ("7.0", 7),
            ("7e2", 700),
            ("null", 0),
            ("9223372036854775807", i64::MAX),
        ] {
            let fields = read(&format!(r#"{{"number": {json}}}"#)).unwrap();
            assert_eq!(fields.number, expected, "{json}");
        }
        for json in [
            "7.5",
            r#""""#,
            r#""7a""#,
            "1e300",
            "9223372036854775808",
            "[7]",
            "true",
        ] {
            assert!(read(&format!(r#"{{"number": {json}}}"#)).is_err(), "{json}");
        }
    }

    #[test]
    fn null_and_missing_are_none_where_none_differs_from_zero() {
        assert_eq!(read("{}").unwrap().maybe, None);
        assert_eq!(read(r#"{"maybe": null}"#).unwrap().maybe, None);
        assert_eq!(read(r#"{"maybe": "0"}"#).unwrap().maybe, Some(0));
    }

    #[test]
    fn text_is_read_from_every_scalar() {
        for (json, expected) in [
            (r#""\ud83d\ude80""#, "🚀"),
            ("null", ""),
            ("12", "12"),
            ("-1", "-1"),
            ("0.5", "0.5"),
            ("true", "true"),
        ] {
            let fields = read(&format!(r#"{{"text": {json}}}"#)).unwrap();
            assert_eq!(fields.text, expected, "{json}");
        }
    }

    #[test]
    fn an_empty_time_is_none_and_a_wrong_one_is_quoted() {
        for json in ["null", r#""""#, r#"" ""#, r#""0000-00-00 00:00:00""#] {
            let fields = read(&format!(r#"{{"time": {json}}}"#)).unwrap();
            assert_eq!(fields.time, None, "{json}");
        }
        let message = read(r#"{"time": "soon"}"#).unwrap_err();
        assert!(message.starts_with(r#"not a time: "soon""#), "{message}");
    }

    #[test]
    fn what_identifies_nothing_is_refused() {
        #[derive(Debug, Deserialize)]
        #[expect(dead_code, reason = "only whether it can be read is of interest")]
        struct Named {
            #[serde(deserialize_with = "id")]
            id: i64,
            #[serde(deserialize_with = "name::<3, _>")]
            hash: String,
        }
        let read = |text: &str| serde_json::from_str::<Named>(text).is_ok();
        assert!(read(r#"{"id": "12", "hash": "abc"}"#));
        for bad in [
            r#"{"id": null, "hash": "ab"}"#,
            r#"{"id": 0, "hash": "ab"}"#,
            r#"{"id": -1, "hash": "ab"}"#,
            r#"{"id": 1, "hash": null}"#,
            r#"{"id": 1, "hash": ""}"#,
            r#"{"id": 1, "hash": "abcd"}"#,
            r#"{"id": 1, "hash": "a\u0000"}"#,
            r#"{"id": " 1", "hash": "ab"}"#,
            r#"{"id": "01", "hash": "ab"}"#,
            r#"{"id": "+1", "hash": "ab"}"#,
            r#"{"id": 9223372036854775808, "hash": "ab"}"#,
            r#"{"id": true, "hash": "ab"}"#,
            r#"{"hash": "ab"}"#,
        ] {
            assert!(!read(bad), "{bad}");
        }
    }
}

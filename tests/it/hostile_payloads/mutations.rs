//! Ways to spoil a payload, in any place of it.

use serde_json::Value;

/// Stands where a token comes that no JSON library would write.
const PLACEHOLDER: &str = "@@hostile@@";

/// One way to spoil one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mutation {
    /// Members and indexes that lead to the place.
    pub(super) place: Vec<String>,
    pub(super) how: How,
}

/// What becomes of the value in a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// It is gone, and so is its name.
    Missing,
    /// These bytes stand there instead, whether they are JSON or not.
    Token(Vec<u8>),
    /// It is there twice under the same name.
    Twice,
    /// Its object has one more member, of any depth.
    Beside(Vec<u8>),
}

impl How {
    pub(super) fn token(text: impl Into<Vec<u8>>) -> Self {
        Self::Token(text.into())
    }
}

/// Every place of a payload: all members and elements, outermost first.
pub(super) fn places(payload: &Value) -> Vec<Vec<String>> {
    let mut places = Vec::new();
    collect_places(payload, &mut Vec::new(), &mut places);
    places
}

fn collect_places(value: &Value, place: &mut Vec<String>, places: &mut Vec<Vec<String>>) {
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(map) => map.iter().map(|(name, v)| (name.clone(), v)).collect(),
        Value::Array(list) => (0..).map(|n: usize| n.to_string()).zip(list).collect(),
        _ => Vec::new(),
    };
    for (name, value) in inner {
        place.push(name);
        places.push(place.clone());
        collect_places(value, place, places);
        place.pop();
    }
}

/// The payload as bytes, spoilt in one place after the other; a place that is gone by then is
/// left alone.
pub(super) fn spoil(payload: &Value, mutations: &[Mutation]) -> Vec<u8> {
    let mut payload = payload.clone();
    let mut tokens: Vec<Vec<u8>> = Vec::new();
    for mutation in mutations {
        if let Some(token) = change(&mut payload, mutation, tokens.len()) {
            tokens.push(token);
        }
    }
    let mut bytes = Vec::new();
    fill(&payload.to_string(), &tokens, &mut bytes);
    bytes
}

/// Writes the text with tokens instead of placeholders; a token may have placeholders in it.
fn fill(text: &str, tokens: &[Vec<u8>], bytes: &mut Vec<u8>) {
    let opening = format!("\"{PLACEHOLDER}");
    let mut parts = text.split(&opening);
    bytes.extend(parts.next().unwrap_or_default().as_bytes());
    for part in parts {
        let (number, rest) = part.split_once('"').unwrap();
        let token = &tokens[number.parse::<usize>().unwrap()];
        match std::str::from_utf8(token) {
            Ok(text) => fill(text, tokens, bytes),
            Err(_) => bytes.extend(token),
        }
        bytes.extend(rest.as_bytes());
    }
}

/// Changes the tree; gives the token that is to stand in the place of the next placeholder.
fn change(payload: &mut Value, mutation: &Mutation, number: usize) -> Option<Vec<u8>> {
    let (name, parents) = mutation.place.split_last()?;
    let mut parent = payload;
    for step in parents {
        parent = match parent {
            Value::Object(map) => map.get_mut(step)?,
            Value::Array(list) => list.get_mut(step.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    let placeholder = Value::from(format!("{PLACEHOLDER}{number}"));
    match (parent, &mutation.how) {
        (Value::Object(map), How::Missing) => {
            map.remove(name);
            None
        }
        (Value::Array(list), How::Missing) => {
            let place = name.parse::<usize>().ok().filter(|&n| n < list.len())?;
            list.remove(place);
            None
        }
        (Value::Object(map), How::Twice) => {
            let old = std::mem::replace(map.get_mut(name)?, placeholder);
            Some(format!("{old},{}:{old}", Value::from(name.as_str())).into_bytes())
        }
        (Value::Object(map), How::Beside(token)) => {
            map.insert("extra \u{202e}\u{301}🚀".to_owned(), placeholder);
            Some(token.clone())
        }
        (Value::Object(map), How::Token(token)) => {
            *map.get_mut(name)? = placeholder;
            Some(token.clone())
        }
        (Value::Array(list), How::Token(token)) => {
            *list.get_mut(name.parse::<usize>().ok()?)? = placeholder;
            Some(token.clone())
        }
        _ => None,
    }
}

/// What is in hostile places: values of every type, wrong in every way we know of.
pub(super) fn tokens() -> Vec<Vec<u8>> {
    let plain = [
        "null",
        "true",
        "false",
        r#""true""#,
        "[]",
        "{}",
        "[null]",
        r#"{"a": 1}"#,
        r#""""#,
        "0",
        "-0",
        "-1",
        "7.5",
        "7.0",
        "1e2",
        "1e999",
        "-1e999",
        r#""0""#,
        r#"" 12 ""#,
        r#""NaN""#,
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551616",
        r#""9223372036854775808""#,
        r#""a\u0000b""#,
        r#""\u0000""#,
        r#""\u0007\u001b""#,
        r#""\ud800""#,
        r#""\udc00x""#,
        r#""\ud83d\ude80""#,
        r#""\u202eabc\u0301\u200f""#,
        r#""'; DROP TABLE repos; --""#,
        r#""../../user""#,
        r#""a\"b\\c""#,
    ];
    let times = [
        "2026-03-01T10:00:00Z",
        "2026-03-01T10:00:00+00:00",
        "2026-03-01T10:00:00+0530",
        "2026-03-01T10:00:00.1Z",
        "2026-03-01T10:00:00.12+00:00",
        "2026-03-01T10:00:00.123456789Z",
        "2026-03-01T10:00:00,5Z",
        "2026-03-01 10:00:00",
        "2026-03-01",
        "1772359200",
        "0000-00-00",
        "0000-01-01T00:00:00Z",
        "0999-12-31T23:59:59Z",
        "1000-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999Z",
        "9999-12-31T23:59:60Z",
        "10000-01-01T00:00:00Z",
        "+12345-01-01T00:00:00Z",
        "-0044-03-15",
        "2016-12-31T23:59:60Z",
        "2026-02-30T00:00:00Z",
        "2026-03-01T24:00:00Z",
        "2026-03-01T10:00:00-23:59",
        "soon",
    ];
    let long = ["a", "é", "🚀", "\u{301}", "\\\"", "/"];
    let mut tokens: Vec<Vec<u8>> = plain
        .iter()
        .map(|token| token.as_bytes().to_vec())
        .collect();
    tokens.extend(times.iter().map(|time| format!("\"{time}\"").into_bytes()));
    tokens.push(b"1772359200".to_vec());
    tokens.push(b"1772359200.5".to_vec());
    for length in [127, 128, 255, 256, 300] {
        let texts = long.iter().map(|one| format!("\"{}\"", one.repeat(length)));
        tokens.extend(texts.map(String::into_bytes));
    }
    // What is not JSON at all: raw control characters and bytes that are no UTF-8.
    let broken: [&[u8]; 5] = [
        b"\"a\0b\"",
        b"\"a\nb\t\x1b\"",
        b"\"\xff\xfe\"",
        b"\"\xc3(\"",
        b"\"\xed\xa0\x80\"",
    ];
    tokens.extend(broken.map(<[u8]>::to_vec));
    tokens.push(deep("[", "]", 10_000));
    tokens.push(deep("{\"a\":", "}", 10_000));
    tokens
}

/// A value nested this deep.
pub(super) fn deep(open: &str, close: &str, depth: usize) -> Vec<u8> {
    format!("{}1{}", open.repeat(depth), close.repeat(depth)).into_bytes()
}

/// A value of another type than the one that is there.
pub(super) fn other_type(value: &Value) -> &'static str {
    match value {
        Value::Null => r#"{"a": [1]}"#,
        Value::Bool(true) => r#""true""#,
        Value::Bool(false) => "0",
        Value::Number(_) => r#""12""#,
        Value::String(_) => "12",
        Value::Array(_) => "{}",
        Value::Object(_) => "[]",
    }
}

#[test]
fn every_place_is_spoilt_as_told() {
    let payload: Value = serde_json::from_str(r#"{"a": {"b": [1, 2]}, "c": "x"}"#).unwrap();
    assert_eq!(places(&payload).len(), 5);
    let cases = [
        ("a/b/0", How::Missing, r#"{"a":{"b":[2]},"c":"x"}"#),
        ("a", How::Missing, r#"{"c":"x"}"#),
        (
            "a/b/1",
            How::token("1e999"),
            r#"{"a":{"b":[1,1e999]},"c":"x"}"#,
        ),
        ("c", How::Twice, r#"{"a":{"b":[1,2]},"c":"x","c":"x"}"#),
        ("no/where", How::token("1"), r#"{"a":{"b":[1,2]},"c":"x"}"#),
    ];
    for (place, how, expected) in cases {
        let place = place.split('/').map(str::to_owned).collect();
        let spoilt = spoil(&payload, &[Mutation { place, how }]);
        assert_eq!(String::from_utf8(spoilt).unwrap(), expected);
    }
    let both = ["c", "a"].map(|name| Mutation {
        place: vec![name.to_owned()],
        how: if name == "c" {
            How::token("\"\0\"")
        } else {
            How::Twice
        },
    });
    let spoilt = String::from_utf8(spoil(&payload, &both)).unwrap();
    assert_eq!(
        spoilt,
        "{\"a\":{\"b\":[1,2]},\"a\":{\"b\":[1,2]},\"c\":\"\0\"}"
    );
}

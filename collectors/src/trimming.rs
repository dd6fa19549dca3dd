//! Payloads without members that no table reads.
//!
//! Servers are asked to leave them out (`fields`); of one that does not, and of rows that were stored
//! before, they are cut here. So a row is the same, whoever leaves them out.

use std::ops::Range;

use memchr::memchr2;

/// The payload without these members, each a path such as `author.links.self`; everything else
/// stays byte for byte. A path leads through lists of objects. What is no JSON stays as it is.
#[must_use]
pub fn trimmed(payload: Vec<u8>, left_out: &[&str]) -> Vec<u8> {
    if left_out.is_empty() {
        return payload;
    }
    let mut trimmer = Trimmer {
        payload: &payload,
        cut: Vec::new(),
    };
    let begin = trimmer.behind_space(0);
    let end = trimmer.value(begin, left_out);
    let is_json = end.is_some_and(|end| trimmer.behind_space(end) == payload.len());
    if !is_json || trimmer.cut.is_empty() {
        return payload;
    }
    let mut kept = Vec::with_capacity(payload.len());
    let mut at = 0;
    for part in trimmer.cut {
        kept.extend_from_slice(&payload[at..part.start]);
        at = part.end;
    }
    kept.extend_from_slice(&payload[at..]);
    kept
}

/// Reads a payload without a tree of it. Only paths are followed, so that its depth does not matter.
struct Trimmer<'a> {
    payload: &'a [u8],
    /// What goes, in order.
    cut: Vec<Range<usize>>,
}

impl Trimmer<'_> {
    /// Cuts within the value that begins here, and returns where it ends; none in what is no JSON.
    fn value(&mut self, at: usize, paths: &[&str]) -> Option<usize> {
        match self.payload.get(at)? {
            b'{' if !paths.is_empty() => self.object(at, paths),
            b'[' if !paths.is_empty() => self.list(at, paths),
            _ => self.end_of_value(at),
        }
    }

    fn list(&mut self, begin: usize, paths: &[&str]) -> Option<usize> {
        let mut at = self.behind_space(begin + 1);
        while *self.payload.get(at)? != b']' {
            at = match self.payload.get(at)? {
                b'{' => self.object(at, paths)?,
                // No path leads through a list of lists.
                _ => self.end_of_value(at)?,
            };
            at = self.behind_comma(at);
        }
        Some(at + 1)
    }

    fn object(&mut self, begin: usize, paths: &[&str]) -> Option<usize> {
        let mut at = self.behind_space(begin + 1);
        let (mut is_first, mut end_before, mut first_cut) = (true, at, None);
        while *self.payload.get(at)? == b'"' {
            let name = at + 1..self.end_of_string(at)? - 1;
            let below = below(paths, &self.payload[name.clone()]);
            let colon = self.behind_space(name.end + 1);
            if *self.payload.get(colon)? != b':' {
                return None;
            }
            let value = self.behind_space(colon + 1);
            let end = match below {
                Below::Here if is_first => {
                    first_cut = first_cut.or(Some(at));
                    self.end_of_value(value)?
                }
                Below::Here => {
                    let end = self.end_of_value(value)?;
                    // With the comma before it.
                    self.cut.push(end_before..end);
                    end
                }
                Below::Further(paths) => {
                    // With the comma behind it.
                    self.cut.extend(first_cut.take().map(|first| first..at));
                    is_first = false;
                    self.value(value, &paths)?
                }
            };
            end_before = end;
            at = self.behind_comma(end);
        }
        self.cut.extend(first_cut.map(|first| first..end_before));
        (*self.payload.get(at)? == b'}').then_some(at + 1)
    }

    /// Where the value that begins here ends.
    fn end_of_value(&self, begin: usize) -> Option<usize> {
        let (mut at, mut depth) = (begin, 0usize);
        loop {
            match self.payload.get(at)? {
                b'"' => at = self.end_of_string(at)?,
                b'{' | b'[' => {
                    depth += 1;
                    at += 1;
                }
                b'}' | b']' => {
                    depth = depth.checked_sub(1)?;
                    at += 1;
                }
                b',' | b':' => at += 1,
                byte if byte.is_ascii_whitespace() => at += 1,
                _ => at = self.end_of_word(at),
            }
            if depth == 0 {
                return Some(at);
            }
        }
    }

    /// Where the string that begins here ends, its quote included.
    fn end_of_string(&self, begin: usize) -> Option<usize> {
        let mut at = begin + 1;
        loop {
            at += memchr2(b'"', b'\\', self.payload.get(at..)?)?;
            if self.payload[at] == b'"' {
                return Some(at + 1);
            }
            at += 2;
        }
    }

    fn end_of_word(&self, begin: usize) -> usize {
        let ends = |byte: &u8| {
            matches!(byte, b',' | b'}' | b']' | b':' | b'"') || byte.is_ascii_whitespace()
        };
        let length = self.payload[begin..].iter().position(ends);
        length.map_or(self.payload.len(), |length| begin + length)
    }

    fn behind_space(&self, at: usize) -> usize {
        let rest = self.payload.get(at..).unwrap_or_default();
        at + rest
            .iter()
            .take_while(|byte| byte.is_ascii_whitespace())
            .count()
    }

    fn behind_comma(&self, at: usize) -> usize {
        let at = self.behind_space(at);
        match self.payload.get(at) {
            Some(b',') => self.behind_space(at + 1),
            _ => at,
        }
    }
}

/// What paths say of a member.
enum Below<'a> {
    /// It is left out.
    Here,
    /// What of its value is left out.
    Further(Vec<&'a str>),
}

fn below<'a>(paths: &[&'a str], name: &[u8]) -> Below<'a> {
    let mut further = Vec::new();
    for path in paths {
        match path.split_once('.') {
            None if path.as_bytes() == name => return Below::Here,
            Some((step, rest)) if step.as_bytes() == name => further.push(rest),
            _ => {}
        }
    }
    Below::Further(further)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn trim(payload: &str, left_out: &[&str]) -> String {
        String::from_utf8(trimmed(payload.as_bytes().to_vec(), left_out)).unwrap()
    }

    #[test]
    fn members_go_with_one_comma_and_all_else_stays_byte_for_byte() {
        for (payload, left_out, expected) in [
            (r#"{"a":1,"b":2,"c":3}"#, &["a"][..], r#"{"b":2,"c":3}"#),
            (r#"{"a":1,"b":2,"c":3}"#, &["b"], r#"{"a":1,"c":3}"#),
            (r#"{"a":1,"b":2,"c":3}"#, &["c"], r#"{"a":1,"b":2}"#),
            (r#"{"a":1,"b":2,"c":3}"#, &["a", "b"], r#"{"c":3}"#),
            (r#"{"a":1,"b":2,"c":3}"#, &["b", "c"], r#"{"a":1}"#),
            (r#"{"a":1,"b":2,"c":3}"#, &["a", "c"], r#"{"b":2}"#),
            (r#"{"a": 1}"#, &["a"], "{}"),
            (r#"{"a": 1, "b": 2}"#, &["a", "b"], "{}"),
            (r#"{ "a" : 1 , "b" : [ 2 ] }"#, &["a"], r#"{ "b" : [ 2 ] }"#),
            (r#"{ "a" : 1 , "b" : [ 2 ] }"#, &["b"], r#"{ "a" : 1 }"#),
            (
                r#"{"x": {"a": "}\"", "b": "é"}, "a": null}"#,
                &["x.a"],
                r#"{"x": {"b": "é"}, "a": null}"#,
            ),
            (
                r#"{"x":[{"a":1,"b":{"a":2}},{"a":[{}]},7,[{"a":3}]]}"#,
                &["x.a"],
                r#"{"x":[{"b":{"a":2}},{},7,[{"a":3}]]}"#,
            ),
            (r#"[{"a":1},{"b":1}]"#, &["a"], r#"[{},{"b":1}]"#),
            (r#"{"x":{"a":1}}"#, &["x.b", "y", "a"], r#"{"x":{"a":1}}"#),
            (r#"{"x":"a"}"#, &["x.a"], r#"{"x":"a"}"#),
            (r#"{"a":1,"a":2,"b":3}"#, &["a"], r#"{"b":3}"#),
            (r#"{"\u0061":1}"#, &["a"], r#"{"\u0061":1}"#),
        ] {
            assert_eq!(trim(payload, left_out), expected, "{payload} {left_out:?}");
        }
    }

    #[test]
    fn what_is_no_json_stays_as_it_is() {
        for payload in [
            "",
            "{",
            r#"{"a""#,
            r#"{"a":"#,
            r#"{"a":1"#,
            r#"{"a":1}}"#,
            "[1",
            "a",
            "}",
        ] {
            let trimmed = trim(payload, &["b", "a.b"]);
            assert_eq!(trimmed, payload);
        }
    }

    #[test]
    fn depth_does_not_matter() {
        let deep = format!("{}{}", r#"{"b":["#.repeat(50_000), "]}".repeat(50_000));
        let payload = format!(r#"{{"a":{deep},"c":{deep}}}"#);
        let expected = format!(r#"{{"c":{deep}}}"#);
        let shallow = r#"{"c":{"b":[{"b":[{}]}]}}"#;
        assert_eq!(trim(&payload, &["a", "c.b.b.b"]), shallow);
        assert_eq!(trim(&payload, &["a"]), expected);
    }

    /// The plain way, over a tree.
    fn without(value: &mut Value, path: &[&str], is_element: bool) {
        match (value, path) {
            (Value::Array(list), _) if !is_element => {
                for element in list {
                    without(element, path, true);
                }
            }
            (Value::Object(members), [last]) => {
                members.remove(*last);
            }
            (Value::Object(members), [step, rest @ ..]) => {
                if let Some(member) = members.get_mut(*step) {
                    without(member, rest, false);
                }
            }
            _ => {}
        }
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            "[a-c\"\\\\{},:é ]{0,5}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[a-c]", inner, 0..4)
                    .prop_map(|members| members.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_payload_loses_what_its_tree_loses(
            value in json(),
            paths in prop::collection::vec("[a-c](\\.[a-c]){0,2}", 0..4),
            spaced: bool,
        ) {
            let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
            let text = if spaced {
                serde_json::to_string_pretty(&value).unwrap()
            } else {
                value.to_string()
            };
            let trimmed = trim(&text, &paths);
            let mut expected = value;
            for path in &paths {
                let steps: Vec<&str> = path.split('.').collect();
                without(&mut expected, &steps, false);
            }
            prop_assert_eq!(&serde_json::from_str::<Value>(&trimmed).unwrap(), &expected);
            if !spaced {
                prop_assert_eq!(&trimmed, &expected.to_string());
            }
            prop_assert_eq!(trim(&trimmed, &paths), trimmed, "again");
        }

        #[test]
        fn any_bytes_are_survived(payload: Vec<u8>, paths in prop::collection::vec("[a-b.]{0,3}", 0..3)) {
            let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
            let _ = trimmed(payload, &paths);
        }
    }
}

//! The `fields` parameter: partial responses.

use serde_json::Value;

use super::answer::Answer;
use crate::cloud::payload::{Environment, Extras};

type Path = Vec<String>;

/// What a client wants of a document.
#[derive(Debug, Default)]
pub(crate) struct Selection {
    only: Vec<Path>,
    added: Vec<Path>,
    dropped: Vec<Path>,
}

impl Selection {
    pub(crate) fn parse(fields: Option<&str>) -> Selection {
        let mut selection = Selection::default();
        for field in fields.unwrap_or_default().split(',').map(str::trim) {
            let (paths, field) = match (field.strip_prefix('+'), field.strip_prefix('-')) {
                (Some(added), _) => (&mut selection.added, added),
                (_, Some(dropped)) => (&mut selection.dropped, dropped),
                _ => (&mut selection.only, field),
            };
            if !field.is_empty() {
                paths.push(field.split('.').map(str::to_owned).collect());
            }
        }
        selection
    }

    /// Which costly members of a list's pull requests are asked for.
    pub(crate) fn extras(&self) -> Extras {
        Extras {
            participants: self.asks("participants"),
            reviewers: self.asks("reviewers"),
        }
    }

    /// Whether the environments of deployments are asked for by name: in a list, or of one item.
    pub(crate) fn environments(&self) -> Environment {
        let members = ["values", "environment", "name"];
        if self.names(&members) || self.names(&members[1..]) {
            Environment::Whole
        } else {
            Environment::Stub
        }
    }

    fn asks(&self, member: &str) -> bool {
        self.names(&["values", member])
    }

    fn names(&self, wanted: &[&str]) -> bool {
        self.only.iter().chain(&self.added).any(|path| {
            let compatible = path
                .iter()
                .zip(wanted)
                .all(|(step, name)| step == name || step == "*");
            // Naming the list alone means its default members.
            compatible
                && (path.len() >= wanted.len() || path.last().is_some_and(|step| step == "*"))
        })
    }

    /// Cuts the document down. Costs a parse, which the usual requests avoid.
    pub(crate) fn apply(&self, answer: Answer) -> Answer {
        if self.only.is_empty() && self.dropped.is_empty() {
            return answer;
        }
        let dropped: Vec<&[String]> = self.dropped.iter().map(Vec::as_slice).collect();
        let body = if self.only.is_empty() {
            without(&answer.body, &dropped)
        } else {
            self.selected(&answer.body)
                .and_then(|body| without(&body, &dropped))
        };
        match body {
            Some(body) => Answer { body, ..answer },
            None => answer,
        }
    }

    /// Only what is named; none of what is no JSON.
    fn selected(&self, body: &str) -> Option<String> {
        let mut document = serde_json::from_str(body).ok()?;
        let named = self.only.iter().chain(&self.added);
        let paths: Vec<&[String]> = named.map(Vec::as_slice).collect();
        keep(&mut document, &paths);
        Some(document.to_string())
    }
}

/// Keeps only what some path leads to. A name that does not exist selects nothing, silently.
fn keep(value: &mut Value, paths: &[&[String]]) {
    match value {
        Value::Array(elements) => elements.iter_mut().for_each(|element| keep(element, paths)),
        Value::Object(members) => members.retain(|name, member| {
            let mut deeper: Vec<&[String]> = Vec::new();
            for path in paths {
                match path {
                    [last] if last == name || last == "*" => return true,
                    [step, rest @ ..] if step == name || step == "*" => deeper.push(rest),
                    _ => {}
                }
            }
            keep(member, &deeper);
            // Nothing lies below a plain value; null takes the place of a missing object.
            let has_depth = member.is_object() || member.is_array() || member.is_null();
            !deeper.is_empty() && has_depth
        }),
        _ => {}
    }
}

/// The document without these members; none of what is no JSON. Members stay in their order, as on
/// the real server.
fn without(body: &str, paths: &[&[String]]) -> Option<String> {
    let mut copy = Copy {
        body,
        at: 0,
        out: String::with_capacity(body.len()),
    };
    copy.value(paths, true)?;
    Some(copy.out)
}

/// Copies a document without spaces between its parts, which is how all are written here.
struct Copy<'a> {
    body: &'a str,
    at: usize,
    out: String,
}

impl<'a> Copy<'a> {
    fn value(&mut self, paths: &[&[String]], is_kept: bool) -> Option<()> {
        match self.byte()? {
            b'{' => self.members(paths, is_kept),
            b'[' => self.elements(paths, is_kept),
            _ => self.plain(is_kept),
        }
    }

    fn elements(&mut self, paths: &[&[String]], is_kept: bool) -> Option<()> {
        self.take(1, is_kept);
        while self.byte()? != b']' {
            self.value(paths, is_kept)?;
            if self.byte()? == b',' {
                self.take(1, is_kept);
            }
        }
        self.take(1, is_kept);
        Some(())
    }

    fn members(&mut self, paths: &[&[String]], is_kept: bool) -> Option<()> {
        self.take(1, is_kept);
        let mut is_first = true;
        while self.byte()? != b'}' {
            let name = self.string()?;
            let fits = |step: &String| step == "*" || name.strip_prefix('"') == Some(step);
            let paths = paths.iter().filter(|path| path.first().is_some_and(fits));
            let deeper: Vec<&[String]> = paths.map(|path| &path[1..]).collect();
            let is_kept = is_kept && deeper.iter().all(|path| !path.is_empty());
            if is_kept && !is_first {
                self.out.push(',');
            }
            is_first &= !is_kept;
            // The name with its quotes, and the colon.
            self.take(name.len() + 2, is_kept);
            self.value(&deeper, is_kept)?;
            if self.byte()? == b',' {
                self.take(1, false);
            }
        }
        self.take(1, is_kept);
        Some(())
    }

    fn plain(&mut self, is_kept: bool) -> Option<()> {
        let rest = self.body.get(self.at..)?;
        let length = if rest.starts_with('"') {
            self.string()?.len() + 1
        } else {
            rest.find([',', '}', ']']).unwrap_or(rest.len())
        };
        self.take(length, is_kept);
        (length > 0).then_some(())
    }

    /// The string that begins here, without its last quote.
    fn string(&self) -> Option<&'a str> {
        let rest = self.body.get(self.at..)?.strip_prefix('"')?;
        let mut is_escaped = false;
        let end = rest.bytes().position(|byte| {
            let ends = byte == b'"' && !is_escaped;
            is_escaped = byte == b'\\' && !is_escaped;
            ends
        })?;
        self.body.get(self.at..self.at + 1 + end)
    }

    fn byte(&self) -> Option<u8> {
        self.body.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, length: usize, is_kept: bool) {
        let part = self.body.get(self.at..self.at + length);
        self.out.extend(part.filter(|_| is_kept));
        self.at += length;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn applied(fields: &str) -> Value {
        let document = json!({
            "next": "x", "size": 1,
            "values": [{"id": 1, "author": {"name": "a", "links": {"self": "s"}}, "links": {"self": "s"}}],
        });
        let answer = Answer::ok(document.to_string());
        serde_json::from_str(&Selection::parse(Some(fields)).apply(answer).body).unwrap()
    }

    #[test]
    fn selections_keep_only_what_they_name() {
        assert_eq!(applied("values.id"), json!({"values": [{"id": 1}]}));
        assert_eq!(
            applied("next,values.author.name"),
            json!({"next": "x", "values": [{"author": {"name": "a"}}]})
        );
        assert_eq!(
            applied("values.*.self"),
            json!({"values": [{"author": {}, "links": {"self": "s"}}]})
        );
        assert_eq!(applied("values.misspelt"), json!({"values": [{}]}));
    }

    #[test]
    fn drops_remove_and_additions_alone_change_nothing() {
        let all = applied("");
        assert_eq!(applied("+values.participants"), all);
        assert_eq!(
            applied("-values.links,-values.author.links,-size"),
            json!({"next": "x", "values": [{"id": 1, "author": {"name": "a"}}]})
        );
    }

    #[test]
    fn what_is_left_stays_as_it_is_written() {
        let body = r#"{"values":[{"b":"\"}\\","a":{"c":[1,{"d":null}],"b":-2.5e3},"é":true}],"next":"x,}"}"#;
        for (fields, expected) in [
            ("-values.nothing", body),
            (
                "-values.b,-values.a.c.d",
                r#"{"values":[{"a":{"c":[1,{}],"b":-2.5e3},"é":true}],"next":"x,}"}"#,
            ),
            (
                "-values.a,-values.é,+values.more",
                r#"{"values":[{"b":"\"}\\"}],"next":"x,}"}"#,
            ),
            (
                "-values.*.b,-next",
                r#"{"values":[{"b":"\"}\\","a":{"c":[1,{"d":null}]},"é":true}]}"#,
            ),
            ("-values", r#"{"next":"x,}"}"#),
            ("-*", "{}"),
        ] {
            let answer = Answer::ok(body.to_owned());
            let applied = Selection::parse(Some(fields)).apply(answer).body;
            assert_eq!(applied, expected, "{fields}");
        }
        for body in ["", "<html>", r#"{"a":"#, r#"{"a" "#, "[1"] {
            let answer = Answer::ok(body.to_owned());
            assert_eq!(Selection::parse(Some("-b")).apply(answer).body, body);
        }
    }

    #[test]
    fn costly_members_come_only_when_named() {
        let asks = |fields| Selection::parse(Some(fields)).extras();
        assert_eq!(asks("values"), Extras::default());
        assert_eq!(asks("-values.participants"), Extras::default());
        assert_eq!(asks("+values.participants,+values.reviewers"), Extras::ALL);
        assert_eq!(asks("*"), Extras::ALL);
        assert_eq!(
            asks("values.participants.user"),
            Extras {
                participants: true,
                reviewers: false
            }
        );
    }
}

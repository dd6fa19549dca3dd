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
        let Ok(mut document) = serde_json::from_str(&answer.body) else {
            return answer;
        };
        if !self.only.is_empty() {
            let paths: Vec<&[String]> = self
                .only
                .iter()
                .chain(&self.added)
                .map(Vec::as_slice)
                .collect();
            keep(&mut document, &paths);
        }
        for path in &self.dropped {
            cut(&mut document, path);
        }
        Answer {
            body: document.to_string(),
            ..answer
        }
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

fn cut(value: &mut Value, path: &[String]) {
    match (value, path) {
        (Value::Array(elements), _) => elements.iter_mut().for_each(|element| cut(element, path)),
        (Value::Object(members), [last]) => members.retain(|name, _| name != last && last != "*"),
        (Value::Object(members), [step, rest @ ..]) => {
            for (name, member) in members {
                if name == step || step == "*" {
                    cut(member, rest);
                }
            }
        }
        _ => {}
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

//! The `q` language: comparisons joined by AND and OR, with parentheses.

use std::borrow::Cow;
use std::cmp::Ordering;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};

use crate::world::Time;

/// What a field holds; decides which literals and operators it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Number,
    Flag,
    Time,
}

/// The value of a field of one item.
#[derive(Clone, Debug, PartialEq, PartialOrd)]
pub(crate) enum Value<'a> {
    Null,
    Text(Cow<'a, str>),
    Number(u64),
    Flag(bool),
    Time(Time),
}

impl<'a> Value<'a> {
    pub(crate) fn text(value: &'a str) -> Value<'a> {
        Value::Text(Cow::Borrowed(value))
    }
}

/// A parsed `q`.
#[derive(Debug)]
pub(crate) enum Filter {
    All(Vec<Filter>),
    Any(Vec<Filter>),
    Compare {
        field: String,
        operator: &'static str,
        value: Value<'static>,
    },
    Among {
        field: String,
        values: Vec<Value<'static>>,
        negated: bool,
    },
}

impl Filter {
    /// Parses `q` against the fields that may appear in it. The error is a message for the client.
    pub(crate) fn parse(q: &str, fields: &[(&str, Kind)]) -> Result<Filter, String> {
        let mut parser = Parser {
            tokens: tokens(q)?,
            next: 0,
            fields,
        };
        let filter = parser.any()?;
        match parser.take() {
            None => Ok(filter),
            Some(token) => Err(format!("Invalid query: unexpected {token:?}")),
        }
    }

    /// Whether an item passes; `field` gives its values.
    pub(crate) fn matches<'a>(&self, field: &impl Fn(&str) -> Value<'a>) -> bool {
        match self {
            Filter::All(parts) => parts.iter().all(|part| part.matches(field)),
            Filter::Any(parts) => parts.iter().any(|part| part.matches(field)),
            Filter::Compare {
                field: name,
                operator,
                value,
            } => compare(&field(name), operator, value),
            Filter::Among {
                field: name,
                values,
                negated,
            } => {
                let found = field(name);
                values.iter().any(|value| compare(&found, "=", value)) != *negated
            }
        }
    }

    /// Whether the field is mentioned anywhere.
    pub(crate) fn mentions(&self, name: &str) -> bool {
        match self {
            Filter::All(parts) | Filter::Any(parts) => parts.iter().any(|part| part.mentions(name)),
            Filter::Compare { field, .. } | Filter::Among { field, .. } => field == name,
        }
    }
}

fn compare(found: &Value<'_>, operator: &str, wanted: &Value<'_>) -> bool {
    if let ("~" | "!~", Value::Text(wanted)) = (operator, wanted) {
        let contains = match found {
            Value::Text(found) => found.to_lowercase().contains(&wanted.to_lowercase()),
            _ => false,
        };
        return contains == (operator == "~");
    }
    // Values of different kinds, that is null and something, are unequal and unordered.
    let same_kind = std::mem::discriminant(found) == std::mem::discriminant(wanted);
    let order = if same_kind {
        found.partial_cmp(wanted)
    } else {
        None
    };
    match operator {
        "=" => order == Some(Ordering::Equal),
        "!=" => order != Some(Ordering::Equal),
        "<" => order == Some(Ordering::Less),
        "<=" => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        ">" => order == Some(Ordering::Greater),
        ">=" => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
        _ => false,
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Word(String),
    Quoted(String),
    Operator(&'static str),
    Open,
    Close,
    Comma,
}

/// Longer operators first, so that `>=` is not read as `>`.
const OPERATORS: [&str; 8] = ["!=", "!~", ">=", "<=", "=", "~", ">", "<"];

fn tokens(q: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = q.trim_start();
    while let Some(first) = rest.chars().next() {
        let operator = OPERATORS
            .into_iter()
            .find(|operator| rest.starts_with(operator));
        let (token, length) = match (first, operator) {
            ('(', _) => (Token::Open, 1),
            (')', _) => (Token::Close, 1),
            (',', _) => (Token::Comma, 1),
            ('"', _) => quoted(rest)?,
            (_, Some(operator)) => (Token::Operator(operator), operator.len()),
            _ => {
                let ends = |letter: char| letter.is_whitespace() || "()\",=!~<>".contains(letter);
                let length = rest.find(ends).unwrap_or(rest.len());
                if length == 0 {
                    return Err(format!("Invalid query: unexpected {first:?}"));
                }
                (Token::Word(rest[..length].to_owned()), length)
            }
        };
        tokens.push(token);
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

fn quoted(text: &str) -> Result<(Token, usize), String> {
    let mut value = String::new();
    let mut letters = text.char_indices().skip(1);
    while let Some((index, letter)) = letters.next() {
        match letter {
            '"' => return Ok((Token::Quoted(value), index + 1)),
            '\\' => value.extend(letters.next().map(|(_, escaped)| escaped)),
            _ => value.push(letter),
        }
    }
    Err("Invalid query: unterminated string".to_owned())
}

struct Parser<'a> {
    tokens: Vec<Token>,
    next: usize,
    fields: &'a [(&'a str, Kind)],
}

impl Parser<'_> {
    fn take(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.next).cloned();
        self.next += 1;
        token
    }

    fn keyword(&mut self, word: &str) -> bool {
        let found = matches!(self.tokens.get(self.next), Some(Token::Word(next)) if next.eq_ignore_ascii_case(word));
        self.next += usize::from(found);
        found
    }

    fn any(&mut self) -> Result<Filter, String> {
        let mut parts = vec![self.all()?];
        while self.keyword("OR") {
            parts.push(self.all()?);
        }
        Ok(Filter::Any(parts))
    }

    fn all(&mut self) -> Result<Filter, String> {
        let mut parts = vec![self.comparison()?];
        while self.keyword("AND") {
            parts.push(self.comparison()?);
        }
        Ok(Filter::All(parts))
    }

    fn comparison(&mut self) -> Result<Filter, String> {
        let field = match self.take() {
            Some(Token::Open) => {
                let inner = self.any()?;
                return if self.take() == Some(Token::Close) {
                    Ok(inner)
                } else {
                    Err("Invalid query: missing parenthesis".to_owned())
                };
            }
            Some(Token::Word(field)) => field,
            other => return Err(format!("Invalid query: expected a field, found {other:?}")),
        };
        let known = self.fields.iter().find(|(name, _)| *name == field);
        let (_, kind) = *known.ok_or_else(|| format!("Invalid field {field:?} in query"))?;
        let negated = self.keyword("NOT");
        if self.keyword("IN") {
            return Ok(Filter::Among {
                field,
                values: self.list(kind)?,
                negated,
            });
        }
        let Some(Token::Operator(operator)) = self.take().filter(|_| !negated) else {
            return Err(format!("Invalid query: expected an operator after {field}"));
        };
        let value = literal(self.take(), kind)?;
        let fits = match operator {
            "=" | "!=" => true,
            "~" | "!~" => kind == Kind::Text && value != Value::Null,
            _ => kind != Kind::Flag && value != Value::Null,
        };
        if !fits {
            return Err(format!(
                "Invalid query: {operator} does not apply to {field}"
            ));
        }
        Ok(Filter::Compare {
            field,
            operator,
            value,
        })
    }

    fn list(&mut self, kind: Kind) -> Result<Vec<Value<'static>>, String> {
        if self.take() != Some(Token::Open) {
            return Err("Invalid query: IN needs a list".to_owned());
        }
        let mut values = Vec::new();
        loop {
            values.push(literal(self.take(), kind)?);
            match self.take() {
                Some(Token::Comma) => {}
                Some(Token::Close) => return Ok(values),
                _ => return Err("Invalid query: unterminated list".to_owned()),
            }
        }
    }
}

fn literal(token: Option<Token>, kind: Kind) -> Result<Value<'static>, String> {
    let (text, bare) = match token {
        Some(Token::Word(word)) => (word, true),
        Some(Token::Quoted(text)) => (text, false),
        other => return Err(format!("Invalid query: expected a value, found {other:?}")),
    };
    if bare && text == "null" {
        return Ok(Value::Null);
    }
    let value = match (kind, bare) {
        (Kind::Text, false) => Some(Value::Text(Cow::Owned(text.clone()))),
        (Kind::Number, true) => text.parse().ok().map(Value::Number),
        (Kind::Flag, true) => text.parse().ok().map(Value::Flag),
        // Documented without quotes, accepted with them.
        (Kind::Time, _) => time(&text).map(Value::Time),
        (Kind::Text, true) | (Kind::Number | Kind::Flag, false) => None,
    };
    value.ok_or_else(|| format!("Invalid value {text:?} in query"))
}

/// A date, or a time with or without an offset; UTC when there is none.
fn time(text: &str) -> Option<Time> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.with_timezone(&Utc));
    }
    let naive = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f");
    let midnight =
        || NaiveDate::parse_from_str(text, "%Y-%m-%d").map(|date| date.and_time(NaiveTime::MIN));
    naive
        .or_else(|_| midnight())
        .ok()
        .map(|time| time.and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: [(&str, Kind); 4] = [
        ("id", Kind::Number),
        ("title", Kind::Text),
        ("draft", Kind::Flag),
        ("updated_on", Kind::Time),
    ];

    fn passes(q: &str) -> Result<bool, String> {
        let filter = Filter::parse(q, &FIELDS)?;
        Ok(filter.matches(&|name| match name {
            "id" => Value::Number(7),
            "title" => Value::text("Größe \"XL\""),
            "draft" => Value::Flag(false),
            _ => time("2026-03-02T09:00:00.5Z").map_or(Value::Null, Value::Time),
        }))
    }

    #[test]
    fn comparisons_follow_the_documentation() {
        for q in [
            "id = 7",
            "id>=7 AND id<=7",
            "id = 1 OR id = 7",
            "(id = 1 OR id = 7) AND draft = false",
            "title ~ \"größe\"",
            "title = \"Größe \\\"XL\\\"\"",
            "title != null",
            "id IN (1, 7)",
            "id NOT IN (1, 2)",
            "updated_on > 2026-03-02T09:00:00Z",
            "updated_on > \"2026-03-02T09:00:00+00:00\"",
            "updated_on >= 2026-03-02",
            "updated_on < 2026-03-02T10:00:01+01:00",
        ] {
            assert_eq!(passes(q), Ok(true), "{q}");
        }
        for q in [
            "id = 8",
            "title = null",
            "title !~ \"xl\"",
            "updated_on > 2026-03-02T09:00:00.5Z",
        ] {
            assert_eq!(passes(q), Ok(false), "{q}");
        }
    }

    #[test]
    fn mistakes_are_refused() {
        for q in [
            "",
            "id",
            "id =",
            "id = \"7\"",
            "nonsense = 1",
            "title > ",
            "draft > true",
            "id = 1 AND",
            "(id = 1",
            "id = 1)",
            "title = \"open",
            "updated_on >= yesterday",
            "updated_on>=2026-03-02T09:00:00 00:00",
            "id ~ 1",
            "id NOT = 1",
            "!",
            "id IN 1",
            "title = bare",
        ] {
            assert!(passes(q).is_err(), "{q}");
        }
    }
}

//! Keys that the environment overrides: `HEADWATER__`, then the path of the key in capitals, its
//! parts joined by two underscores.
//!
//! A key that is a text is the variable as it is; any other is read as TOML. A connection or a
//! project is named by its name or its place (from 0); what a variable has no letter for is `_`.

use std::cell::Cell;
use std::ffi::OsString;
use std::fmt;

use toml_edit::Value;

use super::problem::Problem;

/// Begins the name of every variable that overrides a key.
const PREFIX: &str = "HEADWATER";

/// Between the parts of a path.
const BETWEEN: &str = "__";

/// The variables that override keys.
#[derive(Debug, Default)]
pub struct Overrides {
    found: Vec<Override>,
    /// Names of variables whose value is not UTF-8.
    not_text: Vec<String>,
    /// What a table is that only variables have keys of.
    empty: Option<Value>,
}

/// One variable that overrides a key.
pub(super) struct Override {
    pub(super) variable: String,
    pub(super) text: String,
    /// The text as TOML reads it; none where it is none.
    pub(super) value: Option<Value>,
    used: Cell<bool>,
}

impl Overrides {
    /// The variables of this process.
    #[must_use]
    pub fn of_process() -> Self {
        Self::of(std::env::vars_os())
    }

    /// These variables, as far as they override keys.
    #[must_use]
    pub fn of(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let mut overrides = Self {
            empty: "{}".parse().ok(),
            ..Self::default()
        };
        let begins = format!("{PREFIX}{BETWEEN}");
        for (name, value) in variables {
            let Some(variable) = name.to_str().filter(|name| name.starts_with(&begins)) else {
                continue;
            };
            match value.to_str() {
                Some(text) => overrides.found.push(Override::new(variable, text)),
                None => overrides.not_text.push(variable.to_owned()),
            }
        }
        overrides.found.sort_by(|a, b| a.variable.cmp(&b.variable));
        overrides.not_text.sort();
        overrides
    }

    /// The variable that stands for a key below one of these prefixes.
    pub(super) fn of_key(&self, prefixes: &[String], name: &str) -> Option<&Override> {
        let below = below(prefixes, name);
        let mut found = self.found.iter();
        let found = found.find(|it| below.contains(&it.variable))?;
        found.used.set(true);
        Some(found)
    }

    /// An empty table, where variables stand for keys of a table that the file does not have.
    pub(super) fn table_of(&self, prefixes: &[String], name: &str) -> Option<&Value> {
        let below = below(prefixes, name);
        let begins = |variable: &str, prefix: &String| {
            let rest = variable.strip_prefix(prefix.as_str());
            rest.is_some_and(|rest| rest.starts_with(BETWEEN))
        };
        let mut found = self.found.iter();
        let any = found.any(|it| below.iter().any(|prefix| begins(&it.variable, prefix)));
        self.empty.as_ref().filter(|_| any)
    }

    /// Problems of variables that no key asked for, or that are no text.
    pub(super) fn problems(&self) -> Vec<Problem> {
        let unused = self.found.iter().filter(|it| !it.used.get());
        let unused = unused.map(|it| {
            Problem::of_file(
                &it.variable,
                "this variable stands for no key of the configuration",
            )
            .expecting(
                "HEADWATER__, then the path of a key in capitals with two underscores between \
                     its parts, such as HEADWATER__DATABASE__URL or \
                     HEADWATER__CONNECTION__0__SCOPES",
            )
        });
        let not_text = self.not_text.iter();
        let not_text = not_text.map(|it| Problem::of_file(it, "this variable is not valid UTF-8"));
        unused.chain(not_text).collect()
    }

    /// The same problem without anything of a variable's value: of its own variable, and of others
    /// what may be a secret that was put into the wrong one.
    pub(super) fn without_value(&self, mut problem: Problem) -> Problem {
        for it in &self.found {
            let own = it.variable == problem.file;
            if own {
                // Lines are for the file.
                problem.write_instead = None;
                problem.key = it.key_without_value(&problem.key);
            }
            problem.message = it.taken_out_of(problem.message, own);
            let texts = [&mut problem.expected, &mut problem.write_instead];
            for text in texts.into_iter().flatten() {
                *text = it.taken_out_of(std::mem::take(text), own);
            }
        }
        problem
    }
}

impl fmt::Debug for Override {
    /// The value may be a secret.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.variable)
    }
}

impl Override {
    fn new(variable: &str, text: &str) -> Self {
        Self {
            variable: variable.to_owned(),
            text: text.to_owned(),
            value: text.trim().parse().ok(),
            used: Cell::default(),
        }
    }

    /// A sentence in which the value, or a text in it, is replaced.
    fn taken_out_of(&self, mut sentence: String, own: bool) -> String {
        let mut texts = vec![self.text.trim().to_owned()];
        self.value
            .iter()
            .for_each(|value| add_texts(value, &mut texts));
        texts.sort_by_key(|text| std::cmp::Reverse(text.len()));
        for text in texts {
            let is_told = if own {
                text.len() > 2
            } else {
                may_be_secret(&text)
            };
            for spelt in [text.escape_debug().to_string(), text] {
                if is_told && sentence.contains(&spelt) {
                    sentence = sentence.replace(&spelt, "…");
                }
                // A long one was cut.
                let begin: String = spelt.chars().take(40).collect();
                if is_told && begin.len() < spelt.len() && sentence.contains(&begin) {
                    sentence = sentence.replace(&begin, "…");
                }
            }
        }
        sentence
    }

    /// A path without what the value itself added to it.
    fn key_without_value(&self, key: &str) -> String {
        let parts = key.split('.').map(|part| {
            let plain = part.trim_matches(['"', ']', '[']);
            let is_given = plain.len() > 2 && self.text.contains(plain);
            let is_own = self.variable.contains(&spelt(plain));
            if is_given && !is_own { "…" } else { part }
        });
        parts.collect::<Vec<_>>().join(".")
    }
}

/// All texts in a value.
fn add_texts(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::String(text) => texts.push(text.value().clone()),
        Value::Array(array) => array.iter().for_each(|it| add_texts(it, texts)),
        Value::InlineTable(table) => table.iter().for_each(|(_, it)| add_texts(it, texts)),
        _ => {}
    }
}

/// Whether a text looks like a credential, and not like a word or a name.
fn may_be_secret(text: &str) -> bool {
    text.len() >= 8
        && text.contains(|letter: char| letter.is_ascii_digit() || letter.is_ascii_uppercase())
}

/// The prefix of the file's own keys.
pub(super) fn root() -> Vec<String> {
    vec![PREFIX.to_owned()]
}

/// Names of variables that stand for a key, or begin with its path.
pub(super) fn below(prefixes: &[String], name: &str) -> Vec<String> {
    let name = spelt(name);
    let below = prefixes.iter();
    below
        .map(|prefix| format!("{prefix}{BETWEEN}{name}"))
        .collect()
}

/// A part of a path as variables spell it.
fn spelt(name: &str) -> String {
    let letter = |letter: char| match letter.to_ascii_uppercase() {
        letter if letter.is_ascii_alphanumeric() => letter,
        _ => '_',
    };
    name.chars().map(letter).collect()
}

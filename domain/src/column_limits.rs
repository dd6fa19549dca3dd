//! Making rows fit every database alike.
//!
//! SQLite takes text of any length into any column, PostgreSQL and MariaDB refuse what is longer
//! than declared. So the declared width, which the entity knows, holds everywhere: text is cut
//! to it, and a key, which would become another key by cutting, is refused.

use sea_orm::Value;

use crate::table::{Layer, Table};
use crate::timestamp;

/// Characters that the texts of one key may have together, as JSON: what is remembered of a
/// removed row is its key with the names of the columns, and that has a width as well.
const KEY_TEXT: usize = 256;

/// A key that no database could hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverlongKey {
    /// The column it was meant for.
    pub column: String,
    /// Its characters.
    pub length: usize,
    /// How many there may be.
    pub longest: usize,
}

impl std::fmt::Display for OverlongKey {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            column,
            length,
            longest,
        } = self;
        write!(
            out,
            "{column} has {length} characters; as part of a key it may have {longest}"
        )
    }
}

/// Values as every database stores them: no U+0000 in text, no text longer than its column, times
/// in whole milliseconds.
pub(crate) fn fit(table: &Table, mut values: Vec<Value>) -> Result<Vec<Value>, OverlongKey> {
    for (column, value) in table.columns.iter().zip(&mut values) {
        match value {
            Value::String(Some(text)) => {
                if text.contains('\0') {
                    *text = text.replace('\0', "\u{fffd}");
                }
                let Some(width) = column.width() else {
                    continue;
                };
                // Text has at most as many characters as bytes, so most is not counted.
                if text.len() > width
                    && let Some((end, _)) = text.char_indices().nth(width)
                {
                    if column.key {
                        return Err(OverlongKey {
                            column: column.name.clone(),
                            length: text.chars().count(),
                            longest: width,
                        });
                    }
                    text.truncate(end);
                }
            }
            Value::ChronoDateTimeUtc(Some(time)) => *time = timestamp::to_milliseconds(*time),
            _ => {}
        }
    }
    if table.layer() == Layer::Tool {
        let keys = table.columns.iter().zip(&values).filter(|(c, _)| c.key);
        let texts = keys.filter_map(|(column, value)| match value {
            Value::String(Some(text)) => Some((column.name.as_str(), text.as_str())),
            _ => None,
        });
        // The last text is the row's own; those before it name the repository.
        let last = texts.clone().next_back().map_or("", |(name, _)| name);
        check_key_text(last, texts.map(|(_, text)| text))?;
    }
    Ok(values)
}

/// Bytes of all texts of a row.
pub(crate) fn bytes_of_text(values: &[Value]) -> usize {
    let length = |value: &Value| match value {
        Value::String(Some(text)) => text.len(),
        _ => 0,
    };
    values.iter().map(length).sum()
}

/// Whether the texts of a key are short enough together.
pub(crate) fn check_key_text<'a>(
    column: &str,
    texts: impl IntoIterator<Item = &'a str>,
) -> Result<(), OverlongKey> {
    let length = texts.into_iter().map(length_as_json).sum();
    if length <= KEY_TEXT {
        return Ok(());
    }
    Err(OverlongKey {
        column: column.to_owned(),
        length,
        longest: KEY_TEXT,
    })
}

fn length_as_json(text: &str) -> usize {
    let length = |character: char| match character {
        '"' | '\\' => 2,
        character if character < ' ' => 6,
        _ => 1,
    };
    text.chars().map(length).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::repo;
    use crate::table::Row as _;
    use crate::tool::bitbucket::pull_request_reviewer;

    fn reviewer(account_id: &str) -> Result<Vec<Value>, OverlongKey> {
        let row = pull_request_reviewer::Model {
            repo_id: "acme/rocket".to_owned(),
            account_id: account_id.to_owned(),
            ..pull_request_reviewer::Model::default()
        };
        fit(pull_request_reviewer::Model::table(), row.into_values())
    }

    #[test]
    fn text_is_cut_by_characters_and_not_inside_one() {
        for (text, expected) in [
            ("a".repeat(255), "a".repeat(255)),
            ("a".repeat(256), "a".repeat(255)),
            ("é".repeat(300), "é".repeat(255)),
            (
                format!("{}🚀🚀", "a".repeat(254)),
                format!("{}🚀", "a".repeat(254)),
            ),
            (String::new(), String::new()),
        ] {
            let row = repo::Model {
                language: text.clone(),
                description: text.repeat(5),
                ..repo::Model::default()
            };
            let table = repo::Model::table();
            let values = fit(table, row.into_values()).unwrap();
            let of = |column| &values[table.position(column).unwrap()];
            assert_eq!(of("language"), &Value::from(expected), "{text}");
            assert_eq!(of("description"), &Value::from(text.repeat(5)), "no limit");
        }
    }

    #[test]
    fn a_key_is_refused_rather_than_cut() {
        assert!(reviewer(&"a".repeat(245)).is_ok());
        let refused = reviewer(&"a".repeat(246)).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "account_id has 257 characters; as part of a key it may have 256"
        );
        assert!(reviewer(&"\"".repeat(123)).is_err(), "as JSON it is longer");
        assert!(
            reviewer(&"🚀".repeat(245)).is_ok(),
            "characters count, not bytes"
        );
        let row = repo::Model {
            id: "i".repeat(256),
            ..repo::Model::default()
        };
        assert!(fit(repo::Model::table(), row.into_values()).is_err());
    }
}

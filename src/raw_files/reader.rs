//! Files of raw rows, row by row, each with its place for messages.

use chrono::{DateTime, Utc};
use headwater_domain::{Scope, surrogates, timestamp};
use serde_json::Value;

use crate::cli::RawFormat;
use crate::exit::Failure;

/// The header of a CSV file of raw rows.
pub(super) const HEADER: [&str; 6] = ["id", "params", "data", "url", "input", "created_at"];

/// One row of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FileRow {
    /// `file:line`, for messages.
    pub(super) place: String,
    pub(super) id: Option<i64>,
    pub(super) scope: Scope,
    pub(super) data: Vec<u8>,
    pub(super) url: String,
    pub(super) input: String,
    /// Key of the parent item, read from `input`.
    pub(super) parent: String,
    pub(super) created_at: Option<DateTime<Utc>>,
}

/// The rows of a file.
pub(super) fn rows_of<'a>(
    bytes: &'a [u8],
    name: &'a str,
    format: RawFormat,
) -> Box<dyn Iterator<Item = Result<FileRow, Failure>> + 'a> {
    // A byte order mark would become part of the first column's name.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match format {
        RawFormat::Csv => csv_rows(bytes, name),
        RawFormat::Jsonl => Box::new(json_rows(bytes, name)),
    }
}

/// The cells of a row, before they are understood.
#[derive(Default)]
struct Cells {
    id: String,
    params: String,
    data: Vec<u8>,
    url: String,
    input: String,
    created_at: String,
}

impl Cells {
    fn read(self, place: String) -> Result<FileRow, Failure> {
        let wrong = |what: String| Failure::usage(format!("{place}: {what}"));
        let id = match self.id.trim() {
            "" => None,
            text => match text.parse::<i64>() {
                Ok(id) if id > 0 => Some(id),
                _ => return Err(wrong(format!("id: {text:?} is not a positive number"))),
            },
        };
        let scope = Scope::from_params(&self.params)
            .map_err(|error| wrong(format!("params: {error}, not {:?}", short(&self.params))))?;
        if self.data.is_empty() {
            return Err(wrong("data: it is empty; write the item's JSON".to_owned()));
        }
        let created_at = match self.created_at.trim() {
            "" => None,
            text => match timestamp::parse(text) {
                Some(time) => Some(time),
                None => {
                    return Err(wrong(format!(
                        "created_at: {text:?} is not a time such as 2026-01-31 09:30:00.000"
                    )));
                }
            },
        };
        let parent = parent(&self.input).map_err(wrong)?;
        let input = match self.input.trim() {
            "" => "null".to_owned(),
            text => text.to_owned(),
        };
        Ok(FileRow {
            place,
            id,
            scope,
            data: self.data,
            url: self.url,
            input,
            parent,
            created_at,
        })
    }
}

/// `{"BitbucketId": 31}` or `{"BitbucketId": "{uuid}"}`; empty for `null`.
fn parent(input: &str) -> Result<String, String> {
    if input.trim().is_empty() {
        return Ok(String::new());
    }
    let json: Value = serde_json::from_slice(&surrogates::mended(input.as_bytes()))
        .map_err(|error| format!("input: not JSON ({error}): {:?}", short(input)))?;
    Ok(match &json["BitbucketId"] {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        _ => String::new(),
    })
}

fn short(text: &str) -> String {
    text.chars().take(60).collect()
}

fn csv_rows<'a>(
    bytes: &'a [u8],
    name: &'a str,
) -> Box<dyn Iterator<Item = Result<FileRow, Failure>> + 'a> {
    let mut reader = csv::ReaderBuilder::new().flexible(false).from_reader(bytes);
    let places = match header(&mut reader, name) {
        Ok(places) => places,
        Err(failure) => return Box::new(std::iter::once(Err(failure))),
    };
    Box::new(reader.into_byte_records().map(move |record| {
        let record = record.map_err(|error| csv_failure(name, &error))?;
        let line = record.position().map_or(0, csv::Position::line);
        let place = format!("{name}:{line}");
        let cell = |column: usize| places[column].and_then(|place| record.get(place));
        let text = |column: usize| match cell(column) {
            None => Ok(String::new()),
            Some(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => Ok(text.to_owned()),
                Err(_) => Err(Failure::usage(format!(
                    "{place}: {}: not UTF-8 text",
                    HEADER[column]
                ))),
            },
        };
        let cells = Cells {
            id: text(0)?,
            params: text(1)?,
            data: cell(2).unwrap_or_default().to_vec(),
            url: text(3)?,
            input: text(4)?,
            created_at: text(5)?,
        };
        cells.read(place)
    }))
}

/// Where each column of [`HEADER`] is in this file.
fn header(reader: &mut csv::Reader<&[u8]>, name: &str) -> Result<[Option<usize>; 6], Failure> {
    let headers = reader
        .headers()
        .map_err(|error| csv_failure(name, &error))?;
    let place = |column: &str| headers.iter().position(|header| header.trim() == column);
    let places = HEADER.map(place);
    for required in [1, 2] {
        if places[required].is_none() {
            return Err(Failure::usage(format!(
                "{name}:1: the header has no column {}; expected: {}",
                HEADER[required],
                HEADER.join(",")
            )));
        }
    }
    Ok(places)
}

fn csv_failure(name: &str, error: &csv::Error) -> Failure {
    let line = error.position().map_or(1, csv::Position::line);
    let what = match error.kind() {
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => {
            format!("{len} fields where the header has {expected_len}")
        }
        csv::ErrorKind::Utf8 { .. } => "the header is not UTF-8 text".to_owned(),
        _ => error.to_string(),
    };
    Failure::usage(format!("{name}:{line}: {what}"))
}

fn json_rows<'a>(
    bytes: &'a [u8],
    name: &'a str,
) -> impl Iterator<Item = Result<FileRow, Failure>> + 'a {
    let lines = bytes.split(|&byte| byte == b'\n').enumerate();
    let filled = lines.filter(|(_, line)| !line.trim_ascii().is_empty());
    filled.map(move |(index, line)| {
        let place = format!("{name}:{}", index + 1);
        let json: Value = serde_json::from_slice(&surrogates::mended(line))
            .map_err(|error| Failure::usage(format!("{place}: not JSON ({error})")))?;
        if !json.is_object() {
            return Err(Failure::usage(format!("{place}: not a JSON object")));
        }
        // Nested JSON may stand as itself or as text.
        let text = |name: &str| match &json[name] {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let cells = Cells {
            id: text("id"),
            params: text("params"),
            data: text("data").into_bytes(),
            url: text("url"),
            input: text("input"),
            created_at: text("created_at"),
        };
        cells.read(place)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(text: &str, format: RawFormat) -> Result<FileRow, String> {
        let row = rows_of(text.as_bytes(), "rows", format).next().unwrap();
        row.map_err(|failure| failure.message)
    }

    #[test]
    fn a_devlake_row_is_read_with_its_id_and_parent() {
        let text = "id,params,data,url,input,created_at\n\
            7,\"{\"\"ConnectionId\"\":1,\"\"FullName\"\":\"\"a/b\"\"}\",{},u,\"{\"\"BitbucketId\"\": 31}\",2022-08-15 09:22:14.055\n";
        let row = first(text, RawFormat::Csv).unwrap();
        assert_eq!((row.id, row.parent.as_str()), (Some(7), "31"));
        assert_eq!(row.scope, Scope::new(1, "a/b"));
        assert_eq!(row.place, "rows:2");
        assert!(row.created_at.is_some());
    }

    #[test]
    fn json_lines_may_nest_their_json() {
        let text = r#"{"params": {"ConnectionId":1,"FullName":"a/b"}, "data": {"id": 1}}"#;
        let row = first(text, RawFormat::Jsonl).unwrap();
        assert_eq!(row.scope, Scope::new(1, "a/b"));
        assert_eq!(row.data, br#"{"id":1}"#);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let params = r#""{""ConnectionId"":1,""FullName"":""a/b""}""#;
        let cases = [
            (
                "id,data\n1,{}\n".to_owned(),
                "rows:1: the header has no column params",
            ),
            (
                "params,data\nx,{}\n".to_owned(),
                "rows:2: params: params must look like",
            ),
            (
                format!("id,params,data\nx,{params},{{}}\n"),
                "rows:2: id: \"x\" is not",
            ),
            (
                format!("params,data\n{params},\n"),
                "rows:2: data: it is empty",
            ),
            (
                format!("params,data\n{params}\n"),
                "rows:2: 1 fields where the header has 2",
            ),
            (
                format!("params,data,created_at\n{params},{{}},never\n"),
                "rows:2: created_at: \"never\" is not a time",
            ),
            (
                format!("params,data,input\n{params},{{}},{{\n"),
                "rows:2: input: not JSON",
            ),
        ];
        for (text, expected) in cases {
            let message = first(&text, RawFormat::Csv).unwrap_err();
            assert!(message.starts_with(expected), "{message}");
        }
    }
}

//! One answer taken apart: its items as received, and where the next page is.

use std::borrow::Cow;
use std::fmt::Write as _;

use bytes::Bytes;
use headwater_domain::surrogates;
use headwater_redaction::payload::without_secrets;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::dialect::Pages;
use crate::endpoint::{Endpoint, Paging};
use crate::trimming::trimmed;

/// Most items that an answer may have: ten times the longest pages. Each costs memory beside its
/// bytes, so that small ones without end would take more than the largest answer.
pub(crate) const MOST_ITEMS: usize = 10_000;

/// One item of an answer, byte for byte but for [what is secret](headwater_redaction::payload) and
/// [what is left out](crate::Endpoint::left_out).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawItem(pub Vec<u8>);

/// The items of one answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Items {
    #[expect(clippy::struct_field_names, reason = "that is what they are")]
    pub(crate) items: Vec<RawItem>,
    /// Address of the next page, as the server wrote it.
    pub(crate) next: Option<String>,
    /// Place of the next page, where the server gives no address of it although the list goes on:
    /// its number, or that of its first item.
    pub(crate) next_number: Option<u64>,
    /// Number of items on all pages, where the dialect has it and the server gives it.
    pub(crate) size: Option<u64>,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    values: Vec<&'a RawValue>,
    #[serde(borrow, default)]
    next: Option<Cow<'a, str>>,
    // Only `values` and `next` are promised: whatever else these may hold loses no page.
    #[serde(borrow, default)]
    page: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pagelen: Option<&'a RawValue>,
    #[serde(borrow, default)]
    size: Option<&'a RawValue>,
}

impl Envelope<'_> {
    /// A numbered list goes on while its size says so; of unknown size, while its pages are full.
    fn next_number(&self) -> Option<u64> {
        let page = number(self.page)?;
        let length = number(self.pagelen).filter(|&length| length > 0)?;
        let goes_on = match number(self.size) {
            Some(size) => page.checked_mul(length)? < size && !self.values.is_empty(),
            None => self.values.len() as u64 >= length,
        };
        goes_on.then_some(page + 1)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OffsetPage<'a> {
    #[serde(borrow)]
    values: Vec<&'a RawValue>,
    #[serde(default)]
    is_last_page: Option<bool>,
    #[serde(borrow, default)]
    next_page_start: Option<&'a RawValue>,
}

impl OffsetPage<'_> {
    /// Where the next page begins; none on the last one. A page that says neither is no page: it
    /// must not pass for the end of the list.
    fn next(&self) -> Result<Option<u64>, String> {
        match (self.is_last_page, number(self.next_page_start)) {
            (Some(true), _) => Ok(None),
            (_, Some(start)) => Ok(Some(start)),
            _ => Err("the page does not say where the next one begins".to_owned()),
        }
    }
}

fn number(value: Option<&RawValue>) -> Option<u64> {
    value?.get().parse().ok()
}

/// Takes an answer apart; says what is wrong with one that is no page.
///
/// One bad character does not lose a page: what is no UTF-8 is replaced, and a control character
/// that is in a text as it is, which JSON does not allow, is read as if it were escaped. Half a
/// character, which JSON allows and no text has, stays within items, for whoever reads them.
pub(crate) fn read(body: &Bytes, endpoint: &Endpoint) -> Result<Items, String> {
    // Checked first: almost every answer is UTF-8, and mending reads several times slower.
    let text = match std::str::from_utf8(body) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(body),
    };
    read_text(&text, endpoint).or_else(|wrong| {
        let escaped = escaped(&text);
        let text = escaped.as_deref().unwrap_or(&text);
        let again = match &escaped {
            Some(text) => read_text(text, endpoint),
            None => Err(wrong),
        };
        // Items keep what is no text within them, unless what is around the items has to be mended.
        again.or_else(|wrong| match surrogates::mended(text.as_bytes()) {
            Cow::Owned(mended) => read_text(&String::from_utf8_lossy(&mended), endpoint),
            Cow::Borrowed(_) => Err(wrong),
        })
    })
}

/// The text with control characters inside of strings escaped; none when there are none.
fn escaped(text: &str) -> Option<String> {
    let mut mended = String::new();
    let mut kept = 0;
    let (mut inside, mut after_backslash) = (false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if after_backslash => after_backslash = false,
            b'"' => inside = !inside,
            b'\\' => after_backslash = inside,
            0..b' ' if inside => {
                mended.push_str(&text[kept..at]);
                // A string takes everything that is written to it.
                let _ = write!(mended, "\\u{byte:04x}");
                kept = at + 1;
            }
            _ => {}
        }
    }
    if kept == 0 {
        return None;
    }
    mended.push_str(&text[kept..]);
    Some(mended)
}

fn read_text(text: &str, endpoint: &Endpoint) -> Result<Items, String> {
    match (endpoint.paging, endpoint.dialect.pages) {
        (Paging::Single, _) => {
            let item: &RawValue = serde_json::from_str(text).map_err(|e| e.to_string())?;
            if !item.get().starts_with('{') {
                return Err("the answer is not a JSON object".to_owned());
            }
            Ok(Items {
                items: vec![raw_item(item, endpoint)],
                size: Some(1),
                ..Items::default()
            })
        }
        (Paging::List, Pages::Offsets) => {
            let page: OffsetPage<'_> = serde_json::from_str(text).map_err(|e| e.to_string())?;
            Ok(Items {
                next_number: page.next()?,
                items: page
                    .values
                    .into_iter()
                    .take(MOST_ITEMS + 1)
                    .map(|item| raw_item(item, endpoint))
                    .collect(),
                ..Items::default()
            })
        }
        (Paging::List, Pages::Linked) => {
            let envelope: Envelope<'_> = serde_json::from_str(text).map_err(|e| e.to_string())?;
            let next = envelope.next.as_deref().filter(|next| !next.is_empty());
            Ok(Items {
                next: next.map(str::to_owned),
                next_number: envelope.next_number().filter(|_| next.is_none()),
                items: envelope
                    .values
                    .into_iter()
                    .take(MOST_ITEMS + 1)
                    .map(|item| raw_item(item, endpoint))
                    .collect(),
                size: number(envelope.size),
            })
        }
    }
}

/// The item as it is stored: what is secret in it goes nowhere, and what is left out is not in it,
/// whether the server left it out or not.
fn raw_item(value: &RawValue, endpoint: &Endpoint) -> RawItem {
    let item = without_secrets(value.get().as_bytes().to_vec());
    RawItem(trimmed(item, endpoint.left_out))
}

#[cfg(test)]
mod tests {
    use headwater_domain::tool::bitbucket::tag::Tags;

    use super::*;
    use crate::bitbucket::DIALECT;
    use crate::dialect::Dialect;
    use crate::endpoint::Collect;

    const LINKED: &Endpoint = &Tags::ENDPOINT;

    fn list(body: &'static str) -> Result<Items, String> {
        read(&Bytes::from_static(body.as_bytes()), LINKED)
    }

    #[test]
    fn items_are_kept_byte_for_byte() {
        let page = list(r#"{"size": 2, "values": [ {"id":  1}, {"b":2,"a":1} ], "next": "x"}"#);
        let page = page.unwrap();
        assert_eq!(page.items[0].0, br#"{"id":  1}"#);
        assert_eq!(page.items[1].0, br#"{"b":2,"a":1}"#);
        assert_eq!(page.next.as_deref(), Some("x"));
    }

    #[test]
    fn one_bad_character_does_not_lose_a_page() {
        let body = b"{\"values\": [{\"id\": 1}, {\"a\": \"x\xff\0\n\\\"\x01\"},\n{\"id\": 2}]}";
        let page = read(&Bytes::from_static(body), LINKED).unwrap();
        assert_eq!(page.items[0].0, br#"{"id": 1}"#);
        let mended = "{\"a\": \"x\u{fffd}\\u0000\\u000a\\\"\\u0001\"}";
        assert_eq!(page.items[1].0, mended.as_bytes());
        assert_eq!(page.items[2].0, br#"{"id": 2}"#);
    }

    #[test]
    fn half_a_character_loses_neither_a_page_nor_the_next_one() {
        let page = list(r#"{"values": [{"a": "\ud800"}]}"#).unwrap();
        assert_eq!(page.items[0].0, br#"{"a": "\ud800"}"#, "as received");
        for body in [
            r#"{"\ud800": 1, "values": [{"id": 1}], "next": "x"}"#,
            r#"{"values": [{"id": 1}], "next": "x", "\udc00": {"a": "\ud800"}}"#,
        ] {
            let page = list(body).unwrap();
            assert_eq!(
                (page.items.len(), page.next.as_deref()),
                (1, Some("x")),
                "{body}"
            );
        }
        let next = list(r#"{"values": [], "next": "x\ud800"}"#).unwrap().next;
        assert_eq!(next.as_deref(), Some("x\u{fffd}"));
    }

    #[test]
    fn an_item_of_any_depth_does_not_lose_a_page() {
        let deep = format!("{}1{}", r#"{"a":["#.repeat(10_000), "]}".repeat(10_000));
        let body = format!(r#"{{"values": [{{"id": 1}}, {deep}, {{"id": 2}}]}}"#);
        let page = read(&Bytes::from(body), LINKED).unwrap();
        assert_eq!(page.items.len(), 3);
        assert_eq!(page.items[1].0, deep.as_bytes());
    }

    #[test]
    fn a_strange_size_is_none() {
        for (size, expected) in [("7", Some(7)), ("\"7\"", None), ("-1", None), ("{}", None)] {
            let body = format!(r#"{{"values": [], "size": {size}}}"#);
            let page = read(&Bytes::from(body), LINKED);
            assert_eq!(page.unwrap().size, expected, "{size}");
        }
        assert_eq!(list(r#"{"values": []}"#).unwrap().size, None);
    }

    #[test]
    fn an_answer_that_is_no_page_says_so() {
        for body in [
            "",
            "<html>",
            r#"{"values": 1}"#,
            r#"{"next": "x"}"#,
            "[]",
            r#"{"values": ["#,
        ] {
            assert!(list(body).is_err(), "{body}");
        }
    }

    #[test]
    fn a_numbered_list_goes_on_without_next_while_its_size_or_its_full_pages_say_so() {
        for (body, expected) in [
            (
                r#"{"values": [1, 2], "page": 1, "pagelen": 2, "size": 3}"#,
                Some(2),
            ),
            (
                r#"{"values": [1], "page": 2, "pagelen": 2, "size": 3}"#,
                None,
            ),
            (
                r#"{"values": [1, 2], "page": 2, "pagelen": 2, "size": 4}"#,
                None,
            ),
            (
                r#"{"values": [], "page": 2, "pagelen": 2, "size": 9}"#,
                None,
            ),
            (r#"{"values": [1, 2], "page": 1, "pagelen": 2}"#, Some(2)),
            (r#"{"values": [1], "page": 2, "pagelen": 2}"#, None),
            (r#"{"values": [1, 2], "pagelen": 2}"#, None),
            (
                r#"{"values": [1], "page": 1, "pagelen": 0, "size": 3}"#,
                None,
            ),
            (
                r#"{"values": [1], "page": "x", "pagelen": {}, "size": []}"#,
                None,
            ),
            (
                r#"{"values": [1], "page": 1, "pagelen": 1, "size": 9, "next": "x"}"#,
                None,
            ),
        ] {
            assert_eq!(list(body).unwrap().next_number, expected, "{body}");
        }
    }

    #[test]
    fn no_next_or_an_empty_one_is_the_last_page() {
        for body in [
            r#"{"values": []}"#,
            r#"{"values": [], "next": null}"#,
            r#"{"values": [], "next": ""}"#,
        ] {
            assert_eq!(list(body).unwrap().next, None, "{body}");
        }
    }

    const BY_OFFSETS: &Endpoint = &Endpoint {
        dialect: &OFFSETS,
        ..Tags::ENDPOINT
    };

    static OFFSETS: Dialect = Dialect {
        pages: Pages::Offsets,
        ..DIALECT
    };

    #[test]
    fn a_page_by_offsets_says_where_the_next_one_begins_or_that_it_is_the_last() {
        for (body, expected) in [
            (
                r#"{"values": [1], "size": 1, "isLastPage": false, "nextPageStart": 9}"#,
                Some(9),
            ),
            (r#"{"values": [1], "size": 1, "nextPageStart": 9}"#, Some(9)),
            (
                r#"{"values": [1], "isLastPage": true, "nextPageStart": 9}"#,
                None,
            ),
            (
                r#"{"values": [], "isLastPage": true, "nextPageStart": null}"#,
                None,
            ),
        ] {
            let page = read(&Bytes::from(body), BY_OFFSETS).unwrap();
            assert_eq!(page.next_number, expected, "{body}");
            assert_eq!(
                page.size, None,
                "the size of a page is not that of the list"
            );
        }
        for body in [
            r#"{"values": [1]}"#,
            r#"{"values": [1], "isLastPage": false}"#,
            r#"{"values": [1], "isLastPage": false, "nextPageStart": null}"#,
            r#"{"values": [1], "isLastPage": false, "nextPageStart": "soon"}"#,
            r#"{"isLastPage": true}"#,
        ] {
            assert!(read(&Bytes::from(body), BY_OFFSETS).is_err(), "{body}");
        }
    }
}

//! One answer taken apart: its items as received, and where the next page is.

use std::borrow::Cow;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::endpoint::Paging;

/// One item of an answer, byte for byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawItem(pub Vec<u8>);

/// The items of one answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Items {
    #[expect(clippy::struct_field_names, reason = "that is what they are")]
    pub(crate) items: Vec<RawItem>,
    /// Address of the next page, as the server wrote it.
    pub(crate) next: Option<String>,
    /// Number of items on all pages, where the server tells it.
    pub(crate) size: Option<u64>,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    values: Vec<&'a RawValue>,
    #[serde(borrow, default)]
    next: Option<Cow<'a, str>>,
    /// Whatever it is: a page is no worse for a strange one.
    #[serde(borrow, default)]
    size: Option<&'a RawValue>,
}

/// Takes an answer apart; says what is wrong with one that is no page.
pub(crate) fn read(body: &Bytes, paging: Paging) -> Result<Items, String> {
    // What is no UTF-8 is replaced, so that one bad character does not lose a page.
    let text = match std::str::from_utf8(body) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(body),
    };
    match paging {
        Paging::Single => {
            let item: &RawValue = serde_json::from_str(&text).map_err(|e| e.to_string())?;
            if !item.get().starts_with('{') {
                return Err("the answer is not a JSON object".to_owned());
            }
            Ok(Items {
                items: vec![raw_item(item)],
                next: None,
                size: Some(1),
            })
        }
        Paging::NextLink => {
            let envelope: Envelope<'_> = serde_json::from_str(&text).map_err(|e| e.to_string())?;
            Ok(Items {
                items: envelope.values.into_iter().map(raw_item).collect(),
                next: envelope
                    .next
                    .map(Cow::into_owned)
                    .filter(|next| !next.is_empty()),
                size: envelope.size.and_then(|size| size.get().parse().ok()),
            })
        }
    }
}

fn raw_item(value: &RawValue) -> RawItem {
    RawItem(value.get().as_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(body: &'static str) -> Result<Items, String> {
        read(&Bytes::from_static(body.as_bytes()), Paging::NextLink)
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
    fn a_strange_size_is_none() {
        for (size, expected) in [("7", Some(7)), ("\"7\"", None), ("-1", None), ("{}", None)] {
            let body = format!(r#"{{"values": [], "size": {size}}}"#);
            let page = read(&Bytes::from(body), Paging::NextLink);
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
    fn no_next_or_an_empty_one_is_the_last_page() {
        for body in [
            r#"{"values": []}"#,
            r#"{"values": [], "next": null}"#,
            r#"{"values": [], "next": ""}"#,
        ] {
            assert_eq!(list(body).unwrap().next, None, "{body}");
        }
    }
}

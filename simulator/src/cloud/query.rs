//! The query string of a request.

use url::form_urlencoded;

/// Name and value pairs in the order they were sent; names may repeat.
#[derive(Debug, Default)]
pub(crate) struct Query {
    pairs: Vec<(String, String)>,
}

/// Parameters that say which page, and so must not survive into the address of another one.
const POSITION: [&str; 2] = ["page", "ctx"];

impl Query {
    pub(crate) fn parse(text: &str) -> Query {
        Query {
            pairs: form_urlencoded::parse(text.as_bytes())
                .into_owned()
                .collect(),
        }
    }

    pub(crate) fn get<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.all(name).next()
    }

    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let same_name = self.pairs.iter().filter(move |(key, _)| key == name);
        same_name.map(|(_, value)| value.as_str())
    }

    /// The same query at another position.
    pub(crate) fn at(&self, name: &str, value: &str) -> String {
        let mut out = self.unplaced();
        out.append_pair(name, value);
        out.finish()
    }

    /// Nothing of the query but the length of pages, at another position.
    pub(crate) fn only_length_at(&self, name: &str, value: &str) -> String {
        let mut out = form_urlencoded::Serializer::new(String::new());
        let kept = self.pairs.iter().filter(|(key, _)| key == "pagelen");
        out.extend_pairs(kept).append_pair(name, value);
        out.finish()
    }

    /// The same query at the beginning of the list.
    pub(crate) fn at_first(&self) -> String {
        self.unplaced().finish()
    }

    fn unplaced(&self) -> form_urlencoded::Serializer<'static, String> {
        let mut out = form_urlencoded::Serializer::new(String::new());
        let kept = self
            .pairs
            .iter()
            .filter(|(key, _)| !POSITION.contains(&key.as_str()));
        out.extend_pairs(kept);
        out
    }

    /// What decides the contents and the order of a list, as a key: neither position nor form.
    pub(crate) fn selection(&self) -> String {
        let mut out = form_urlencoded::Serializer::new(String::new());
        let deciding = ["state", "q", "sort"];
        out.extend_pairs(
            self.pairs
                .iter()
                .filter(|(key, _)| deciding.contains(&key.as_str())),
        );
        out.finish()
    }
}

/// Undoes `%XX`. Bytes that are no UTF-8 cannot name anything here and come out replaced.
pub(crate) fn decode_segment(segment: &str) -> String {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first == b'%'
            && let Some(byte) = tail.get(..2).and_then(hexadecimal)
        {
            bytes.push(byte);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hexadecimal(digits: &[u8]) -> Option<u8> {
    u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_page_keeps_every_other_parameter() {
        let query = Query::parse("state=OPEN&page=2&state=MERGED&q=id%20%3E%201&pagelen=10");
        assert_eq!(
            query.at("page", "3"),
            "state=OPEN&state=MERGED&q=id+%3E+1&pagelen=10&page=3"
        );
    }

    #[test]
    fn segments_are_decoded_leniently() {
        assert_eq!(decode_segment("%7Ba-b%7D"), "{a-b}");
        assert_eq!(decode_segment("50%"), "50%");
        assert_eq!(decode_segment("%zz%41"), "%zzA");
    }
}

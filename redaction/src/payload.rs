//! Payloads without what the API's description marks as secret.
//!
//! Bitbucket Cloud's description (`swagger.json` of version 2.0) marks: `pipeline_image.username`,
//! `.password` and `.email`, the login of a registry; `pipeline_variable.value` and
//! `deployment_variable.value` where `secured`; `webhook_subscription.secret`;
//! `pipeline_runner_oauth_client.secret`; `pipeline_ssh_key_pair.private_key`; and the keys
//! themselves of `deploy_key`, `project_deploy_key` and `ssh_key`. The documentation of pipelines
//! adds `image.aws.access-key` and `.secret-key`.

use std::ops::Range;

use memchr::{memchr, memchr2};

use crate::HIDDEN;

/// Members that are secret wherever they are.
const SECRET: [&str; 11] = [
    "password",
    "secret",
    "client_secret",
    "private_key",
    "secret_key",
    "secret-key",
    "access_key",
    "access-key",
    "access_token",
    "refresh_token",
    "private_token",
];

/// Members of an image, which may need a login.
const LOGIN_OF_IMAGE: [&str; 2] = ["username", "email"];

/// Types whose `key` is a key, not a name.
const KEYS: [&str; 4] = [
    "deploy_key",
    "project_deploy_key",
    "ssh_key",
    "GPG_account_key",
];

/// Members without which an item is left alone.
const MARKS: [&str; 4] = ["image", "secured", "variables", "key"];

/// The payload with a fixed word in place of each value that is secret; everything else stays
/// byte for byte. What is no JSON is left as far as it is none.
#[must_use]
pub fn without_secrets(payload: Vec<u8>) -> Vec<u8> {
    if !may_hold_secrets(&payload) {
        return payload;
    }
    let mut secrets = Reader::new(&payload).read();
    if secrets.is_empty() {
        return payload;
    }
    secrets.sort_by_key(|part| (part.start, std::cmp::Reverse(part.end)));
    let mut kept = Vec::with_capacity(payload.len());
    let mut at = 0;
    for part in secrets {
        if part.start < at {
            // Inside of one that is hidden already.
            continue;
        }
        kept.extend_from_slice(&payload[at..part.start]);
        kept.push(b'"');
        kept.extend_from_slice(HIDDEN.as_bytes());
        kept.push(b'"');
        at = part.end;
    }
    kept.extend_from_slice(&payload[at..]);
    kept
}

/// Whether some member is named like one that matters; almost no payload has any.
fn may_hold_secrets(payload: &[u8]) -> bool {
    let mut at = 0;
    while let Some(begin) = memchr(b'"', &payload[at..]).map(|found| at + found + 1) {
        let Some(end) = end_of_string(payload, begin) else {
            return false;
        };
        at = end + 1;
        let is_name = payload[at..]
            .iter()
            .find(|byte| !byte.is_ascii_whitespace())
            == Some(&b':');
        let name = &payload[begin..end];
        if is_name && (matters(name) || name.contains(&b'\\')) {
            return true;
        }
    }
    false
}

fn matters(name: &[u8]) -> bool {
    let known = SECRET.iter().chain(&MARKS);
    known.into_iter().any(|known| known.as_bytes() == name)
}

/// Where the string that begins here ends: at its closing quote.
fn end_of_string(payload: &[u8], begin: usize) -> Option<usize> {
    let mut at = begin;
    loop {
        let found = at + memchr2(b'"', b'\\', payload.get(at..)?)?;
        if payload[found] == b'"' {
            return Some(found);
        }
        at = found + 2;
    }
}

/// Where a value is, as far as that matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Within {
    Image,
    Variables,
    Other,
}

impl Within {
    /// Where the value of a member is.
    fn member(self, name: &str) -> Self {
        match name {
            "image" => Self::Image,
            "variables" => Self::Variables,
            _ if self == Self::Image => Self::Image,
            _ => Self::Other,
        }
    }
}

struct Member {
    name: String,
    value: Range<usize>,
}

/// An object or array that has not ended.
struct Open {
    within: Within,
    begin: usize,
    members: Vec<Member>,
    /// The name that waits for its value.
    name: Option<String>,
    is_object: bool,
}

/// Reads a payload without a tree of it, however deep it is.
struct Reader<'a> {
    payload: &'a [u8],
    open: Vec<Open>,
    secrets: Vec<Range<usize>>,
}

impl<'a> Reader<'a> {
    fn new(payload: &'a [u8]) -> Self {
        Self {
            payload,
            open: Vec::new(),
            secrets: Vec::new(),
        }
    }

    /// The places of all secret values.
    fn read(mut self) -> Vec<Range<usize>> {
        let mut at = 0;
        while let Some(&byte) = self.payload.get(at) {
            at = match byte {
                b'{' | b'[' => {
                    self.begin(at, byte == b'{');
                    at + 1
                }
                b'}' | b']' => {
                    self.end(at + 1);
                    at + 1
                }
                b'"' => match end_of_string(self.payload, at + 1) {
                    Some(end) => {
                        self.string(at..end + 1);
                        end + 1
                    }
                    None => break,
                },
                b',' | b':' => at + 1,
                _ if byte.is_ascii_whitespace() => at + 1,
                _ => {
                    let end = self.end_of_word(at);
                    self.value(at..end);
                    end
                }
            };
        }
        self.secrets
    }

    fn end_of_word(&self, at: usize) -> usize {
        let ends = |byte: &u8| {
            matches!(byte, b',' | b'}' | b']' | b':' | b'"') || byte.is_ascii_whitespace()
        };
        let length = self.payload[at..].iter().skip(1).position(ends);
        length.map_or(self.payload.len(), |length| at + 1 + length)
    }

    fn begin(&mut self, at: usize, is_object: bool) {
        let within = match self.open.last() {
            Some(Open {
                within,
                name: Some(name),
                ..
            }) => within.member(name),
            Some(list) if !list.is_object => list.within,
            _ => Within::Other,
        };
        self.open.push(Open {
            within,
            begin: at,
            members: Vec::new(),
            name: None,
            is_object,
        });
    }

    fn end(&mut self, end: usize) {
        let Some(ended) = self.open.pop() else { return };
        let payload = self.payload;
        let secret = ended.secret_members(payload);
        self.secrets
            .extend(secret.map(|member| member.value.clone()));
        self.value(ended.begin..end);
    }

    fn string(&mut self, place: Range<usize>) {
        let payload = self.payload;
        match self.open.last_mut() {
            Some(object) if object.is_object && object.name.is_none() => {
                object.name = Some(text(payload, &place));
            }
            _ => self.value(place),
        }
    }

    fn value(&mut self, value: Range<usize>) {
        if let Some(open) = self.open.last_mut()
            && let Some(name) = open.name.take()
        {
            open.members.push(Member { name, value });
        }
    }
}

impl Open {
    fn secret_members<'a>(&'a self, payload: &'a [u8]) -> impl Iterator<Item = &'a Member> {
        let (hides_value, hides_key) = (self.hides_value(payload), self.hides_key(payload));
        let is_secret = move |member: &&Member| {
            let name = member.name.as_str();
            let marked = SECRET.contains(&name)
                || self.within == Within::Image && LOGIN_OF_IMAGE.contains(&name)
                || hides_value && name == "value"
                || hides_key && name == "key";
            marked && !says_nothing(&payload[member.value.clone()])
        };
        self.members.iter().filter(is_secret)
    }

    /// A variable keeps its value to itself unless it says that it is not secured.
    fn hides_value(&self, payload: &[u8]) -> bool {
        let secured = self.member("secured").map(|value| &payload[value.clone()]);
        match secured {
            Some(b"false") => false,
            Some(_) => true,
            None => {
                self.within == Within::Variables || self.type_of(payload).ends_with("_variable")
            }
        }
    }

    fn hides_key(&self, payload: &[u8]) -> bool {
        KEYS.contains(&self.type_of(payload).as_str())
    }

    fn type_of(&self, payload: &[u8]) -> String {
        let value = self.member("type");
        value.map(|value| text(payload, value)).unwrap_or_default()
    }

    /// The last one of that name, as most readers take it.
    fn member(&self, name: &str) -> Option<&Range<usize>> {
        let mut members = self.members.iter().rev();
        let found = members.find(|member| member.name == name);
        found.map(|member| &member.value)
    }
}

/// Nothing, a truth or a number of nothing: no secret, and worth keeping as it is.
fn says_nothing(value: &[u8]) -> bool {
    matches!(
        value,
        b"null" | b"\"\"" | b"true" | b"false" | b"{}" | b"[]"
    )
}

/// A string without its quotes and escapes; anything else as it is.
fn text(payload: &[u8], place: &Range<usize>) -> String {
    let text = String::from_utf8_lossy(&payload[place.clone()]).into_owned();
    let inner = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    match inner {
        Some(inner) if inner.contains('\\') => crate::decoding::unescaped(inner),
        Some(inner) => inner.to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hidden(payload: &str) -> String {
        String::from_utf8(without_secrets(payload.as_bytes().to_vec())).unwrap()
    }

    #[test]
    fn what_the_api_marks_as_secret_is_hidden_and_nothing_else_changes() {
        for (payload, expected) in [
            (
                r#"{"image": {"name": "a/b", "username": "u", "password":  "p", "email": "e"}, "b":1}"#,
                r#"{"image": {"name": "a/b", "username": "***", "password":  "***", "email": "***"}, "b":1}"#,
            ),
            (
                r#"{"image":{"aws":{"access-key":"a","secret-key":{"x":"y"}}}}"#,
                r#"{"image":{"aws":{"access-key":"***","secret-key":"***"}}}"#,
            ),
            (
                r#"{"variables":[{"key":"A","value":"1","secured":false},{"key":"B","value":"2","secured":true},{"key":"C","value":"3"}]}"#,
                r#"{"variables":[{"key":"A","value":"1","secured":false},{"key":"B","value":"***","secured":true},{"key":"C","value":"***"}]}"#,
            ),
            (
                r#"{"type":"deployment_variable","key":"A","value":"1","secured":true}"#,
                r#"{"type":"deployment_variable","key":"A","value":"***","secured":true}"#,
            ),
            (
                r#"{"type":"pipeline_variable","key":"A","value":"1"}"#,
                r#"{"type":"pipeline_variable","key":"A","value":"***"}"#,
            ),
            (
                r#"{"type":"webhook_subscription","secret_set":true,"secret":"s"}"#,
                r#"{"type":"webhook_subscription","secret_set":true,"secret":"***"}"#,
            ),
            (
                r#"{"key":"ssh-ed25519 AAAA","type":"deploy_key","label":"l"}"#,
                r#"{"key":"***","type":"deploy_key","label":"l"}"#,
            ),
            (
                r#"{"private_key":"-----BEGIN","public_key":"ssh"}"#,
                r#"{"private_key":"***","public_key":"ssh"}"#,
            ),
            // Names may be escaped, values of any kind, and one name may stand twice.
            (
                r#"{"p\u0061ssword":["a",{"b":"c"}],"password":12}"#,
                r#"{"p\u0061ssword":"***","password":"***"}"#,
            ),
            (
                r#"[[{"a":[{"secret":"x\"}"}]}]]"#,
                r#"[[{"a":[{"secret":"***"}]}]]"#,
            ),
        ] {
            assert_eq!(hidden(payload), expected);
        }
    }

    #[test]
    fn what_is_no_secret_stays() {
        for payload in [
            r#"{"key":"B-1","name":"build","type":"build"}"#,
            r#"{"username":"u","email":"e","user":{"username":"password"}}"#,
            r#"{"password":null,"secret":"","private_key":false}"#,
            r#"{"title":"\"password\": \"x\"","image":"alpine"}"#,
            r#"{"type":"project","key":"ACME","value":"x"}"#,
            r#"{"password":"***"}"#,
            "",
            "{",
            "\"",
            "{\"password\"",
            "{\"password\":",
            "{\"password\": \"x",
            "]]}}",
            "{\"a\\",
        ] {
            assert_eq!(hidden(payload), payload);
        }
    }

    #[test]
    fn depth_is_no_matter() {
        let deep = format!(
            "{}{{\"password\":\"x\"}}{}",
            "[".repeat(200_000),
            "]".repeat(200_000)
        );
        assert!(hidden(&deep).contains(r#"{"password":"***"}"#));
    }

    proptest! {
        #[test]
        fn hiding_is_done_once_and_keeps_json(value in any::<String>(), other in any::<String>()) {
            let payload = serde_json::json!({"password": value, "other": other, "list": [{"secret": value}]});
            let once = hidden(&payload.to_string());
            let read: serde_json::Value = serde_json::from_str(&once).unwrap();
            prop_assert_eq!(read["other"].as_str(), Some(other.as_str()));
            let expected = if value.is_empty() { "" } else { HIDDEN };
            prop_assert_eq!(read["password"].as_str(), Some(expected));
            prop_assert_eq!(read["list"][0]["secret"].as_str(), Some(expected));
            prop_assert_eq!(hidden(&once), once);
        }

        #[test]
        fn any_bytes_can_be_read(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = without_secrets(bytes);
        }
    }
}

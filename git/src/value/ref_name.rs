//! Full names of refs, by the rules of `git check-ref-format`.

use std::borrow::Cow;
use std::ffi::OsString;
use std::fmt;

use super::InvalidValue;

/// The longest name, in bytes: no server can say a longer one. File systems end at much less.
const LONGEST: usize = 65_536;

/// The full name of a ref, such as `refs/heads/main`. Not always UTF-8.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RefName(Box<[u8]>);

impl RefName {
    /// A name that begins with `refs/` and that git allows.
    ///
    /// # Errors
    /// Says which rule is broken.
    pub fn parse(name: impl AsRef<[u8]>) -> Result<Self, InvalidValue> {
        let name = name.as_ref();
        match broken_rule(name) {
            Some(why) => Err(InvalidValue::new("name of a ref", name, why)),
            None => Ok(Self(name.into())),
        }
    }

    /// The name's bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The name as text; bytes that are not UTF-8 become U+FFFD.
    #[must_use]
    pub fn to_text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }

    /// What follows `refs/heads/`; none if it is no branch.
    #[must_use]
    pub fn branch(&self) -> Option<Cow<'_, str>> {
        self.0
            .strip_prefix(b"refs/heads/")
            .map(String::from_utf8_lossy)
    }

    /// What follows `refs/tags/`; none if it is no tag.
    #[must_use]
    pub fn tag(&self) -> Option<Cow<'_, str>> {
        self.0
            .strip_prefix(b"refs/tags/")
            .map(String::from_utf8_lossy)
    }

    /// The name as an argument that says what is left out: behind a `^`.
    pub(crate) fn to_exclusion(&self) -> OsString {
        let mut argument = OsString::from("^");
        argument.push(self.to_argument());
        argument
    }

    /// The name as an argument.
    pub(crate) fn to_argument(&self) -> OsString {
        #[cfg(unix)]
        {
            use std::os::unix::ffi::OsStringExt as _;
            OsString::from_vec(self.0.to_vec())
        }
        #[cfg(not(unix))]
        {
            OsString::from(self.to_text().into_owned())
        }
    }
}

/// The rule that a name breaks, if any.
fn broken_rule(name: &[u8]) -> Option<&'static str> {
    let contains = |part: &[u8]| name.windows(part.len()).any(|window| window == part);
    let rest = name.strip_prefix(b"refs/");
    if name.len() > LONGEST {
        return Some("it is too long");
    }
    if rest.is_none_or(<[u8]>::is_empty) {
        return Some("a full name begins with refs/");
    }
    if name.iter().any(|byte| *byte < 0x20 || *byte == 0x7f) {
        return Some("it has control characters");
    }
    if name.iter().any(|byte| b" ~^:?*[\\".contains(byte)) {
        return Some("it has a space or one of ~^:?*[\\");
    }
    if contains(b"..") || contains(b"@{") {
        return Some("it has .. or @{");
    }
    if name.ends_with(b".") {
        return Some("it ends with a dot");
    }
    name.split(|byte| *byte == b'/')
        .find_map(|part| match part {
            [] => Some("it has an empty part between slashes"),
            [b'.', ..] => Some("a part begins with a dot"),
            part if part.ends_with(b".lock") => Some("a part ends with .lock"),
            _ => None,
        })
}

impl fmt::Display for RefName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.to_text())
    }
}

impl fmt::Debug for RefName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

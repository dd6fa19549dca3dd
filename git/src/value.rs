//! Values from outside that were checked before git sees them.

mod object_id;
mod ref_name;
mod remote_url;
#[cfg(test)]
mod tests;

pub use object_id::ObjectId;
pub use ref_name::RefName;
pub use remote_url::{Paths, RemoteUrl, Scheme};

/// A value that git is not given, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{shown} is no {what} that headwater uses: {why}")]
pub struct InvalidValue {
    /// What it should have been.
    pub what: &'static str,
    /// The value as it may be shown: escaped, shortened, without user info.
    pub shown: String,
    /// What is wrong with it, and what to write instead.
    pub why: &'static str,
}

impl InvalidValue {
    fn new(what: &'static str, value: &[u8], why: &'static str) -> Self {
        let text = String::from_utf8_lossy(value);
        let text = crate::stderr::without_user_info(&text);
        let mut shown: String = text
            .chars()
            .take(100)
            .flat_map(char::escape_debug)
            .collect();
        if text.chars().count() > 100 {
            shown.push('…');
        }
        Self {
            what,
            shown: format!("\"{shown}\""),
            why,
        }
    }
}

//! The commented file that `headwater init` writes.

/// A file with every section and key, each with its default.
#[must_use]
pub fn template() -> &'static str {
    include_str!("template.toml")
}

//! Writes JSON straight into a string. Rendering is most of the simulator's work, and building
//! a tree of values first costs several times as much.

use std::fmt::{self, Write};

use crate::world::Time;

/// An object being written; closed by [`object`].
pub(crate) struct Object<'a> {
    out: &'a mut String,
    empty: bool,
}

/// Writes one object whose members `fill` adds.
pub(crate) fn object(out: &mut String, fill: impl FnOnce(&mut Object<'_>)) {
    out.push('{');
    fill(&mut Object { out, empty: true });
    out.push('}');
}

/// Writes one array, an element at a time.
pub(crate) fn array<T>(
    out: &mut String,
    elements: impl IntoIterator<Item = T>,
    mut write: impl FnMut(&mut String, T),
) {
    out.push('[');
    for (index, element) in elements.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write(out, element);
    }
    out.push(']');
}

impl Object<'_> {
    fn key(&mut self, key: &str) -> &mut String {
        if !self.empty {
            self.out.push(',');
        }
        self.empty = false;
        self.out.push('"');
        self.out.push_str(key);
        self.out.push_str("\":");
        self.out
    }

    pub(crate) fn text(&mut self, key: &str, value: &str) {
        text(self.key(key), value);
    }

    /// A string that is put together while it is written.
    pub(crate) fn shown(&mut self, key: &str, value: fmt::Arguments<'_>) {
        let out = self.key(key);
        out.push('"');
        // Writing to a String cannot fail.
        let _ = Escaped(out).write_fmt(value);
        out.push('"');
    }

    pub(crate) fn number(&mut self, key: &str, value: u64) {
        let _ = write!(self.key(key), "{value}");
    }

    pub(crate) fn flag(&mut self, key: &str, value: bool) {
        self.key(key).push_str(if value { "true" } else { "false" });
    }

    pub(crate) fn null(&mut self, key: &str) {
        self.key(key).push_str("null");
    }

    pub(crate) fn time(&mut self, key: &str, value: Time) {
        let out = self.key(key);
        let _ = write!(
            out,
            "\"{}+00:00\"",
            value.naive_utc().format("%Y-%m-%dT%H:%M:%S%.6f")
        );
    }

    pub(crate) fn object(&mut self, key: &str, fill: impl FnOnce(&mut Object<'_>)) {
        object(self.key(key), fill);
    }

    /// An object, or null when there is nothing to describe.
    pub(crate) fn optional<T>(
        &mut self,
        key: &str,
        value: Option<T>,
        write: impl FnOnce(&mut String, T),
    ) {
        match value {
            Some(value) => write(self.key(key), value),
            None => self.null(key),
        }
    }

    pub(crate) fn array<T>(
        &mut self,
        key: &str,
        elements: impl IntoIterator<Item = T>,
        write: impl FnMut(&mut String, T),
    ) {
        array(self.key(key), elements, write);
    }

    /// `{"href": ...}`, the form of every link.
    pub(crate) fn link(&mut self, key: &str, href: fmt::Arguments<'_>) {
        self.object(key, |link| link.shown("href", href));
    }

    /// Lets a function that writes a whole value write this member.
    pub(crate) fn value(&mut self, key: &str, write: impl FnOnce(&mut String)) {
        write(self.key(key));
    }
}

struct Escaped<'a>(&'a mut String);

impl Write for Escaped<'_> {
    fn write_str(&mut self, value: &str) -> fmt::Result {
        escape(self.0, value);
        Ok(())
    }
}

/// Writes a string with its quotes.
pub(crate) fn text(out: &mut String, value: &str) {
    out.push('"');
    escape(out, value);
    out.push('"');
}

fn escape(out: &mut String, value: &str) {
    let mut clean = 0;
    for (index, byte) in value.bytes().enumerate() {
        if byte >= b' ' && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.push_str(&value[clean..index]);
        clean = index + 1;
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            other => {
                let _ = write!(out, "\\u{other:04x}");
            }
        }
    }
    out.push_str(&value[clean..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_survive_a_real_parser() {
        for value in [
            "",
            "plain",
            "quote \" slash \\ end",
            "\u{1}\n\r\t\u{1f}",
            "日本語 e\u{301} 🚀",
        ] {
            let mut out = String::new();
            object(&mut out, |it| {
                it.text("text", value);
                it.shown("shown", format_args!("<{value}>"));
            });
            let parsed: serde_json::Value = serde_json::from_str(&out).unwrap();
            assert_eq!(parsed["text"], value);
            assert_eq!(parsed["shown"], format!("<{value}>"));
        }
    }
}

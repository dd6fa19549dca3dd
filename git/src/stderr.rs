//! What git says on its standard error: the end of it, without secrets.

use std::sync::Arc;

use headwater_redaction::{Secrets, one_line};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::io::{AsyncRead, AsyncReadExt as _};

use crate::Progress;

/// How much of it is kept, in bytes.
const KEPT: usize = 8 * 1024;
/// The longest line that is kept whole, in bytes.
const LONGEST_LINE: usize = 2 * 1024;

/// Who wants to know how far a transfer is.
pub(crate) type Watcher = Arc<dyn Fn(Progress) + Send + Sync>;

/// Texts that no message may hold.
#[derive(Clone, Default)]
pub(crate) struct Hidden(Secrets);

impl Hidden {
    pub(crate) fn add(&mut self, secrets: impl IntoIterator<Item = SecretString>) {
        for secret in secrets {
            self.0 = self.0.and([secret.expose_secret()]);
        }
    }

    /// Lines without secrets, in whatever encoding, and without user info of URLs. Ends of long
    /// ones were dropped.
    fn redact_lines(&self, text: &str) -> String {
        let mut shown = String::with_capacity(text.len());
        for line in text.split_inclusive('\n') {
            let ended = line.strip_suffix('\n');
            let line = ended.unwrap_or(line);
            // The longest ones were cut, and maybe in the middle of a secret.
            let hidden = if line.len() >= LONGEST_LINE / 2 {
                self.0.hide_in_part(line)
            } else {
                self.0.hide(line)
            };
            shown.push_str(&without_user_info(&hidden));
            if ended.is_some() {
                shown.push('\n');
            }
        }
        shown
    }
}

/// The text without what is between `://` and `@`.
pub(crate) fn without_user_info(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        shown.push_str(before);
        let authority = after
            .find(|c: char| c == '/' || c.is_whitespace() || c == '\'' || c == '"')
            .unwrap_or(after.len());
        rest = match after[..authority].rfind('@') {
            Some(end) => &after[end + 1..],
            None => after,
        };
    }
    shown.push_str(rest);
    shown
}

/// Reads to the end: progress goes to the watcher, other lines are kept.
pub(crate) async fn listen(
    mut from: impl AsyncRead + Unpin,
    hidden: Hidden,
    watcher: Option<Watcher>,
) -> String {
    let mut kept = Tail::default();
    let mut line = Vec::new();
    let mut chunk = [0; 4096];
    while let Ok(count) = from.read(&mut chunk).await {
        if count == 0 {
            break;
        }
        for byte in &chunk[..count] {
            if matches!(byte, b'\r' | b'\n') {
                kept.line(&line, watcher.as_ref());
                line.clear();
            } else if line.len() < LONGEST_LINE {
                line.push(*byte);
            }
        }
    }
    kept.line(&line, watcher.as_ref());
    hidden.redact_lines(&kept.text)
}

/// The last lines.
#[derive(Default)]
struct Tail {
    text: String,
}

impl Tail {
    fn line(&mut self, line: &[u8], watcher: Option<&Watcher>) {
        let line = String::from_utf8_lossy(line);
        let line = line.trim_end();
        if line.is_empty() {
            return;
        }
        if let Some(progress) = Progress::read(line) {
            if let Some(watcher) = watcher {
                watcher(progress);
            }
            return;
        }
        self.text.push_str(&one_line(line));
        self.text.push('\n');
        while self.text.len() > KEPT {
            // A line is shorter than what is kept, so that there is a first one to drop.
            let first = self.text.find('\n').map_or(self.text.len(), |end| end + 1);
            self.text.drain(..first);
        }
    }
}

//! One JSON object a line on standard output.

use std::io::Write as _;

use super::{Event, Reporter};

/// Prints every event as a line of JSON.
pub struct Json;

impl Reporter for Json {
    fn event(&self, event: &Event) {
        if let Ok(line) = serde_json::to_string(event) {
            // A reader that went away is no reason to stop collecting.
            let _ = writeln!(std::io::stdout().lock(), "{line}");
        }
    }
}

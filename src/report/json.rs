//! One JSON object a line on standard output.

use crate::output;

use super::{Event, Reporter};

/// Prints every event as a line of JSON.
pub struct Json;

impl Reporter for Json {
    fn event(&self, event: &Event) {
        if let Ok(line) = serde_json::to_string(event) {
            output::json_line(&line);
        }
    }
}

//! One JSON object a line on standard output.

use crate::output;

use super::{Report, Reporter};

/// Prints every event as a line of JSON.
pub struct Json;

impl Reporter for Json {
    fn event(&self, report: &Report) {
        if let Ok(line) = serde_json::to_string(report) {
            output::json_line(&line);
        }
    }
}

//! When lists that are not read in each run were last looked at, and what was found then.

use crate::schema::NewTable;

pub(crate) fn tables() -> Vec<NewTable> {
    vec![
        NewTable::new("_headwater_looks")
            .key("params", 255)
            .key("stream", 100)
            // Milliseconds since 1970.
            .number("looked_at")
            .number("seq")
            .number("absent_since"),
    ]
}

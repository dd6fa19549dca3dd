//! What servers say beside their answers: endpoints that they are going to remove, and their time.

use crate::schema::NewTable;

pub(crate) fn tables() -> Vec<NewTable> {
    vec![
        NewTable::new("_headwater_endpoints")
            .key_number("connection_id")
            .key("endpoint", 255)
            .varchar("deprecation", 100)
            .varchar("sunset", 100)
            .time("noted_at"),
        NewTable::new("_headwater_clocks")
            .key_number("connection_id")
            .number("ahead_sec")
            .time("noted_at"),
    ]
}

//! Who works on what: so that two processes never work on one scope.

use crate::schema::NewTable;

pub(crate) fn tables() -> Vec<NewTable> {
    vec![
        NewTable::new("_headwater_leases")
            .key("name", 255)
            .varchar("token", 40)
            .varchar("host", 255)
            .varchar("machine", 255)
            .number("process")
            .varchar("command", 100)
            .number("taken_at")
            .number("expires_at"),
    ]
}

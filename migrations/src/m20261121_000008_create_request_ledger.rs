//! Requests per credential and minute, so that no rolling hour holds more than are allowed.

use crate::schema::NewTable;

pub(crate) fn tables() -> Vec<NewTable> {
    vec![
        NewTable::new("_headwater_requests")
            .key("credential", 64)
            .key_number("bucket")
            .number("requests")
            .clustered(),
        NewTable::new("_headwater_credentials")
            .key("credential", 64)
            .number("latest")
            .clustered(),
        NewTable::new("_headwater_salts")
            .key("purpose", 50)
            .varchar("salt", 64)
            .clustered(),
    ]
}

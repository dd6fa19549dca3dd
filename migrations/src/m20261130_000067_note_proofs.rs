//! What servers were seen to do that nothing documents.

use crate::schema::NewTable;

pub(crate) fn tables() -> Vec<NewTable> {
    vec![
        NewTable::new("_headwater_proofs")
            .key_number("connection_id")
            .key("claim", 100)
            .key("verdict", 10)
            .number("seen"),
    ]
}

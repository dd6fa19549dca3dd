//! Since when the machine runs that counted requests last: a wall clock may be wrong and be
//! corrected, and that one only goes on. And which rewritings of stored rows are done: payloads
//! of databases from before this change are rid of what is secret in them.

use crate::schema::NewTable;

pub(crate) fn tables() -> Vec<NewTable> {
    vec![
        NewTable::more("_headwater_credentials")
            .varchar("machine", 64)
            .number("uptime"),
        NewTable::new("_headwater_rewrites")
            .key("name", 100)
            .clustered(),
    ]
}

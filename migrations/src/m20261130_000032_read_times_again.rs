//! On `MySQL` and `MariaDB` times before 1970 and after January 2038 were stored as NULL. All steps
//! work through what they read once more, offline, and write what differs.

use crate::schema::NewTable;

pub(crate) fn tables() -> Vec<NewTable> {
    vec![
        NewTable::more("_headwater_checkpoints").set_on_mysql("rules = 'stale'"),
        NewTable::more("_headwater_git").set_on_mysql("done_as = '', doing_as = ''"),
    ]
}

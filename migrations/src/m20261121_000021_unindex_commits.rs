//! An index on commits that no statement uses.

use crate::schema::NewTable;

pub(crate) fn tables() -> Vec<NewTable> {
    vec![NewTable::more("commits").unindexed_in_files(&["author_id"])]
}

//! Which commits are built on others.

use crate::schema::NewTable;

pub(crate) fn tables() -> Vec<NewTable> {
    vec![NewTable::more("commit_parents").index(&["parent_commit_sha"])]
}

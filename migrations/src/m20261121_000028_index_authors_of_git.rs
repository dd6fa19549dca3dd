//! An index on the authors of commits read from git, so that an author's newest commit is found
//! without looking at all of them. Servers have one on all authors.

use crate::schema::NewTable;

pub(crate) fn tables() -> Vec<NewTable> {
    let of_git = "_raw_data_table = 'gitextractor'";
    vec![
        NewTable::more("commits")
            .partly_indexed_in_files(&["author_id", "authored_date", "sha"], of_git),
    ]
}

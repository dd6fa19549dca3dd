//! Indexes by which pull requests are found that a new commit concerns, whatever else there is.

use crate::schema::NewTable;

pub(crate) fn tables() -> Vec<NewTable> {
    vec![
        NewTable::more("pull_requests")
            .index(&["merge_commit_sha"])
            .index(&["head_commit_sha"]),
        NewTable::more("pull_request_commits").index(&["commit_sha"]),
    ]
}

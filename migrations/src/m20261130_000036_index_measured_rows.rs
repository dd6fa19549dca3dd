//! How changed rows lead to projects, and incidents among issues.

use crate::schema::NewTable;

pub(crate) fn tables() -> Vec<NewTable> {
    vec![
        NewTable::more("cicd_deployment_commits").index(&["commit_sha"]),
        NewTable::more("issues").index(&["type"]),
    ]
}

//! What an update of a pull request says, to tell repeated ones; environments of deployments by
//! their UUID.

use crate::schema::NewTable;

pub(crate) fn tables() -> Vec<NewTable> {
    vec![
        NewTable::more("_tool_bitbucket_pr_activities").varchar("content_hash", 40),
        NewTable::more("_tool_bitbucket_deployments")
            .varchar("environment_id", 255)
            .index(&["environment_id"]),
    ]
}

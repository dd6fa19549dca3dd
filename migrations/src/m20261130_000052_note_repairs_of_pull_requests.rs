//! What the branch or the title of a pull request says of repairs, and the workspaces of accounts.

use crate::schema::NewTable;

pub(crate) fn tables() -> Vec<NewTable> {
    vec![
        NewTable::more("project_pr_metrics")
            .varchar("repairs", 20)
            .varchar("reverted_id", 255)
            .index(&["project_name", "repairs"]),
        NewTable::more("_tool_bitbucket_accounts").varchar("organization", 255),
    ]
}

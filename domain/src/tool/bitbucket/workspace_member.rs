//! `_tool_bitbucket_workspace_members`.

use headwater_macros::table;

use crate::Stream;

/// One member of a workspace.
pub struct WorkspaceMembers;

impl Stream for WorkspaceMembers {
    const SOURCE: &'static str = super::SOURCE;
    const NAME: &'static str = "workspace_members";
    const DESCRIBES: &'static str = "One member of a workspace.";
    const OF_WORKSPACE: bool = true;
}

/// One member of a workspace.
#[table("_tool_bitbucket_workspace_members")]
pub struct Model {
    /// Connection the workspace is read through.
    #[key]
    pub connection_id: i64,
    /// Short name of the workspace.
    #[key]
    pub workspace: String,
    /// Atlassian account id; joins `_tool_bitbucket_accounts`.
    #[key]
    #[width(128)]
    pub account_id: String,
    /// Bitbucket's own id, in braces.
    #[key]
    #[width(127)]
    pub uuid: String,
    /// Name shown to people.
    pub display_name: String,
}

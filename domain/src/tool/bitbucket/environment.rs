//! `_tool_bitbucket_environments`.

use headwater_macros::table;

use crate::Stream;

/// One environment that releases are deployed to.
pub struct Environments;

impl Stream for Environments {
    const SOURCE: &'static str = super::SOURCE;
    const NAME: &'static str = "environments";
    const DESCRIBES: &'static str = "One environment that releases are deployed to.";
}

/// One environment that releases are deployed to.
#[table("_tool_bitbucket_environments")]
pub struct Model {
    /// Connection the repository is read through.
    #[key]
    pub connection_id: i64,
    /// Full name of the repository, `workspace/slug`.
    #[key]
    pub repo_id: String,
    /// UUID of the environment, in braces.
    #[key]
    pub bitbucket_id: String,
    /// Name of the environment.
    pub name: String,
    /// Short name in addresses.
    pub slug: String,
    /// Type of the environment: Test, Staging or Production.
    pub environment_type: String,
    /// Place in the order of environments.
    pub rank: i64,
}

//! `short_hashes`.

use headwater_macros::table;

/// One short commit hash that Bitbucket gave, and the commit that it names in the repository.
#[table("short_hashes")]
#[derive(PartialOrd, Ord)]
pub struct Model {
    /// Repository; joins `repos.id`.
    #[key]
    pub repo_id: String,
    /// Step that makes the rows which name it, such as `convert:pull_requests`.
    #[key]
    #[width(100)]
    pub step: String,
    /// What names it, by Bitbucket's id: a pull request, or a pipeline.
    #[key]
    pub row_key: String,
    /// Hash as it was given.
    #[key]
    #[width(40)]
    pub short_sha: String,
    /// Its first seven digits, by which it is found when commits come and go.
    #[width(7)]
    pub beginning: String,
    /// The one commit of the repository that begins with it; joins `commits.sha`; empty when there
    /// is none, or more than one.
    #[width(40)]
    pub commit_sha: String,
    /// FULL; UNKNOWN where no commit of the repository begins with it; AMBIGUOUS where several do.
    #[width(20)]
    pub state: String,
}

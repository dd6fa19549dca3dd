//! Answers of the API, as far as the tool tables need them.

use serde::Deserialize;

#[derive(Deserialize)]
pub(crate) struct List<T> {
    pub(crate) values: Vec<T>,
    pub(crate) next: Option<String>,
}

/// The repository itself, which names its main branch.
#[derive(Deserialize)]
pub(crate) struct RepositoryItem {
    pub(crate) mainbranch: Option<Branch>,
}

#[derive(Deserialize)]
pub(crate) struct PullRequest {
    pub(crate) id: i64,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) state: String,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) comment_count: i64,
    pub(crate) task_count: i64,
    pub(crate) draft: bool,
    // Times stay as the API writes them, in UTC; parsing them would change nothing but the form.
    pub(crate) created_on: String,
    pub(crate) updated_on: String,
    pub(crate) author: Option<User>,
    pub(crate) closed_by: Option<User>,
    pub(crate) merge_commit: Option<Commit>,
    pub(crate) source: End,
    pub(crate) destination: End,
    pub(crate) links: Links,
    pub(crate) participants: Vec<Participant>,
    pub(crate) reviewers: Vec<User>,
}

#[derive(Deserialize)]
pub(crate) struct End {
    pub(crate) branch: Branch,
    pub(crate) commit: Option<Commit>,
    /// Null when the fork is gone.
    pub(crate) repository: Option<Repository>,
}

#[derive(Deserialize)]
pub(crate) struct Branch {
    pub(crate) name: String,
}

#[derive(Deserialize, Default)]
pub(crate) struct Commit {
    pub(crate) hash: String,
    pub(crate) date: Option<String>,
}

#[derive(Deserialize, Default)]
pub(crate) struct Repository {
    pub(crate) full_name: String,
}

#[derive(Deserialize)]
pub(crate) struct Participant {
    pub(crate) user: User,
    pub(crate) role: String,
    pub(crate) state: Option<String>,
    pub(crate) approved: bool,
    pub(crate) participated_on: Option<String>,
}

impl Participant {
    /// Someone who was asked to review and has done nothing yet.
    pub(crate) fn asked(user: User) -> Self {
        Self {
            user,
            role: "REVIEWER".to_owned(),
            state: None,
            approved: false,
            participated_on: None,
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct User {
    pub(crate) account_id: String,
    pub(crate) username: String,
    pub(crate) account_status: String,
    pub(crate) display_name: String,
    pub(crate) uuid: String,
    pub(crate) nickname: String,
    pub(crate) links: Links,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Links {
    pub(crate) html: Link,
    pub(crate) avatar: Link,
}

#[derive(Deserialize, Default)]
pub(crate) struct Link {
    pub(crate) href: String,
}

#[derive(Deserialize)]
pub(crate) struct Comment {
    pub(crate) id: i64,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) created_on: String,
    pub(crate) updated_on: String,
    pub(crate) deleted: bool,
    /// Null when nothing is left of a deleted comment.
    pub(crate) content: Option<Content>,
    pub(crate) user: Option<User>,
    pub(crate) parent: Option<Numbered>,
    pub(crate) pullrequest: Numbered,
    pub(crate) inline: Option<Inline>,
}

#[derive(Deserialize, Default)]
pub(crate) struct Content {
    pub(crate) raw: String,
}

#[derive(Deserialize, Default)]
pub(crate) struct Numbered {
    pub(crate) id: i64,
}

#[derive(Deserialize, Default)]
pub(crate) struct Inline {
    pub(crate) path: String,
    pub(crate) from: Option<i64>,
    pub(crate) to: Option<i64>,
}

#[derive(Deserialize)]
pub(crate) struct CommitItem {
    pub(crate) hash: String,
    pub(crate) date: Option<String>,
    pub(crate) message: String,
    pub(crate) author: Option<Author>,
    pub(crate) parents: Vec<Hashed>,
    pub(crate) links: SelfLinks,
}

#[derive(Deserialize, Default)]
pub(crate) struct Author {
    pub(crate) raw: String,
    pub(crate) user: Option<User>,
}

#[derive(Deserialize, Default)]
pub(crate) struct Hashed {
    pub(crate) hash: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct SelfLinks {
    #[serde(rename = "self")]
    pub(crate) own: Link,
}

#[derive(Deserialize)]
pub(crate) struct Pipeline {
    pub(crate) uuid: String,
    pub(crate) build_number: i64,
    pub(crate) state: BuildState,
    pub(crate) target: Target,
    pub(crate) links: SelfLinks,
    pub(crate) created_on: String,
    pub(crate) completed_on: Option<String>,
    pub(crate) duration_in_seconds: i64,
}

#[derive(Deserialize)]
pub(crate) struct BuildState {
    pub(crate) name: String,
    pub(crate) result: Option<BuildResult>,
}

#[derive(Deserialize, Default)]
pub(crate) struct BuildResult {
    pub(crate) name: String,
}

#[derive(Deserialize)]
pub(crate) struct Target {
    pub(crate) ref_name: String,
    pub(crate) commit: Option<Hashed>,
}

#[derive(Deserialize)]
pub(crate) struct Step {
    pub(crate) uuid: String,
    pub(crate) name: String,
    pub(crate) pipeline: Identified,
    pub(crate) trigger: Typed,
    pub(crate) state: BuildState,
    #[serde(rename = "maxTime")]
    pub(crate) max_time: i64,
    pub(crate) started_on: Option<String>,
    pub(crate) completed_on: Option<String>,
    pub(crate) duration_in_seconds: i64,
    pub(crate) build_seconds_used: i64,
    pub(crate) run_number: i64,
}

#[derive(Deserialize)]
pub(crate) struct Identified {
    pub(crate) uuid: String,
}

#[derive(Deserialize)]
pub(crate) struct Typed {
    #[serde(rename = "type")]
    pub(crate) kind: String,
}

//! Rows of a small company that change at random. Few things of each kind, so that they meet often.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, TimeDelta, Utc};
use headwater_domain::code::{
    commit, commit_parent, commits_diff, git_ref, pull_request, pull_request_comment,
    pull_request_commit, pull_request_event, pull_request_merge, repo, repo_commit,
};
use headwater_domain::crossdomain::{account, issue_commit, project_mapping, pull_request_issue};
use headwater_domain::devops::{
    cicd_deployment_commit, cicd_pipeline, cicd_pipeline_commit, cicd_task,
};
use headwater_domain::ticket::{board_issue, incident, issue, issue_assignee};
use headwater_domain::{Row, Rows, Scope};
use headwater_metrics::stored::Projects;
use headwater_metrics::{FailureSource, Rules};
use headwater_store::import::Imported;
use headwater_store::{Owner, Replacement, Store, Transaction};
use regex::Regex;

/// Rows by their keys.
type Of<R> = BTreeMap<String, R>;

#[derive(Default)]
pub(super) struct World {
    state: u64,
    rules: [Rules; 2],
    mapping: Of<project_mapping::Model>,
    repositories: Of<repo::Model>,
    accounts: Of<account::Model>,
    commits: Of<commit::Model>,
    held: Of<repo_commit::Model>,
    parents: Of<commit_parent::Model>,
    differences: Of<commits_diff::Model>,
    deployments: Of<cicd_deployment_commit::Model>,
    pull_requests: Of<pull_request::Model>,
    own_commits: Of<pull_request_commit::Model>,
    comments: Of<pull_request_comment::Model>,
    events: Of<pull_request_event::Model>,
    merges: Of<pull_request_merge::Model>,
    issues: Of<issue::Model>,
    boards: Of<board_issue::Model>,
    assignees: Of<issue_assignee::Model>,
    incidents: Of<incident::Model>,
    named_by_commits: Of<issue_commit::Model>,
    named_by_requests: Of<pull_request_issue::Model>,
    pipelines: Of<cicd_pipeline::Model>,
    tasks: Of<cicd_task::Model>,
    built: Of<cicd_pipeline_commit::Model>,
    tags: Of<git_ref::Model>,
}

fn sha(number: u64) -> String {
    format!("{number:040x}")
}

fn url(repository: &str) -> String {
    format!("https://host/{repository}")
}

impl World {
    pub(super) fn of(seed: u64) -> Self {
        let mut world = Self {
            state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            ..Self::default()
        };
        for repository in ["r0", "r1"] {
            let row = repo::Model {
                id: repository.to_owned(),
                name: format!("team/{repository}"),
                url: url(repository),
                ..repo::Model::default()
            };
            world.repositories.insert(row.id.clone(), row);
        }
        for (project, table, row_id) in [
            ("p", "repos", "r0"),
            ("p", "cicd_scopes", "r0"),
            ("p", "boards", "r0"),
            ("p", "incident_sources", "pager"),
            ("q", "repos", "r1"),
            ("q", "cicd_scopes", "r1"),
        ] {
            world.map(project, table, row_id);
        }
        for _ in 0..40 {
            world.happen();
        }
        world
    }

    pub(super) fn dice(&mut self, sides: u64) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 11) % sides
    }

    fn one_of<T: Copy>(&mut self, things: &[T]) -> T {
        let place = self.dice(things.len() as u64);
        things[usize::try_from(place).unwrap()]
    }

    fn text(&mut self, texts: &[&str]) -> String {
        self.one_of(texts).to_owned()
    }

    fn time(&mut self) -> Option<DateTime<Utc>> {
        let hours = i64::try_from(self.dice(60)).unwrap();
        let start = DateTime::from_timestamp(1_709_157_600, 0).unwrap();
        (self.dice(12) > 0).then(|| start + TimeDelta::hours(hours * 6))
    }

    fn map(&mut self, project: &str, table: &str, row_id: &str) {
        let row = project_mapping::Model {
            project_name: project.to_owned(),
            table: table.to_owned(),
            row_id: row_id.to_owned(),
        };
        let key = format!("{project} {table} {row_id}");
        // What is mapped and comes again goes.
        match self.mapping.entry(key) {
            Entry::Vacant(free) => _ = free.insert(row),
            Entry::Occupied(there) => _ = there.remove(),
        }
    }

    pub(super) fn projects(&self) -> Projects {
        let [p, q] = self.rules.clone();
        Projects::of([("p".to_owned(), p), ("q".to_owned(), q)])
    }

    /// Lets something happen, and says what.
    pub(super) fn happen(&mut self) -> String {
        let what = self.dice(21);
        let done = match what {
            0 => self.change_mapping(),
            1 => self.change_rules(),
            2 | 3 => self.change_commit(),
            4 => self.change_difference(),
            5..=7 => self.change_deployment(),
            8..=10 => self.change_pull_request(),
            11 => self.change_name(),
            12 => self.change_said(),
            13 => self.change_merge(),
            14 => self.change_account(),
            15 | 16 => self.change_issue(),
            17 => self.change_incident(),
            18 => self.change_pipeline(),
            19 => self.change_tag(),
            _ => self.remove(),
        };
        format!("{what}: {done}")
    }

    fn change_mapping(&mut self) -> String {
        let project = self.one_of(&["p", "q"]);
        let table = self.one_of(&["repos", "cicd_scopes", "boards", "cicd_scopes"]);
        let row_id = self.one_of(&["r0", "r1", "elsewhere"]);
        if self.dice(3) == 0 {
            self.map(project, table, row_id);
        }
        format!("{project} {table} {row_id}")
    }

    fn change_rules(&mut self) -> String {
        let place = usize::try_from(self.dice(2)).unwrap();
        let mut rules = Rules::default();
        if self.dice(2) == 0 {
            rules.production_environments = BTreeSet::from(["eu".to_owned()]);
        }
        for source in FailureSource::ALL {
            if self.dice(2) == 0 {
                rules.failure_sources.insert(source);
            }
        }
        rules.incident_window = self.one_of(&[0, 86_400_000, 7 * 86_400_000]);
        if self.dice(2) == 0 {
            rules.hotfix_title_pattern = Regex::new("^Fix").unwrap();
        }
        if self.dice(2) == 0 {
            let pattern = self.one_of(&["^v", "^v[0-3]"]);
            rules.release_tags = Regex::new(pattern).ok();
        }
        self.rules[place] = rules;
        format!("rules of {place}")
    }

    fn change_commit(&mut self) -> String {
        let number = self.dice(10);
        let reverted = sha(self.dice(10));
        let message = match self.dice(4) {
            0 => format!("This reverts commit {reverted}."),
            _ => "m".to_owned(),
        };
        let row = commit::Model {
            sha: sha(number),
            message,
            authored_date: self.time(),
            ..commit::Model::default()
        };
        self.commits.insert(row.sha.clone(), row);
        let repo_id = self.text(&["r0", "r0", "r1"]);
        let row = repo_commit::Model {
            commit_sha: sha(number),
            repo_id,
            ..repo_commit::Model::default()
        };
        self.held.insert(format!("{} {number}", row.repo_id), row);
        for order in 0..2 {
            let below = self.dice(number + 1);
            self.parents
                .retain(|key, _| *key != format!("{number} {order}"));
            let is_known = |it: &commit_parent::Model| {
                it.commit_sha == sha(number) && it.parent_commit_sha == sha(below)
            };
            if below < number && !self.parents.values().any(is_known) {
                let row = commit_parent::Model {
                    commit_sha: sha(number),
                    parent_commit_sha: sha(below),
                    parent_order: order,
                };
                self.parents.insert(format!("{number} {order}"), row);
            }
        }
        format!("commit {number}")
    }

    fn change_difference(&mut self) -> String {
        let row = commits_diff::Model {
            new_commit_sha: sha(10 + self.dice(2)),
            old_commit_sha: sha(self.dice(12)),
            commit_sha: sha(self.dice(12)),
            sorting_index: 0,
        };
        let key = format!(
            "{} {} {}",
            row.new_commit_sha, row.old_commit_sha, row.commit_sha
        );
        self.differences.insert(key.clone(), row);
        key
    }

    fn change_deployment(&mut self) -> String {
        let number = self.dice(10);
        let scope = self.text(&["r0", "r0", "r1"]);
        let row = cicd_deployment_commit::Model {
            id: format!("row{number}"),
            commit_sha: sha(self.dice(12)),
            cicd_deployment_id: format!("d{}", number / 2 * 2),
            result: self.text(&["SUCCESS", "SUCCESS", "FAILURE"]),
            environment: self.text(&["PRODUCTION", "PRODUCTION", "PRODUCTION", "STAGING"]),
            original_environment: self.text(&["eu", "us"]),
            finished_date: self.time(),
            repo_id: scope.clone(),
            repo_url: url(&scope),
            cicd_scope_id: scope,
            ..cicd_deployment_commit::Model::default()
        };
        let key = row.id.clone();
        self.deployments.insert(key.clone(), row);
        key
    }

    fn change_pull_request(&mut self) -> String {
        let number = self.dice(8);
        let id = format!("pr{number}");
        let base_repo_id = self.text(&["r0", "r0", "r0", "r1"]);
        let (title, head_ref) = self.name();
        let row = pull_request::Model {
            id: id.clone(),
            base_repo_id,
            pull_request_key: i64::try_from(number).unwrap(),
            title,
            head_ref,
            author_id: self.text(&["ann", "bob"]),
            created_date: self.time(),
            merged_date: self.time(),
            merge_commit_sha: sha(self.dice(12)),
            ..pull_request::Model::default()
        };
        self.pull_requests.insert(id.clone(), row);
        id
    }

    fn name(&mut self) -> (String, String) {
        let title = self.text(&[
            "Old",
            "New",
            "New",
            "Revert \"Old\"",
            "Revert \"New (pull request #2)\"",
            "A hotfix",
            "Fix it",
        ]);
        (
            title,
            self.text(&["feature/x", "feature/y", "hotfix/y", "revert-pr-1"]),
        )
    }

    /// Another title or branch of a pull request, and nothing else.
    fn change_name(&mut self) -> String {
        let id = format!("pr{}", self.dice(8));
        let (title, head_ref) = self.name();
        if let Some(row) = self.pull_requests.get_mut(&id) {
            row.title = title;
            row.head_ref = head_ref;
        }
        id
    }

    fn change_said(&mut self) -> String {
        let pull_request_id = format!("pr{}", self.dice(8));
        let number = self.dice(6);
        let row = pull_request_comment::Model {
            id: format!("comment{number}"),
            pull_request_id: pull_request_id.clone(),
            account_id: self.text(&["ann", "bob", "cem", ""]),
            created_date: self.time(),
            ..pull_request_comment::Model::default()
        };
        self.comments.insert(row.id.clone(), row);
        let row = pull_request_event::Model {
            id: format!("event{number}"),
            pull_request_id: pull_request_id.clone(),
            kind: self.text(&["approved", "updated", "changes requested"]),
            actor_id: self.text(&["ann", "bob", "cem"]),
            at: self.time(),
            ..pull_request_event::Model::default()
        };
        self.events.insert(row.id.clone(), row);
        let row = pull_request_commit::Model {
            pull_request_id: pull_request_id.clone(),
            commit_sha: sha(20 + number),
            commit_authored_date: self.time(),
            ..pull_request_commit::Model::default()
        };
        self.own_commits
            .insert(format!("{pull_request_id} {number}"), row);
        pull_request_id
    }

    fn change_merge(&mut self) -> String {
        let (number, commit) = (self.dice(8), self.dice(12));
        let row = pull_request_merge::Model {
            pull_request_id: format!("pr{number}"),
            commit_sha: sha(commit),
            method: self.text(&["ANCESTRY", "PATCH-ID", "NUMBER"]),
            is_tip: self.dice(3) > 0,
            repo_id: self.text(&["r0", "r1", ""]),
        };
        let key = format!("{number} {commit}");
        self.merges.insert(key.clone(), row);
        key
    }

    fn change_account(&mut self) -> String {
        let row = account::Model {
            id: self.text(&["ann", "bob", "cem"]),
            is_bot: self.dice(2) == 0,
            ..account::Model::default()
        };
        let id = row.id.clone();
        self.accounts.insert(id.clone(), row);
        id
    }

    fn change_issue(&mut self) -> String {
        let number = self.dice(4);
        let id = format!("issue{number}");
        let row = issue::Model {
            id: id.clone(),
            issue_key: number.to_string(),
            r#type: self.text(&["INCIDENT", "INCIDENT", "BUG"]),
            created_date: self.time(),
            resolution_date: self.time(),
            component: self.text(&["", "r0", "R1"]),
            ..issue::Model::default()
        };
        self.issues.insert(id.clone(), row);
        let board = board_issue::Model {
            board_id: self.text(&["r0", "r1"]),
            issue_id: id.clone(),
        };
        self.boards
            .insert(format!("{} {id}", board.board_id), board);
        let assignee_id = self.text(&["ann", "bob"]);
        let row = issue_assignee::Model {
            issue_id: id.clone(),
            assignee_name: self.text(&["Ann", "Bob"]),
            assignee_id,
        };
        self.assignees
            .insert(format!("{id} {}", row.assignee_id), row);
        if self.dice(2) == 0 {
            let row = issue_commit::Model {
                issue_id: id.clone(),
                commit_sha: sha(self.dice(10)),
                ..issue_commit::Model::default()
            };
            self.named_by_commits
                .insert(format!("{id} {}", row.commit_sha), row);
            let row = pull_request_issue::Model {
                pull_request_id: format!("pr{}", self.dice(8)),
                issue_id: id.clone(),
                ..pull_request_issue::Model::default()
            };
            self.named_by_requests
                .insert(format!("{id} {}", row.pull_request_id), row);
        }
        id
    }

    fn change_incident(&mut self) -> String {
        let row = incident::Model {
            id: format!("imported{}", self.dice(4)),
            created_date: self.time(),
            resolution_date: self.time(),
            component: self.text(&["", "r0"]),
            deployment_id: self.text(&["", "", "d2", "nowhere"]),
            table: "incident_sources".to_owned(),
            scope_id: "pager".to_owned(),
            ..incident::Model::default()
        };
        let id = row.id.clone();
        self.incidents.insert(id.clone(), row);
        id
    }

    fn change_pipeline(&mut self) -> String {
        let number = self.dice(4);
        let id = format!("pipeline{number}");
        let scope = self.text(&["r0", "r1"]);
        let row = cicd_pipeline::Model {
            id: id.clone(),
            result: self.text(&["SUCCESS", "FAILURE"]),
            r#type: self.text(&["DEPLOYMENT", "BUILD"]),
            environment: self.text(&["PRODUCTION", ""]),
            finished_date: self.time(),
            cicd_scope_id: scope.clone(),
            ..cicd_pipeline::Model::default()
        };
        self.pipelines.insert(id.clone(), row);
        let row = cicd_task::Model {
            id: format!("task{number}"),
            pipeline_id: id.clone(),
            r#type: self.text(&["DEPLOYMENT", "BUILD"]),
            environment: self.text(&["PRODUCTION", "STAGING"]),
            ..cicd_task::Model::default()
        };
        self.tasks.insert(row.id.clone(), row);
        let row = cicd_pipeline_commit::Model {
            pipeline_id: id.clone(),
            commit_sha: sha(number * 3),
            repo_id: scope.clone(),
            repo_url: url(&scope),
            ..cicd_pipeline_commit::Model::default()
        };
        self.built.insert(id.clone(), row);
        id
    }

    /// A tag is set, or moved.
    fn change_tag(&mut self) -> String {
        let repo_id = self.text(&["r0", "r0", "r1"]);
        let name = format!("refs/tags/v{}", self.dice(6));
        let made = self.time().or(DateTime::from_timestamp(1_709_157_600, 0));
        let row = git_ref::Model {
            id: format!("{repo_id}:{name}"),
            repo_id,
            name,
            commit_sha: sha(self.dice(12)),
            ref_type: "TAG".to_owned(),
            created_date: made,
            ..git_ref::Model::default()
        };
        let key = row.id.clone();
        self.tags.insert(key.clone(), row);
        key
    }

    /// Something goes, whatever refers to it.
    fn remove(&mut self) -> String {
        let number = self.dice(10);
        match self.dice(8) {
            0 => _ = self.deployments.remove(&format!("row{number}")),
            1 => _ = self.pull_requests.remove(&format!("pr{number}")),
            2 => _ = self.incidents.remove(&format!("imported{number}")),
            3 => _ = self.issues.remove(&format!("issue{number}")),
            4 => _ = self.held.remove(&format!("r0 {number}")),
            5 => self.boards.retain(|_, it| it.board_id != "r1"),
            6 => _ = self.comments.remove(&format!("comment{number}")),
            _ => self
                .merges
                .retain(|_, it| it.pull_request_id != format!("pr{number}")),
        }
        format!("removed {number}")
    }

    /// Makes the tables hold the rows.
    pub(super) async fn write(&self, store: &Store) {
        let scopes = ["r0", "r1"].map(str::to_owned);
        let stored = store.deployments_of(&scopes).await.unwrap().into_iter();
        // Which deployment comes before another one is nothing that a source says; of a scope that no
        // project maps, nothing computes it.
        let is_mapped = |scope: &str| {
            let mut mapped = self.mapping.values();
            mapped.any(|it| it.table == "cicd_scopes" && it.row_id == scope)
        };
        let previous: HashMap<String, String> = stored
            .filter(|it| it.subtask_name.is_empty() && is_mapped(&it.scope_id))
            .map(|it| (format!("{} {}", it.id, it.commit_sha), it.previous))
            .collect();
        let mut page = store
            .begin(&Scope::everywhere(), super::now())
            .await
            .unwrap();
        let deployments: Of<_> = self
            .deployments
            .iter()
            .map(|(key, row)| {
                let mut row = row.clone();
                let known = previous.get(&format!("{} {}", row.id, row.commit_sha));
                row.prev_success_deployment_commit_id = known.cloned().unwrap_or_default();
                (key.clone(), row)
            })
            .collect();
        replace(&mut page, "subtask_name = ''", &deployments).await;
        replace(&mut page, "id LIKE 'imported%'", &self.incidents).await;
        replace(&mut page, "1 = 1", &self.mapping).await;
        replace(&mut page, "1 = 1", &self.repositories).await;
        replace(&mut page, "1 = 1", &self.accounts).await;
        replace(&mut page, "1 = 1", &self.commits).await;
        replace(&mut page, "1 = 1", &self.parents).await;
        replace(&mut page, "1 = 1", &self.held).await;
        replace(&mut page, "1 = 1", &self.differences).await;
        replace(&mut page, "1 = 1", &self.pull_requests).await;
        replace(&mut page, "1 = 1", &self.own_commits).await;
        replace(&mut page, "1 = 1", &self.comments).await;
        replace(&mut page, "1 = 1", &self.events).await;
        replace(&mut page, "1 = 1", &self.merges).await;
        replace(&mut page, "1 = 1", &self.issues).await;
        replace(&mut page, "1 = 1", &self.boards).await;
        replace(&mut page, "1 = 1", &self.assignees).await;
        replace(&mut page, "1 = 1", &self.named_by_commits).await;
        replace(&mut page, "1 = 1", &self.named_by_requests).await;
        import(&mut page, &self.pipelines).await;
        import(&mut page, &self.tasks).await;
        import(&mut page, &self.built).await;
        import(&mut page, &self.tags).await;
        page.commit().await.unwrap();
    }
}

async fn replace<R: Row + Clone>(page: &mut Transaction<'_>, condition: &str, of: &Of<R>) {
    let mut rows = Rows::default();
    for row in of.values() {
        rows.push(row.clone());
    }
    let replacement = Replacement {
        table: R::table(),
        owner: Owner::Within {
            condition: condition.to_owned(),
            values: Vec::new(),
        },
        rows: rows.take(R::table()),
        first: false,
    };
    page.replace(replacement).await.unwrap();
}

/// As `table import` does; nothing that was imported goes.
async fn import<R: Row + Clone>(page: &mut Transaction<'_>, of: &Of<R>) {
    let mut rows = Rows::default();
    for row in of.values() {
        rows.push(row.clone());
    }
    let made = rows.take(R::table()).into_iter().map(|row| row.values);
    let imported = Imported {
        table: R::table(),
        places: (0..R::table().columns.len()).collect(),
        first: false,
    };
    page.import(&imported, made.collect()).await.unwrap();
}

//! The tables and the thread that fills them.

use std::collections::HashMap;
use std::path::Path;

use rusqlite::{Connection, Statement, params};
use serde::Serialize;
use tokio::sync::mpsc;

use crate::payload::{Comment, CommitItem, Participant, Pipeline, PullRequest, Step, User};
use crate::{Failure, Items, Page};

/// Bytes of raw pages in one transaction. Larger ones are no faster and make the log longer.
const TRANSACTION_BYTES: usize = 32 << 20;

/// Pages of the database are larger than usual because answers are: that saves a tenth of the time.
const SCHEMA: &str = "
PRAGMA page_size = 16384;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
CREATE TABLE raw_pages (url TEXT NOT NULL, body BLOB NOT NULL);
CREATE TABLE _tool_bitbucket_pull_requests (
    connection_id INTEGER, repo_id TEXT, bitbucket_id INTEGER, number INTEGER, base_repo_id TEXT,
    head_repo_id TEXT, state TEXT, title TEXT, description TEXT, bitbucket_created_at TEXT,
    bitbucket_updated_at TEXT, closed_at TEXT, comment_count INTEGER, commits INTEGER,
    merged_at TEXT, body TEXT, type TEXT, component TEXT, merge_commit_sha TEXT, head_ref TEXT,
    base_ref TEXT, base_commit_sha TEXT, head_commit_sha TEXT, url TEXT, author_name TEXT,
    author_id TEXT, merged_by_name TEXT, merged_by_id TEXT, is_draft INTEGER, task_count INTEGER,
    PRIMARY KEY (connection_id, repo_id, bitbucket_id)
);
CREATE TABLE _tool_bitbucket_pr_reviewers (
    connection_id INTEGER, repo_id TEXT, pull_request_id INTEGER, account_id TEXT,
    display_name TEXT, role TEXT, state TEXT, approved INTEGER, participated_on TEXT,
    PRIMARY KEY (connection_id, repo_id, pull_request_id, account_id)
);
CREATE TABLE _tool_bitbucket_pull_request_comments (
    connection_id INTEGER, bitbucket_id INTEGER, repo_id TEXT, pull_request_id INTEGER,
    author_id TEXT, author_name TEXT, bitbucket_created_at TEXT, bitbucket_updated_at TEXT,
    type TEXT, body TEXT, parent_id INTEGER, inline_path TEXT, inline_from INTEGER,
    inline_to INTEGER, deleted INTEGER,
    PRIMARY KEY (connection_id, bitbucket_id)
);
CREATE TABLE _tool_bitbucket_accounts (
    connection_id INTEGER, account_id TEXT, user_name TEXT, account_status TEXT,
    display_name TEXT, avatar_url TEXT, html_url TEXT, uuid TEXT, has2_fa_enabled INTEGER,
    nickname TEXT,
    PRIMARY KEY (connection_id, account_id)
);
CREATE TABLE _tool_bitbucket_commits (
    connection_id INTEGER, repo_id TEXT, sha TEXT, author_id TEXT, author_name TEXT,
    author_email TEXT, authored_date TEXT, committed_date TEXT, message TEXT, url TEXT,
    additions INTEGER, deletions INTEGER,
    PRIMARY KEY (connection_id, repo_id, sha)
);
CREATE TABLE _tool_bitbucket_commit_parents (
    connection_id INTEGER, repo_id TEXT, commit_sha TEXT, parent_sha TEXT,
    PRIMARY KEY (connection_id, repo_id, commit_sha, parent_sha)
);
CREATE TABLE _tool_bitbucket_repo_commits (
    connection_id INTEGER, repo_id TEXT, commit_sha TEXT,
    PRIMARY KEY (connection_id, repo_id, commit_sha)
);
CREATE TABLE _tool_bitbucket_pipelines (
    connection_id INTEGER, repo_id TEXT, bitbucket_id TEXT, status TEXT, result TEXT,
    ref_name TEXT, commit_sha TEXT, web_url TEXT, type TEXT, environment TEXT,
    build_number INTEGER, duration_in_seconds INTEGER, bitbucket_created_on TEXT,
    bitbucket_complete_on TEXT,
    PRIMARY KEY (connection_id, repo_id, bitbucket_id)
);
CREATE TABLE _tool_bitbucket_pipeline_steps (
    connection_id INTEGER, repo_id TEXT, pipeline_id TEXT, bitbucket_id TEXT, name TEXT,
    trigger TEXT, state TEXT, result TEXT, max_time INTEGER, started_on TEXT, completed_on TEXT,
    duration_in_seconds INTEGER, build_seconds_used INTEGER, run_number INTEGER, type TEXT,
    environment TEXT,
    PRIMARY KEY (connection_id, repo_id, pipeline_id, bitbucket_id)
);";

const INSERT_COMMIT: &str = "
INSERT INTO _tool_bitbucket_commits VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7, ?8, 0, 0)
ON CONFLICT DO UPDATE SET
    author_id = excluded.author_id, author_name = excluded.author_name,
    author_email = excluded.author_email, authored_date = excluded.authored_date,
    committed_date = excluded.committed_date, message = excluded.message, url = excluded.url";

const INSERT_COMMIT_PARENT: &str = "
INSERT INTO _tool_bitbucket_commit_parents VALUES (1, ?1, ?2, ?3) ON CONFLICT DO NOTHING";

const INSERT_REPO_COMMIT: &str = "
INSERT INTO _tool_bitbucket_repo_commits VALUES (1, ?1, ?2) ON CONFLICT DO NOTHING";

const INSERT_PIPELINE: &str = "
INSERT INTO _tool_bitbucket_pipelines VALUES (
    1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, '', '', ?8, ?9, ?10, ?11)
ON CONFLICT DO UPDATE SET
    status = excluded.status, result = excluded.result, ref_name = excluded.ref_name,
    commit_sha = excluded.commit_sha, web_url = excluded.web_url,
    build_number = excluded.build_number, duration_in_seconds = excluded.duration_in_seconds,
    bitbucket_created_on = excluded.bitbucket_created_on,
    bitbucket_complete_on = excluded.bitbucket_complete_on";

const INSERT_STEP: &str = "
INSERT INTO _tool_bitbucket_pipeline_steps VALUES (
    1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, '', '')
ON CONFLICT DO UPDATE SET
    name = excluded.name, trigger = excluded.trigger, state = excluded.state,
    result = excluded.result, max_time = excluded.max_time, started_on = excluded.started_on,
    completed_on = excluded.completed_on, duration_in_seconds = excluded.duration_in_seconds,
    build_seconds_used = excluded.build_seconds_used, run_number = excluded.run_number";

/// The constants are there where the API gives nothing; headwater's tables hold the same.
const INSERT_PULL_REQUEST: &str = "
INSERT INTO _tool_bitbucket_pull_requests VALUES (
    1, ?1, ?2, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, NULL, ?10, 0, ?11, '', ?12, '', ?13, ?14, ?15, ?16,
    ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24)
ON CONFLICT DO UPDATE SET
    number = excluded.number, base_repo_id = excluded.base_repo_id,
    head_repo_id = excluded.head_repo_id, state = excluded.state, title = excluded.title,
    description = excluded.description, bitbucket_created_at = excluded.bitbucket_created_at,
    bitbucket_updated_at = excluded.bitbucket_updated_at, comment_count = excluded.comment_count,
    merged_at = excluded.merged_at, type = excluded.type,
    merge_commit_sha = excluded.merge_commit_sha, head_ref = excluded.head_ref,
    base_ref = excluded.base_ref, base_commit_sha = excluded.base_commit_sha,
    head_commit_sha = excluded.head_commit_sha, url = excluded.url,
    author_name = excluded.author_name, author_id = excluded.author_id,
    merged_by_name = excluded.merged_by_name, merged_by_id = excluded.merged_by_id,
    is_draft = excluded.is_draft, task_count = excluded.task_count";

const INSERT_REVIEWER: &str = "
INSERT INTO _tool_bitbucket_pr_reviewers VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
ON CONFLICT DO UPDATE SET
    display_name = excluded.display_name, role = excluded.role, state = excluded.state,
    approved = excluded.approved, participated_on = excluded.participated_on";

const INSERT_COMMENT: &str = "
INSERT INTO _tool_bitbucket_pull_request_comments VALUES (
    1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
ON CONFLICT DO UPDATE SET
    repo_id = excluded.repo_id, pull_request_id = excluded.pull_request_id,
    author_id = excluded.author_id, author_name = excluded.author_name,
    bitbucket_created_at = excluded.bitbucket_created_at,
    bitbucket_updated_at = excluded.bitbucket_updated_at, type = excluded.type,
    body = excluded.body, parent_id = excluded.parent_id, inline_path = excluded.inline_path,
    inline_from = excluded.inline_from, inline_to = excluded.inline_to,
    deleted = excluded.deleted";

const INSERT_ACCOUNT: &str = "
INSERT INTO _tool_bitbucket_accounts VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, ?8)
ON CONFLICT DO UPDATE SET
    user_name = excluded.user_name, account_status = excluded.account_status,
    display_name = excluded.display_name, avatar_url = excluded.avatar_url,
    html_url = excluded.html_url, uuid = excluded.uuid, nickname = excluded.nickname";

/// Rows of each table.
#[derive(Default, Serialize)]
pub(crate) struct Rows {
    pull_requests: u64,
    pr_reviewers: u64,
    pull_request_comments: u64,
    accounts: u64,
    commits: u64,
    pipelines: u64,
    pipeline_steps: u64,
}

/// The writer thread: stores pages until there are no more.
pub(crate) fn write(
    database: &Path,
    repository: &str,
    mut pages: mpsc::Receiver<Page>,
) -> Result<Rows, Failure> {
    let connection = Connection::open(database)?;
    connection.execute_batch(SCHEMA)?;
    let mut tables = Tables::prepare(&connection, repository)?;
    let mut uncommitted = 0;
    connection.execute_batch("BEGIN")?;
    while let Some(page) = pages.blocking_recv() {
        uncommitted += page.body.len();
        tables.page(page)?;
        if uncommitted > TRANSACTION_BYTES {
            connection.execute_batch("COMMIT; BEGIN")?;
            uncommitted = 0;
        }
    }
    tables.people()?;
    connection.execute_batch("COMMIT")?;
    Ok(tables.rows)
}

/// Parses the raw pages of an earlier run again and writes the tool tables into an empty database.
pub(crate) fn replay(pages: &Path, database: &Path, repository: &str) -> Result<Rows, Failure> {
    let source = Connection::open(pages)?;
    let connection = Connection::open(database)?;
    connection.execute_batch(SCHEMA)?;
    let mut tables = Tables::prepare(&connection, repository)?;
    let mut stored = source.prepare("SELECT url, body FROM raw_pages")?;
    let mut stored = stored.query([])?;
    let mut uncommitted = 0;
    connection.execute_batch("BEGIN")?;
    while let Some(row) = stored.next()? {
        let (url, body) = (row.get_ref(0)?.as_str()?, row.get_ref(1)?.as_blob()?);
        uncommitted += body.len();
        tables.items(Items::parse(url, body)?)?;
        if uncommitted > TRANSACTION_BYTES {
            connection.execute_batch("COMMIT; BEGIN")?;
            uncommitted = 0;
        }
    }
    tables.people()?;
    connection.execute_batch("COMMIT")?;
    Ok(tables.rows)
}

/// Prepared statements, and what is only written at the end.
struct Tables<'a> {
    repository: &'a str,
    pages: Statement<'a>,
    pull_requests: Statement<'a>,
    reviewers: Statement<'a>,
    comments: Statement<'a>,
    accounts: Statement<'a>,
    commits: Statement<'a>,
    parents: Statement<'a>,
    repo_commits: Statement<'a>,
    pipelines: Statement<'a>,
    steps: Statement<'a>,
    /// The same few people are in nearly every item.
    people: HashMap<String, User>,
    rows: Rows,
}

impl<'a> Tables<'a> {
    fn prepare(connection: &'a Connection, repository: &'a str) -> Result<Self, Failure> {
        Ok(Self {
            repository,
            pages: connection.prepare("INSERT INTO raw_pages VALUES (?1, ?2)")?,
            pull_requests: connection.prepare(INSERT_PULL_REQUEST)?,
            reviewers: connection.prepare(INSERT_REVIEWER)?,
            comments: connection.prepare(INSERT_COMMENT)?,
            accounts: connection.prepare(INSERT_ACCOUNT)?,
            commits: connection.prepare(INSERT_COMMIT)?,
            parents: connection.prepare(INSERT_COMMIT_PARENT)?,
            repo_commits: connection.prepare(INSERT_REPO_COMMIT)?,
            pipelines: connection.prepare(INSERT_PIPELINE)?,
            steps: connection.prepare(INSERT_STEP)?,
            people: HashMap::new(),
            rows: Rows::default(),
        })
    }

    fn page(&mut self, page: Page) -> Result<(), Failure> {
        self.pages.execute(params![page.url.as_str(), page.body])?;
        self.items(page.items)
    }

    fn items(&mut self, items: Items) -> Result<(), Failure> {
        match items {
            Items::PullRequests(items) => items
                .into_iter()
                .try_for_each(|item| self.pull_request(item)),
            Items::Comments(items) => items.into_iter().try_for_each(|item| self.comment(item)),
            Items::Commits(items) => items.into_iter().try_for_each(|item| self.commit(item)),
            Items::Pipelines(items) => items.into_iter().try_for_each(|it| self.pipeline(&it)),
            Items::Steps(items) => items.into_iter().try_for_each(|item| self.step(&item)),
            Items::None => Ok(()),
        }
    }

    fn commit(&mut self, item: CommitItem) -> Result<(), Failure> {
        for parent in &item.parents {
            self.parents
                .execute(params![self.repository, item.hash, parent.hash])?;
        }
        self.repo_commits
            .execute(params![self.repository, item.hash])?;
        let author = item.author.unwrap_or_default();
        let (name, email) = author.raw.split_once(" <").unwrap_or((&author.raw, ""));
        let user = author.user.unwrap_or_default();
        self.commits.execute(params![
            self.repository,
            item.hash,
            user.account_id,
            name,
            email.trim_end_matches('>'),
            item.date,
            item.message,
            item.links.own.href,
        ])?;
        self.rows.commits += 1;
        self.meet(user);
        Ok(())
    }

    fn pipeline(&mut self, item: &Pipeline) -> Result<(), Failure> {
        self.pipelines.execute(params![
            self.repository,
            item.uuid,
            item.state.name,
            item.state.result.as_ref().map_or("", |result| &result.name),
            item.target.ref_name,
            item.target
                .commit
                .as_ref()
                .map_or("", |commit| &commit.hash),
            item.links.own.href,
            item.build_number,
            item.duration_in_seconds,
            item.created_on,
            item.completed_on,
        ])?;
        self.rows.pipelines += 1;
        Ok(())
    }

    fn step(&mut self, item: &Step) -> Result<(), Failure> {
        self.steps.execute(params![
            self.repository,
            item.pipeline.uuid,
            item.uuid,
            item.name,
            item.trigger.kind,
            item.state.name,
            item.state.result.as_ref().map_or("", |result| &result.name),
            item.max_time,
            item.started_on,
            item.completed_on,
            item.duration_in_seconds,
            item.build_seconds_used,
            item.run_number,
        ])?;
        self.rows.pipeline_steps += 1;
        Ok(())
    }

    fn pull_request(&mut self, item: PullRequest) -> Result<(), Failure> {
        let author = item.author.unwrap_or_default();
        let closed_by = item.closed_by.unwrap_or_default();
        let merge_commit = item.merge_commit.unwrap_or_default();
        let (source, destination) = (item.source, item.destination);
        self.pull_requests.execute(params![
            self.repository,
            item.id,
            destination.repository.unwrap_or_default().full_name,
            source.repository.unwrap_or_default().full_name,
            item.state,
            item.title,
            item.description,
            item.created_on,
            item.updated_on,
            item.comment_count,
            merge_commit.date,
            item.kind,
            merge_commit.hash,
            source.branch.name,
            destination.branch.name,
            destination.commit.unwrap_or_default().hash,
            source.commit.unwrap_or_default().hash,
            item.links.html.href,
            author.display_name,
            author.account_id,
            closed_by.display_name,
            closed_by.account_id,
            item.draft,
            item.task_count,
        ])?;
        self.rows.pull_requests += 1;
        self.reviewers(item.id, item.participants, item.reviewers)?;
        self.meet(closed_by);
        self.meet(author);
        Ok(())
    }

    /// Participants, and whoever was asked to review but is not listed among them.
    fn reviewers(
        &mut self,
        number: i64,
        mut participants: Vec<Participant>,
        asked: Vec<User>,
    ) -> Result<(), Failure> {
        for user in asked {
            if !participants
                .iter()
                .any(|it| it.user.account_id == user.account_id)
            {
                participants.push(Participant::asked(user));
            }
        }
        for participant in participants {
            self.reviewers.execute(params![
                self.repository,
                number,
                participant.user.account_id,
                participant.user.display_name,
                participant.role,
                participant.state.unwrap_or_default(),
                participant.approved,
                participant.participated_on,
            ])?;
            self.rows.pr_reviewers += 1;
            self.meet(participant.user);
        }
        Ok(())
    }

    fn comment(&mut self, item: Comment) -> Result<(), Failure> {
        let user = item.user.unwrap_or_default();
        let inline = item.inline.unwrap_or_default();
        self.comments.execute(params![
            item.id,
            self.repository,
            item.pullrequest.id,
            user.account_id,
            user.display_name,
            item.created_on,
            item.updated_on,
            item.kind,
            item.content.unwrap_or_default().raw,
            item.parent.unwrap_or_default().id,
            inline.path,
            inline.from,
            inline.to,
            item.deleted,
        ])?;
        self.rows.pull_request_comments += 1;
        self.meet(user);
        Ok(())
    }

    fn meet(&mut self, user: User) {
        match self.people.get_mut(&user.account_id) {
            Some(known) => *known = user,
            // Deleted accounts have no id and no row.
            None if user.account_id.is_empty() => {}
            None => drop(self.people.insert(user.account_id.clone(), user)),
        }
    }

    fn people(&mut self) -> Result<(), Failure> {
        for user in self.people.values() {
            self.accounts.execute(params![
                user.account_id,
                user.username,
                user.account_status,
                user.display_name,
                user.links.avatar.href,
                user.links.html.href,
                user.uuid,
                user.nickname,
            ])?;
            self.rows.accounts += 1;
        }
        Ok(())
    }
}

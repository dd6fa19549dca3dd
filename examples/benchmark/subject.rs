//! What is measured, and the proof that all of it does the same work.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

use crate::Failure;
use crate::process::{Measured, measure};
use crate::simulator::Server;

const EMAIL: &str = "me@example.com";
const TOKEN: &str = "api-token";
/// What is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Workload {
    /// Pull requests and their comments.
    Review,
    /// And commits, pipelines and steps.
    Everything,
}

impl Workload {
    /// Streams both sides read.
    fn streams(self) -> &'static str {
        match self {
            Self::Review => "--only=pull_requests,pull_request_comments",
            Self::Everything => {
                "--only=pull_requests,pull_request_comments,commits,pipelines,pipeline_steps"
            }
        }
    }

    /// Tables both sides fill.
    pub(crate) fn tables(self) -> &'static [&'static str] {
        const TABLES: [&str; 9] = [
            "_tool_bitbucket_pull_requests",
            "_tool_bitbucket_pr_reviewers",
            "_tool_bitbucket_pull_request_comments",
            "_tool_bitbucket_accounts",
            "_tool_bitbucket_commits",
            "_tool_bitbucket_commit_parents",
            "_tool_bitbucket_repo_commits",
            "_tool_bitbucket_pipelines",
            "_tool_bitbucket_pipeline_steps",
        ];
        match self {
            Self::Review => &TABLES[..4],
            Self::Everything => &TABLES,
        }
    }
}

/// One thing that is measured; the order is the one of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Subject {
    Floor,
    CollectAndExtract,
    Sync,
    Unchanged,
    Changed,
    FloorOffline,
    Transform,
}

impl Subject {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Floor => "floor: fetch, store, parse, write in one pass",
            Self::CollectAndExtract => "headwater collect, then extract",
            Self::Sync => "headwater sync (with domain tables)",
            Self::Unchanged => "headwater sync again, nothing changed",
            Self::Changed => "headwater sync again, 100 items changed",
            Self::FloorOffline => "floor: parse and write stored pages",
            Self::Transform => "headwater transform of everything, offline",
        }
    }

    /// What its time is compared with.
    pub(crate) fn base(self) -> Self {
        match self {
            Self::FloorOffline | Self::Transform => Self::FloorOffline,
            _ => Self::Floor,
        }
    }
}

/// The programs, and the server they read from.
pub(crate) struct Bench {
    pub(crate) floor: PathBuf,
    pub(crate) headwater: PathBuf,
    pub(crate) server: Server,
    pub(crate) workload: Workload,
}

impl Bench {
    /// Runs the floor into a fresh database.
    pub(crate) fn floor(&mut self) -> Result<(Measured, Rows), Failure> {
        let folder = TempDir::new()?;
        let database = folder.path().join("floor.db");
        let mut command = self.floor_command(&database);
        let measured = self.counted(&mut command, folder.path())?;
        Ok((measured, Rows::count(&database, self.workload)?))
    }

    /// Runs the floor, and then again without the network on the pages of that run.
    pub(crate) fn floor_offline(&mut self) -> Result<(Measured, Rows), Failure> {
        let folder = TempDir::new()?;
        let (pages, database) = (
            folder.path().join("pages.db"),
            folder.path().join("floor.db"),
        );
        measure(&mut self.floor_command(&pages), folder.path())?;
        let mut command = self.floor_command(&database);
        command.arg("--pages").arg(&pages);
        let measured = self.counted(&mut command, folder.path())?;
        Ok((measured, Rows::count(&database, self.workload)?))
    }

    fn floor_command(&self, database: &Path) -> Command {
        let mut command = Command::new(&self.floor);
        command.args(["--endpoint", &self.server.endpoint]);
        command.args(["--repository", &self.server.repository]);
        command
            .args(["--email", EMAIL, "--token", TOKEN, "--database"])
            .arg(database);
        if self.workload == Workload::Everything {
            command.arg("--everything");
        }
        command
    }

    /// Runs headwater's commands one after the other in a folder.
    pub(crate) fn headwater(
        &mut self,
        folder: &Path,
        commands: &[&str],
    ) -> Result<(Measured, Rows), Failure> {
        self.write_configuration(folder, "sqlite:headwater.db")?;
        let mut total = Measured::default();
        for name in commands {
            total = total.then(self.run(folder, name)?);
        }
        Ok((
            total,
            Rows::count(&folder.join("headwater.db"), self.workload)?,
        ))
    }

    /// Runs one of headwater's commands in a folder with a configuration.
    pub(crate) fn run(&mut self, folder: &Path, name: &str) -> Result<Measured, Failure> {
        let mut command = Command::new(&self.headwater);
        command.args(["--quiet", name, self.workload.streams()]);
        command.env("HEADWATER_BENCH_TOKEN", TOKEN);
        self.counted(&mut command, folder)
    }

    /// Writes what headwater is to collect, and into which database.
    pub(crate) fn write_configuration(&self, folder: &Path, database: &str) -> Result<(), Failure> {
        fs::write(folder.join("headwater.toml"), self.configuration(database))?;
        Ok(())
    }

    /// Rows that the first run and the last one wrote, of all layers, as the log of runs has them.
    pub(crate) fn rows_written(folder: &Path) -> Result<(u64, u64), Failure> {
        let connection = Connection::open(folder.join("headwater.db"))?;
        let of = |which: &str| {
            let sql = format!(
                "SELECT sum(written + removed) FROM _headwater_steps \
                 WHERE run_id = (SELECT {which}(run_id) FROM _headwater_steps)"
            );
            let rows: i64 = connection.query_row(&sql, [], |row| row.get(0))?;
            Ok::<u64, Failure>(u64::try_from(rows)?)
        };
        Ok((of("min")?, of("max")?))
    }

    fn counted(&mut self, command: &mut Command, folder: &Path) -> Result<Measured, Failure> {
        let before = self.server.count()?;
        let mut measured = measure(command, folder)?;
        measured.requests = self.server.count()? - before;
        Ok(measured)
    }

    fn configuration(&self, database: &str) -> String {
        let Server {
            endpoint,
            repository,
            ..
        } = &self.server;
        format!(
            r#"[database]
url = "{database}"

[[connection]]
id = 1
name = "bench"
kind = "bitbucket-cloud"
endpoint = "{endpoint}"
auth.kind = "api-token"
auth.email = "{EMAIL}"
auth.token = "env:HEADWATER_BENCH_TOKEN"
requests_per_hour = 1000000000
concurrency = 8
scopes = ["{repository}"]
"#
        )
    }
}

/// Rows in a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rows {
    /// Of each of the tool tables both sides fill.
    pub(crate) tool: Vec<u64>,
    /// Of all domain tables; the floor has none.
    pub(crate) domain: u64,
}

impl Rows {
    fn count(database: &Path, workload: Workload) -> Result<Self, Failure> {
        let opened = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY);
        let connection = opened.map_err(|error| format!("{}: {error}", database.display()))?;
        let count = |table: &str| {
            let sql = format!("SELECT count(*) FROM \"{table}\"");
            let rows: i64 = connection.query_row(&sql, [], |row| row.get(0))?;
            Ok::<u64, Failure>(u64::try_from(rows)?)
        };
        let tables = workload.tables().iter();
        let tool = tables.map(|table| count(table)).collect::<Result<_, _>>()?;
        // Domain tables are the ones without a prefix.
        let mut names = connection.prepare(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE '\\_%' ESCAPE '\\'
             AND name NOT LIKE 'sqlite%' AND name NOT LIKE 'seaql%' AND name <> 'raw_pages'",
        )?;
        let names = names.query_map([], |row| row.get::<_, String>(0))?;
        let mut domain = 0;
        for name in names {
            domain += count(&name?)?;
        }
        Ok(Self { tool, domain })
    }

    /// Rows of the tool tables together.
    pub(crate) fn total(&self) -> u64 {
        self.tool.iter().sum()
    }

    /// Comparing times only makes sense for equal work.
    pub(crate) fn expect(&self, floor: &Self, subject: Subject) -> Result<(), Failure> {
        if self.tool == floor.tool {
            return Ok(());
        }
        let name = subject.name();
        let (rows, expected) = (&self.tool, &floor.tool);
        Err(
            format!("{name}: rows of the tool tables are {rows:?}, the floor has {expected:?}")
                .into(),
        )
    }
}

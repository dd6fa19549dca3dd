//! Small repositories for tests: made by `git fast-import`, with fixed dates and people, and
//! without anybody's configuration. The same calls give the same hashes. Everything here panics
//! when git fails.

#![allow(
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    reason = "for tests, which panic and which make repositories for what it does to them"
)]

mod server;

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

pub use server::{Server, Trouble};

/// The date of the first commit, in seconds since 1970; each further one is a minute later.
pub const FIRST_DATE: u64 = 1_700_000_000;

/// A bare repository in a temporary folder, which goes with it.
pub struct Repository {
    _folder: tempfile::TempDir,
    path: PathBuf,
    commits: u64,
}

impl Default for Repository {
    fn default() -> Self {
        Self::new()
    }
}

impl Repository {
    /// An empty repository whose HEAD is the unborn branch `main`.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("source.git");
        run(
            folder.path(),
            &[
                "init",
                "--quiet",
                "--bare",
                "--initial-branch=main",
                "source.git",
            ],
            b"",
        );
        Self {
            _folder: folder,
            path,
            commits: 0,
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds a commit to a branch, which begins with it if it is new, and returns its hash. A file
    /// without content is removed.
    pub fn commit(&mut self, branch: &str, message: &str, files: &[(&str, &str)]) -> String {
        self.merge(branch, &[], message, files)
    }

    /// Adds a commit that also has these revisions as parents, in this order.
    pub fn merge(
        &mut self,
        branch: &str,
        others: &[&str],
        message: &str,
        files: &[(&str, &str)],
    ) -> String {
        let date = FIRST_DATE + 60 * self.commits;
        self.commits += 1;
        let mut stream = format!(
            "commit refs/heads/{branch}\nauthor Ada Example <ada@example.com> {date} +0000\n\
             committer Ada Example <ada@example.com> {date} +0000\ndata {}\n{message}\n",
            message.len()
        );
        let mut put = |text: std::fmt::Arguments<'_>| stream.write_fmt(text).expect("memory");
        if let Some(parent) = self.resolve(&format!("refs/heads/{branch}")) {
            put(format_args!("from {parent}\n"));
        }
        for other in others {
            let other = self.resolve(other).expect("a revision to merge");
            put(format_args!("merge {other}\n"));
        }
        for (path, content) in files {
            match *content {
                "" => put(format_args!("D {path}\n")),
                content => put(format_args!(
                    "M 100644 inline {path}\ndata {}\n{content}\n",
                    content.len()
                )),
            }
        }
        put(format_args!("\n"));
        self.import(stream.as_bytes());
        self.resolve(&format!("refs/heads/{branch}"))
            .expect("the branch")
    }

    /// Feeds a stream of commands to `git fast-import`, for what the other calls cannot make.
    pub fn import(&self, stream: &[u8]) {
        run(&self.path, &["fast-import", "--quiet", "--force"], stream);
    }

    /// Runs git in the repository and returns what it prints, without the last line's end.
    pub fn git(&self, arguments: &[&str]) -> String {
        let output = run(&self.path, arguments, b"");
        String::from_utf8(output)
            .expect("UTF-8")
            .trim_end()
            .to_owned()
    }

    /// The full hash of a revision; none if there is none.
    pub fn resolve(&self, revision: &str) -> Option<String> {
        let arguments = [
            "rev-parse",
            "--verify",
            "--quiet",
            "--end-of-options",
            revision,
        ];
        let output = isolated(&self.path).args(arguments).output().expect("git");
        let hash = String::from_utf8(output.stdout).expect("a hash");
        output.status.success().then(|| hash.trim().to_owned())
    }
}

/// Runs git in a folder, isolated as the repositories here are.
pub fn run(folder: &Path, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = isolated(folder)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("git can be started");
    let mut stdin = child.stdin.take().expect("an input");
    let output = std::thread::scope(|scope| {
        // A command that does not read its input may end before it is written.
        scope.spawn(move || drop(stdin.write_all(input)));
        child.wait_with_output().expect("git ends")
    });
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {arguments:?}: {stderr}");
    output.stdout
}

fn isolated(folder: &Path) -> Command {
    // An absolute path: what must be sought in another environment is forked, which costs more the
    // larger this process is.
    let program = crate::program::look_up(Path::new("git")).expect("git is installed");
    let mut command = Command::new(program);
    command.env_clear().current_dir(folder);
    for name in ["PATH", "SYSTEMROOT"] {
        command.envs(std::env::var_os(name).map(|value| (name, value)));
    }
    let date = format!("{FIRST_DATE} +0000");
    command.envs([
        ("LC_ALL", "C"),
        ("TZ", "UTC"),
        ("HOME", "/dev/null"),
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_AUTHOR_NAME", "Ada Example"),
        ("GIT_AUTHOR_EMAIL", "ada@example.com"),
        ("GIT_AUTHOR_DATE", &date),
        ("GIT_COMMITTER_NAME", "Ada Example"),
        ("GIT_COMMITTER_EMAIL", "ada@example.com"),
        ("GIT_COMMITTER_DATE", &date),
    ]);
    command
}

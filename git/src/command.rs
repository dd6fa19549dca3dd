//! A git command: fixed options, checked values.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::environment::Environment;
use crate::group::Group;
use crate::running::{Limits, Running};
use crate::stderr::Watcher;
use crate::{GitError, GitErrorKind, ObjectId, Progress, RefName, Remote, Scheme};

/// The longest record that is read unless a command says otherwise, in bytes.
const LONGEST_RECORD: usize = 16 * 1024 * 1024;

/// How a repository on this machine is served. Whoever wrote the path into the configuration
/// trusts it, whoever owns it; and it may leave objects out, which is off by default.
const SERVE_PATH: &str = "--upload-pack=git -c safe.directory='*' -c uploadpack.allowFilter=true \
                          -c uploadpack.allowAnySHA1InWant=true upload-pack";

/// A git command that is being put together.
pub struct Command {
    program: PathBuf,
    arguments: Vec<OsString>,
    environment: Environment,
    folder: PathBuf,
    name: String,
    place: String,
    fed: bool,
    longest_record: usize,
    watcher: Option<Watcher>,
    /// What is wrong with it already.
    flaw: Option<String>,
}

impl Command {
    pub(crate) fn new(program: &Path, repository: Option<&Path>) -> Self {
        let mut environment = Environment::offline();
        // Set outside of repositories too, so that none is looked for.
        let folder = repository.unwrap_or(Path::new("/dev/null"));
        environment.set("GIT_DIR", folder);
        Self {
            program: program.to_owned(),
            arguments: Vec::new(),
            environment,
            folder: repository.map_or_else(std::env::temp_dir, Path::to_owned),
            name: String::new(),
            place: repository
                .map(|path| path.display().to_string())
                .unwrap_or_default(),
            fed: false,
            longest_record: LONGEST_RECORD,
            watcher: None,
            flaw: None,
        }
    }

    /// Adds a subcommand or an option, as it is written in this program.
    #[must_use]
    pub fn arg(mut self, fixed: &'static str) -> Self {
        // Configuration, `-c name=value`, may stand before the subcommand.
        if self.name.is_empty() && !fixed.starts_with('-') && !fixed.contains('=') {
            fixed.clone_into(&mut self.name);
        }
        self.arguments.push(fixed.into());
        self
    }

    /// Adds several, as [`Command::arg`] does.
    #[must_use]
    pub fn args(self, fixed: impl IntoIterator<Item = &'static str>) -> Self {
        fixed.into_iter().fold(self, Self::arg)
    }

    /// Sets a value of git's configuration for this command, such as `diff.renames` to `true`.
    #[must_use]
    pub fn setting(mut self, name: &'static str, value: &'static str) -> Self {
        self.environment.configure(name.to_owned(), value);
        self
    }

    /// Adds an option that ends with a number, such as `--max-count=` and 7.
    #[must_use]
    pub fn number(mut self, option: &'static str, number: u64) -> Self {
        self.arguments.push(format!("{option}{number}").into());
        self
    }

    /// Adds the hash of an object.
    #[must_use]
    pub fn object(mut self, id: &ObjectId) -> Self {
        self.arguments.push(id.as_str().into());
        self
    }

    /// Adds the full name of a ref. It begins with `refs/`, so it is never taken for an option.
    #[must_use]
    pub fn reference(mut self, name: &RefName) -> Self {
        self.arguments.push(name.to_argument());
        self
    }

    /// Adds a ref that a fetch leaves out, by its full name.
    #[must_use]
    pub fn leaving_out(mut self, name: &RefName) -> Self {
        self.arguments.push(name.to_exclusion());
        self
    }

    /// Adds a path of this machine from the root, which cannot be taken for an option.
    #[must_use]
    pub fn path(mut self, path: &Path) -> Self {
        if !path.is_absolute() {
            self.flaw = Some(format!("{} is not a path from the root", path.display()));
        }
        self.arguments.push(path.into());
        self
    }

    /// Lets the command reach a remote, and nothing else. The subcommand, which must stand
    /// already, names it `origin`; address and credentials stand neither in the arguments nor in
    /// any file.
    #[must_use]
    pub fn reaching(mut self, remote: &Remote) -> Self {
        self.place = remote.url.to_string();
        if let Err(flaw) = self.environment.reach(remote) {
            self.flaw = Some(flaw);
        }
        if remote.url.scheme() == Scheme::Path {
            self.arguments.push(SERVE_PATH.into());
        }
        self
    }

    /// Lets it say on its standard error which packets it exchanges; these hold no headers.
    pub(crate) fn traced(mut self) -> Self {
        self.environment.set("GIT_TRACE_PACKET", "1");
        self
    }

    /// Lets its standard input be written to; see [`Running::take_input`]. It is empty otherwise.
    #[must_use]
    pub fn fed(mut self) -> Self {
        self.fed = true;
        self
    }

    /// Sets the length of the longest record that is read, in bytes; 16 MiB unless set.
    #[must_use]
    pub fn longest_record(mut self, bytes: usize) -> Self {
        self.longest_record = bytes;
        self
    }

    /// Tells the progress of a transfer, which needs git's option `--progress`.
    #[must_use]
    pub fn watched(mut self, watcher: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        self.watcher = Some(Arc::new(watcher));
        self
    }

    /// Starts it. What it prints is read from what is returned; when that is dropped, or the
    /// work is cancelled, the child and everything it started are killed.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn stream(self, cancel: &CancellationToken) -> Result<Running, GitError> {
        let failed = |kind| GitError {
            command: self.name.clone(),
            place: self.place.clone(),
            kind,
            stderr: String::new(),
        };
        if let Some(flaw) = &self.flaw {
            return Err(failed(GitErrorKind::Process(flaw.clone())));
        }
        if cancel.is_cancelled() {
            return Err(failed(GitErrorKind::Cancelled));
        }
        let mut child = tokio::process::Command::new(&self.program);
        child.args(&self.arguments).current_dir(&self.folder);
        child.stdin(if self.fed {
            Stdio::piped()
        } else {
            Stdio::null()
        });
        child.stdout(Stdio::piped()).stderr(Stdio::piped());
        self.environment.give(&mut child);
        Group::prepare(&mut child);
        let child = child.spawn().map_err(|error| {
            let program = self.program.display();
            failed(GitErrorKind::Process(format!(
                "{program} cannot be started: {error}"
            )))
        })?;
        let limits = Limits {
            record: self.longest_record,
            cancel: cancel.clone(),
        };
        let hidden = self.environment.hidden;
        Ok(Running::of(
            child,
            (self.name, self.place),
            hidden,
            self.watcher,
            limits,
        ))
    }

    /// Runs it to its end and returns what it printed.
    ///
    /// # Errors
    /// When it fails, or prints more than so many bytes.
    pub async fn output(
        self,
        at_most: usize,
        cancel: &CancellationToken,
    ) -> Result<Vec<u8>, GitError> {
        let mut running = self.stream(cancel)?;
        let mut output = Vec::new();
        while let Some(chunk) = running.chunk().await? {
            output.extend_from_slice(chunk);
            if output.len() > at_most {
                return Err(running.failure(GitErrorKind::TooLong(at_most)));
            }
        }
        running.finish().await?;
        Ok(output)
    }

    /// Runs it to its end for what it does, and returns what it said on its standard error, such
    /// as warnings.
    ///
    /// # Errors
    /// When it fails.
    pub async fn run(self, cancel: &CancellationToken) -> Result<String, GitError> {
        self.stream(cancel)?.finish().await
    }
}

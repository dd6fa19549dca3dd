//! One fetch into a repository.

use std::path::Path;

use headwater_git::{Advertised, Command, Git, GitError, GitErrorKind, Head, RefName};
use tokio_util::sync::CancellationToken;

use super::Task;
use super::disk;
use super::left_out::Exclusions;
use super::mirror::NO_HEAD;
use super::orphans::Note;
use super::place::Place;

/// What leaves files out, best first: no folders and files; no contents of files; nothing.
const FILTERS: [Option<&str>; 3] = [Some("tree:0"), Some("blob:none"), None];

/// What git is given in any case. Nothing is written or run beside refs and objects.
const FETCH: &[&str] = &[
    "fetch",
    "--prune",
    "--force",
    "--no-tags",
    "--update-shallow",
    "--no-write-fetch-head",
    "--no-auto-maintenance",
    "--no-recurse-submodules",
    "--no-show-forced-updates",
    "--progress",
];

/// Branches and tags, and no other refs: a server may have thousands for pull requests.
const REFS: [&str; 2] = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"];

/// The way from a remote to a repository of this machine.
pub(super) struct Fetch<'a> {
    pub(super) git: &'a Git,
    pub(super) task: &'a Task,
    pub(super) place: &'a Place,
    /// The repository that is written to.
    pub(super) into: &'a Path,
    /// Refs that are not fetched.
    pub(super) left_out: &'a Exclusions,
    pub(super) cancel: &'a CancellationToken,
}

/// How a fetch went.
#[derive(Debug, Default)]
pub(super) struct Fetched {
    /// The filter that the server took; none if everything came.
    pub(super) filter: Option<&'static str>,
    /// Why less was not to be had, where a filter was taken and did not work.
    pub(super) unserved: Option<String>,
    /// Whether git could not write some of the refs.
    pub(super) in_part: bool,
    /// How often git went to the server.
    pub(super) requests: u64,
    /// Whether a history that is incomplete is asked for the rest.
    deepens: bool,
}

impl Fetch<'_> {
    /// Makes the repository, empty.
    pub(super) async fn init(&self, sha256: bool) -> Result<(), GitError> {
        let init = self
            .here()
            .args(["init", "--quiet", "--bare", "--template="]);
        let format = if sha256 {
            "--object-format=sha256"
        } else {
            "--object-format=sha1"
        };
        let init = init.arg(format);
        init.run(self.cancel).await.map(drop)
    }

    /// Fetches into a new repository, leaving out what the server can leave out if that is
    /// wanted.
    pub(super) async fn first(
        &self,
        advertised: &Advertised,
        without_files: bool,
    ) -> Result<Fetched, GitError> {
        let mut fetched = Fetched::default();
        for filter in FILTERS {
            if filter.is_some() && !without_files {
                continue;
            }
            match self.fetch_refs(advertised, filter, &mut fetched).await {
                Err(error) if filter.is_some() && refuses_filter(&error) => {}
                Err(error) if filter.is_some() && is_unserved(&error) => {
                    fetched.unserved = Some(reason(&error));
                    self.start_over(advertised).await?;
                }
                Err(error) => return Err(error),
                Ok(said) => {
                    fetched.filter = filter.filter(|_| !said.contains("filtering not recognized"));
                    return Ok(fetched);
                }
            }
        }
        Ok(fetched)
    }

    /// Empties the repository: what a failed fetch has noted of its filter would be used again.
    async fn start_over(&self, advertised: &Advertised) -> Result<(), GitError> {
        let emptied = disk::remove(self.into).and_then(|()| std::fs::create_dir_all(self.into));
        emptied.map_err(|error| GitError {
            command: "fetch".to_owned(),
            place: self.into.display().to_string(),
            kind: GitErrorKind::Process(error.to_string()),
            stderr: String::new(),
        })?;
        self.init(advertised.uses_sha256()).await
    }

    /// Fetches all refs at once, or, where some cannot be written so, each by itself.
    async fn fetch_refs(
        &self,
        advertised: &Advertised,
        filter: Option<&'static str>,
        fetched: &mut Fetched,
    ) -> Result<String, GitError> {
        fetched.requests += 1;
        let said = match self.fetch(advertised, filter, fetched.deepens, true).await {
            Err(error) if names_collide(&error) => {
                // `a` went and `a/b` came: one transaction cannot have both, two can.
                fetched.requests += 1;
                self.fetch(advertised, filter, fetched.deepens, false).await
            }
            done => return done,
        };
        match said {
            // Others were written.
            Err(error) if names_collide(&error) && !error.stderr.contains("Permission denied") => {
                fetched.in_part = true;
                Ok(error.stderr)
            }
            said => said,
        }
    }

    /// Fetches what is new. A repository with an incomplete history asks for the rest again.
    pub(super) async fn again(
        &self,
        advertised: &Advertised,
        filter: &str,
        shallow: bool,
    ) -> Result<Fetched, GitError> {
        let filter = FILTERS.into_iter().flatten().find(|known| *known == filter);
        let mut fetched = Fetched {
            filter,
            deepens: shallow,
            ..Fetched::default()
        };
        self.fetch_refs(advertised, filter, &mut fetched).await?;
        Ok(fetched)
    }

    async fn fetch(
        &self,
        advertised: &Advertised,
        filter: Option<&'static str>,
        shallow: bool,
        atomic: bool,
    ) -> Result<String, GitError> {
        let mut command = self.here().args(FETCH.iter().copied());
        command = match filter {
            Some("tree:0") => command.arg("--filter=tree:0"),
            Some(_) => command.arg("--filter=blob:none"),
            None => command,
        };
        if atomic {
            command = command.arg("--atomic");
        }
        if shallow {
            command = command.arg("--unshallow");
        }
        command = command.reaching(&self.task.remote).arg("origin").args(REFS);
        if matches!(advertised.head, Head::Detached(_)) {
            // Its commits come along, and HEAD keeps them.
            command = command.arg("HEAD");
        }
        for name in self.left_out.names() {
            command = command.leaving_out(name);
        }
        if let Some(watch) = self.task.watch.clone() {
            command = command.watched(move |progress| watch(progress));
        }
        self.noted(command).await
    }

    /// Runs a command that may outlive us if we are killed.
    pub(super) async fn noted(&self, command: Command) -> Result<String, GitError> {
        let running = command.stream(self.cancel)?;
        let note = Note::beside(self.place);
        note.child(running.id());
        running.finish().await
    }

    /// Lets HEAD be what the source's is.
    pub(super) async fn set_head(&self, head: &Head) -> Result<(), GitError> {
        let command = match head {
            Head::Branch(name) => self.symbolic(name),
            Head::Detached(id) => {
                let detach = self
                    .here()
                    .args(["update-ref", "--no-deref", "HEAD"])
                    .object(id);
                match detach.run(self.cancel).await {
                    // It moved on between the list and the fetch; the next run sees that.
                    Err(error) if error.kind != GitErrorKind::Cancelled => self.unborn(),
                    done => return done.map(drop),
                }
            }
            Head::Unborn => self.unborn(),
        };
        command.run(self.cancel).await.map(drop)
    }

    fn symbolic(&self, name: &RefName) -> Command {
        self.here().args(["symbolic-ref", "HEAD"]).reference(name)
    }

    fn unborn(&self) -> Command {
        self.here().args(["symbolic-ref", "HEAD", NO_HEAD])
    }

    /// A command in the repository, offline.
    pub(super) fn here(&self) -> Command {
        self.git.in_repository(self.into)
    }
}

/// Whether the server knows filters and does not allow this one.
fn refuses_filter(error: &GitError) -> bool {
    let lines = || error.stderr.lines().filter(|line| line.contains("filter"));
    lines().any(|line| line.contains("not supported") || line.contains("tree filter allows"))
}

/// Whether what came without files cannot be used: a tag may name a folder, which a filter leaves
/// out, and a server may fail to filter.
fn is_unserved(error: &GitError) -> bool {
    let failed = matches!(error.kind, GitErrorKind::Corrupt | GitErrorKind::Failed(_));
    failed || error.stderr.contains("pack-objects died")
}

/// What git said of its failure in one line; else its kind.
fn reason(error: &GitError) -> String {
    let mut lines = error.stderr.lines();
    let fatal = lines.find(|line| line.starts_with("fatal: "));
    fatal.map_or_else(
        || error.kind.to_string(),
        |line| line["fatal: ".len()..].to_owned(),
    )
}

/// Whether names of refs stand in each other's way within one transaction.
fn names_collide(error: &GitError) -> bool {
    let texts = [
        "cannot lock ref",
        "cannot process",
        "some local refs could not be updated",
        "trying to write non-commit object",
    ];
    texts.iter().any(|text| error.stderr.contains(text))
}

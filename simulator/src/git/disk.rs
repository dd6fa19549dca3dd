//! Repositories of the world as git has them on disk, written when them is asked for.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, OnceLock};

use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::server::locked;
use crate::world::{Commit, Hash, Repository, Tag};

use super::objects::{self, Object};

/// The repositories on disk.
#[derive(Debug)]
pub(crate) struct Disk {
    /// Made when the first repository is asked for, and removed with the simulator.
    folder: Mutex<Option<Arc<TempDir>>>,
    /// By the repository's internal number.
    written: Mutex<HashMap<u64, Arc<tokio::sync::Mutex<Written>>>>,
    /// Repositories that a test has put in place of the world's, by full name.
    own: Mutex<HashMap<String, PathBuf>>,
    filters: bool,
}

/// What of one repository is on disk.
#[derive(Debug, Default)]
struct Written {
    is_begun: bool,
    known: HashSet<Hash>,
}

/// What a repository has in git.
pub(crate) struct Snapshot {
    serial: u64,
    head: String,
    branches: Vec<(String, Hash)>,
    tags: Vec<(String, Tag)>,
    commits: Vec<Commit>,
}

impl Snapshot {
    /// Everything that git knows of a repository, also what no branch leads to any more.
    pub(crate) fn of(repository: &Repository) -> Snapshot {
        let branches = repository.branches();
        let branches = branches.iter();
        let of_requests = repository.pull_requests.values();
        let of_requests = of_requests.flat_map(|request| &request.commits);
        let main = repository.main.iter().chain(&repository.dropped);
        Snapshot {
            serial: repository.serial,
            head: repository
                .mainbranch
                .clone()
                .unwrap_or_else(|| "main".to_owned()),
            branches: branches
                .map(|(name, (head, _))| ((*name).to_owned(), *head))
                .collect(),
            tags: repository.tags.clone().into_iter().collect(),
            commits: main.chain(of_requests).cloned().collect(),
        }
    }

    /// Objects that are not on disk yet, and the commits and tags they belong to.
    fn missing(&self, known: &HashSet<Hash>) -> (Vec<Object>, HashSet<Hash>) {
        let (mut missing, mut new) = (Vec::new(), HashSet::new());
        for commit in &self.commits {
            if !known.contains(&commit.hash) && new.insert(commit.hash) {
                missing.extend(objects::of_commit(commit));
            }
        }
        for (name, tag) in &self.tags {
            let made = objects::of_tag(name, tag);
            missing.extend(
                made.filter(|made| !known.contains(&made.hash()) && new.insert(made.hash())),
            );
        }
        (missing, new)
    }

    /// The refs in the form of `packed-refs`.
    fn refs(&self) -> String {
        let mut lines: Vec<(String, Hash, Option<Hash>)> = self
            .branches
            .iter()
            .map(|(name, head)| (format!("refs/heads/{name}"), *head, None))
            .collect();
        lines.extend(self.tags.iter().map(|(name, tag)| {
            let made = objects::of_tag(name, tag).map(|made| made.hash());
            let peeled = made.map(|_| tag.target);
            (
                format!("refs/tags/{name}"),
                made.unwrap_or(tag.target),
                peeled,
            )
        }));
        lines.sort();
        let mut text = "# pack-refs with: peeled fully-peeled sorted \n".to_owned();
        for (name, hash, peeled) in lines {
            let _ = writeln!(text, "{hash} {name}");
            if let Some(peeled) = peeled {
                let _ = writeln!(text, "^{peeled}");
            }
        }
        text
    }
}

impl Disk {
    pub(crate) fn new(filters: bool) -> Disk {
        Disk {
            folder: Mutex::default(),
            written: Mutex::default(),
            own: Mutex::default(),
            filters,
        }
    }

    /// Serves a repository on disk in place of the world's.
    pub(crate) fn put(&self, full_name: &str, folder: PathBuf) {
        locked(&self.own).insert(full_name.to_owned(), folder);
    }

    /// The repository that a test has put there.
    pub(crate) fn own(&self, full_name: &str) -> Option<PathBuf> {
        locked(&self.own).get(full_name).cloned()
    }

    /// Where a repository is, whether it was written or not.
    pub(crate) fn place_of(&self, snapshot: &Snapshot) -> io::Result<PathBuf> {
        let mut folder = locked(&self.folder);
        let kept = match folder.as_ref() {
            Some(kept) => Arc::clone(kept),
            None => Arc::new(tempfile::tempdir()?),
        };
        let place = kept.path().join(format!("{}.git", snapshot.serial));
        *folder = Some(kept);
        Ok(place)
    }

    /// Brings a repository on disk up to the world.
    pub(crate) async fn write(&self, snapshot: &Snapshot) -> io::Result<PathBuf> {
        let place = self.place_of(snapshot)?;
        let written = Arc::clone(locked(&self.written).entry(snapshot.serial).or_default());
        let mut written = written.lock().await;
        if !written.is_begun {
            self.begin(&place)?;
            written.is_begun = true;
        }
        let (missing, new) = snapshot.missing(&written.known);
        if !missing.is_empty() {
            let pack = objects::pack(&missing)?;
            index(&place, &pack).await?;
        }
        // Not before: a client that leaves meanwhile takes this with it.
        written.known.extend(new);
        let head = format!("ref: refs/heads/{}\n", snapshot.head);
        replace(&place.join("HEAD"), &head)?;
        replace(&place.join("packed-refs"), &snapshot.refs())?;
        Ok(place)
    }

    /// An empty bare repository, as little as git takes for one.
    fn begin(&self, place: &Path) -> io::Result<()> {
        for folder in ["objects/pack", "objects/info", "refs/heads", "refs/tags"] {
            std::fs::create_dir_all(place.join(folder))?;
        }
        let filters = self.filters;
        let config = format!(
            "[core]\n\trepositoryformatversion = 0\n\tbare = true\n[uploadpack]\n\
             \tallowFilter = {filters}\n"
        );
        std::fs::write(place.join("config"), config)?;
        // Without it git takes the folder for none of its own.
        std::fs::write(place.join("HEAD"), "ref: refs/heads/main\n")
    }
}

/// Writes a file so that no reader sees a part of it.
fn replace(file: &Path, text: &str) -> io::Result<()> {
    let next = file.with_extension("next");
    std::fs::write(&next, text)?;
    std::fs::rename(&next, file)
}

/// Adds a pack to a repository.
async fn index(place: &Path, pack: &[u8]) -> io::Result<()> {
    let mut command = git(place);
    command.args(["index-pack", "--stdin"]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(pack).await?;
        input.shutdown().await?;
    }
    let status = child.wait().await?;
    if status.success() {
        return Ok(());
    }
    Err(io::Error::other(format!(
        "git index-pack ended with {status}"
    )))
}

/// Git in a repository, with nothing of this machine's configuration.
pub(crate) fn git(place: &Path) -> Command {
    let mut command = Command::new(program());
    command.env_clear();
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("LC_ALL", "C")
        .current_dir(place)
        .stderr(Stdio::null())
        .kill_on_drop(true);
    command
}

/// Git as an absolute path. A child whose program must be sought in an environment of its own is
/// forked, which copies the page tables of this process: half the time of many short commands.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let folders = std::env::var_os("PATH").unwrap_or_default();
        let mut programs = std::env::split_paths(&folders).map(|folder| folder.join("git"));
        let found = programs.find(|program| program.is_absolute() && program.is_file());
        // Starting it says what is missing.
        found.unwrap_or_else(|| PathBuf::from("git"))
    })
}

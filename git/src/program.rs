//! Finding git, and its version.

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::{Command, GitError};

/// The oldest version that is used. 2.31 reads configuration from the environment
/// (`GIT_CONFIG_COUNT`) and fetches atomically, 2.32 can be made to read none from the user
/// (`GIT_CONFIG_GLOBAL`).
const OLDEST: Version = Version {
    major: 2,
    minor: 32,
    patch: 0,
};

/// How long `git version` may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A version of git.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// The first number.
    pub major: u32,
    /// The second number.
    pub minor: u32,
    /// The third number; 0 where there is none.
    pub patch: u32,
}

impl Version {
    /// Reads `git version 2.39.5 (Apple Git-154)`; none if it is something else.
    fn read(text: &str) -> Option<Self> {
        let mut words = text.strip_prefix("git version ")?.split_whitespace();
        let mut numbers = words.next()?.split('.');
        Some(Self {
            major: numbers.next()?.parse().ok()?,
            minor: numbers.next()?.parse().ok()?,
            patch: numbers
                .next()
                .and_then(|patch| patch.parse().ok())
                .unwrap_or(0),
        })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// Why there is no git to use.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// It is not there.
    #[error(
        "git is not found ({0}); install git {OLDEST} or newer (Debian and Ubuntu: apt install git, \
         Fedora: dnf install git, macOS: brew install git), or name the program by git.program"
    )]
    Missing(String),
    /// It does not say its version.
    #[error("{program} does not behave like git: {why}; name another program by git.program")]
    Strange {
        /// The program.
        program: String,
        /// What it did.
        why: String,
    },
    /// It is too old.
    #[error(
        "{program} is version {found}, and headwater needs git {OLDEST} or newer, whose \
         configuration can be kept apart from the user's; install a newer git, or name one by \
         git.program"
    )]
    TooOld {
        /// The program.
        program: String,
        /// Its version.
        found: Version,
    },
}

/// The system's git, found and checked.
#[derive(Clone, Debug)]
pub struct Git {
    program: PathBuf,
    version: Version,
}

impl Git {
    /// Finds a program, `git` unless another is named, and asks for its version. A name without
    /// a slash is looked for in `PATH`.
    ///
    /// # Errors
    /// When it is not there, is something else, or is too old.
    pub async fn find(program: Option<&Path>) -> Result<Self, FindError> {
        let name = program.unwrap_or(Path::new("git"));
        let program = look_up(name).ok_or_else(|| {
            let sought = name.display();
            FindError::Missing(format!("{sought} is no program that can be run"))
        })?;
        let shown = program.display().to_string();
        let strange = |why: String| FindError::Strange {
            program: shown.clone(),
            why,
        };
        let answer = ask_version(&program)
            .await
            .map_err(|error| strange(error.to_string()))?;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        match Version::read(answer.trim()) {
            None => Err(strange(format!(
                "its version is \"{}\"",
                answer
                    .trim()
                    .chars()
                    .take(80)
                    .flat_map(char::escape_debug)
                    .collect::<String>()
            ))),
            Some(found) if found < OLDEST => Err(FindError::TooOld {
                program: shown,
                found,
            }),
            Some(version) => Ok(Self { program, version }),
        }
    }

    /// Its version.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// Where it is.
    #[must_use]
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// A command that reads or writes the bare repository at a path, offline: no protocol is
    /// allowed, nothing is fetched lazily, and no other repository is looked for.
    #[must_use]
    pub fn in_repository(&self, repository: &Path) -> Command {
        Command::new(&self.program, Some(repository))
    }

    /// A command outside any repository, offline unless it is given a remote.
    #[must_use]
    pub fn outside(&self) -> Command {
        Command::new(&self.program, None)
    }
}

async fn ask_version(program: &Path) -> Result<Vec<u8>, GitError> {
    let stop = CancellationToken::new();
    let answer = Command::new(program, None)
        .arg("version")
        .output(1024, &stop);
    match tokio::time::timeout(PATIENCE, answer).await {
        Ok(answer) => answer,
        Err(_) => Err(GitError {
            command: "version".to_owned(),
            place: String::new(),
            kind: crate::GitErrorKind::Process("it does not answer".to_owned()),
            stderr: String::new(),
        }),
    }
}

/// The program as an absolute path, which stays the same whatever folder it is started in.
pub(crate) fn look_up(name: &Path) -> Option<PathBuf> {
    let has_folder = name.parent().is_some_and(|folder| folder != Path::new(""));
    if has_folder {
        return std::path::absolute(name).ok().filter(|path| path.is_file());
    }
    let folders = std::env::var_os("PATH")?;
    let file = |folder: PathBuf| {
        let mut path = folder.join(name);
        if path.extension() != Some(OsStr::new(std::env::consts::EXE_EXTENSION)) && cfg!(windows) {
            path.set_extension(std::env::consts::EXE_EXTENSION);
        }
        path
    };
    std::env::split_paths(&folders)
        .filter(|folder| folder.is_absolute())
        .map(file)
        .find(|path| path.is_file())
}

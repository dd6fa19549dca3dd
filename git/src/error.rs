//! Why a git command failed: which, against what, and what follows from it.

/// A git command that failed. Its text holds no secret and no user info of URLs.
#[derive(Debug, thiserror::Error)]
#[error("git {command}{}: {kind}{}", against(place), told(stderr))]
pub struct GitError {
    /// The subcommand, such as `fetch`.
    pub command: String,
    /// The remote or the repository, as it may be shown; empty where there is none.
    pub place: String,
    /// What went wrong.
    pub kind: GitErrorKind,
    /// The end of what git said about it.
    pub stderr: String,
}

fn against(place: &str) -> String {
    match place {
        "" => String::new(),
        place => format!(" with {place}"),
    }
}

fn told(stderr: &str) -> String {
    match stderr.trim() {
        "" => String::new(),
        stderr => format!("; git said: {}", stderr.replace('\n', " / ")),
    }
}

/// What went wrong with a git command.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GitErrorKind {
    /// The remote wants credentials, or others.
    #[error(
        "the credentials were refused; check the token, its expiry date and its permission to read repositories"
    )]
    Authentication,
    /// The credentials are known, and not enough.
    #[error("not permitted; grant the credentials permission to read this repository")]
    Forbidden,
    /// An SSH server knows none of this machine's keys.
    #[error(
        "the SSH server refused this machine's keys; let it know one that may read the repository, for example one that ssh-add lists"
    )]
    SshKeys,
    /// An SSH server that is not known, or is another one than before.
    #[error(
        "the server's SSH key is not known; check it and add it to known_hosts, for example by connecting once by hand"
    )]
    HostKey,
    /// There is no such repository, or it is not visible.
    #[error("the repository is not there, or not visible to these credentials")]
    NotFound,
    /// The server sent us elsewhere.
    #[error(
        "the server redirects to another address, which is not followed; write the new address into the configuration"
    )]
    Redirected,
    /// Too many requests.
    #[error("the server wants fewer requests; try again later")]
    RateLimited,
    /// The remote could not be reached, or went away.
    #[error("the remote could not be reached or broke off")]
    Network,
    /// No room.
    #[error("the disk is full; make room or choose another folder for mirrors")]
    DiskFull,
    /// A transport that is not the remote's own.
    #[error("a way of transport that is not allowed")]
    ProtocolRefused,
    /// A repository on this machine cannot be read.
    #[error("the repository on this machine is damaged")]
    Corrupt,
    /// The work was cancelled.
    #[error("cancelled")]
    Cancelled,
    /// A record or an answer is too long.
    #[error("it printed a record of more than {0} bytes")]
    TooLong(usize),
    /// What git printed is not what git prints.
    #[error("it printed something unexpected: {0}")]
    Unexpected(String),
    /// The child process could not be started, fed or read.
    #[error("the child process failed: {0}")]
    Process(String),
    /// Anything else: how it ended.
    #[error("it failed ({0})")]
    Failed(String),
}

/// What git says, in the C locale, and what it means. The first one that is found counts.
const MEANINGS: &[(GitErrorKind, &[&str])] = &[
    (
        GitErrorKind::DiskFull,
        &["No space left on device", "Disk quota exceeded"],
    ),
    (
        GitErrorKind::ProtocolRefused,
        &["' not allowed", "is not allowed by protocol"],
    ),
    (
        GitErrorKind::HostKey,
        &[
            "Host key verification failed",
            "REMOTE HOST IDENTIFICATION HAS CHANGED",
        ],
    ),
    (
        GitErrorKind::Redirected,
        &[
            "returned error: 301",
            "returned error: 302",
            "returned error: 303",
            "returned error: 307",
            "returned error: 308",
        ],
    ),
    (
        GitErrorKind::RateLimited,
        &["returned error: 429", "HTTP 429"],
    ),
    (GitErrorKind::SshKeys, &["Permission denied ("]),
    (
        GitErrorKind::Authentication,
        &[
            "Authentication failed",
            "could not read Username",
            "could not read Password",
            "returned error: 401",
            "HTTP 401",
        ],
    ),
    (
        GitErrorKind::Forbidden,
        &["returned error: 403", "HTTP 403"],
    ),
    (
        GitErrorKind::NotFound,
        &[
            "' not found",
            "Repository not found",
            "repository not found",
            "does not appear to be a git repository",
            "returned error: 404",
            "returned error: 410",
            "no such repository",
        ],
    ),
    (
        GitErrorKind::Corrupt,
        &["did not send all necessary objects"],
    ),
    (
        GitErrorKind::Network,
        &[
            "corruption on the remote side",
            "remote error:",
            "unable to access 'http",
            "the remote end hung up",
            "early EOF",
            "unexpected disconnect",
            "RPC failed",
            "Could not read from remote repository",
            "Could not resolve host",
            "onnection refused",
            "onnection reset",
            "onnection timed out",
            "pack has bad object",
            "invalid index-pack output",
            "pack is corrupted",
            "not valid: is this a git repository",
            "protocol error",
            "fatal: expected '",
            "expected flush",
            "invalid server response",
        ],
    ),
    (
        GitErrorKind::Corrupt,
        &[
            "not a git repository",
            "missing object",
            "bad object",
            "bad config",
            "bad tree object",
            "could not parse commit",
            "loose object",
            "object file",
            "packfile",
            "index file",
            "pack-objects died",
            "unable to read",
            "could not read",
            "inflate: ",
            "failed to read object",
            "Failed to traverse parents",
            "does not point to a valid object",
            "bad ref",
            "is corrupt",
        ],
    ),
];

/// What went wrong, by what git said; lines that quote the remote are no proof of anything.
pub(crate) fn meaning(stderr: &str) -> Option<GitErrorKind> {
    let own: Vec<&str> = stderr
        .lines()
        .filter(|line| !line.starts_with("remote: "))
        .collect();
    let says = |text: &&str| own.iter().any(|line| line.contains(*text));
    MEANINGS
        .iter()
        .find(|(_, texts)| texts.iter().any(&says))
        .map(|(kind, _)| kind.clone())
}

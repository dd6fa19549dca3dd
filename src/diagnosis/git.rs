//! What git's answer says about a connection.

use headwater_git::{GitError, GitErrorKind};

use super::{Code, Diagnosis};

/// What is wrong with a repository that `ls-remote` could not list.
#[must_use]
pub fn of_git(name: &str, error: &GitError) -> Diagnosis {
    let detail = format!("{name}: {error}");
    let unreachable = |cause, next: &str| Diagnosis::unreachable(cause, detail.clone(), next);
    let of = |code, next: &str| Diagnosis::of(code, detail.clone(), next);
    match &error.kind {
        GitErrorKind::Authentication => of(
            Code::InvalidCredentials,
            "Check the credentials under `auth`, their expiry date and their permission to read \
             repositories.",
        ),
        GitErrorKind::SshKeys => of(
            Code::InvalidCredentials,
            "Let the SSH server know a key of this machine that may read the repository.",
        ),
        GitErrorKind::Forbidden => of(
            Code::InvalidPermissions,
            "Grant the credentials permission to read this repository.",
        ),
        GitErrorKind::NotFound => of(
            Code::NoResources,
            "Check the address under `git`, and whether these credentials may see the repository.",
        ),
        GitErrorKind::RateLimited => of(
            Code::RateLimited,
            "Wait a while, because the server wants fewer requests.",
        ),
        GitErrorKind::HostKey => unreachable(
            "tls",
            "Check the server's SSH key and add it to known_hosts, for example by connecting once \
             by hand.",
        ),
        GitErrorKind::Redirected => unreachable(
            "not_the_api",
            "Write the address that the server leads to under `git`.",
        ),
        GitErrorKind::Network => unreachable(
            "broken",
            "Check the address under `git`, and whether this machine needs a `proxy` or a `ca_file` \
             to reach the server.",
        ),
        _ => unreachable(
            "not_the_api",
            "Check that the address under `git` is one of a git repository.",
        ),
    }
}

/// What is wrong with a server that does not answer in time.
#[must_use]
pub fn of_silence(name: &str, url: &str) -> Diagnosis {
    Diagnosis::unreachable(
        "timeout",
        format!("{name}: {url} does not answer"),
        "Check the address under `git`, and whether this machine needs a `proxy` to reach the \
         server.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;

    #[test]
    fn what_git_says_is_one_of_the_words() {
        let of = |kind| {
            let error = GitError {
                command: "ls-remote".to_owned(),
                place: "https://git.example/w.git".to_owned(),
                kind,
                stderr: String::new(),
            };
            of_git("tools/widget", &error)
        };
        for (kind, code, exit) in [
            (
                GitErrorKind::Authentication,
                "invalid_credentials",
                Exit::Credentials,
            ),
            (
                GitErrorKind::SshKeys,
                "invalid_credentials",
                Exit::Credentials,
            ),
            (
                GitErrorKind::Forbidden,
                "invalid_permissions",
                Exit::Credentials,
            ),
            (GitErrorKind::NotFound, "no_resources", Exit::Credentials),
            (GitErrorKind::RateLimited, "rate_limited", Exit::Failed),
            (GitErrorKind::Network, "unreachable", Exit::Failed),
            (GitErrorKind::Redirected, "unreachable", Exit::Failed),
            (GitErrorKind::HostKey, "unreachable", Exit::Failed),
        ] {
            let diagnosis = of(kind);
            assert_eq!(
                (diagnosis.code.as_str(), diagnosis.code.exit()),
                (code, exit)
            );
            let next = &diagnosis.next;
            assert!(next.ends_with('.') && !next.contains(". "), "{next}");
            assert!(diagnosis.detail.contains("tools/widget"));
        }
    }
}

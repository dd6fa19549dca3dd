//! What a command sees, and which git it is.

use std::path::Path;

use crate::{FindError, Git};

use super::{git, go_on, program};
use crate::fixture::Repository;

#[tokio::test]
async fn a_git_that_is_too_old_is_refused_and_the_message_says_what_to_install() {
    let folder = tempfile::tempdir().unwrap();
    let old = program(folder.path(), "echo git version 2.30.2");
    let error = Git::find(Some(&old)).await.unwrap_err();
    assert!(matches!(error, FindError::TooOld { .. }));
    let text = error.to_string();
    assert!(
        text.contains("2.30.2") && text.contains("2.32.0") && text.contains("git.program"),
        "{text}"
    );
}

#[tokio::test]
async fn versions_of_all_vendors_are_read() {
    for stderr in [
        "2.39.5 (Apple Git-154)",
        "2.47.1.windows.1",
        "2.51",
        "3.0.0-rc1",
        "10.1.0.dirty",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let program = program(folder.path(), &format!("echo 'git version {stderr}'"));
        Git::find(Some(&program)).await.expect(stderr);
    }
}

#[tokio::test]
async fn what_is_not_git_is_not_taken_for_git() {
    let folder = tempfile::tempdir().unwrap();
    for lines in [
        "echo hello",
        "echo git version two",
        "exit 1",
        "exit 0",
        "yes git version",
    ] {
        let program = program(folder.path(), lines);
        let error = Git::find(Some(&program)).await.unwrap_err();
        assert!(
            matches!(error, FindError::Strange { .. }),
            "{lines}: {error}"
        );
    }
    let error = Git::find(Some(Path::new("no-such-git"))).await.unwrap_err();
    assert!(error.to_string().contains("install git"), "{error}");
    let error = Git::find(Some(&folder.path().join("nothing")))
        .await
        .unwrap_err();
    assert!(matches!(error, FindError::Missing(_)), "{error}");
}

#[tokio::test]
async fn a_command_sees_no_environment_and_no_configuration_but_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let seen = program(
        folder.path(),
        "case $1 in version) echo git version 2.40.0;; *) env;; esac",
    );
    let command = Git::find(Some(&seen)).await.unwrap().outside().arg("log");
    let seen = String::from_utf8(command.output(1 << 20, &go_on()).await.unwrap()).unwrap();
    let allowed = |name: &str| {
        let own = [
            "PATH",
            "LC_ALL",
            "TZ",
            "HOME",
            "SSH_ASKPASS",
            "PWD",
            "_",
            "SHLVL",
            "OLDPWD",
        ];
        own.contains(&name) || name.starts_with("GIT_")
    };
    for line in seen.lines() {
        let (name, _) = line.split_once('=').expect(line);
        assert!(allowed(name), "{line}");
    }
    for line in [
        "LC_ALL=C",
        "TZ=UTC",
        "HOME=/dev/null",
        "GIT_CONFIG_NOSYSTEM=1",
        "GIT_CONFIG_GLOBAL=/dev/null",
        "GIT_TERMINAL_PROMPT=0",
        "GIT_ALLOW_PROTOCOL=none",
        "GIT_NO_LAZY_FETCH=1",
        "GIT_OPTIONAL_LOCKS=0",
    ] {
        assert!(seen.lines().any(|seen| seen == line), "{line} in {seen}");
    }
}

#[tokio::test]
async fn all_configuration_is_the_one_given_to_the_command() {
    let source = Repository::new();
    let command = git().await.in_repository(source.path());
    let command = command.args(["config", "--list", "--show-scope"]);
    let output = command.output(1 << 20, &go_on()).await.unwrap();
    let output = String::from_utf8(output).unwrap();
    assert!(output.contains("core.hookspath=/dev/null"), "{output}");
    for line in output.lines() {
        assert!(
            line.starts_with("command\t") || line.starts_with("local\t"),
            "{line}"
        );
    }
}

#[tokio::test]
async fn a_folder_that_is_no_repository_does_not_lead_to_the_one_around_it() {
    let source = Repository::new();
    let inside = source.path().join("objects");
    let command = git()
        .await
        .in_repository(&inside)
        .args(["rev-parse", "--git-dir"]);
    let error = command.output(1024, &go_on()).await.unwrap_err();
    assert_eq!(error.kind, crate::GitErrorKind::Corrupt, "{error}");
}

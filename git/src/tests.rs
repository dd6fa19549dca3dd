//! Commands against real repositories, on this machine only.

mod children;
mod isolation;
mod remotes;
mod ways;

use std::path::Path;

use tokio_util::sync::CancellationToken;

use crate::{Git, Paths, Remote, RemoteUrl};

async fn git() -> Git {
    Git::find(None).await.unwrap()
}

fn go_on() -> CancellationToken {
    CancellationToken::new()
}

fn at_path(path: &Path) -> Remote {
    Remote::new(RemoteUrl::parse(path.to_str().unwrap(), Paths::Allowed).unwrap())
}

/// A program of a few lines in place of git.
#[cfg(unix)]
fn program(folder: &Path, lines: &str) -> std::path::PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    let path = folder.join("git");
    std::fs::write(&path, format!("#!/bin/sh\n{lines}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

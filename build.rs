//! Puts the version that `--version` prints together: number, commit and its day.
//!
//! The commit is that of `commit.txt`, which `git archive` fills in, else that of the checkout.
//! Without both there is the number alone. A build for development has no commit, so that a commit
//! compiles nothing anew.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=commit.txt");
    let number = std::env::var("CARGO_PKG_VERSION").unwrap_or_default();
    let version = match of_archive().or_else(of_checkout) {
        Some(commit) => format!("{number} ({commit})"),
        None => number,
    };
    println!("cargo:rustc-env=HEADWATER_VERSION={version}");
}

/// `git archive` replaces the placeholder in the file.
fn of_archive() -> Option<String> {
    let text = std::fs::read_to_string("commit.txt").ok()?;
    checked(&text)
}

fn of_checkout() -> Option<String> {
    let profile = std::env::var("PROFILE").ok()?;
    if profile != "release" {
        return None;
    }
    // Below the checkout of something else its commit would say nothing of ours.
    let here = std::env::var_os("CARGO_MANIFEST_DIR")?;
    let top = git(&["rev-parse", "--show-toplevel"])?;
    let same = |path: &Path| path.canonicalize().ok();
    if same(Path::new(&top))? != same(Path::new(&here))? {
        return None;
    }
    if let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"]) {
        println!("cargo:rerun-if-changed={log}");
    }
    checked(&git(&["log", "-1", "--format=%h %cs"])?)
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

/// A short hash and a day, and nothing else.
fn checked(text: &str) -> Option<String> {
    let (hash, day) = text.trim().split_once(' ')?;
    let is_hash = hash.len() >= 7 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_day = day.len() == 10
        && day
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'-');
    (is_hash && is_day).then(|| format!("{hash} {day}"))
}

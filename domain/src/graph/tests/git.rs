//! The walk against `git rev-list NEW ^OLD`, on random repositories.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use proptest::test_runner::{Config, TestRunner};

use super::*;

/// Git in an empty world: no configuration but its own, no hooks, no prompts.
fn git(folder: &Path, arguments: &[&str], input: &str) -> String {
    let mut command = Command::new("git");
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_TERMINAL_PROMPT", "0")
        .current_dir(folder)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut pipe = child.stdin.take().unwrap();
    pipe.write_all(input.as_bytes()).unwrap();
    drop(pipe);
    let Output {
        status,
        stdout,
        stderr,
    } = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&stderr);
    assert!(status.success(), "git {arguments:?}: {said}");
    String::from_utf8(stdout).unwrap()
}

/// Commits for `git fast-import`, each on a branch of its own.
fn import(shape: &Shape) -> String {
    let mut text = String::new();
    for (number, parents) in shape.iter().enumerate() {
        // Times go down as often as up: a walk must not trust them.
        let time = 1_700_000_000 + (number * 7919) % 1000;
        let _ = writeln!(
            text,
            "commit refs/heads/c{number}\nmark :{}\ncommitter T <t@example.org> {time} +0000\n\
             data 0",
            number + 1
        );
        for (place, parent) in parents.iter().flatten().enumerate() {
            let word = if place == 0 { "from" } else { "merge" };
            let _ = writeln!(text, "{word} :{}", parent + 1);
        }
        text.push('\n');
    }
    text
}

fn graph_of_repository(folder: &Path) -> Graph {
    let listed = git(folder, &["rev-list", "--parents", "--all"], "");
    let mut builder = GraphBuilder::default();
    for line in listed.lines() {
        let hashes = line.split(' ').map(|text| text.parse().unwrap());
        let hashes: Vec<CommitHash> = hashes.collect();
        builder.add(hashes[0], &hashes[1..]).unwrap();
    }
    builder.finish()
}

/// One repository: every difference between some commits is what git says it is.
fn assert_agrees_with_git(shape: &Shape, pairs: &[(usize, usize)]) {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    git(folder, &["init", "--quiet", "--bare", "."], "");
    git(folder, &["fast-import", "--quiet"], &import(shape));
    let graph = graph_of_repository(folder);
    assert_eq!(graph.len(), shape.len());
    let named = git(
        folder,
        &["for-each-ref", "--format=%(refname:short) %(objectname)"],
        "",
    );
    let commit = |number: usize| {
        let name = format!("c{number} ");
        let hash = named
            .lines()
            .find_map(|line| line.strip_prefix(&name))
            .unwrap();
        (hash, graph.find(hash.parse().unwrap()).unwrap())
    };
    let mut walk = RangeWalk::over(&graph);
    for &(new, old) in pairs {
        let ((new, new_commit), (old, old_commit)) = (commit(new), commit(old));
        let listed = git(folder, &["rev-list", new, &format!("^{old}")], "");
        let expected: HashSet<String> = listed.lines().map(str::to_owned).collect();
        let difference = walk.difference(new_commit, old_commit);
        assert!(difference.is_complete);
        let found = difference.commits.iter();
        let found: HashSet<String> = found.map(|&c| graph.hash(c).to_string()).collect();
        assert_eq!(
            difference.commits.len(),
            found.len(),
            "nothing is listed twice"
        );
        assert_eq!(found, expected, "{new} ^{old}");
    }
}

#[test]
fn random_repositories_differ_as_git_says() {
    let mut runner = TestRunner::new(Config {
        cases: 12,
        failure_persistence: None,
        ..Config::default()
    });
    let pair = (any::<prop::sample::Index>(), any::<prop::sample::Index>());
    let cases = (shapes(), prop::collection::vec(pair, 6));
    let outcome = runner.run(&cases, |((shape, _), pairs)| {
        let shape: Shape = shape
            .into_iter()
            .map(|parents| Some(parents.unwrap_or_default()))
            .collect();
        let place = |index: &prop::sample::Index| index.index(shape.len());
        let pairs = pairs.iter().map(|(new, old)| (place(new), place(old)));
        assert_agrees_with_git(&shape, &pairs.collect::<Vec<_>>());
        Ok(())
    });
    outcome.unwrap();
}

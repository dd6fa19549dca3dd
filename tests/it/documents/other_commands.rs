//! Commands in the documents that are not ours: each is one that there is, is run, or says what it
//! needs.

use std::path::Path;
use std::process::Command;

use super::{Line, NEEDS, all_lines, pages, root};

/// What a shell does by itself.
const BUILT_IN: [&str; 3] = ["export", "eval", "cd"];

/// The words of a line, the variables before its command left out.
fn words(line: &str) -> Vec<&str> {
    let (line, _) = line.split_once(" #").unwrap_or((line, ""));
    let words = line.split_whitespace();
    let is_variable = |word: &&str| word.split_once('=').is_some_and(|(name, _)| is_name(name));
    words.skip_while(is_variable).collect()
}

fn is_name(text: &str) -> bool {
    let is_letter = |letter: char| letter.is_ascii_uppercase() || letter == '_';
    !text.is_empty() && text.chars().all(is_letter)
}

/// What is wrong with a line, if it is.
fn wrong(line: &Line) -> Option<String> {
    let words = words(&line.text);
    let first = words.first()?;
    let ours = line.text.contains("headwater ") && !super::commands(&line.text).is_empty();
    if line.text.contains(NEEDS) || ours || BUILT_IN.contains(first) {
        return None;
    }
    match *first {
        "cargo" => wrong_with_cargo(&words),
        "sqlite3" => None, // Run below.
        script if script.starts_with(".ci/") => {
            let there = root().join(script).is_file();
            (!there).then(|| format!("there is no {script}"))
        }
        other => Some(format!(
            "{other} is not run by a test: run it, or write what it needs behind it, as in \
             `{NEEDS}an account`"
        )),
    }
}

/// What is wrong with a call of cargo: examples, tests and packages that are not there.
fn wrong_with_cargo(words: &[&str]) -> Option<String> {
    let pairs = words.windows(2);
    let mut package = "";
    for pair in pairs.clone() {
        if matches!(pair[0], "-p" | "--package") {
            package = pair[1].strip_prefix("headwater-")?;
        }
    }
    let folder = root().join(package);
    for pair in pairs {
        let place = match pair[0] {
            "--example" => "examples",
            "--test" => "tests",
            _ => continue,
        };
        let place = folder.join(place).join(pair[1]);
        let is_file = place.with_extension("rs").is_file();
        if !is_file && !place.join("main.rs").is_file() {
            return Some(format!("there is no {}", place.display()));
        }
    }
    (!folder.join("Cargo.toml").is_file()).then(|| format!("there is no package {package}"))
}

#[test]
fn every_other_command_in_the_documents_is_accounted_for() {
    let lines = all_lines();
    let wrong = lines
        .iter()
        .filter_map(|line| Some(format!("{}: {}", line.place(), wrong(line)?)));
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn commands_are_in_blocks_of_shell_commands() {
    for page in pages() {
        let text = std::fs::read_to_string(&page).unwrap();
        let mut language = None;
        for line in text.lines() {
            if let Some(name) = line.trim().strip_prefix("```") {
                language = language.is_none().then_some(name);
                continue;
            }
            let is_command = ["headwater ", "cargo ", "$ "]
                .iter()
                .any(|start| line.trim().starts_with(start));
            let is_text = matches!(language, Some("" | "text"));
            assert!(!(is_text && is_command), "{}: {line}", page.display());
        }
    }
}

#[test]
fn a_backup_of_the_pages_is_a_database() {
    let lines = all_lines();
    let backups = lines
        .iter()
        .filter(|line| words(&line.text).first() == Some(&"sqlite3"));
    let backups: Vec<&Line> = backups.collect();
    assert!(!backups.is_empty());
    if Command::new("sqlite3").arg("--version").output().is_err() {
        eprintln!("sqlite3 is not installed; skipped");
        return;
    }
    for line in backups {
        let folder = tempfile::tempdir().unwrap();
        crate::lake::stdout(&crate::lake::headwater(folder.path(), &["migrate"]));
        let done = Command::new("sh")
            .args(["-c", &line.text])
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert!(done.status.success(), "{}: {done:?}", line.place());
        let made = Path::new("headwater-backup.db");
        let copy = format!("sqlite:{}", folder.path().join(made).display());
        let asked = [
            "query",
            "SELECT COUNT(*) FROM pull_requests",
            "--database",
            &copy,
        ];
        crate::lake::stdout(&crate::lake::headwater(folder.path(), &asked));
    }
}

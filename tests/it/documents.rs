//! Commands in the documents and in the help: each is one, and those that need no account are run.

pub(crate) mod examples;
mod figures;
mod links;
mod messages;
mod other_commands;

use std::path::{Path, PathBuf};
use std::process::Command;

use headwater::cli;

use crate::lake::{headwater, stdout};

/// Marks a command that is not run here, and says what it would need.
const NEEDS: &str = "# needs ";

/// Commands that are not run here, because they are about what a reader's repository or database
/// has.
const OF_A_READER: [&str; 5] = [
    "headwater diff ",
    "headwater tags ",
    "headwater table compare ",
    "headwater runs show ",
    "headwater raw import _raw_bitbucket_api_repositories ",
];

/// A line in a block of shell commands.
struct Line {
    file: String,
    number: usize,
    text: String,
}

impl Line {
    fn place(&self) -> String {
        format!("{}:{}: {}", self.file, self.number, self.text)
    }
}

/// The folder of the project.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// README.md, CONTRIBUTING.md and docs/*.md.
fn pages() -> Vec<PathBuf> {
    let pages = std::fs::read_dir(root().join("docs")).unwrap();
    let mut files: Vec<PathBuf> = pages.map(|page| page.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "md"));
    files.extend(["README.md", "CONTRIBUTING.md"].map(|file| root().join(file)));
    files.sort();
    files
}

/// The lines of their blocks of shell commands.
fn all_lines() -> Vec<Line> {
    pages().iter().flat_map(|file| lines_of(file)).collect()
}

/// Those that have a command of ours.
fn lines() -> Vec<Line> {
    let mut lines = all_lines();
    lines.retain(|line| !commands(&line.text).is_empty());
    lines
}

fn lines_of(file: &Path) -> Vec<Line> {
    let text = std::fs::read_to_string(file).unwrap();
    let mut found = Vec::new();
    let mut block = None;
    let mut joined = String::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if let Some(language) = line.strip_prefix("```") {
            block = block.is_none().then(|| language.to_owned());
            continue;
        }
        if !matches!(block.as_deref(), Some("sh" | "console" | "bash")) {
            continue;
        }
        let line = line.strip_prefix("$ ").unwrap_or(line);
        if let Some(begin) = line.strip_suffix('\\') {
            joined.push_str(begin);
            continue;
        }
        joined.push_str(line);
        let text = std::mem::take(&mut joined);
        let file = file.display().to_string();
        found.push(Line { file, number, text });
    }
    found
}

/// The words of each of our commands in a line, as a shell would give them.
fn commands(line: &str) -> Vec<Vec<String>> {
    let mut commands = vec![Vec::new()];
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (Some(open), letter) if open == letter => quote = None,
            (Some('"'), '\\') => word.get_or_insert_default().extend(letters.next()),
            (None, '"' | '\'') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (None, '#') if word.is_none() => break,
            (None, ' ' | '|' | ';' | '>' | '<' | '&') => {
                let last = commands.last_mut().unwrap();
                last.extend(word.take());
                if letter != ' ' {
                    commands.push(Vec::new());
                }
            }
            (_, letter) => word.get_or_insert_default().push(letter),
        }
    }
    commands.last_mut().unwrap().extend(word);
    commands.retain(|words| words.first().is_some_and(|first| first == "headwater"));
    commands
}

/// What is wrong with a command line, if it is.
fn refused(words: &[String]) -> Option<String> {
    use clap::error::ErrorKind::{DisplayHelp, DisplayVersion};
    let parsed = cli::command().try_get_matches_from(words);
    let wrong = parsed.err()?;
    let shows = matches!(wrong.kind(), DisplayHelp | DisplayVersion);
    (!shows).then(|| format!("{words:?}: {wrong}"))
}

#[test]
fn every_command_in_the_documents_is_one() {
    let lines = lines();
    assert!(lines.len() > 15, "{}", lines.len());
    let wrong = lines.iter().flat_map(|line| {
        let refused = commands(&line.text)
            .into_iter()
            .filter_map(|it| refused(&it));
        refused.map(move |why| format!("{}: {why}", line.place()))
    });
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn with_subcommands(command: &clap::Command) -> Vec<clap::Command> {
    let below = command.get_subcommands().flat_map(with_subcommands);
    let mut all: Vec<clap::Command> = below.collect();
    all.push(command.clone());
    all
}

#[test]
fn every_example_in_the_help_is_a_command() {
    let mut count = 0;
    let mut program = cli::command();
    // So that every command has the options of all of them.
    program.build();
    for mut command in with_subcommands(&program) {
        let help = command.render_long_help().to_string();
        let examples = help.lines().map(str::trim);
        let examples = examples.map(|line| line.strip_prefix("$ ").unwrap_or(line));
        // Lines with a placeholder say how a command is used.
        let is_example = |line: &&str| line.starts_with("headwater ") && !line.contains('<');
        for example in examples.filter(is_example) {
            for words in commands(example) {
                assert_eq!(refused(&words), None, "{example}");
                count += 1;
            }
        }
    }
    assert!(count > 20, "{count}");
}

/// Files that the documents speak of.
fn write_files(folder: &Path) {
    let params = r#""{""ConnectionId"":1,""FullName"":""acme/widgets""}""#;
    let raw = format!(
        "params,data\n{params},\"{{\"\"id\"\": 5, \"\"title\"\": \"\"x\"\", \"\"state\"\": \
         \"\"OPEN\"\"}}\"\n"
    );
    for (name, text) in [
        ("pull_requests.csv", raw.as_str()),
        ("devlake-export.csv", "id,title\na,one\n"),
        ("deployments.csv", "id,commit_sha,name\na,b,one\n"),
        ("incidents.csv", "id,created_date\n1,2026-01-31T09:30:00Z\n"),
    ] {
        std::fs::write(folder.join(name), text).unwrap();
    }
}

#[cfg(unix)]
#[test]
fn every_command_in_the_documents_that_needs_no_account_runs() {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_headwater"));
    let programs = program.parent().unwrap().display().to_string();
    let path = format!("{programs}:{}", std::env::var("PATH").unwrap());
    let mut run = 0;
    let lines = lines();
    for page in lines.chunk_by(|a, b| a.file == b.file) {
        let folder = tempfile::tempdir().unwrap();
        write_files(folder.path());
        stdout(&headwater(folder.path(), &["migrate"]));
        for line in page {
            let skipped =
                line.text.contains(NEEDS) || OF_A_READER.iter().any(|it| line.text.starts_with(it));
            if skipped {
                continue;
            }
            let done = Command::new("sh")
                .args(["-c", &line.text])
                .current_dir(folder.path())
                .env("PATH", &path)
                .env_remove("HEADWATER_CONFIG")
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&done.stderr);
            assert!(done.status.success(), "{}\n{said}", line.place());
            run += 1;
        }
    }
    assert!(run >= 10, "only {run} were run");
}

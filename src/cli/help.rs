//! The first page of help: the commands by what a person wants, with an example for each.

use std::fmt::Write as _;

use clap::{Command, CommandFactory as _};

use super::Cli;
use crate::output::{width, wrapped};

/// What a person wants, the commands that do it, and an example.
pub(crate) const GROUPS: [(&str, &[&str], &str); 5] = [
    (
        "Set up",
        &[
            "demo",
            "init",
            "config",
            "connection",
            "scopes",
            "migrate",
            "completions",
            "man",
        ],
        "headwater init --email ada@acme.example --workspace acme",
    ),
    (
        "Collect",
        &[
            "sync",
            "plan",
            "status",
            "collect",
            "extract",
            "convert",
            "transform",
            "raw",
            "import",
            "table",
            "people",
        ],
        "headwater sync 'acme/*' --since 2026-01-01",
    ),
    (
        "Run by itself",
        &["serve", "schedule", "runs"],
        "headwater serve --listen 127.0.0.1:8686",
    ),
    (
        "Ask",
        &[
            "query", "metrics", "explain", "tags", "diff", "tables", "streams",
        ],
        "headwater query \"SELECT title FROM pull_requests WHERE status = 'OPEN'\"",
    ),
    (
        "Mend",
        &["doctor", "verify", "reconcile", "dead-letters"],
        "headwater doctor",
    ),
];

/// Widest that help is, in characters.
const WIDEST: usize = 100;

/// The command line with its first page of help.
#[must_use]
pub fn command() -> Command {
    let command = Cli::command();
    let width = width().unwrap_or(WIDEST).min(WIDEST);
    let page = format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n{}\nOptions:\n{{options}}{{after-help}}",
        groups(&command, width)
    );
    command.help_template(page)
}

fn groups(command: &Command, width: usize) -> String {
    let names = GROUPS.iter().flat_map(|(_, names, _)| names.iter());
    let longest = names.map(|name| name.len()).max().unwrap_or(0);
    let indent = longest + 4;
    let mut page = String::new();
    for (wish, names, example) in GROUPS {
        // Writing to a String cannot fail.
        let _ = writeln!(page, "\n{wish}:");
        for name in names {
            let about = command.find_subcommand(name).and_then(Command::get_about);
            let about = about.map(ToString::to_string).unwrap_or_default();
            let room = width.saturating_sub(indent).max(20);
            for (place, line) in wrapped(&about, room).into_iter().enumerate() {
                let name = if place == 0 { *name } else { "" };
                let _ = writeln!(page, "  {name:<longest$}  {line}");
            }
        }
        let _ = writeln!(page, "  $ {example}");
    }
    page
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_command_is_in_one_group_and_every_example_is_one() {
        let command = Cli::command();
        let known: BTreeSet<&str> = command.get_subcommands().map(Command::get_name).collect();
        let grouped: Vec<&str> = GROUPS.iter().flat_map(|it| it.1.iter().copied()).collect();
        assert_eq!(grouped.len(), known.len());
        assert_eq!(grouped.into_iter().collect::<BTreeSet<_>>(), known);
    }

    #[test]
    fn the_first_page_of_help_groups_commands_at_any_width() {
        let command = Cli::command();
        let pages =
            [40, 80, 100].map(|width| format!("width {width}\n{}", groups(&command, width)));
        insta::assert_snapshot!(pages.join("\n"));
    }
}

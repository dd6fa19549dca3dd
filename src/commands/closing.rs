//! The last lines of a run: where the data is, how fresh, and what to do next.

use chrono::{DateTime, Utc};

use crate::config::Config;
use crate::exit::Exit;
use crate::report::{RunSummary, times};

/// What a run is, for its last lines.
pub(super) struct Closing<'a> {
    pub(super) config: &'a Config,
    /// Where the tables are.
    pub(super) database: &'a str,
    /// The command that ran.
    pub(super) command: &'static str,
    /// Whether it made the tables that questions are asked of.
    pub(super) converts: bool,
    /// When it began and ended (UTC).
    pub(super) began: DateTime<Utc>,
    pub(super) ended: DateTime<Utc>,
}

impl Closing<'_> {
    /// The lines; none where the error says what to do.
    pub(super) fn lines(&self, exit: Exit, summary: &RunSummary) -> Vec<String> {
        let mut lines = Vec::new();
        let failed = summary.scopes_failed > 0 || summary.rejected > 0;
        match exit {
            Exit::Ok if self.converts => {
                let fresh = times::local(self.began, self.ended);
                lines.push(format!("data: {}, fresh until {fresh}", self.database));
                lines.push(format!("next: {}", self.question()));
            }
            Exit::Ok => {
                lines.push(format!("data: {}", self.database));
                lines.push("next: `headwater transform` makes tables of it".to_owned());
            }
            Exit::Credentials => {
                lines.push("next: `headwater connection test` says what is missing".to_owned());
            }
            Exit::Partial | Exit::Failed if failed => {
                lines.push(format!("data: {}", self.database));
                lines.push(format!(
                    "next: `headwater {}` tries again what failed; `headwater status` has each \
                     repository{}",
                    self.command,
                    if summary.rejected > 0 {
                        ", `headwater dead-letters` each item"
                    } else {
                        ""
                    }
                ));
            }
            Exit::Leased => {
                lines.push(format!(
                    "next: `headwater {}` when the other process has ended",
                    self.command
                ));
            }
            _ => {}
        }
        lines
    }

    /// What to ask of the tables.
    fn question(&self) -> String {
        match self.config.projects.first() {
            Some(project) => format!("headwater metrics dora {}", shell_word(&project.name)),
            None => "headwater query \"SELECT * FROM v_pull_request_cycle LIMIT 10\"".to_owned(),
        }
    }
}

/// A name as a shell takes it.
fn shell_word(name: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    if name.chars().all(plain) {
        name.to_owned()
    } else {
        format!("'{}'", name.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;

    #[test]
    fn a_run_ends_with_what_to_do_next() {
        let at: DateTime<Utc> = "2026-03-01T08:00:00Z".parse().unwrap();
        let project = "[[connection]]\nid = 1\nname = \"a\"\nkind = \"bitbucket-cloud\"\n\
                       scopes = [\"acme/*\"]\n[[project]]\nname = \"the shop\"\n\
                       scopes = [\"a:acme/*\"]\n";
        let fine = RunSummary::default();
        let failed = RunSummary {
            scopes_failed: 1,
            rejected: 2,
            ..RunSummary::default()
        };
        let mut shown: Vec<String> = Vec::new();
        for (text, converts, exit, summary) in [
            (project, true, Exit::Ok, &fine),
            ("", true, Exit::Ok, &fine),
            ("", false, Exit::Ok, &fine),
            ("", true, Exit::Partial, &failed),
            ("", true, Exit::Credentials, &failed),
            ("", true, Exit::Leased, &failed),
            ("", true, Exit::Cancelled, &failed),
        ] {
            let (config, problems) = parse(text, "headwater.toml");
            let closing = Closing {
                config: &config.unwrap_or_else(|| panic!("{problems:?}")),
                database: "sqlite:headwater.db",
                command: "sync",
                converts,
                began: at,
                ended: at,
            };
            let lines = closing.lines(exit, summary).join("\n");
            // The time is that of the machine's zone.
            let lines = lines.replace(&times::local(at, at), "TIME");
            shown.push(format!("{exit:?}\n{lines}\n"));
        }
        insta::assert_snapshot!(shown.join("\n"));
    }
}

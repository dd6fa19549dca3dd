//! A range on paper: rows, one JSON object, or release notes.

use std::fmt::Write as _;

use chrono::SecondsFormat;
use headwater_store::query::Cell;
use serde_json::{Value, json};

use super::contents::Contents;
use crate::report::counted;

pub(super) const COLUMNS: [&str; 6] = ["kind", "key", "title", "author", "date", "url"];

/// What is compared.
pub(super) struct Ends<'a> {
    pub(super) scope: &'a str,
    /// Name as typed, and full hash.
    pub(super) old: (&'a str, String),
    pub(super) new: (&'a str, String),
    pub(super) is_complete: bool,
}

/// One row for each commit, pull request, issue and author.
pub(super) fn rows(contents: &Contents) -> Vec<Vec<Cell>> {
    let row = |cells: [&str; 6]| {
        let cell = |text: &str| match text {
            "" => Cell::Null,
            text => Cell::Text(text.to_owned()),
        };
        cells.map(cell).into()
    };
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    for commit in &contents.commits {
        let date = commit.authored_date;
        let date = date.map(|date| date.to_rfc3339_opts(SecondsFormat::Secs, true));
        let date = date.unwrap_or_default();
        let author = &commit.author_name;
        rows.push(row([
            "commit",
            &commit.sha,
            &commit.subject,
            author,
            &date,
            "",
        ]));
    }
    for pull_request in &contents.pull_requests {
        let key = pull_request.key.to_string();
        let (title, author) = (&pull_request.title, &pull_request.author_name);
        rows.push(row([
            "pull request",
            &key,
            title,
            author,
            "",
            &pull_request.url,
        ]));
    }
    for issue in &contents.issues {
        rows.push(row(["issue", &issue.key, &issue.title, "", "", &issue.url]));
    }
    for author in &contents.authors {
        let commits = counted(author.commits as u64, "commit", "commits");
        rows.push(row([
            "author",
            &author.email,
            &commits,
            &author.name,
            "",
            "",
        ]));
    }
    rows
}

/// One object; `commits` are the full hashes in order.
pub(super) fn json(ends: &Ends<'_>, contents: &Contents) -> Value {
    let end = |(name, commit): &(&str, String)| json!({ "name": name, "commit": commit });
    let commits = contents.commits.iter();
    let pull_requests = contents.pull_requests.iter().map(|pr| {
        json!({
            "id": pr.id, "key": pr.key, "title": pr.title, "author": pr.author_name,
            "url": pr.url, "merge_commit": pr.merge_commit,
        })
    });
    let issues = contents.issues.iter().map(
        |issue| json!({ "id": issue.id, "key": issue.key, "title": issue.title, "url": issue.url }),
    );
    let authors = contents.authors.iter().map(
        |author| json!({ "name": author.name, "email": author.email, "commits": author.commits }),
    );
    json!({
        "scope": ends.scope,
        "old": end(&ends.old),
        "new": end(&ends.new),
        "complete": ends.is_complete,
        "commits": commits.map(|commit| commit.sha.as_str()).collect::<Vec<_>>(),
        "pull_requests": pull_requests.collect::<Vec<_>>(),
        "issues": issues.collect::<Vec<_>>(),
        "authors": authors.collect::<Vec<_>>(),
    })
}

/// Release notes.
pub(super) fn markdown(ends: &Ends<'_>, contents: &Contents) -> String {
    let mut text = format!("# {}\n\n", escaped(ends.new.0));
    let commits = counted(contents.commits.len() as u64, "commit", "commits");
    let _ = writeln!(text, "{commits} since {}.", escaped(ends.old.0));
    if !ends.is_complete {
        text.push_str("\nThe history is cut off: there may be more commits, or fewer.\n");
    }
    let pull_requests = contents.pull_requests.iter().map(|pr| {
        let number = linked(&format!("#{}", pr.key), &pr.url);
        let by = match pr.author_name.as_str() {
            "" => String::new(),
            name => format!(", {}", escaped(name)),
        };
        format!("{} ({number}{by})", escaped(&pr.title))
    });
    section(&mut text, "Pull requests", pull_requests);
    let issues = contents.issues.iter();
    let issues = issues.map(|issue| {
        let key = linked(&issue.key, &issue.url);
        format!("{key} {}", escaped(&issue.title))
            .trim_end()
            .to_owned()
    });
    section(&mut text, "Issues", issues);
    let commits = contents.commits.iter().map(|commit| {
        let short = commit.sha.get(..12).unwrap_or(&commit.sha);
        format!("`{short}` {}", escaped(&commit.subject))
            .trim_end()
            .to_owned()
    });
    section(&mut text, "Commits", commits);
    let authors = contents.authors.iter().map(|author| {
        let commits = counted(author.commits as u64, "commit", "commits");
        let name = if author.name.is_empty() {
            &author.email
        } else {
            &author.name
        };
        let name = if name.is_empty() { "unknown" } else { name };
        format!("{} ({commits})", escaped(name))
    });
    section(&mut text, "Authors", authors);
    text
}

fn section(text: &mut String, title: &str, lines: impl Iterator<Item = String>) {
    let mut lines = lines.peekable();
    if lines.peek().is_some() {
        let _ = writeln!(text, "\n## {title}\n");
    }
    for line in lines {
        let _ = writeln!(text, "- {line}");
    }
}

fn linked(text: &str, url: &str) -> String {
    let is_plain =
        url.starts_with("http") && !url.contains(|c: char| c.is_whitespace() || "()<>".contains(c));
    if is_plain {
        format!("[{}]({url})", escaped(text))
    } else {
        escaped(text)
    }
}

/// Text on one line in which nothing is read as Markdown or HTML.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.trim().chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '&' => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use headwater_store::range_contents::{BroughtCommit, BroughtIssue, BroughtPullRequest};

    use super::super::contents::Author;
    use super::*;

    fn contents() -> Contents {
        Contents {
            commits: vec![BroughtCommit {
                sha: "ab".repeat(20),
                subject: "Merged in *nozzle* <script>".to_owned(),
                author_name: "Ann".to_owned(),
                author_email: "ann@acme.example".to_owned(),
                authored_date: chrono::DateTime::from_timestamp(1_790_000_000, 0),
            }],
            pull_requests: vec![BroughtPullRequest {
                key: 12,
                title: "Cool the nozzle".to_owned(),
                url: "https://example.org/12".to_owned(),
                author_name: "Bob".to_owned(),
                ..BroughtPullRequest::default()
            }],
            issues: vec![BroughtIssue {
                key: "7".to_owned(),
                title: "Too hot".to_owned(),
                ..BroughtIssue::default()
            }],
            authors: vec![Author {
                name: "Ann".to_owned(),
                email: "ann@acme.example".to_owned(),
                commits: 1,
            }],
        }
    }

    fn ends() -> Ends<'static> {
        Ends {
            scope: "acme-cloud:acme/rocket",
            old: ("v1.0.0", "00".repeat(20)),
            new: ("v2.0.0", "ab".repeat(20)),
            is_complete: true,
        }
    }

    #[test]
    fn release_notes_tell_what_came_and_run_nothing() {
        let expected = "# v2.0.0\n\n1 commit since v1.0.0.\n\n## Pull requests\n\n\
            - Cool the nozzle ([#12](https://example.org/12), Bob)\n\n## Issues\n\n- 7 Too hot\n\n\
            ## Commits\n\n- `abababababab` Merged in \\*nozzle\\* \\<script\\>\n\n\
            ## Authors\n\n- Ann (1 commit)\n";
        assert_eq!(markdown(&ends(), &contents()), expected);
    }

    #[test]
    fn one_object_tells_everything() {
        let shown = json(&ends(), &contents());
        assert_eq!(shown["commits"], json!(["ab".repeat(20)]));
        assert_eq!(
            shown["new"],
            json!({ "name": "v2.0.0", "commit": "ab".repeat(20) })
        );
        assert_eq!(shown["pull_requests"][0]["key"], 12);
        assert_eq!(shown["issues"][0]["title"], "Too hot");
        assert_eq!(shown["authors"][0]["commits"], 1);
        assert_eq!(shown["complete"], true);
    }

    #[test]
    fn an_empty_range_has_no_sections() {
        let text = markdown(&ends(), &Contents::default());
        assert_eq!(text, "# v2.0.0\n\n0 commits since v1.0.0.\n");
    }
}

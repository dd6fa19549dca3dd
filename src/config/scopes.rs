//! Reads `scopes` lists, of connections and of projects.

use super::connection::ConnectionKind;
use super::git::Git;
use super::problem::{may_hold_credential, quoted};
use super::reader::{Field, TableReader, refusal};
use super::scope_pattern::{ScopePattern, ScopePatternError};

/// Reads `scopes` of a connection.
pub(super) fn read_connection_scopes(
    table: &mut TableReader<'_>,
    kind: Option<ConnectionKind>,
    git: &Git,
) -> Vec<ScopePattern> {
    let is_git = kind == Some(ConnectionKind::Git);
    let Some(field) = table.field("scopes") else {
        if kind.is_some() && !is_git {
            let problem = table.warning("has no scopes: nothing is collected");
            table.report(problem.write("scopes = [\"workspace/*\"]"));
        }
        // The names in `git.urls` are already the scopes that are wanted.
        return git.urls.keys().map(ScopePattern::exact).collect();
    };
    let Some(elements) = field.list() else {
        return Vec::new();
    };
    let read = |element: &Field<'_>| {
        let pattern = read_pattern(element, element.text()?)?;
        check_form(element, &pattern, kind);
        if is_git {
            check_has_address(element, &pattern, git);
        }
        Some(pattern)
    };
    let patterns: Vec<_> = elements.iter().filter_map(read).collect();
    if patterns.iter().all(ScopePattern::is_exclusion) && patterns.len() == elements.len() {
        field.report(field.warning("names no scope: nothing is collected"));
    }
    patterns
}

/// Parses one pattern; addresses of repositories are turned into names.
pub(super) fn read_pattern(field: &Field<'_>, text: &str) -> Option<ScopePattern> {
    let reason = match ScopePattern::parse(text) {
        Ok(pattern) => return Some(pattern),
        Err(reason) => reason,
    };
    let problem = field.error(refusal(text, &reason));
    let problem = if reason == ScopePatternError::Address {
        problem.expecting("a full name such as \"workspace/slug\"")
    } else {
        problem.expecting("a full name or a glob such as \"workspace/*\"")
    };
    field.report(problem);
    None
}

/// Without an API it is unknown what a glob matches and where a repository is.
fn check_has_address(field: &Field<'_>, pattern: &ScopePattern, git: &Git) {
    if !pattern.is_exact() {
        let message = format!(
            "{} is a glob, and git has no list",
            quoted(pattern.as_str())
        );
        let problem = field.error(message);
        field.report(problem.expecting("the names that `git.urls` has"));
    } else if !pattern.is_exclusion() && !git.urls.contains_key(pattern.as_str()) {
        let message = format!("{} has no entry in git.urls", quoted(pattern.as_str()));
        let mut problem = field.error(message);
        if !may_hold_credential(pattern.as_str()) {
            problem = problem.write(format!(
                "git.urls = {{ {} = \"/srv/git/repository.git\" }}",
                quoted(pattern.as_str())
            ));
        }
        field.report(problem);
    }
}

fn check_form(field: &Field<'_>, pattern: &ScopePattern, kind: Option<ConnectionKind>) {
    let parts: Vec<&str> = pattern.as_str().split('/').collect();
    let deep = pattern.as_str().contains("**");
    let mark = if pattern.is_exclusion() { "!" } else { "" };
    match kind {
        Some(ConnectionKind::BitbucketCloud) => {
            if parts.len() != 2 && !deep {
                let write = format!("\"{mark}{}/*\"", parts[0]);
                report_form(field, pattern, "workspace/slug", &write);
            } else if !pattern.is_exclusion() && !pattern.names_its_workspace() {
                let message = format!("{} has no workspace", quoted(pattern.as_str()));
                let problem = field.error(message).expecting(
                    "the workspace written out: Bitbucket Cloud has no list across workspaces",
                );
                field.report(problem);
            }
        }
        Some(ConnectionKind::BitbucketDataCenter) => {
            let middle_fits = parts.get(1).is_some_and(|middle| *middle == "repos");
            if (parts.len() != 3 || !middle_fits) && !deep {
                let last = parts.get(1).filter(|_| parts.len() == 2).unwrap_or(&"*");
                let write = format!("\"{mark}{}/repos/{last}\"", parts[0]);
                report_form(field, pattern, "KEY/repos/slug", &write);
            }
        }
        Some(ConnectionKind::Git) | None => {}
    }
}

fn report_form(field: &Field<'_>, pattern: &ScopePattern, form: &str, write: &str) {
    let message = format!(
        "{} is not the full name of a scope",
        quoted(pattern.as_str())
    );
    let mut problem = field.error(message).expecting(format!("the form {form}"));
    if !may_hold_credential(pattern.as_str()) {
        problem = problem.write(write);
    }
    field.report(problem);
}

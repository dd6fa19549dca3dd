//! Links between the documents: each leads to a file that is there, and to one of its headings.

use std::path::{Path, PathBuf};

use regex::Regex;

use super::{pages, root};

/// A heading as the part of an address behind `#`.
fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase();
    let kept = kept
        .chars()
        .filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'));
    kept.map(|letter| if letter == ' ' { '-' } else { letter })
        .collect()
}

fn headings(page: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(page).unwrap();
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|line| anchor(line.trim_start_matches('#').trim()))
        .collect()
}

/// What is wrong with a link of a page, if it is.
fn wrong(page: &Path, link: &str) -> Option<String> {
    if link.contains("://") {
        return None;
    }
    let (file, heading) = link.split_once('#').unwrap_or((link, ""));
    let target = if file.is_empty() {
        page.to_owned()
    } else {
        page.parent().unwrap().join(file)
    };
    if !target.exists() {
        return Some(format!("{}: there is no {link}", page.display()));
    }
    let known = heading.is_empty() || headings(&target).iter().any(|it| it == heading);
    (!known).then(|| format!("{}: {link} is no heading", page.display()))
}

#[test]
fn every_link_between_the_documents_leads_somewhere() {
    let mut files: Vec<PathBuf> = pages();
    let decisions = std::fs::read_dir(root().join("docs/decisions")).unwrap();
    files.extend(decisions.map(|page| page.unwrap().path()));
    files.push(root().join("examples/README.md"));
    let link = Regex::new(r"\]\(([^)\s]+)\)").unwrap();
    // What is code is no link.
    let code = Regex::new(r"(?s)```.*?```|`[^`\n]*`\(").unwrap();
    let mut broken = Vec::new();
    for page in &files {
        let text = std::fs::read_to_string(page).unwrap();
        let text = code.replace_all(&text, "");
        let links = link.captures_iter(&text);
        broken.extend(links.filter_map(|found| wrong(page, &found[1])));
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

//! Figures in README: each was measured by the command beside it.

use std::collections::BTreeSet;

use super::root;

/// Numbers with a unit of time or memory: `1.55 s`, `101 MB`.
fn figures(text: &str) -> BTreeSet<String> {
    let figure = regex::Regex::new(r"(\d[\d.,]*) (?:s|MB)\b").unwrap();
    let found = figure.captures_iter(text);
    found.map(|found| found[1].to_owned()).collect()
}

#[test]
fn every_figure_in_the_readme_is_one_of_the_page_of_benchmarks() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let page = std::fs::read_to_string(root().join("docs/benchmarks.md")).unwrap();
    let (_, measured) = readme.split_once("| Measured |").unwrap();
    let (measured, _) = measured.split_once("\n\n").unwrap();
    let cells: BTreeSet<&str> = page
        .lines()
        .filter(|line| line.starts_with('|'))
        .flat_map(|line| line.split('|').map(str::trim))
        .collect();
    let figures = figures(measured);
    assert!(figures.len() >= 5, "{figures:?}");
    for figure in &figures {
        assert!(
            cells.contains(figure.as_str()),
            "{figure} is not in docs/benchmarks.md"
        );
    }
    let commands = measured.split('`').skip(1).step_by(2);
    for command in commands {
        assert!(
            page.contains(command),
            "{command} is not in docs/benchmarks.md"
        );
    }
}

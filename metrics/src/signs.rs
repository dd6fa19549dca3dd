//! What the branch or the title of a merged pull request says of repairs: that it is a hotfix, or
//! that it reverts another one.

use std::collections::{BTreeMap, HashMap};

use regex::Regex;

use crate::rules::{NUMBER, TITLE};
use crate::{Facts, PullRequest, RepairKind, Rules};

/// What a pull request says, whether it was deployed or not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sign {
    /// Its branch or its title is that of a hotfix.
    pub is_hotfix: bool,
    /// Its branch or its title says that it reverts a pull request.
    pub is_revert: bool,
    /// The pull request that it reverts; empty where there is none such.
    pub reverted: String,
}

impl Sign {
    /// The text in `project_pr_metrics.repairs`.
    #[must_use]
    pub fn names(&self) -> String {
        let kinds = [
            (self.is_hotfix, RepairKind::Hotfix),
            (self.is_revert, RepairKind::Revert),
        ];
        let said = kinds.iter().filter(|(is_it, _)| *is_it);
        let said: Vec<&str> = said.map(|(_, kind)| kind.name()).collect();
        said.join(",")
    }
}

/// Pull requests that say something, by their ids.
pub(crate) type Signs = BTreeMap<String, Sign>;

/// What the pull requests of a project say.
pub(crate) fn signs(facts: &Facts, rules: &Rules) -> Signs {
    let mut signs = Signs::new();
    let mut index = None;
    for pull_request in &facts.pull_requests {
        let named = named(rules, &pull_request.head_ref, &pull_request.title);
        let mut sign = Sign {
            is_hotfix: is_hotfix(rules, &pull_request.head_ref, &pull_request.title),
            is_revert: named.is_some(),
            reverted: String::new(),
        };
        if let Some(named) = named {
            // Made when it is asked for: most projects revert little.
            let index = index.get_or_insert_with(|| PullRequests::of(&facts.pull_requests));
            let reverted = index.meant(named, pull_request);
            sign.reverted = reverted.map_or_else(String::new, |it| it.id.clone());
        }
        if sign.is_hotfix || sign.is_revert {
            signs.insert(pull_request.id.clone(), sign);
        }
    }
    signs
}

/// Whether a change of a pull request's branch or title may concern other rows than its own.
/// `stored` are the pull requests of the project that say something, with what they reverted when
/// that was last computed, and with their titles of now.
pub(crate) fn may_concern_others(
    rules: &Rules,
    (id, head_ref, title): (&str, &str, &str),
    stored: &[(String, String, String)],
) -> bool {
    let is_meant = |(reverting, reverted, reverting_title): &(String, String, String)| {
        // A branch says a number, which no title changes.
        let names_it = match named(rules, "", reverting_title) {
            Some(Named::Title(named, _)) => named == title,
            _ => false,
        };
        reverting == id || reverted == id || names_it
    };
    is_hotfix(rules, head_ref, title)
        || named(rules, head_ref, title).is_some()
        || stored.iter().any(is_meant)
}

fn is_hotfix(rules: &Rules, head_ref: &str, title: &str) -> bool {
    rules.hotfix_branch_pattern.is_match(head_ref) || rules.hotfix_title_pattern.is_match(title)
}

/// What a pull request says that it reverts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Named<'t> {
    /// The one with this number.
    Number(&'t str),
    /// The one with the number, where there is one; else the one with this title.
    Title(&'t str, Option<&'t str>),
}

/// What a branch and a title say is reverted: first in Bitbucket's own form, then by the configured
/// patterns.
fn named<'t>(rules: &Rules, head_ref: &'t str, title: &'t str) -> Option<Named<'t>> {
    let titled = || reverted_title(title).map(|(title, number)| Named::Title(title, number));
    reverted_number(head_ref)
        .map(Named::Number)
        .or_else(titled)
        .or_else(|| captured(rules.revert_branch_pattern.as_ref(), head_ref))
        .or_else(|| captured(rules.revert_title_pattern.as_ref(), title))
}

/// What the groups of a configured pattern hold.
fn captured<'t>(pattern: Option<&Regex>, text: &'t str) -> Option<Named<'t>> {
    let found = pattern?.captures(text)?;
    let group = |name| found.name(name).map(|it| it.as_str());
    let number = group(NUMBER).filter(|it| is_number(it));
    match group(TITLE) {
        None => number.map(Named::Number),
        Some(title) => {
            let (title, beside) = with_number(title);
            Some(Named::Title(title, number.or(beside)))
        }
    }
}

/// The number in a branch that the button `Revert` makes.
fn reverted_number(head_ref: &str) -> Option<&str> {
    let number = head_ref.strip_prefix("revert-pr-")?;
    is_number(number).then_some(number)
}

/// The title in a title `Revert "T"`, and the number in it.
fn reverted_title(title: &str) -> Option<(&str, Option<&str>)> {
    let title = title.strip_prefix("Revert \"")?.strip_suffix('"')?;
    Some(with_number(title))
}

/// Merged pull requests by number and by title.
struct PullRequests<'f> {
    numbers: HashMap<(&'f str, i64), &'f PullRequest>,
    /// By (merge, number, id).
    titles: BTreeMap<(&'f str, &'f str), Vec<&'f PullRequest>>,
}

impl<'f> PullRequests<'f> {
    fn of(pull_requests: &'f [PullRequest]) -> Self {
        let mut titles: BTreeMap<(&str, &str), Vec<&PullRequest>> = BTreeMap::new();
        let mut numbers = HashMap::new();
        for it in pull_requests {
            numbers.insert((it.base_repo_id.as_str(), it.number), it);
            let same = titles.entry((&it.base_repo_id, &it.title)).or_default();
            same.push(it);
        }
        for same in titles.values_mut() {
            same.sort_by(|one, other| {
                (one.merged, one.number, &one.id).cmp(&(other.merged, other.number, &other.id))
            });
        }
        Self { numbers, titles }
    }

    /// The pull request that is named by one of the same repository.
    fn meant(&self, named: Named<'_>, reverting: &PullRequest) -> Option<&'f PullRequest> {
        let repository = reverting.base_repo_id.as_str();
        let numbered = |number: &str| -> Option<&'f PullRequest> {
            self.numbers
                .get(&(repository, number.parse().ok()?))
                .copied()
        };
        let (title, number) = match named {
            Named::Number(number) => return numbered(number),
            Named::Title(title, number) => (title, number),
        };
        number.and_then(numbered).or_else(|| {
            let same = self.titles.get(&(repository, title))?;
            let earlier = same.partition_point(|it| it.merged < reverting.merged);
            earlier.checked_sub(1).map(|last| same[last])
        })
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `T (pull request #N)` in its two parts.
fn with_number(title: &str) -> (&str, Option<&str>) {
    let parts = title
        .strip_suffix(')')
        .and_then(|it| it.rsplit_once(" (pull request #"))
        .filter(|(_, number)| is_number(number));
    parts.map_or((title, None), |(title, number)| (title, Some(number)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_names_what_it_reverts_and_its_number() {
        assert_eq!(with_number("Fix (pull request #12)"), ("Fix", Some("12")));
        assert_eq!(
            with_number("Fix (pull request #x)"),
            ("Fix (pull request #x)", None)
        );
        assert_eq!(with_number("Fix"), ("Fix", None));
    }

    #[test]
    fn configured_patterns_name_what_is_reverted_beside_bitbuckets_own_forms() {
        let rules = Rules {
            revert_branch_pattern: Regex::new("^undo/(?<number>[0-9a-z]+)").ok(),
            revert_title_pattern: Regex::new("^Back out: (?<title>.+)$").ok(),
            ..Rules::default()
        };
        for (head_ref, title, expected) in [
            ("undo/12", "x", Some(Named::Number("12"))),
            ("undo/12", "Revert \"T\"", Some(Named::Title("T", None))),
            ("revert-pr-3", "Back out: T", Some(Named::Number("3"))),
            ("x", "Back out: T", Some(Named::Title("T", None))),
            (
                "x",
                "Back out: T (pull request #7)",
                Some(Named::Title("T", Some("7"))),
            ),
            ("undo/x", "T", None),
            ("x", "Back out:", None),
        ] {
            assert_eq!(
                named(&rules, head_ref, title),
                expected,
                "{head_ref} {title}"
            );
        }
        let default = Rules::default();
        assert_eq!(named(&default, "undo/12", "Back out: T"), None);
        let stored = [("r".to_owned(), String::new(), "Back out: T".to_owned())];
        assert!(may_concern_others(&rules, ("p", "x", "T"), &stored));
        assert!(!may_concern_others(&default, ("p", "x", "T"), &stored));
    }

    #[test]
    fn a_changed_title_concerns_others_only_where_something_is_said_of_repairs() {
        let rules = Rules::default();
        let stored = [
            ("r".to_owned(), "t".to_owned(), "Revert \"Old\"".to_owned()),
            ("h".to_owned(), String::new(), "hotfix".to_owned()),
        ];
        for (id, head_ref, title, expected) in [
            ("p", "feature/x", "New", false),
            ("p", "hotfix/x", "New", true),
            ("p", "feature/x", "A hotfix", true),
            ("p", "revert-pr-7", "New", true),
            ("p", "revert-pr-x", "Revert Old", false),
            ("p", "feature/x", "Revert \"Old\"", true),
            ("p", "feature/x", "Old", true),
            ("t", "feature/x", "New", true),
            ("h", "feature/x", "New", true),
            ("r", "feature/x", "New", true),
        ] {
            let given = may_concern_others(&rules, (id, head_ref, title), &stored);
            assert_eq!(given, expected, "{id} {head_ref} {title}");
        }
    }
}

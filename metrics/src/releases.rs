//! Tags that are releases: rows that were made of them, and which of these a project counts.

use std::collections::{BTreeMap, HashSet};

use crate::deployments::is_production;
use crate::{DeploymentRow, Rules};

/// What rows made of tags say in `subtask_name`.
pub const OF_TAGS: &str = "headwater.releases";

/// How the names of tags begin in `refs`, and with a `:` before it in the ids of their rows.
pub const TAG_PREFIX: &str = "refs/tags/";

/// The name of the tag that a row was made of; none for any other row.
fn tag_of(row: &DeploymentRow) -> Option<&str> {
    if row.subtask_name != OF_TAGS {
        return None;
    }
    let (_, name) = row.id.rsplit_once(':')?;
    name.strip_prefix(TAG_PREFIX)
}

/// Without the rows of tags that are no releases of the project: those that its pattern does not
/// match, and those of a commit that was released already, by a deployment to production or by an
/// earlier tag.
pub(crate) fn without_other_tags<'r>(
    rows: Vec<&'r DeploymentRow>,
    rules: &Rules,
) -> Vec<&'r DeploymentRow> {
    let (tags, mut counted): (Vec<_>, Vec<_>) = rows
        .into_iter()
        .partition(|row| row.subtask_name == OF_TAGS);
    let Some(pattern) = &rules.release_tags else {
        return counted;
    };
    let deployed: HashSet<(&str, &str)> = counted
        .iter()
        .filter(|row| row.result == "SUCCESS" && is_production(row, rules))
        .map(|row| (row.scope_id.as_str(), row.commit_sha.as_str()))
        .collect();
    let mut first: BTreeMap<(&str, &str), &DeploymentRow> = BTreeMap::new();
    let wanted = tags
        .into_iter()
        .filter(|row| tag_of(row).is_some_and(|name| pattern.is_match(name)));
    for row in wanted {
        let commit = (row.scope_id.as_str(), row.commit_sha.as_str());
        let earliest = first.entry(commit).or_insert(row);
        let when = |it: &DeploymentRow| (it.finished.is_none(), it.finished);
        if (when(row), &row.id) < (when(earliest), &earliest.id) {
            *earliest = row;
        }
    }
    let released = first.into_iter();
    let released = released.filter(|(commit, _)| !deployed.contains(commit));
    counted.extend(released.map(|(_, row)| row));
    counted
}

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::*;

    fn row(id: &str, commit: &str, finished: i64) -> DeploymentRow {
        DeploymentRow {
            id: id.to_owned(),
            commit_sha: commit.to_owned(),
            scope_id: "r".to_owned(),
            result: "SUCCESS".to_owned(),
            environment: "PRODUCTION".to_owned(),
            finished: Some(finished),
            ..DeploymentRow::default()
        }
    }

    fn tag(name: &str, commit: &str, finished: i64) -> DeploymentRow {
        DeploymentRow {
            subtask_name: OF_TAGS.to_owned(),
            ..row(&format!("r:refs/tags/{name}"), commit, finished)
        }
    }

    fn counted(rows: &[DeploymentRow], pattern: Option<&str>, names: &[&str]) -> Vec<String> {
        let rules = Rules {
            release_tags: pattern.map(|it| Regex::new(it).unwrap()),
            production_environments: names.iter().map(|it| (*it).to_owned()).collect(),
            ..Rules::default()
        };
        let counted = without_other_tags(rows.iter().collect(), &rules).into_iter();
        let mut ids: Vec<String> = counted
            .map(|row| row.id.trim_start_matches("r:refs/tags/").to_owned())
            .collect();
        ids.sort();
        ids
    }

    #[test]
    fn each_release_counts_once_whatever_says_that_it_is_one() {
        let rows = [
            row("d", "c1", 5),
            DeploymentRow {
                result: "FAILURE".to_owned(),
                ..row("failed", "c2", 5)
            },
            DeploymentRow {
                original_environment: "eu".to_owned(),
                ..row("eu", "c3", 5)
            },
            tag("v1", "c1", 1),
            tag("v2", "c2", 7),
            tag("v2.0", "c2", 6),
            tag("v3", "c3", 9),
            tag("other", "c4", 9),
        ];
        let all = ["d", "eu", "failed"];
        assert_eq!(counted(&rows, None, &[]), all, "nobody asked for tags");
        // c1 and c3 were deployed; of two tags of c2 the earlier one is the release.
        assert_eq!(
            counted(&rows, Some("^v"), &[]),
            ["d", "eu", "failed", "v2.0"]
        );
        assert_eq!(
            counted(&rows, Some("^o"), &[]),
            ["d", "eu", "failed", "other"]
        );
        // Where `eu` is not production, the tag of its commit is the release.
        let of_us = counted(&rows, Some("^v"), &["us"]);
        assert_eq!(of_us, ["d", "eu", "failed", "v1", "v2.0", "v3"]);
    }
}

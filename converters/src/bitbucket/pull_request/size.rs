//! How much a pull request changes.

use headwater_domain::Sourced;
use headwater_domain::tool::bitbucket::pull_request_diffstat as changed_file;

/// Lines and files of one pull request; all none until they are known (decision 36).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Size {
    /// Lines added.
    pub(super) additions: Option<i64>,
    /// Lines removed.
    pub(super) deletions: Option<i64>,
    /// Files changed.
    pub(super) changed_files: Option<i64>,
}

impl Size {
    /// The sum of the files that the list of changed files names. A list without any says the same
    /// as one that was not read: nothing is known.
    pub(super) fn of(files: &[Sourced<changed_file::Model>]) -> Self {
        if files.is_empty() {
            return Self::default();
        }
        let sum = |lines: fn(&changed_file::Model) -> i64| {
            let lines = files.iter().map(|file| lines(&file.row));
            Some(lines.fold(0, i64::saturating_add))
        };
        Self {
            additions: sum(|file| file.lines_added),
            deletions: sum(|file| file.lines_removed),
            changed_files: i64::try_from(files.len()).ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shown_rows::sourced;

    fn file(lines_added: i64, lines_removed: i64) -> Sourced<changed_file::Model> {
        let row = changed_file::Model {
            lines_added,
            lines_removed,
            ..changed_file::Model::default()
        };
        sourced(1, row)
    }

    #[test]
    fn a_size_is_the_sum_of_all_files_and_unknown_without_any() {
        let size = |additions, deletions, changed_files| Size {
            additions,
            deletions,
            changed_files,
        };
        assert_eq!(Size::of(&[]), size(None, None, None));
        let files = [file(3, 1), file(0, 0), file(4, 0)];
        assert_eq!(Size::of(&files), size(Some(7), Some(1), Some(3)));
        let hostile = [file(i64::MAX, 0), file(1, 0)];
        assert_eq!(Size::of(&hostile).additions, Some(i64::MAX));
    }
}

//! How much a pull request changes.

use headwater_domain::Sourced;
use headwater_domain::tool::bitbucket::{
    pull_request_diffstat as changed_file, pull_request_size as counted,
};

/// Lines and files of one pull request; all none until they are known.
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
    /// The sum of the files that the list of changed files names, else what git counted. A list
    /// without any says the same as one that was not read: nothing is known.
    ///
    /// The list goes before git: it is the source's own, and names pull requests of forks, too.
    pub(super) fn of(
        files: &[Sourced<changed_file::Model>],
        git: Option<&Sourced<counted::Model>>,
    ) -> Self {
        if files.is_empty() {
            return git.map_or_else(Self::default, |git| Self {
                additions: Some(git.row.additions),
                deletions: Some(git.row.deletions),
                changed_files: Some(git.row.changed_files),
            });
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
        assert_eq!(Size::of(&[], None), size(None, None, None));
        let files = [file(3, 1), file(0, 0), file(4, 0)];
        assert_eq!(Size::of(&files, None), size(Some(7), Some(1), Some(3)));
        let hostile = [file(i64::MAX, 0), file(1, 0)];
        assert_eq!(Size::of(&hostile, None).additions, Some(i64::MAX));
    }

    #[test]
    fn the_list_of_changed_files_goes_before_what_git_counted() {
        let row = counted::Model {
            additions: 0,
            deletions: 5,
            changed_files: 1,
            ..counted::Model::default()
        };
        let git = sourced(2, row);
        let counted = Size::of(&[], Some(&git));
        let known = (counted.additions, counted.deletions, counted.changed_files);
        assert_eq!(known, (Some(0), Some(5), Some(1)));
        assert_eq!(Size::of(&[file(3, 1)], Some(&git)).additions, Some(3));
    }
}

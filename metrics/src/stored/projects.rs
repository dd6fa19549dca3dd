//! What the configuration says of all projects.

use std::collections::BTreeMap;

use regex::Regex;

use crate::Rules;

/// The rules of projects, by name. A project that the configuration does not name has the default
/// ones.
#[derive(Clone, Debug, Default)]
pub struct Projects(BTreeMap<String, Rules>);

impl Projects {
    /// These.
    #[must_use]
    pub fn of(rules: impl IntoIterator<Item = (String, Rules)>) -> Self {
        Self(rules.into_iter().collect())
    }

    /// The rules of one project.
    #[must_use]
    pub fn rules_of(&self, project: &str) -> Rules {
        self.0.get(project).cloned().unwrap_or_default()
    }

    /// Which tags are releases, in the projects that say so, by name.
    pub fn release_tags(&self) -> impl Iterator<Item = (&str, &Regex)> {
        let rules = self.0.iter();
        rules.filter_map(|(name, it)| Some((name.as_str(), it.release_tags.as_ref()?)))
    }

    /// All of them in one text, to tell whether they changed.
    #[must_use]
    pub fn described(&self) -> String {
        format!("{self:?}")
    }
}

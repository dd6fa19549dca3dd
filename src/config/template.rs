//! The commented file that `headwater init` writes.

use toml_edit::Value;

/// The address in the template; nobody has it.
pub(super) const EMAIL: &str = "me@example.com";

/// The repositories in the template.
pub(super) const SCOPE: &str = "my-workspace/*";

/// What is known of an account when the file is written.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// E-mail address of the token's owner.
    pub email: Option<String>,
    /// Workspace, all of whose repositories are collected where none is named.
    pub workspace: Option<String>,
    /// Repositories as workspace/slug, or as slug where the workspace is given.
    pub repositories: Vec<String>,
}

/// A file with every section and key, each with its default.
#[must_use]
pub fn template() -> &'static str {
    include_str!("template.toml")
}

/// The same with what is known in place of the examples.
#[must_use]
pub fn filled_template(given: &Given) -> String {
    let mut text = template().to_owned();
    if let Some(email) = &given.email {
        let line = |email: &str| format!("auth.email = {}", quoted(email));
        text = text.replace(&line(EMAIL), &line(email));
    }
    let scopes = given.scopes();
    if !scopes.is_empty() {
        let scopes: Vec<String> = scopes.iter().map(|scope| quoted(scope)).collect();
        let example = format!("scopes = [\"{SCOPE}\", \"!my-workspace/sandbox\"]");
        text = text.replace(&example, &format!("scopes = [{}]", scopes.join(", ")));
    }
    text
}

impl Given {
    fn scopes(&self) -> Vec<String> {
        let workspace = self.workspace.as_deref();
        if self.repositories.is_empty() {
            return workspace.map(|it| format!("{it}/*")).into_iter().collect();
        }
        let full = |name: &String| match workspace {
            Some(workspace) if !name.contains('/') => format!("{workspace}/{name}"),
            _ => name.clone(),
        };
        self.repositories.iter().map(full).collect()
    }
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::schema::tests::property_names;
    use crate::config::{parse, schema};

    /// The template as `headwater init --email --workspace` writes it.
    fn filled() -> String {
        filled_template(&Given {
            email: Some("me@acme.example".to_owned()),
            workspace: Some("acme".to_owned()),
            repositories: Vec::new(),
        })
    }

    #[test]
    fn what_the_template_cannot_know_is_an_error_until_it_is_filled_in() {
        let (config, problems) = parse(template(), "headwater.toml");
        assert!(config.is_none());
        let keys: Vec<&str> = problems
            .iter()
            .map(|problem| problem.key.as_str())
            .collect();
        assert_eq!(
            keys,
            ["connection[0].auth.email", "connection[0].scopes[0]"]
        );
        let given = Given {
            workspace: Some("acme".to_owned()),
            repositories: vec!["rocket".to_owned(), "beta/web".to_owned()],
            ..Given::default()
        };
        assert!(filled_template(&given).contains("scopes = [\"acme/rocket\", \"beta/web\"]"));
        let hostile = Given {
            email: Some("a@b\"\n[evil]".to_owned()),
            ..Given::default()
        };
        let (_, problems) = parse(&filled_template(&hostile), "headwater.toml");
        assert!(
            problems
                .iter()
                .all(|problem| !problem.message.contains("TOML")),
            "{problems:?}"
        );
    }

    #[test]
    fn the_template_is_accepted_and_shows_every_key() {
        let (config, problems) = parse(&filled(), "headwater.toml");
        assert_eq!(problems, []);
        assert!(config.unwrap().require_connections().is_ok());
        assert!(template().starts_with("#:schema "));
        for name in property_names(&schema()) {
            let shown = template().contains(&format!("{name} ="))
                || template().contains(&format!("{name}."))
                || template().contains(&format!("{name}]"))
                || template().contains(&format!("auth.{name}"));
            assert!(shown, "the template does not show {name}");
        }
    }

    #[test]
    fn the_commented_lines_of_the_template_are_accepted_too() {
        let is_prose = |line: &str| {
            let text = line.trim_start_matches("# ");
            let is_key = text
                .split_once(" = ")
                .is_some_and(|(key, _)| !key.contains([' ', ':']));
            !(is_key || text.starts_with('['))
        };
        let text = filled();
        let uncommented: Vec<&str> = text
            .lines()
            .filter(|line| !line.starts_with('#') || !is_prose(line))
            .filter(|line| !line.contains("requests_per_second") && !line.contains("burst"))
            .map(|line| line.trim_start_matches("# "))
            .collect();
        let (config, problems) = parse(&uncommented.join("\n"), "headwater.toml");
        assert_eq!(problems, []);
        let config = config.unwrap();
        assert_eq!((config.connections.len(), config.projects.len()), (2, 1));
    }
}

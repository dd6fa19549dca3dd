//! A problem as a person sees it: the line of the file, and a mark below what is meant.

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use super::problem::{ConfigProblems, Problem};
use crate::output;

impl Problem {
    /// The problem in several lines, with the line of the file where it can be shown.
    #[must_use]
    pub fn in_full(&self, coloured: bool) -> String {
        let Some(excerpt) = &self.excerpt else {
            return output::shown(&self.to_string());
        };
        let clean = |text: &str| output::shown(&text.replace(['\n', '\r', '\t'], " "));
        let title = match self.key.as_str() {
            "" => clean(&self.message),
            key => clean(&format!("{key}: {}", self.message)),
        };
        let level = if self.is_error() {
            Level::ERROR
        } else {
            Level::WARNING
        };
        let label = self.expected.as_deref();
        let label = label.map(|expected| clean(&format!("expected {expected}")));
        let line = excerpt.line.replace('\t', " ");
        let mark = AnnotationKind::Primary.span(excerpt.meant.clone());
        let snippet = Snippet::source(line)
            .line_start(self.line)
            .path(clean(&self.file))
            .annotation(mark.label(label));
        let mut report = level.primary_title(title).element(snippet);
        if let Some(instead) = &self.write_instead {
            report = report.element(Level::HELP.message(clean(&format!("write {instead}"))));
        }
        let renderer = if coloured {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        renderer.render(&[report])
    }
}

impl ConfigProblems {
    /// All problems in full, and how many they are.
    #[must_use]
    pub fn in_full(&self) -> String {
        let problems = self.problems().iter();
        let problems: Vec<String> = problems.map(|problem| problem.in_full(false)).collect();
        format!("{}\n{}", problems.join("\n"), self.summary())
    }
}

#[cfg(test)]
mod tests {
    use crate::config::parse;

    /// Everything that is wrong with a file, as a person sees it.
    fn said(text: &str) -> String {
        let (_, problems) = parse(text, "headwater.toml");
        let said: Vec<String> = problems.iter().map(|it| it.in_full(false)).collect();
        said.join("\n\n")
    }

    const CLOUD: &str = "[[connection]]\nid = 1\nname = \"a\"\nkind = \"bitbucket-cloud\"\n";

    #[test]
    fn a_problem_shows_its_line_and_marks_what_is_meant() {
        let texts = [
            "[[connection]]\nid = 1\nname = \"a\"\nkind = \"github\"\n".to_owned(),
            "[[connection]]\nid = 1\nname = \"a\"\nname = \"hunter2secret\"\n".to_owned(),
            "[database]\nurl = hunter2secret\n".to_owned(),
            format!(
                "{CLOUD}auth.kind = \"api-token\"\nauth.email = \"ada\" # hunter2secret\n\
                 auth.token = \"$BITBUCKET_TOKEN\"\ndata_after = \"6m\"\n"
            ),
            format!(
                "{CLOUD}auth.kind = \"api-token\"\nauth.email = \"me@example.com\"\n\
                 auth.token = \"env:T\"\nscopes = [\"acme/x\", \"my-workspace/*\"]\n"
            ),
            format!("{CLOUD}auth = {{ kind = \"access-token\", tokn = \"hunter2secret\" }}\n"),
            format!("{CLOUD}auth = {{ kind = \"access-token\", token = \"hunter2secret\" }}\n"),
            format!("{CLOUD}scopes = [\"https://me:hunter2secret@bitbucket.org/a/b\"]\n"),
        ];
        let all: Vec<String> = texts.iter().map(|text| said(text)).collect();
        let all = all.join("\n\n----\n\n");
        assert!(!all.contains("hunter2secret"), "{all}");
        insta::assert_snapshot!(all);
    }

    #[test]
    fn colours_change_nothing_but_the_look() {
        let (_, problems) = parse("[database]\nurl = 1\n", "headwater.toml");
        let coloured = problems[0].in_full(true);
        assert!(coloured.contains("\u{1b}["));
        assert!(!problems[0].in_full(false).contains('\u{1b}'));
    }
}

//! What the address of a page names.

use url::Url;

use crate::cli::Explainable;

/// The kind, and the repository and number as `acme/rocket#12`, of a step `acme/rocket#12/{uuid}`;
/// none for an address of another form.
pub(super) fn named(address: &str) -> Option<(Explainable, String)> {
    let url = Url::parse(address).ok()?;
    let path: Vec<&str> = url
        .path_segments()?
        .filter(|part| !part.is_empty())
        .collect();
    let (repository, rest) = match path[..] {
        // Data Center has projects, or the repositories of a user.
        ["projects" | "users", project, "repos", slug, ref rest @ ..] => {
            (format!("{project}/repos/{slug}"), rest)
        }
        [workspace, slug, ref rest @ ..] => (format!("{workspace}/{slug}"), rest),
        _ => return None,
    };
    // An older form of pages of pipelines.
    let results = url.fragment().and_then(|it| it.strip_prefix("!/results/"));
    let mut step = None;
    let (kind, number) = match (rest, results) {
        (["pull-requests", number, ..], _) => (Explainable::PullRequest, *number),
        (["issues", number, ..], _) => (Explainable::Issue, *number),
        (["pipelines", "results", number, "steps", uuid, ..], _) => {
            step = Some(uuid.replace("%7B", "{").replace("%7D", "}"));
            (Explainable::Task, *number)
        }
        (["pipelines", "results", number, ..], _) => (Explainable::Deployment, *number),
        (["addon", "pipelines", ..], Some(results)) => {
            (Explainable::Deployment, results.split('/').next()?)
        }
        _ => return None,
    };
    let number: u64 = number.parse().ok()?;
    let step = step.map_or_else(String::new, |step| format!("/{step}"));
    Some((kind, format!("{repository}#{number}{step}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_names_its_pull_request_issue_or_build() {
        use Explainable::{Deployment, Issue, PullRequest, Task};
        let page = |path: &str| named(&format!("https://bitbucket.org/{path}"));
        for (path, expected) in [
            (
                "acme/rocket/pull-requests/12",
                (PullRequest, "acme/rocket#12"),
            ),
            (
                "acme/rocket/pull-requests/12/diff#chg-a",
                (PullRequest, "acme/rocket#12"),
            ),
            ("acme/rocket/issues/7/it-leaks", (Issue, "acme/rocket#7")),
            (
                "acme/rocket/pipelines/results/42",
                (Deployment, "acme/rocket#42"),
            ),
            (
                "acme/rocket/pipelines/results/42/steps/%7Bs%7D/tasks",
                (Task, "acme/rocket#42/{s}"),
            ),
            (
                "acme/rocket/pipelines/results/42/steps/{s}",
                (Task, "acme/rocket#42/{s}"),
            ),
            (
                "acme/rocket/addon/pipelines/home#!/results/42",
                (Deployment, "acme/rocket#42"),
            ),
            (
                "projects/AC/repos/web/pull-requests/3/overview",
                (PullRequest, "AC/repos/web#3"),
            ),
        ] {
            assert_eq!(
                page(path),
                Some((expected.0, expected.1.to_owned())),
                "{path}"
            );
        }
        for path in [
            "",
            "acme",
            "acme/rocket",
            "acme/rocket/src/main",
            "a/b/pull-requests/x",
        ] {
            assert_eq!(page(path), None, "{path}");
        }
    }
}

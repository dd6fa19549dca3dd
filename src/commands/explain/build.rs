//! Builds and their steps by what people call them: a number, a name, the address of a page.

use headwater_domain::Scope;
use headwater_domain::id::bitbucket as ids;
use headwater_domain::tool::bitbucket::{pipeline, pipeline_step};
use headwater_store::Store;

use super::page;
use crate::exit::Failure;
use crate::output;

/// A build, or one of its steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Build<'n> {
    /// Full name of the repository.
    repository: &'n str,
    number: i64,
    /// Name or UUID of the step; none for the build.
    step: Option<&'n str>,
}

impl<'n> Build<'n> {
    /// What `acme/rocket#12` names, or `acme/rocket#12/Deploy`; none for another form.
    pub(super) fn parse(name: &'n str) -> Option<Self> {
        let (repository, rest) = name.split_once('#')?;
        let (number, step) = match rest.split_once('/') {
            Some((number, step)) => (number, Some(step).filter(|it| !it.is_empty())),
            None => (rest, None),
        };
        Some(Self {
            repository,
            number: number.parse().ok()?,
            step,
        })
    }

    /// The repository and the number.
    pub(super) fn numbered(&self) -> (&'n str, i64) {
        (self.repository, self.number)
    }

    /// Pipelines with this number, each with its repository, over all connections.
    async fn pipelines(&self, store: &Store) -> Result<Vec<(Scope, pipeline::Model)>, Failure> {
        let mut found = Vec::new();
        let number = [self.number.to_string()];
        for known in store.scopes().await? {
            let scope = known.scope;
            if scope.full_name != self.repository {
                continue;
            }
            let rows = store.rows_by_key::<pipeline::Entity>(&scope, "build_number", &number);
            let rows = rows.await?.into_iter();
            found.extend(rows.map(|it| (scope.clone(), it.row)));
        }
        Ok(found)
    }

    /// Domain ids of the pipelines with this number, deployments or not.
    pub(super) async fn pipeline_ids(&self, store: &Store) -> Result<Vec<String>, Failure> {
        let found = self.pipelines(store).await?.into_iter();
        let ids = found.map(|(scope, it)| ids::pipeline(scope.connection_id, &it.bitbucket_id));
        Ok(ids.collect())
    }

    /// The steps that are meant, also those that never ran: domain id and name.
    async fn steps(&self, store: &Store) -> Result<Vec<(String, String)>, Failure> {
        let mut found = Vec::new();
        for (scope, pipeline) in self.pipelines(store).await? {
            let key = [pipeline.bitbucket_id];
            let rows = store.rows_by_key::<pipeline_step::Entity>(&scope, "pipeline_id", &key);
            found.extend(rows.await?.into_iter().map(|it| (scope.clone(), it.row)));
        }
        found.sort_by(|(_, one), (_, other)| {
            (one.started_on, &one.name).cmp(&(other.started_on, &other.name))
        });
        let exactly = |it: &pipeline_step::Model| {
            let is = |step: &str| it.name == step || it.bitbucket_id == step;
            self.step.is_none_or(is)
        };
        let by_case = |it: &pipeline_step::Model| {
            let is = |step: &str| it.name.to_lowercase() == step.to_lowercase();
            self.step.is_none_or(is)
        };
        let is_exact = found.iter().any(|(_, it)| exactly(it));
        let meant = found
            .into_iter()
            .filter(|(_, it)| if is_exact { exactly(it) } else { by_case(it) });
        let named = meant.map(|(scope, it)| {
            let id = ids::pipeline_step(scope.connection_id, &it.bitbucket_id);
            (id, it.name)
        });
        Ok(named.collect())
    }
}

/// The domain id of the step that is named by its build, or by its page; the text itself where it
/// is neither.
///
/// # Errors
/// Exit 2 when there is no such step, or more than one.
pub(super) async fn step_id(store: &Store, name: &str) -> Result<String, Failure> {
    let numbered = page::named(name).map(|(_, numbered)| numbered);
    let numbered = numbered.as_deref().unwrap_or(name);
    let Some(build) = Build::parse(numbered) else {
        return Ok(name.to_owned());
    };
    let steps = build.steps(store).await?;
    let shown = output::shown(name);
    let of_build = format!("{}#{}", build.repository, build.number);
    match (steps.as_slice(), build.step) {
        ([(id, _)], _) => Ok(id.clone()),
        ([], None) => Err(Failure::usage(format!(
            "no build here is {shown}, or it has no steps; `headwater explain --help` shows how \
             one is named"
        ))),
        ([], Some(_)) => {
            let all = Build {
                step: None,
                ..build
            };
            let all = all.steps(store).await?;
            Err(Failure::usage(format!(
                "no step here is {shown}; {of_build} has {}",
                names(&all, &of_build)
            )))
        }
        (several, _) => Err(Failure::usage(format!(
            "{shown} is several steps; name one of {}",
            names(several, &of_build)
        ))),
    }
}

/// Steps as they are named on the command line; by their ids where two have one name.
fn names(steps: &[(String, String)], of_build: &str) -> String {
    let is_alone = |name: &str| steps.iter().filter(|(_, it)| it == name).count() == 1;
    let names = steps.iter().map(|(id, name)| {
        if name.is_empty() || !is_alone(name) {
            format!("\"{id}\"")
        } else {
            format!("\"{of_build}/{}\"", output::shown(name))
        }
    });
    let names: Vec<String> = names.collect();
    match names.as_slice() {
        [] => "no steps".to_owned(),
        names => names.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_is_a_repository_with_a_number_and_its_step_has_a_name_behind_it() {
        for (name, expected) in [
            ("acme/rocket#12", Some(("acme/rocket", 12, None))),
            ("acme/rocket#12/", Some(("acme/rocket", 12, None))),
            (
                "acme/rocket#12/Deploy to eu/us",
                Some(("acme/rocket", 12, Some("Deploy to eu/us"))),
            ),
            ("acme/rocket#12/{s}", Some(("acme/rocket", 12, Some("{s}")))),
            ("acme/rocket#x", None),
            ("acme/rocket", None),
        ] {
            let build = Build::parse(name);
            let build = build.map(|it| (it.repository, it.number, it.step));
            assert_eq!(build, expected, "{name}");
        }
    }

    #[test]
    fn steps_of_one_name_are_told_by_their_ids() {
        let step = |id: &str, name: &str| (id.to_owned(), name.to_owned());
        let steps = [step("1", "Build"), step("2", "Test"), step("3", "Test")];
        assert_eq!(names(&steps, "a/b#7"), "\"a/b#7/Build\", \"2\", \"3\"");
    }
}

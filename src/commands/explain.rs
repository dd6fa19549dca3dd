//! `explain`: which rules looked at a deployment, a task or an issue, and what came of it; and with
//! which commits a pull request is linked.

mod build;
mod chain;
pub(crate) mod metric;
mod page;
mod pull_request;

use std::collections::BTreeSet;

use headwater_converters::bitbucket::explain::{self, Line, PipelineRows};
use headwater_converters::rules::Rules;
use headwater_domain::Scope;
use headwater_domain::tool::bitbucket::{
    deployment, environment, issue, issue_change, pipeline, pipeline_step,
};
use headwater_store::Store;
use headwater_store::query::Cell;

use crate::cli::{ExplainArgs, Explainable, Format, Shared, Subject};
use crate::config::Config;
use crate::context::{Context, NeedsFile};
use crate::exit::{Exit, Failure};
use crate::output::{self, print, written};
use crate::resolve::connection_name;

const COLUMNS: [&str; 8] = [
    "of",
    "decides",
    "rule",
    "looked_at",
    "text",
    "matches",
    "because",
    "gives",
];

/// Column of every tool table that holds the key of an id.
const KEY: &str = "bitbucket_id";

/// Explains a row, or a metric, which is asked for by a project and a name.
pub(super) async fn run(shared: &Shared, arguments: ExplainArgs) -> Result<Exit, Failure> {
    let ExplainArgs {
        kind, id, format, ..
    } = arguments;
    let (kind, id) = subject(kind, id)?;
    if kind == Explainable::Metric {
        let asked = metric::Asked {
            project: &id,
            metric: arguments.metric.as_deref(),
            days: (arguments.from, arguments.to),
        };
        return metric::metric(shared, asked, format).await;
    }
    if let Some(more) = arguments.metric {
        return Err(Failure::usage(format!(
            "{} is more than one id; only `explain metric` takes a second word",
            output::shown(&more)
        )));
    }
    explain(shared, kind, &id, format).await
}

/// The kind and the id, of which a page says both.
fn subject(kind: Subject, id: Option<String>) -> Result<(Explainable, String), Failure> {
    match (kind, id) {
        (Subject::Kind(kind), Some(id)) => Ok((kind, id)),
        (Subject::Kind(kind), None) => Err(Failure::usage(format!(
            "explain {} needs an id, such as acme/rocket#12; `headwater explain --help` has \
             examples",
            word(kind)
        ))),
        (Subject::Page(page), None) => page::named(&page).ok_or_else(|| {
            let page = output::shown(&page);
            Failure::usage(format!(
                "{page} is no page of a pull request, an issue or a pipeline; say what it is: \
                 headwater explain pull-request {page}"
            ))
        }),
        (Subject::Page(page), Some(more)) => Err(Failure::usage(format!(
            "{} says what it is of; {} is one word too many",
            output::shown(&page),
            output::shown(&more)
        ))),
    }
}

async fn explain(
    shared: &Shared,
    kind: Explainable,
    id: &str,
    format: Format,
) -> Result<Exit, Failure> {
    let sort = chain::sort(kind);
    // Other ids than those that are taken apart here are those of imported rows.
    if sort.is_none() && build::Build::parse(id).is_none() && !id.contains("://") {
        DomainId::parse(kind, id)?;
    }
    let context = Context::load(shared, NeedsFile::No)?;
    let store = context.open_to_read().await?;
    let id = match sort {
        Some(sort) => the_one(kind, id, chain::id_of(&store, sort, id).await?)?,
        None => build::step_id(&store, id).await?,
    };
    let parsed = DomainId::parse(kind, &id);
    let mut lines = match &parsed {
        Ok(id) => {
            let asked = Asked {
                store: &store,
                config: &context.config,
                id,
            };
            asked.lines().await?
        }
        Err(_) => Vec::new(),
    };
    if let Some(sort) = sort {
        lines.extend(chain::lines(&store, sort, &id).await?);
    }
    store.close().await?;
    if lines.is_empty() {
        parsed?;
    }
    written(print(
        format,
        &COLUMNS,
        lines.into_iter().map(row).collect(),
    ))
}

/// The id of what was named; the text itself where it is an id.
fn the_one(kind: Explainable, name: &str, found: Option<Vec<String>>) -> Result<String, Failure> {
    let Some(found) = found else {
        return Ok(name.to_owned());
    };
    let shown = crate::output::shown(name);
    match found.as_slice() {
        [id] => Ok(id.clone()),
        [] => Err(Failure::usage(format!(
            "no {} here is {shown}; `headwater explain --help` shows how one is named",
            word(kind)
        ))),
        several => Err(Failure::usage(format!(
            "{shown} is several: {}; name one of these ids",
            several.join(", ")
        ))),
    }
}

fn row(line: Line) -> Vec<Cell> {
    vec![
        Cell::Text(line.of.to_owned()),
        Cell::Text(line.decides),
        Cell::Text(line.rule),
        Cell::Text(line.looked_at),
        Cell::Text(line.text),
        Cell::Text(line.matches.to_owned()),
        Cell::Text(line.because),
        Cell::Text(line.gives),
    ]
}

/// What a domain id names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Named {
    Deployment,
    Pipeline,
    Step,
    Issue,
    PullRequest,
}

impl Named {
    const ALL: [(Self, &'static str, Explainable); 5] = [
        (
            Self::Deployment,
            "BitbucketDeployment",
            Explainable::Deployment,
        ),
        (Self::Pipeline, "BitbucketPipeline", Explainable::Deployment),
        (Self::Step, "BitbucketPipelineStep", Explainable::Task),
        (Self::Issue, "BitbucketIssue", Explainable::Issue),
        (
            Self::PullRequest,
            "BitbucketPullRequest",
            Explainable::PullRequest,
        ),
    ];
}

/// A domain id, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
struct DomainId {
    text: String,
    named: Named,
    connection_id: i64,
    /// The repository, where the id says it.
    full_name: Option<String>,
    key: String,
}

impl DomainId {
    fn parse(kind: Explainable, text: &str) -> Result<Self, Failure> {
        let parts: Vec<&str> = text.splitn(4, ':').collect();
        let read = match parts[..] {
            ["bitbucket", entity, connection, rest] if !rest.is_empty() => {
                let named = Named::ALL.iter().find(|(_, name, _)| *name == entity);
                named
                    .zip(connection.parse().ok())
                    .map(|found| (found, rest))
            }
            _ => None,
        };
        let word = word(kind);
        let Some(((&(named, _, own), connection_id), rest)) = read else {
            return Err(Failure::usage(format!(
                "{text} is no id of a {word}; `headwater explain --help` shows how one looks"
            )));
        };
        let is_incident = kind == Explainable::Incident && named == Named::Issue;
        if own != kind && !is_incident {
            let own = self::word(own);
            return Err(Failure::usage(format!(
                "{text} is no id of a {word}; try `headwater explain {own} \"{text}\"`"
            )));
        }
        let (full_name, key) = match rest.rsplit_once(':') {
            Some((name, number)) if matches!(named, Named::Issue | Named::PullRequest) => {
                (Some(name.to_owned()), number)
            }
            _ => (None, rest),
        };
        Ok(Self {
            text: text.to_owned(),
            named,
            connection_id,
            full_name,
            key: key.to_owned(),
        })
    }
}

fn word(kind: Explainable) -> &'static str {
    match kind {
        Explainable::Deployment => "deployment",
        Explainable::Task => "task",
        Explainable::Issue => "issue",
        Explainable::PullRequest => "pull-request",
        Explainable::Incident => "incident",
        Explainable::Metric => "metric",
    }
}

struct Asked<'a> {
    store: &'a Store,
    config: &'a Config,
    id: &'a DomainId,
}

impl Asked<'_> {
    async fn lines(&self) -> Result<Vec<Line>, Failure> {
        match self.id.named {
            Named::Step => {
                let found = self.store.first_row_by_key::<pipeline_step::Entity>(
                    self.scopes().await?,
                    KEY,
                    &self.id.key,
                );
                let (scope, row) = found.await?.ok_or_else(|| self.missing())?;
                let rows = self.pipeline_rows(&scope, &row.row.pipeline_id).await?;
                Ok(explain::task(&self.rules(&scope), &row.row, &rows))
            }
            Named::Deployment => {
                let found = self.store.first_row_by_key::<deployment::Entity>(
                    self.scopes().await?,
                    KEY,
                    &self.id.key,
                );
                let (scope, row) = found.await?.ok_or_else(|| self.missing())?;
                let rows = self.pipeline_rows(&scope, &row.row.belongs_to).await?;
                Ok(explain::deployment(&self.rules(&scope), &row.row, &rows))
            }
            Named::Pipeline => {
                let found = self.store.first_row_by_key::<pipeline::Entity>(
                    self.scopes().await?,
                    KEY,
                    &self.id.key,
                );
                let (scope, row) = found.await?.ok_or_else(|| self.missing())?;
                let rows = self.pipeline_rows(&scope, &row.row.bitbucket_id).await?;
                let rules = self.rules(&scope);
                Ok(explain::pipeline(&rules, &scope, &row.row, &rows))
            }
            Named::Issue => {
                let found = self.store.first_row_by_key::<issue::Entity>(
                    self.scopes().await?,
                    KEY,
                    &self.id.key,
                );
                let (scope, row) = found.await?.ok_or_else(|| self.missing())?;
                let key = std::slice::from_ref(&self.id.key);
                let changes = self
                    .store
                    .rows_by_key::<issue_change::Entity>(&scope, "issue_id", key)
                    .await?;
                Ok(explain::issue(&self.rules(&scope), &row.row, &changes))
            }
            Named::PullRequest => {
                let lines = pull_request::lines(self.store, &self.id.text).await?;
                lines.ok_or_else(|| self.missing())
            }
        }
    }

    fn rules(&self, scope: &Scope) -> std::sync::Arc<Rules> {
        let connection = connection_name(self.config, scope.connection_id);
        self.config.rules_of(&connection)
    }

    /// Repositories that may have the row. Most ids do not name theirs.
    async fn scopes(&self) -> Result<Vec<Scope>, Failure> {
        let known = self.store.scopes().await?.into_iter();
        let mut scopes: Vec<Scope> = known.map(|known| known.scope).collect();
        scopes.retain(|scope| {
            let name = self.id.full_name.as_ref();
            scope.connection_id == self.id.connection_id
                && name.is_none_or(|name| *name == scope.full_name)
        });
        Ok(scopes)
    }

    /// What to say of an id that no row has.
    fn missing(&self) -> Failure {
        let table = match self.id.named {
            Named::Deployment | Named::Pipeline => "cicd_deployments",
            Named::Step => "cicd_tasks",
            Named::Issue => "issues",
            Named::PullRequest => "pull_requests",
        };
        Failure::usage(format!(
            "there is no {} here; `headwater query \"SELECT id FROM {table}\"` lists those that \
             there are",
            self.id.text
        ))
    }

    /// A pipeline with what belongs to it.
    async fn pipeline_rows(&self, scope: &Scope, uuid: &str) -> Result<PipelineRows, Failure> {
        let key = [uuid.to_owned()];
        let pipelines = self.store.rows_by_key::<pipeline::Entity>(scope, KEY, &key);
        let steps = self
            .store
            .rows_by_key::<pipeline_step::Entity>(scope, "pipeline_id", &key);
        let deployments = self
            .store
            .rows_by_key::<deployment::Entity>(scope, "belongs_to", &key);
        let deployments = deployments.await?;
        let environments: BTreeSet<String> = deployments
            .iter()
            .map(|deployment| deployment.row.environment_id.clone())
            .collect();
        let environments: Vec<String> = environments.into_iter().collect();
        let environments = self
            .store
            .rows_by_key::<environment::Entity>(scope, KEY, &environments);
        Ok(PipelineRows {
            pipeline: pipelines.await?.into_iter().next(),
            steps: steps.await?,
            deployments,
            environments: environments.await?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(kind: Explainable, id: &str) -> Result<(Option<String>, String), String> {
        let parsed = DomainId::parse(kind, id).map_err(|failure| failure.message)?;
        Ok((parsed.full_name, parsed.key))
    }

    #[test]
    fn ids_are_taken_apart_and_others_refused_with_advice() {
        let step = "bitbucket:BitbucketPipelineStep:1:{ab-c}";
        assert_eq!(
            parsed(Explainable::Task, step),
            Ok((None, "{ab-c}".to_owned()))
        );
        assert_eq!(
            parsed(
                Explainable::Issue,
                "bitbucket:BitbucketIssue:1:acme/rocket:7"
            ),
            Ok((Some("acme/rocket".to_owned()), "7".to_owned()))
        );
        let wrong = parsed(Explainable::Deployment, step).unwrap_err();
        assert!(wrong.contains("explain task"), "{wrong}");
        for id in [
            "",
            "7",
            "bitbucket:BitbucketIssue:x:a/b:7",
            "github:Issue:1:7",
        ] {
            let refused = parsed(Explainable::Issue, id).unwrap_err();
            assert!(refused.contains("--help"), "{id}: {refused}");
        }
    }
}

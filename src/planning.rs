//! What a run would do, step by step, found out without a request and without writing anything.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use headwater_collectors::{Client, Collection, Paging};
use headwater_domain::rules::Steps;
use headwater_domain::tool::bitbucket::pipeline_step::PipelineSteps;
use headwater_domain::{Scope, Stream as _};
use headwater_store::progress::WalkKey;
use headwater_store::scopes::KnownScope;
use headwater_store::{Store, StoreError};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::config::{Config, Connection, Project};
use crate::connect::Connector;
use crate::entities;
use crate::estimate::{Basis, Estimate, from_tables, within_limit};
use crate::exit::{Exit, Failure};
use crate::order::{Node, order};
use crate::plan::{Depth, Plan};
use crate::resolve::{Selection, connection_id};
use crate::run::Job;
use crate::source::{GIT, Source, StreamEntry};
use crate::sources::Sources;

/// One step that a run would take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlannedStep {
    /// Name of the connection; empty for what spans connections.
    pub connection: String,
    /// The repository or workspace; empty for what concerns all of them.
    pub scope: String,
    /// `list`, `collect`, `extract`, `convert` or `projects`.
    pub stage: &'static str,
    /// The stream, or the steps in their order.
    pub step: String,
    /// Requests to the API, with those of the streams that hang on this one.
    pub requests: u64,
    /// More requests may follow from what these bring.
    pub at_least: bool,
    /// What is asked for, or what is done.
    pub what: String,
}

/// What a connection would be asked, in all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlannedConnection {
    /// Its name.
    pub connection: String,
    /// Requests, and the time that the rate limit makes of them.
    #[serde(flatten)]
    pub estimate: Estimate,
}

/// What a run would do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Planned {
    /// The steps in their order.
    pub steps: Vec<PlannedStep>,
    /// The connections that are asked.
    pub connections: Vec<PlannedConnection>,
}

/// What a plan is made from.
pub struct Planner<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// The sources that connections may be of.
    pub sources: &'a Sources,
    /// The database.
    pub store: &'a Store,
    /// Makes clients; nothing is sent through them.
    pub connector: &'a Connector,
    /// Tells the time.
    pub clock: &'a Clock,
    /// What is to run.
    pub plan: &'a Plan,
    /// Which repositories.
    pub selection: &'a Selection,
    /// How far back, if that is further than what is there (UTC).
    pub since: Option<DateTime<Utc>>,
    /// Only repositories of this project.
    pub project: Option<&'a Project>,
}

/// A connection while its plan is made.
struct Side<'a> {
    connection: &'a Connection,
    source: &'a Arc<Source>,
    client: Option<Client>,
    streams: Arc<BTreeSet<&'static str>>,
}

impl Planner<'_> {
    /// Plans the run.
    ///
    /// # Errors
    /// When credentials of a connection cannot be read, or the database fails.
    pub async fn planned(&self) -> Result<Planned, Failure> {
        let known = self.store.scopes().await?;
        let mut planned = Planned::default();
        for connection in &self.config.connections {
            if self.selection.may_include(&connection.name) {
                self.add_connection(connection, &known, &mut planned)
                    .await?;
            }
        }
        if self.plan.stages.convert {
            self.add_projects(&mut planned);
            self.add_spanning(&mut planned).await?;
        }
        Ok(planned)
    }

    async fn add_connection(
        &self,
        connection: &Connection,
        known: &[KnownScope],
        planned: &mut Planned,
    ) -> Result<(), Failure> {
        let source = self.sources.of_connection(self.config, &connection.name);
        let has_api = source.api.is_some() && self.plan.stages.collect;
        let client = has_api.then(|| self.connector.client(connection));
        let side = Side {
            connection,
            source,
            client: client.transpose()?,
            streams: Arc::new(self.config.streams_of(self.sources, &connection.name)),
        };
        let before = planned.steps.len();
        if side.client.is_some() && self.selection.is_everything() {
            for workspace in connection.workspaces_to_list() {
                planned.steps.push(PlannedStep {
                    connection: connection.name.clone(),
                    scope: workspace.to_owned(),
                    stage: "list",
                    step: "repositories".to_owned(),
                    requests: 1,
                    at_least: true,
                    what: "repositories that a glob stands for; new ones are added to this plan"
                        .to_owned(),
                });
            }
        }
        let scopes = self.scopes_of(&side, known);
        if scopes.is_empty() {
            // Without a repository that is known, nothing more can be told.
            self.add_estimate(&side, before, planned).await?;
            return Ok(());
        }
        for (scope, data_after) in scopes {
            let job = self.job(&side, scope, data_after);
            self.add_scope(&side, &job, &mut planned.steps).await?;
        }
        self.add_estimate(&side, before, planned).await
    }

    async fn add_estimate(
        &self,
        side: &Side<'_>,
        before: usize,
        planned: &mut Planned,
    ) -> Result<(), Failure> {
        let Some(client) = &side.client else {
            return Ok(());
        };
        let own = &planned.steps[before..];
        let requests = own.iter().map(|step| step.requests).sum();
        let at_least = own.iter().any(|step| step.at_least);
        let estimate = within_limit(client, (requests, at_least), self.clock.now()).await?;
        planned.connections.push(PlannedConnection {
            connection: side.connection.name.clone(),
            estimate,
        });
        Ok(())
    }

    /// The scopes of a connection that would be worked on, and since when their data is wanted.
    fn scopes_of(
        &self,
        side: &Side<'_>,
        known: &[KnownScope],
    ) -> Vec<(Scope, Option<DateTime<Utc>>)> {
        let connection = side.connection;
        let id = connection_id(connection);
        let configured = connection
            .data_after
            .as_ref()
            .map(|after| after.resolve(self.clock.now()));
        let configured = self.since.or(configured);
        let is_meant = |name: &str| {
            connection.wanted(name)
                && self.selection.includes(&connection.name, name)
                && self
                    .project
                    .is_none_or(|project| project.wanted(&connection.name, name))
        };
        let here = known.iter().filter(|known| known.scope.connection_id == id);
        let mut scopes: Vec<(Scope, Option<DateTime<Utc>>)> = here
            .filter(|known| !known.scope.is_workspace() && is_meant(&known.scope.full_name))
            .map(|known| {
                // A range only widens.
                let after = known.data_after.zip(configured).map(|(a, b)| a.min(b));
                (known.scope.clone(), after)
            })
            .collect();
        let is_known = |name: &str, scopes: &[(Scope, Option<DateTime<Utc>>)]| {
            let mut scopes = scopes.iter();
            scopes.any(|(scope, _)| scope.full_name.eq_ignore_ascii_case(name))
        };
        for name in connection.exact_names() {
            if is_meant(name) && !is_known(name, &scopes) {
                scopes.push((Scope::new(id, name), configured));
            }
        }
        scopes.sort();
        let anonymous = side.client.as_ref().is_none_or(Client::is_anonymous);
        if !anonymous && self.selection.is_everything() {
            let workspaces: BTreeSet<Scope> = scopes.iter().map(|(it, _)| it.workspace()).collect();
            scopes.extend(workspaces.into_iter().map(|scope| (scope, configured)));
        }
        scopes
    }

    fn job(&self, side: &Side<'_>, scope: Scope, data_after: Option<DateTime<Utc>>) -> Job {
        Job {
            scope,
            connection: side.connection.name.clone(),
            source: Arc::clone(side.source),
            client: side.client.clone(),
            git: None,
            prefetched: None,
            rules: self.config.rules_of(&side.connection.name),
            streams: Arc::clone(&side.streams),
            data_after,
            windows: Arc::default(),
            cancel: CancellationToken::new(),
        }
    }

    async fn add_scope(
        &self,
        side: &Side<'_>,
        job: &Job,
        steps: &mut Vec<PlannedStep>,
    ) -> Result<(), Failure> {
        let chosen =
            |stream: &str| self.plan.streams.contains(&stream) && job.streams.contains(stream);
        let streams = job.source.streams_of(&job.scope);
        let streams: Vec<&StreamEntry> = streams
            .filter(|entry| chosen(entry.collection.stream))
            .collect();
        let step = |stage: &'static str, step: String, what: String| PlannedStep {
            connection: job.connection.clone(),
            scope: job.scope.full_name.clone(),
            stage,
            step,
            requests: 0,
            at_least: false,
            what,
        };
        if self.plan.stages.collect && job.client.is_some() {
            for entry in streams.iter().filter(|it| it.collection.parent.is_none()) {
                let (requests, at_least, what) = self.collected(job, entry).await?;
                steps.push(PlannedStep {
                    requests,
                    at_least,
                    ..step("collect", entry.collection.stream.to_owned(), what)
                });
            }
        }
        let reads_git = self.config.reads_git(&side.connection.name)
            && self.plan.streams.contains(&GIT)
            && !job.scope.is_workspace();
        if reads_git && self.plan.stages.collect {
            let what = "the mirror is fetched where a ref moved, or cloned; no request to the API";
            steps.push(step("collect", GIT.to_owned(), what.to_owned()));
        }
        let mut extracted: Vec<&str> = streams.iter().map(|it| it.collection.stream).collect();
        extracted.extend(reads_git.then_some(GIT));
        if self.plan.stages.extract && !extracted.is_empty() {
            let what = "raw rows that are new or changed since the last time".to_owned();
            steps.push(step("extract", extracted.join(", "), what));
        }
        let converted = Self::converted(job)?;
        if self.plan.stages.convert && !converted.is_empty() {
            let what = "rows whose inputs changed, in this order".to_owned();
            steps.push(step("convert", converted.join(", "), what));
        }
        Ok(())
    }

    /// Requests for a stream and those that hang on it, and what is asked.
    async fn collected(
        &self,
        job: &Job,
        entry: &StreamEntry,
    ) -> Result<(u64, bool, String), StoreError> {
        let stream = entry.collection.stream;
        let children = job.source.children_of(stream);
        let children: Vec<&'static str> = children
            .iter()
            .map(|child: &Collection| child.stream)
            .filter(|child| self.plan.streams.contains(child) && job.streams.contains(child))
            .collect();
        let basis = Basis {
            store: self.store,
            plan: self.plan,
            only: Some(stream),
            cancel: &job.cancel,
            now: self.clock.now(),
        };
        let (requests, at_least) = from_tables(&basis, job).await?;
        let key = WalkKey {
            scope: &job.scope,
            stream,
        };
        let walked = self.store.walk_state(key).await?;
        let since = |time: DateTime<Utc>| time.format("%Y-%m-%d %H:%M:%S UTC");
        let mut what = if entry.collection.endpoint.paging == Paging::Single {
            "the item itself".to_owned()
        } else if walked.resume_at.is_some() {
            "goes on where the last run was interrupted".to_owned()
        } else if self.plan.depth != Depth::Changes {
            "the whole list".to_owned()
        } else {
            match (walked.complete, walked.since, job.data_after) {
                (true, Some(time), _) => format!("changes since {}", since(time)),
                (true, None, _) => "the whole list, which cannot be asked for changes".to_owned(),
                (false, _, Some(time)) => format!("the first time: back to {}", since(time)),
                (false, _, None) => "the first time: everything".to_owned(),
            }
        };
        if requests == 0 && walked.complete && self.plan.depth == Depth::Changes {
            "nothing, unless another list shows that it changed".clone_into(&mut what);
        }
        if !children.is_empty() {
            what.push_str("; of items that changed: ");
            what.push_str(&children.join(", "));
        }
        if children.contains(&PipelineSteps::NAME) && job.rules.steps != Steps::All {
            what.push_str(" (steps = \"");
            what.push_str(job.rules.steps.as_str());
            what.push_str("\": not of all pipelines)");
        }
        Ok((requests, at_least, what))
    }

    fn converted(job: &Job) -> Result<Vec<&'static str>, Failure> {
        let filled = entities::filled_by(&job.source, &job.streams);
        let order = ordered(&job.source)?;
        let of_scope: Vec<&str> = job
            .source
            .conversions_of(&job.scope)
            .map(|it| it.name)
            .collect();
        let runs = |node: &Node<'_>| match node {
            Node::Conversion(conversion) => {
                of_scope.contains(&conversion.name)
                    && entities::converts(&job.source, &job.streams, conversion)
            }
            Node::Derivation(derivation) => {
                !node.spans_scopes()
                    && !job.scope.is_workspace()
                    && entities::derives(&filled, derivation)
            }
        };
        Ok(order.into_iter().filter(runs).map(Node::name).collect())
    }

    fn add_projects(&self, planned: &mut Planned) {
        let projects = self.config.projects.iter();
        let meant = projects.filter(|it| self.project.is_none_or(|only| only.name == it.name));
        for project in meant {
            let what = if project.scopes.is_empty() {
                "project_mapping stays as it is stored".to_owned()
            } else {
                "project_mapping is made to hold the registered repositories that match".to_owned()
            };
            planned.steps.push(PlannedStep {
                connection: String::new(),
                scope: String::new(),
                stage: "projects",
                step: project.name.clone(),
                requests: 0,
                at_least: false,
                what,
            });
        }
    }

    /// What is derived of all repositories together, when those of a run are done.
    async fn add_spanning(&self, planned: &mut Planned) -> Result<(), Failure> {
        let mut names: Vec<&'static str> = Vec::new();
        let connections = self.config.connections.iter();
        for connection in connections.filter(|it| self.selection.may_include(&it.name)) {
            let source = self.sources.of_connection(self.config, &connection.name);
            let streams = self.config.streams_of(self.sources, &connection.name);
            let filled = entities::filled_by(source, &streams);
            let spans = |node: &Node<'_>| match node {
                Node::Conversion(_) => false,
                Node::Derivation(derivation) => {
                    node.spans_scopes() && entities::derives(&filled, derivation)
                }
            };
            let own = ordered(source)?.into_iter().filter(spans).map(Node::name);
            let new: Vec<&str> = own.filter(|name| !names.contains(name)).collect();
            names.extend(new);
        }
        if names.is_empty() {
            return Ok(());
        }
        let last = self.store.scope_status(&Scope::everywhere()).await?;
        let own = last
            .iter()
            .filter(|it| names.contains(&it.step.stream.as_str()));
        let times = own.filter_map(|it| Some(it.step.finished_at? - it.step.started_at?));
        let took = times.reduce(|one, other| one + other);
        let took = took.map_or_else(String::new, |took| {
            let seconds = took.num_milliseconds().max(0).div_euclid(1000) + 1;
            format!("; took less than {seconds} s the last time")
        });
        planned.steps.push(PlannedStep {
            connection: String::new(),
            scope: String::new(),
            stage: "convert",
            step: names.join(", "),
            requests: 0,
            at_least: false,
            what: format!("after collection, projects of which a row changed{took}"),
        });
        Ok(())
    }
}

/// The steps of a source that convert, in their order.
fn ordered(source: &Source) -> Result<Vec<Node<'_>>, Failure> {
    order(source).map_err(|circle| Failure::new(Exit::Failed, circle.to_string()))
}

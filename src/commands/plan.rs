//! `plan` and `sync --plan`: what a run would do, without doing it.

use headwater_store::Store;
use headwater_store::query::Cell;

use crate::cli::{Format, Shared};
use crate::config::{DatabaseAddress, Project, closest, listed};
use crate::connect::Connector;
use crate::context::{Context, NeedsFile};
use crate::database;
use crate::exit::{Exit, Failure};
use crate::output::{self, print, written};
use crate::plan::{Depth, Plan, Stages};
use crate::planning::{Planned, PlannedStep, Planner};
use crate::resolve::Selection;
use crate::session::SyncRequest;

const COLUMNS: [&str; 6] = ["connection", "scope", "stage", "step", "requests", "what"];

pub(super) async fn plan(
    shared: &Shared,
    project: Option<&str>,
    format: Format,
) -> Result<Exit, Failure> {
    let context = Context::load(shared, NeedsFile::Yes)?;
    let project = project.map(|name| find(&context, name)).transpose()?;
    let request = SyncRequest {
        plan: Plan {
            command: "sync",
            stages: Stages::ALL,
            streams: context.sources.stream_names(),
            depth: Depth::Changes,
        },
        selection: Selection::default(),
        since: None,
        run: None,
    };
    show(&context, (&request, project), (shared, format)).await
}

/// Shows what a run of this plan over these repositories would do.
pub(super) async fn show(
    context: &Context,
    (request, project): (&SyncRequest, Option<&Project>),
    (shared, format): (&Shared, Format),
) -> Result<Exit, Failure> {
    // Where there is no database yet, the run would begin with an empty one.
    let folder = tempfile::tempdir()
        .map_err(|error| Failure::because(Exit::Failed, "making a temporary folder", error))?;
    let store: Store = if let Some(store) = context.open_if_made().await? {
        store
    } else {
        let empty = DatabaseAddress::of_file(&folder.path().join("empty.db"));
        Box::pin(database::open(&empty)).await?
    };
    let connector: Connector = context.connector(&store).await?;
    let planner = Planner {
        config: &context.config,
        sources: &context.sources,
        store: &store,
        connector: &connector,
        clock: &context.clock,
        plan: &request.plan,
        selection: &request.selection,
        since: request.since,
        project,
    };
    let found = Box::pin(planner.planned()).await?;
    connector.close().await?;
    store.close().await?;
    if shared.json || format == Format::Json {
        let text = serde_json::to_string(&found)
            .map_err(|error| Failure::because(Exit::Failed, "writing the plan", error))?;
        output::json_line(&text);
        return Ok(Exit::Ok);
    }
    let Planned { steps, connections } = found;
    let none = steps.is_empty();
    written(print(
        format,
        &COLUMNS,
        steps.into_iter().map(row).collect(),
    ))?;
    if format == Format::Table {
        for planned in connections {
            output::line(format_args!("{}: {}", planned.connection, planned.estimate));
        }
        if none {
            output::line("nothing to do: no repository is meant, and no project is configured");
        }
    }
    Ok(Exit::Ok)
}

/// The project of this name.
///
/// # Errors
/// Exit 2 when the configuration has none.
pub(super) fn find<'c>(context: &'c Context, name: &str) -> Result<&'c Project, Failure> {
    context.config.project(name).ok_or_else(|| {
        let projects = context.config.projects.iter();
        let names: Vec<&str> = projects.map(|it| it.name.as_str()).collect();
        let next = match closest(name, &names) {
            Some(meant) => format!("did you mean \"{meant}\"?"),
            None if names.is_empty() => "it has none".to_owned(),
            None => format!("it has {}", listed(&names)),
        };
        Failure::usage(format!(
            "the configuration has no project \"{}\": {next}",
            output::shown(name)
        ))
    })
}

fn row(step: PlannedStep) -> Vec<Cell> {
    let requests = match (step.requests, step.at_least) {
        (requests, false) => Cell::Text(requests.to_string()),
        (requests, true) => Cell::Text(format!("{requests}+")),
    };
    vec![
        Cell::Text(step.connection),
        Cell::Text(step.scope),
        Cell::Text(step.stage.to_owned()),
        Cell::Text(step.step),
        requests,
        Cell::Text(step.what),
    ]
}

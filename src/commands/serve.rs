//! `serve`: a process that runs schedules.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::cli::{ServeArgs, Shared};
use crate::config::{DatabaseAddress, DatabaseKind};
use crate::context::{Context, NeedsFile, StopSignals};
use crate::exit::{Exit, Failure};
use crate::output;
use crate::report::{Json, Quiet, Reporter};
use crate::serve::Server;
use crate::serve::health::{Health, Listening};

pub(super) async fn serve(shared: &Shared, arguments: ServeArgs) -> Result<Exit, Failure> {
    let cancel = stopped_by_signals();
    let context = Context::load(shared, NeedsFile::Yes)?;
    let connections = context.config.require_connections();
    connections.map_err(|error| Failure::new(Exit::Configuration, error.to_string()))?;
    let (store, _lock) = context.open_unless_cancelled("serve", &cancel).await?;
    let connector = context.connector(&store).await?;
    let reporter: Arc<dyn Reporter> = if shared.json {
        Arc::new(Json)
    } else {
        Arc::new(Quiet::default())
    };
    let session = context.session(&store, connector, reporter, cancel.clone());
    let listening = Listening::at(arguments.listen).await?;
    if !shared.quiet {
        greet(&context, &listening);
    }
    let server = Server::new(session, usize::from(arguments.parallel));
    let health = Health {
        store: store.clone(),
        clock: context.clock.clone(),
    };
    let answering = tokio::spawn(listening.answer(health, cancel.clone()));
    let reloading = reload_on_hangup(shared, &context.database, &server, &cancel);
    tokio::join!(server.run(), reloading);
    match answering.await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => output::note(format_args!("the port was lost: {error}")),
        Err(error) => output::note(format_args!("answering failed: {error}")),
    }
    store.close().await?;
    Ok(Exit::Ok)
}

/// What is served, and where.
fn greet(context: &Context, listening: &Listening) {
    let projects = context.config.projects.iter();
    let scheduled = projects
        .filter(|project| project.schedule.is_some())
        .count();
    let alone = match context.database.kind() {
        DatabaseKind::Sqlite => "; no other process can write to this file meanwhile",
        _ => "",
    };
    output::note(format_args!(
        "serving {scheduled} scheduled of {} projects over {}{alone}\n\
         http://{}/metrics, /healthz, /readyz",
        context.config.projects.len(),
        context.database,
        listening.address
    ));
    if scheduled == 0 {
        output::note(
            "no project has a `schedule`: only `headwater runs start PROJECT` queues a run",
        );
    }
}

/// A token that a signal cancels. A second one ends the process at once: what it did not finish goes
/// on as after a crash.
fn stopped_by_signals() -> CancellationToken {
    let token = CancellationToken::new();
    let cancel = token.clone();
    // Created now and not in the task, so that no signal comes too early.
    let mut signals = StopSignals::new();
    tokio::spawn(async move {
        signals.next().await;
        output::note("stopping after the pages under way; a second signal ends it at once");
        cancel.cancel();
        signals.next().await;
        std::process::exit(i32::from(Exit::Cancelled.code()));
    });
    token
}

/// Reads the configuration again whenever the system asks for it, until the token is cancelled.
#[cfg(unix)]
async fn reload_on_hangup(
    shared: &Shared,
    database: &DatabaseAddress,
    server: &Server,
    cancel: &CancellationToken,
) {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut hangups) = signal(SignalKind::hangup()) else {
        return;
    };
    loop {
        tokio::select! {
            () = cancel.cancelled() => return,
            asked = hangups.recv() => if asked.is_none() { return },
        }
        match Context::load(shared, NeedsFile::Yes) {
            Ok(read) if read.database.expose() != database.expose() => output::note(
                "the configuration names another database now: start the server again for that; \
                 nothing changed",
            ),
            Ok(read) => {
                server.reload(read.config);
                output::note("the configuration was read again");
            }
            Err(failure) => output::note(format_args!(
                "the configuration was read again and is not used, nothing changed: {}",
                failure.chain()
            )),
        }
    }
}

#[cfg(not(unix))]
async fn reload_on_hangup(_: &Shared, _: &DatabaseAddress, _: &Server, cancel: &CancellationToken) {
    cancel.cancelled().await;
}

//! `scopes forget`: removes a repository that is not wanted any more.

use crate::cli::Shared;
use crate::connect::Connector;
use crate::context::{Context, NeedsFile, cancelled_by_signals, reporter};
use crate::exit::{Exit, Failure};
use crate::output;
use crate::resolve::{Selection, registered};

pub(super) async fn forget(shared: &Shared, name: &str) -> Result<Exit, Failure> {
    let cancel = cancelled_by_signals();
    let context = Context::load(shared, NeedsFile::No)?;
    context.require_database()?;
    let selection = Selection::parse(&[name.to_owned()])?;
    let opened = context.open_unless_cancelled("scopes forget", &cancel);
    let (store, _lock) = opened.await?;
    let found = registered(&store, &context.config, &selection).await?;
    let [(scope, connection)] = found.as_slice() else {
        let names = found.iter();
        let names = names.map(|(scope, connection)| format!("{connection}:{}", scope.full_name));
        return Err(Failure::usage(format!(
            "{name} means several; name one of them: {}",
            names.collect::<Vec<_>>().join(", ")
        )));
    };
    let connector = Connector::new(context.place(), &context.sources);
    let session = context.session(&store, connector, reporter(shared), cancel);
    let done = Box::pin(session.forget(scope, connection)).await;
    let exit = done.map_err(|failure| failure.naming(&context.database))?;
    store.close().await?;
    let shown = format!("{connection}:{}", scope.full_name);
    if exit == Exit::Ok && !shared.quiet && !shared.json {
        output::line(format!("{shown} is forgotten"));
    }
    let configured = context.config.connection(connection);
    if configured.is_some_and(|connection| connection.wanted(&scope.full_name)) {
        output::note(format!(
            "{shown} is among `scopes` of the configuration: the next sync collects it again \
             unless \"!{}\" excludes it there",
            scope.full_name
        ));
    }
    Ok(exit)
}

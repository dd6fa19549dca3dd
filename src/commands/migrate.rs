//! `migrate`: brings the schema up to date, or says what that would do.

use headwater_migrations::Status;
use headwater_store::query::Cell;
use serde_json::json;

use crate::cli::{Format, Shared};
use crate::context::{Context, NeedsFile};
use crate::database;
use crate::exit::{Exit, Failure};
use crate::output::{self, print, written};

pub(super) async fn migrate(shared: &Shared, status: bool, dry_run: bool) -> Result<Exit, Failure> {
    let context = Context::load(shared, NeedsFile::No)?;
    let failed = |error| Failure::because(Exit::Failed, "the schema is not usable", error);
    if status || dry_run {
        // A missing file is read as an empty database, and stays missing.
        let file = context.database.sqlite_path();
        let store = if file.is_some_and(|file| !file.exists()) {
            headwater_store::Store::open_in_memory().await?
        } else {
            database::connect(&context.database).await?
        };
        let connection = store.connection();
        if status {
            let changes = headwater_migrations::status(connection).await;
            list(shared, &changes.map_err(failed)?)?;
        } else {
            let pending = headwater_migrations::pending_statements(connection).await;
            let pending = pending.map_err(failed)?;
            if shared.json {
                let rows = pending.into_iter().map(|it| vec![Cell::Text(it)]);
                written(print(Format::Json, &["statement"], rows.collect()))?;
            } else {
                for statement in pending {
                    output::line(format_args!("{statement};"));
                }
            }
        }
        store.close().await?;
        return Ok(Exit::Ok);
    }
    let _lock = database::lock(&context.database, "migrate", context.clock.now())?;
    let store = database::connect(&context.database).await?;
    match database::migrate(&store, &context.database).await? {
        changes if shared.json => {
            let done = json!({ "database": context.database.to_string(), "changes": changes });
            output::json_line(&done.to_string());
        }
        _ if shared.quiet => {}
        0 => output::line(format_args!("{} is up to date", context.database)),
        count => output::line(format_args!(
            "{}: {count} changes applied",
            context.database
        )),
    }
    // So that the file has everything, and no log stays beside it.
    store.close().await?;
    Ok(Exit::Ok)
}

/// The changes in their order, with whether they are applied.
fn list(shared: &Shared, changes: &[Status]) -> Result<(), Failure> {
    let state = |applied| if applied { "applied" } else { "pending" };
    if shared.json {
        let row = |it: &Status| {
            let texts = [it.name.clone(), state(it.applied).to_owned()];
            texts.map(Cell::Text).into()
        };
        let rows = changes.iter().map(row).collect();
        return written(print(Format::Json, &["change", "state"], rows)).map(drop);
    }
    for change in changes {
        output::line(format_args!("{}  {}", state(change.applied), change.name));
    }
    Ok(())
}

//! `status`: a row for each repository, or for each of its steps.

mod overview;
mod steps;

use headwater_domain::Scope;
use headwater_store::Store;
use headwater_store::scopes::KnownScope;

use crate::cli::{Format, Shared, StatusArgs};
use crate::context::{Context, NeedsFile};
use crate::exit::{Exit, Failure};
use crate::output::{self, print, written};
use crate::resolve::{Selection, registered};
use crate::source::Source;

/// What a status is made from.
struct LookedAt<'a> {
    context: &'a Context,
    store: &'a Store,
    /// Everything that is registered.
    known: Vec<KnownScope>,
    /// What was selected of it, with the name of the connection.
    scopes: Vec<(Scope, String)>,
}

impl LookedAt<'_> {
    fn source(&self, connection: &str) -> &Source {
        let context = self.context;
        context.sources.of_connection(&context.config, connection)
    }
}

pub(super) async fn status(shared: &Shared, arguments: StatusArgs) -> Result<Exit, Failure> {
    let context = Context::load(shared, NeedsFile::No)?;
    let store = context.open_to_read().await?;
    let selection = Selection::parse(&arguments.scopes.scopes)?;
    let looked_at = LookedAt {
        context: &context,
        store: &store,
        known: store.scopes().await?,
        scopes: registered(&store, &context.config, &selection).await?,
    };
    let format = arguments.format;
    if arguments.steps {
        let rows = steps::rows(&looked_at).await?;
        if rows.is_empty() && format == Format::Table {
            return Ok(nothing());
        }
        return written(print(format, &steps::COLUMNS, rows));
    }
    let repositories = overview::repositories(&looked_at).await?;
    if repositories.is_empty() && format == Format::Table {
        return Ok(nothing());
    }
    if format == Format::Table {
        let now = context.clock.now();
        let rows = repositories.iter().map(|it| it.for_people(now)).collect();
        let exit = written(print(format, &overview::HEADINGS, rows))?;
        output::line(overview::last_line(&repositories));
        output::line(overview::BOUND);
        return Ok(exit);
    }
    let rows = repositories.iter().map(overview::Overview::as_data);
    written(print(format, &overview::COLUMNS, rows.collect()))
}

fn nothing() -> Exit {
    output::line("nothing has run yet; `headwater sync` collects what the configuration names");
    Exit::Ok
}

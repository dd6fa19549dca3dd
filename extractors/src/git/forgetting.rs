//! A scope whose history is no longer read from git: its rows go, as far as no other scope has them.

use headwater_domain::code::git_ref;
use headwater_domain::{Rows, Scope, Table};
use headwater_store::{Owner, Replacement, StepContext, Store};

use super::sharing::Own;
use super::{ExtractError, Stop};

/// Commits that are removed at once.
const PAGE: usize = 256;

/// Removes what was read of a scope's history, and that it was read. What others have of it
/// becomes theirs.
///
/// # Errors
/// When the database fails, or it is cancelled; then it is done again by the next call.
pub async fn forget(
    store: &Store,
    scope: &Scope,
    repo_id: &str,
    context: &StepContext<'_>,
) -> Result<(), ExtractError> {
    let done = remove(store, scope, repo_id, context).await;
    done.map_err(|stop| match stop {
        Stop::Store(source) => ExtractError::Store {
            scope: scope.full_name.clone(),
            source,
        },
        // Nothing else is asked here.
        _ => ExtractError::Cancelled,
    })
}

async fn remove(
    store: &Store,
    scope: &Scope,
    repo_id: &str,
    context: &StepContext<'_>,
) -> Result<(), Stop> {
    let Some(state) = store.git_state(scope).await? else {
        return Ok(());
    };
    let params = scope.params();
    let own = Own {
        repo_id,
        params: &params,
        state: &state,
    };
    loop {
        if context.cancel.is_cancelled() {
            return Err(Stop::Cancelled);
        }
        let shas = store.git_commits(repo_id, PAGE).await?;
        if shas.is_empty() {
            break;
        }
        let mut page = store.begin(scope, context.now).await?;
        let gone = own.release(&mut page, &shas).await?;
        page.remove_commits(&gone).await?;
        page.commit().await?;
    }
    let mut page = store.begin(scope, context.now).await?;
    let table = Table::of::<git_ref::Entity>();
    let replacement = Replacement {
        table,
        owner: Owner::Column {
            name: "repo_id",
            values: vec![repo_id.to_owned()],
            connection_id: None,
        },
        rows: Rows::default().take(table),
        first: false,
    };
    page.replace(replacement).await?;
    page.forget_git().await?;
    page.commit().await?;
    Ok(())
}

//! Lists that a switch of the repository takes away, such as those of pipelines.
//!
//! Servers answer such a list with 404, with 403 or with nothing. 403 means missing permissions,
//! too, and 404 a server in trouble: so the switch itself is asked before either is believed.

use headwater_store::progress::WalkKey;
use serde_json::Value;

use crate::endpoint::{Collection, Switch};
use crate::engine::{Task, fetch_single};
use crate::error::{CollectErrorKind, RequestError, RequestErrorKind};

/// What came of a collection, where it failed because the list is switched off.
pub(crate) async fn look(
    task: &Task<'_>,
    collection: &Collection,
    done: Result<(), CollectErrorKind>,
) -> Result<(), CollectErrorKind> {
    let Some(switch) = collection.endpoint.switch else {
        return done;
    };
    let Err(CollectErrorKind::Request(error)) = done else {
        return done;
    };
    let key = WalkKey {
        scope: task.scope,
        stream: collection.stream,
    };
    let noted = task.store.look(key).await?;
    let is_new = noted.is_none_or(|look| look.absent_since.is_none());
    // What was found out once is believed for as long as the list answers so.
    if !may_be_off(&error.kind) || is_new && !is_off(task, collection, switch, &error).await? {
        return Err(error.into());
    }
    Err(CollectErrorKind::SwitchedOff { error, is_new })
}

fn may_be_off(answered: &RequestErrorKind) -> bool {
    // With the number of a change the endpoint is gone for good, which has to be said.
    matches!(
        answered,
        RequestErrorKind::Forbidden { .. }
            | RequestErrorKind::NotFound { .. }
            | RequestErrorKind::Gone { change: None, .. }
    )
}

/// Whether what a list answered means that it is switched off.
async fn is_off(
    task: &Task<'_>,
    collection: &Collection,
    switch: Switch,
    answered: &RequestError,
) -> Result<bool, CollectErrorKind> {
    match item(task, collection, switch.path).await {
        Ok(item) => {
            let on = item.and_then(|item| item.pointer(switch.on)?.as_bool());
            Ok(on != Some(true))
        }
        Err(error) => match error.kind {
            // The switch was never touched, if the repository is to be seen at all.
            RequestErrorKind::NotFound { .. } => {
                Ok(item(task, collection, switch.of).await.is_ok())
            }
            // Who may not see the switch believes a list that says that it is not there.
            RequestErrorKind::Forbidden { .. } => {
                Ok(!matches!(answered.kind, RequestErrorKind::Forbidden { .. }))
            }
            _ => Err(error.into()),
        },
    }
}

/// An item of the scope; none where the answer is no JSON.
async fn item(
    task: &Task<'_>,
    collection: &Collection,
    path: &'static str,
) -> Result<Option<Value>, RequestError> {
    let item = fetch_single(task, collection, path).await?;
    Ok(item.and_then(|item| serde_json::from_slice(&item.0).ok()))
}

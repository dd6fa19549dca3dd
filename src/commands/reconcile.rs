//! `reconcile`: repairs what was deleted or silently edited at the source.

use super::sync::{Wish, online};
use crate::cli::{Shared, StreamArgs, WholeArgs};
use crate::exit::{Exit, Failure};
use crate::plan::{Depth, Stages};

pub(super) async fn reconcile(shared: &Shared, arguments: WholeArgs) -> Result<Exit, Failure> {
    let wish = Wish {
        command: "reconcile",
        stages: Stages::ALL,
        scopes: arguments.scopes,
        streams: StreamArgs {
            only: Vec::new(),
            skip: Vec::new(),
        },
        depth: depth(arguments.deep),
        since: None,
    };
    online(shared, wish).await
}

/// How much is read again.
pub(super) fn depth(deep: bool) -> Depth {
    if deep {
        Depth::Everything
    } else {
        Depth::Lists
    }
}

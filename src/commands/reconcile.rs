//! `reconcile`: repairs what was deleted or silently edited at the source.

use super::sync::Online;
use crate::cli::{Shared, StreamArgs, WholeArgs};
use crate::exit::{Exit, Failure};
use crate::plan::{Depth, Stages};

pub(super) async fn reconcile(shared: &Shared, arguments: WholeArgs) -> Result<Exit, Failure> {
    let online = Online {
        command: "reconcile",
        stages: Stages::ALL,
        scopes: arguments.scopes,
        streams: StreamArgs {
            only: Vec::new(),
            skip: Vec::new(),
        },
        depth: if arguments.deep {
            Depth::Everything
        } else {
            Depth::Lists
        },
        since: None,
        only_plans: false,
    };
    online.run(shared).await
}

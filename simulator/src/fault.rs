//! Ways to misbehave.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::requests::RequestRecord;

/// What happens to a request instead of, or on the way to, its proper response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Another response: status, body, further headers. Without a `content-type` among the headers
    /// a body that starts with a brace is JSON and any other is plain text.
    Status(u16, Bytes, Vec<(String, String)>),
    /// 200 with this body and content type.
    Body(Bytes, String),
    /// No response until the client leaves or the simulator stops.
    Hang,
    /// The proper response, cut off in the middle.
    CutConnection,
    /// The proper response, later.
    Delay(Duration),
}

/// Decides the fate of each request as it arrives, before anything else looks at it.
pub type OnRequest = Arc<dyn Fn(&RequestRecord) -> Option<Fault> + Send + Sync>;

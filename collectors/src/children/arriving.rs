//! Walks that end in the background, in groups.

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{GATHERING, GROUP, Walked};

/// Walks under way; dropping it ends them.
pub(super) struct Arriving {
    pub(super) walks: mpsc::Receiver<Walked>,
    /// What has arrived for the next group: it stays when no task waits for that any longer.
    pub(super) gathered: Vec<Walked>,
    pub(super) cancel: CancellationToken,
}

impl Arriving {
    /// What has arrived, and what arrives within a moment: from a fast server many walks share a
    /// transaction, and from a slow one each is stored at once. Empty at the end.
    pub(super) async fn group(&mut self) -> Vec<Walked> {
        if self.gathered.is_empty() && self.walks.recv_many(&mut self.gathered, GROUP).await == 0 {
            return Vec::new();
        }
        let until = tokio::time::Instant::now() + GATHERING;
        while self.gathered.len() < GROUP {
            let wanted = GROUP - self.gathered.len();
            let more = self.walks.recv_many(&mut self.gathered, wanted);
            match tokio::time::timeout_at(until, more).await {
                Ok(received) if received > 0 => {}
                _ => break,
            }
        }
        std::mem::take(&mut self.gathered)
    }
}

impl Drop for Arriving {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

//! Computing on another thread.

use crate::error::StoreError;

/// Runs what takes the processor a while on a thread of its own, so that whoever waits for it can
/// go on with something else meanwhile.
///
/// # Errors
/// When the program is ending. A panic goes on in the caller.
pub async fn run_blocking<T, F>(work: F) -> Result<T, StoreError>
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Ok(done),
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(StoreError::refused("computing", "the program is ending")),
        },
    }
}

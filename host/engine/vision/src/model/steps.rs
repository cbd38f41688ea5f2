//! The pool on which pictures are prepared and answers are read, shared by all models.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use tokio::sync::oneshot;

use crate::error::VisionError;

static POOL: OnceLock<ThreadPool> = OnceLock::new();

/// Starts the pool, unless it is there.
pub(super) fn start() -> Result<(), String> {
    if POOL.get().is_none() {
        let name = |index| format!("vision-step-{index}");
        let pool = ThreadPoolBuilder::new().thread_name(name).build().map_err(|error| error.to_string())?;
        // Another model may have been quicker; its pool stays.
        let _ = POOL.set(pool);
    }
    Ok(())
}

/// Does a step for each of several things, several at once, while the caller waits without holding a thread.
///
/// # Errors
/// The first one of the step; [`VisionError::Failed`] when it panics. Nothing more is begun when nobody waits any longer.
pub(super) async fn each<T, R>(
    things: Vec<T>,
    step: impl Fn(T) -> Result<R, VisionError> + Send + Sync + 'static,
) -> Result<Vec<R>, VisionError>
where
    T: Send + 'static,
    R: Send + 'static,
{
    let Some(pool) = POOL.get() else { return Err(VisionError::Failed("there is no pool for pictures".to_owned())) };
    let (sender, receiver) = oneshot::channel();
    pool.spawn(move || {
        let guarded = |thing| {
            if sender.is_closed() {
                return Err(VisionError::Failed("nobody waits any longer".to_owned()));
            }
            let panicked = |_| Err(VisionError::Failed("a step around the network gave up on this picture".to_owned()));
            catch_unwind(AssertUnwindSafe(|| step(thing))).unwrap_or_else(panicked)
        };
        let results = things.into_par_iter().map(guarded).collect();
        let _ = sender.send(results);
    });
    receiver.await.map_err(|_| VisionError::ShuttingDown)?
}

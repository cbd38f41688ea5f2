//! The thread of a model and the pool that it computes on.

use mimus_batching::{Batcher, Batching, Compute};
use rayon::ThreadPoolBuilder;

use crate::error::{LoadError, VisionError};
use crate::model::LoadOptions;

/// The handle of a model's thread.
pub(crate) type Service<C> = Batcher<<C as Compute>::Input, <C as Compute>::Output, VisionError>;

/// Starts the thread of a model.
///
/// * `name`: of the threads, and of the model when there are none for it.
/// * `items_max`: pictures that are worth computing at once, by the number of threads.
///
/// # Errors
/// [`LoadError::Threads`] when the system gives none.
pub(crate) fn start<C: Compute<Error = VisionError>>(
    name: &'static str,
    compute: C,
    items_max: impl FnOnce(usize) -> usize,
    options: &LoadOptions,
) -> Result<Service<C>, LoadError> {
    let failed = |reason: String| LoadError::Threads { file: name.to_owned(), reason };
    let pool = ThreadPoolBuilder::new().num_threads(options.threads.unwrap_or(0));
    let pool = pool.thread_name(move |index| format!("{name}-{index}")).build();
    let pool = pool.map_err(|error| failed(error.to_string()))?;
    let items_max = items_max(pool.current_num_threads()).max(1);
    let batching = Batching {
        step_cost_max: items_max,
        running_max: items_max,
        gather: options.gather_max,
        requests_max: options.queue_requests_max,
        weight_max: usize::MAX,
        wait_max: options.queue_wait_max,
    };
    Batcher::start(name, batching, pool, compute).map_err(|error| failed(error.to_string()))
}

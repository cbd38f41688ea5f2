//! The host's side of the contract: one file an interface. Each is a permission.

mod answers;
mod blobs;
mod clock;
mod config;
mod embeddings;
pub mod http;
mod inference;
mod launching;
mod log;
mod machine;
mod media;
mod metrics;
mod models;
mod random;
mod registry;
mod reranking;
mod state;
mod vision;
pub mod websocket;
mod work;

use super::bindings::personality::mimus::plugin::{chat, manifest};
use super::guest::Guest;

// Types alone; nothing to call.
impl chat::Host for Guest {}
impl manifest::Host for Guest {}

/// Runs something that blocks where that is allowed. None when it panicked.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(work).await.ok()
}

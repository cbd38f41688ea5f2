//! The host's side of the contract: one file an interface. Each is a permission.

mod answers;
mod blobs;
mod clock;
mod config;
mod embeddings;
pub mod http;
mod inference;
mod log;
mod metrics;
mod models;
mod random;
mod state;
mod work;

use super::bindings::personality::mimus::plugin::{chat, manifest};
use super::guest::Guest;

// Types alone; nothing to call.
impl chat::Host for Guest {}
impl manifest::Host for Guest {}

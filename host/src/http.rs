//! HTTP: sockets in, responses out.
//!
//! This room alone names hyper. It decides where a request goes and what it may cost before any guest runs, and it refuses to know
//! any dialect: their paths, limits and shapes of error come from their manifests as data.

mod auth;
mod body;
pub mod client;
mod cors;
mod dispatch;
mod error;
mod exchange;
mod listen;
mod own;
mod reply;
mod websocket;

pub use auth::Keys;
pub use cors::{ANY as ANY_ORIGIN, Cors, is_origin};
pub use dispatch::Door;
pub use listen::{bind, listen};

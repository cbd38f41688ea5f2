//! Plugins: WebAssembly components that speak an API's dialect or render prompts.
//!
//! This room alone names wasmtime. It knows no dialect: what a plugin is comes from its manifest. It refuses to keep anything in a
//! guest between requests, to run a guest without bounds, and to load machine code from anywhere but its own cache.

mod bindings;
mod call;
mod compile;
mod engine;
mod fault;
mod guest;
mod imports;
mod load;
pub mod manifest;
mod openapi;
mod registry;
mod reload;
mod render;
pub mod route;
mod swaps;

pub use bindings::personality::mimus::plugin::chat;
pub use call::{Caller, GuestRun, GuestStream, Reply};
pub use compile::{Compiler, compile_as_child};
pub use engine::new as new_engine;
pub use fault::Fault;
pub use guest::{Services, turns};
pub use imports::http::{Header, IncomingRequest, RequestHead};
pub use imports::websocket::{Message, Offer, SocketEnds};
pub use load::{Loader, Personality};
pub use registry::{Dialect, Record, Snapshot};
pub use reload::{Bundled, Reloader, Watch};
pub use render::Templates;
pub use swaps::Swaps;

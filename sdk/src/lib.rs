//! What the author of a Mimus plugin depends on.
//!
//! A *personality* answers requests in the dialect of one API ([`Dialect`], [`personality!`]); a *template* turns a conversation into
//! a prompt ([`Template`], [`template!`]). Compiled for `wasm32-wasip2` the crate is a component; compiled for the machine it is an
//! ordinary library whose calls to the host go to a [`backend::Backend`], so that `cargo test` needs no WebAssembly ([`scripted`]).
//!
//! ```
//! use mimus_sdk::{About, Dialect, DialectError, Reply, Request, Response, Routes, WriteError};
//!
//! struct Hello;
//!
//! impl Dialect for Hello {
//!     type Error = Fault;
//!     fn about(&self) -> About {
//!         About::new("hello", env!("CARGO_PKG_VERSION"), "greets")
//!     }
//!     fn routes(&self) -> Routes<Fault> {
//!         Routes::new().get("/hello/{name}", hello)
//!     }
//! }
//!
//! fn hello(request: &Request, response: &mut Response) -> Result<(), Fault> {
//!     response.text(200, &format!("hello, {}", request.param("name")))?;
//!     Ok(())
//! }
//!
//! struct Fault(String);
//!
//! impl DialectError for Fault {
//!     fn reply(&self) -> Reply {
//!         Reply::text(500, &self.0)
//!     }
//! }
//!
//! impl From<WriteError> for Fault {
//!     fn from(error: WriteError) -> Self {
//!         Fault(error.to_string())
//!     }
//! }
//!
//! mimus_sdk::personality!(Hello);
//!
//! let captured = mimus_sdk::scripted::call(&Hello, "GET", "/hello/you", &[], b"");
//! assert_eq!(captured.text(), "hello, you");
//! ```

pub mod answers;
pub mod backend;
#[doc(hidden)]
pub mod bindings;
pub mod blobs;
pub mod body;
pub mod chat;
pub mod clock;
pub mod config;
pub mod dialect;
pub mod embeddings;
#[cfg(not(target_arch = "wasm32"))]
pub mod golden;
pub mod inference;
pub mod launching;
pub mod log;
pub mod machine;
pub mod manifest;
pub mod media;
pub mod metrics;
pub mod models;
pub mod multipart;
#[cfg(not(target_arch = "wasm32"))]
pub mod native;
pub mod prompts;
pub mod query;
pub mod random;
pub mod registry;
pub mod request;
pub mod reranking;
pub mod response;
pub mod routes;
#[cfg(not(target_arch = "wasm32"))]
pub mod scripted;
pub mod state;
pub mod stream;
pub mod template;
pub mod vision;
#[cfg(target_arch = "wasm32")]
mod wasm;
pub mod websocket;

pub use body::{BodyError, BodyErrorKind};
pub use dialect::{Dialect, DialectError};
pub use manifest::{About, ErrorKind, ErrorStyle};
pub use request::Request;
pub use response::{Reply, Response, WriteError};
pub use routes::Routes;
pub use serde;
pub use serde_json;
pub use template::Template;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

//! What outlives a request: key-value state, leases and blobs of plugins.
//!
//! This room alone writes users' data. It keeps each plugin's things apart from every other's, refuses more than its share to any,
//! and gives out nothing whose time is over. It refuses to know what the bytes mean.

mod blobs;
mod clock;
mod kv;
mod lease;
mod tables;

pub use blobs::{BlobError, Blobs};
pub use kv::{Entry, StateError, Store};
pub use lease::{Lease, Leases};

//! Large bytes that stay on the host and are served to clients by URL.

use std::time::Duration;

use crate::backend::{Backend, host};

pub use crate::bindings::personality::mimus::plugin::blobs::{Error, Info};

/// Keeps bytes for `ttl` and returns their id.
pub fn put(bytes: &[u8], content_type: &str, ttl: Duration) -> Result<String, Error> {
    Backend::blob_put(&*host(), bytes, content_type, u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX))
}

/// Size and type of a blob.
pub fn stat(id: &str) -> Result<Info, Error> {
    Backend::blob_stat(&*host(), id)
}

/// `length` bytes from `offset`; fewer at the end.
pub fn read(id: &str, offset: u64, length: u32) -> Result<Vec<u8>, Error> {
    Backend::blob_read(&*host(), id, offset, length)
}

/// Path on the main listener under which a client can get the blob.
pub fn path(id: &str) -> String {
    Backend::blob_path(&*host(), id)
}

/// True when there was something to delete.
pub fn delete(id: &str) -> Result<bool, Error> {
    Backend::blob_delete(&*host(), id)
}

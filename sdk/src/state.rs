//! Key-value state that outlives requests and plugin versions. Each plugin sees its own keys alone.

use std::any::Any;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::backend::{Backend, host};

pub use crate::bindings::personality::mimus::plugin::state::{Entry, Error};

/// How often [`update`] tries before it reports the conflict.
pub const UPDATE_TRIES_MAX: u32 = 16;

/// A value with the version that [`compare_and_swap`] asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Versioned<T> {
    /// The value.
    pub value: T,
    /// Never 0.
    pub version: u64,
}

/// A value that was stored as JSON.
pub fn get<T: DeserializeOwned>(key: &str) -> Result<Option<Versioned<T>>, Error> {
    let Some(entry) = Backend::state_get(&*host(), key)? else { return Ok(None) };
    let value = serde_json::from_slice(&entry.value)
        .map_err(|error| Error::Failed(format!("the value stored under `{key}` has another form: {error}")))?;
    Ok(Some(Versioned { value, version: entry.version }))
}

/// Stores a value as JSON and returns its version. `ttl`: forget the key after that time.
pub fn put<T: Serialize + ?Sized>(key: &str, value: &T, ttl: Option<Duration>) -> Result<u64, Error> {
    Backend::state_put(&*host(), key, &to_json(value)?, millis(ttl))
}

/// Stores a value as JSON only if the key has that version; 0 means absent.
pub fn compare_and_swap<T: Serialize + ?Sized>(
    key: &str,
    version: u64,
    value: &T,
    ttl: Option<Duration>,
) -> Result<u64, Error> {
    Backend::state_compare_and_swap(&*host(), key, version, &to_json(value)?, millis(ttl))
}

/// Replaces a value by what `change` makes of it, again as often as another request came between. Returns the new value.
///
/// ```
/// use mimus_sdk::state;
///
/// fn visit() -> Result<u64, state::Error> {
///     state::update("visits", None, |visits: Option<u64>| visits.unwrap_or(0) + 1)
/// }
/// ```
pub fn update<T: Serialize + DeserializeOwned>(
    key: &str,
    ttl: Option<Duration>,
    mut change: impl FnMut(Option<T>) -> T,
) -> Result<T, Error> {
    let mut tries = 0;
    loop {
        let (value, version) = match get(key)? {
            Some(present) => (Some(present.value), present.version),
            None => (None, 0),
        };
        let value = change(value);
        tries += 1;
        match compare_and_swap(key, version, &value, ttl) {
            Ok(_) => return Ok(value),
            Err(Error::Conflict(_)) if tries < UPDATE_TRIES_MAX => {}
            Err(error) => return Err(error),
        }
    }
}

/// Bytes as they are.
pub fn get_bytes(key: &str) -> Result<Option<Entry>, Error> {
    Backend::state_get(&*host(), key)
}

/// Stores bytes as they are and returns their version.
pub fn put_bytes(key: &str, value: &[u8], ttl: Option<Duration>) -> Result<u64, Error> {
    Backend::state_put(&*host(), key, value, millis(ttl))
}

/// True when there was something to delete.
pub fn delete(key: &str) -> Result<bool, Error> {
    Backend::state_delete(&*host(), key)
}

/// Keys with that prefix in order, at most `max` (1 to 1,024), after the key `after` where one is given.
pub fn list(prefix: &str, after: Option<&str>, max: u32) -> Result<Vec<String>, Error> {
    Backend::state_list(&*host(), prefix, after, max)
}

/// The sole right to something, until it is dropped or its request ends.
#[must_use = "a lease that is dropped is given back"]
pub struct Lease {
    _held: Box<dyn Any>,
}

/// Takes the lease named `key`, waiting for it at most `wait`. Leases and keys are apart.
pub fn acquire(key: &str, wait: Duration) -> Result<Lease, Error> {
    let wait_ms = u32::try_from(wait.as_millis()).unwrap_or(u32::MAX);
    Backend::state_acquire(&*host(), key, wait_ms).map(|held| Lease { _held: held })
}

fn to_json<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(value).map_err(|error| Error::Failed(format!("the value cannot be written as JSON: {error}")))
}

fn millis(ttl: Option<Duration>) -> Option<u64> {
    ttl.map(|ttl| u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX))
}

//! The plugin's own settings.

use serde::de::DeserializeOwned;

use crate::backend::{Backend, host};

/// A setting of the table `[plugin.<name>.settings]`; none when it is not set, an error for the operator when it has another type.
pub fn get<T: DeserializeOwned>(key: &str) -> Result<Option<T>, String> {
    let Some(json) = Backend::config(&*host(), key) else { return Ok(None) };
    serde_json::from_str(&json).map(Some).map_err(|error| format!("setting `{key}`: {error}"))
}

/// The server's version.
pub fn server_version() -> String {
    Backend::server_version(&*host())
}

/// Whether clients need a key.
pub fn requires_key() -> bool {
    Backend::requires_key(&*host())
}

/// Whether a key would let a client in. True for any when none is needed.
pub fn accepts_key(key: &str) -> bool {
    Backend::accepts_key(&*host(), key)
}

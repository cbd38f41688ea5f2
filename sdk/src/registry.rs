//! Families of models that can be launched.

use crate::backend::{Backend, host};

pub use crate::bindings::personality::mimus::plugin::registry::{Download, Error, Family, HubFiles, Origin, Weights};

/// Families of a kind, or all, by name.
pub fn families(kind: Option<&str>) -> Vec<Family> {
    Backend::families(&*host(), kind)
}

/// One family.
pub fn family(kind: &str, name: &str) -> Option<Family> {
    Backend::family(&*host(), kind, name)
}

/// Adds a family, or replaces one that was added. `is_persistent`: it outlives the server.
pub fn register(family: &Family, is_persistent: bool) -> Result<(), Error> {
    Backend::register(&*host(), family, is_persistent)
}

/// Removes a family that was added; true when there was one.
pub fn unregister(kind: &str, name: &str) -> Result<bool, Error> {
    Backend::unregister(&*host(), kind, name)
}

/// Repositories of which files are on this machine.
pub fn downloads() -> Vec<Download> {
    Backend::downloads(&*host())
}

/// Deletes the files of a repository; returns the bytes freed.
pub fn remove_download(hub_id: &str) -> Result<u64, Error> {
    Backend::remove_download(&*host(), hub_id)
}

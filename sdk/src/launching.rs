//! Launching models of the registry and ending them.

use crate::backend::{Backend, host};

pub use crate::bindings::personality::mimus::plugin::launching::{Error, Event, Launched, Wish};

/// Starts to launch a model; its name is taken from then on. Returns before it is loaded: see [`wait`].
pub fn launch(wish: &Wish) -> Result<Launched, Error> {
    Backend::launch(&*host(), wish)
}

/// Waits until a launched model answers or has failed.
pub fn wait(name: &str) -> Result<(), Error> {
    Backend::wait_launched(&*host(), name)
}

/// Ends a launch that has not succeeded yet. False for a model that is ready.
pub fn cancel(name: &str) -> Result<bool, Error> {
    Backend::cancel_launch(&*host(), name)
}

/// Ends a launched model; requests under way finish.
pub fn terminate(name: &str) -> Result<(), Error> {
    Backend::terminate(&*host(), name)
}

/// Loads one more replica; returns its id.
pub fn add_replica(name: &str) -> Result<u32, Error> {
    Backend::add_replica(&*host(), name)
}

/// Ends a replica; requests under way finish.
pub fn remove_replica(name: &str, id: u32) -> Result<(), Error> {
    Backend::remove_replica(&*host(), name, id)
}

/// What happened to a model lately, the oldest first.
pub fn events(name: &str) -> Vec<Event> {
    Backend::launch_events(&*host(), name)
}

impl Wish {
    /// One replica of a family, everything else left to the host.
    pub fn new(family: &str) -> Self {
        Wish {
            name: None,
            family: family.into(),
            kind: None,
            size: None,
            format: None,
            quantization: None,
            path: None,
            context_tokens: None,
            replicas: 1,
            requests_max: None,
            is_pinned: false,
        }
    }
}

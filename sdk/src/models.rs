//! Which models the server has.

use crate::backend::{Backend, host};

pub use crate::bindings::personality::mimus::plugin::models::{Model, Progress, Readiness, Replica, Stage};

/// All models, by name.
pub fn list() -> Vec<Model> {
    Backend::models(&*host())
}

/// One model by its name or an alias of it.
pub fn get(name: &str) -> Option<Model> {
    Backend::model(&*host(), name)
}

impl Model {
    /// Whether the model has an ability (`chat`, `generate`, `embed`, …).
    pub fn can(&self, ability: &str) -> bool {
        self.abilities.iter().any(|candidate| candidate == ability)
    }
}

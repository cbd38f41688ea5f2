//! Figures for `/metrics`, labelled with the plugin's name. At most 64 names a plugin.

use crate::backend::{Backend, host};

/// Adds to the counter `mimus_plugin_events_total{plugin, name}`.
pub fn count(name: &str, by: u64) {
    Backend::count(&*host(), name, by);
}

/// Records a value in the summary `mimus_plugin_value{plugin, name}`.
pub fn observe(name: &str, value: f64) {
    Backend::observe(&*host(), name, value);
}

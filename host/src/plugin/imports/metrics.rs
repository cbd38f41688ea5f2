//! `metrics`: the plugin's own figures.

use crate::plugin::bindings::personality::mimus::plugin::metrics as wit;
use crate::plugin::guest::Guest;

impl wit::Host for Guest {
    fn count(&mut self, name: String, by: u64) -> wasmtime::Result<()> {
        self.count_call()?;
        self.services.metrics.plugin_count(&self.identity.name, &name, by);
        Ok(())
    }

    fn observe(&mut self, name: String, value: f64) -> wasmtime::Result<()> {
        self.count_call()?;
        self.services.metrics.plugin_observe(&self.identity.name, &name, value);
        Ok(())
    }
}

//! `log`: lines for the operator.

use crate::plugin::bindings::personality::mimus::plugin::log as wit;
use crate::plugin::guest::Guest;

impl wit::Host for Guest {
    fn write(&mut self, level: wit::Level, message: String) -> wasmtime::Result<()> {
        self.count_call()?;
        let Some(line) = self.identity.log.admit(&message) else { return Ok(()) };
        let (plugin, request_id) = (self.identity.name.as_str(), &*self.request_id);
        match level {
            wit::Level::Debug => tracing::debug!(plugin, request_id, "{line}"),
            wit::Level::Info => tracing::info!(plugin, request_id, "{line}"),
            wit::Level::Warn => tracing::warn!(plugin, request_id, "{line}"),
            wit::Level::Error => tracing::error!(plugin, request_id, "{line}"),
        }
        Ok(())
    }
}

//! `config`: the plugin's own settings.

use crate::plugin::bindings::personality::mimus::plugin::config as wit;
use crate::plugin::guest::Guest;

impl wit::Host for Guest {
    fn get(&mut self, key: String) -> wasmtime::Result<Option<String>> {
        self.count_call()?;
        Ok(self.identity.settings.get(&key).cloned())
    }

    fn server_version(&mut self) -> wasmtime::Result<String> {
        self.count_call()?;
        Ok(env!("CARGO_PKG_VERSION").to_owned())
    }

    fn requires_key(&mut self) -> wasmtime::Result<bool> {
        self.count_call()?;
        Ok(self.services.keys.are_required())
    }

    fn accepts_key(&mut self, key: String) -> wasmtime::Result<bool> {
        self.count_call()?;
        Ok(self.services.keys.accepts(&key))
    }
}

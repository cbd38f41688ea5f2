//! `machine`: what the server runs on.

use crate::plugin::bindings::personality::mimus::plugin::machine as wit;
use crate::plugin::guest::Guest;
use crate::registry::Machine;

impl wit::Host for Guest {
    fn get(&mut self) -> wasmtime::Result<wit::Info> {
        self.count_call()?;
        let machine = Machine::here();
        let (model_memory_bytes, _) = self.services.catalog.memory();
        Ok(wit::Info {
            uptime_s: self.services.started.elapsed().as_secs(),
            processors: machine.processors,
            processor_load: machine.processor_load,
            memory_bytes: machine.memory_bytes,
            memory_available_bytes: machine.memory_bytes_free,
            model_memory_bytes,
            gpus: Vec::new(),
        })
    }
}

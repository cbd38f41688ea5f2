//! `random`: chance.

use rand::RngExt;

use crate::plugin::bindings::personality::mimus::plugin::random as wit;
use crate::plugin::guest::Guest;

impl wit::Host for Guest {
    fn bytes(&mut self, count: u32) -> wasmtime::Result<Vec<u8>> {
        self.count_call()?;
        let mut bytes = vec![0; count.min(1024) as usize];
        rand::rng().fill(&mut bytes[..]);
        Ok(bytes)
    }

    fn id(&mut self, characters: u32) -> wasmtime::Result<String> {
        self.count_call()?;
        let characters = characters.clamp(1, 64) as usize;
        Ok(rand::rng().sample_iter(rand::distr::Alphanumeric).take(characters).map(char::from).collect())
    }
}

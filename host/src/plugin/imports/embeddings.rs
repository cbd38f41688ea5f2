//! `embeddings`: texts as vectors.

use crate::plugin::bindings::personality::mimus::plugin::embeddings as wit;
use crate::plugin::bindings::personality::mimus::plugin::inference::{Error, Prompt};
use crate::plugin::guest::Guest;

impl wit::Host for Guest {
    async fn embed(
        &mut self,
        _model: String,
        _inputs: Vec<Prompt>,
        _options: wit::Options,
    ) -> wasmtime::Result<Result<Vec<wit::Embedding>, Error>> {
        self.count_call()?;
        Ok(Err(Error::Unsupported("embeddings".into())))
    }
}

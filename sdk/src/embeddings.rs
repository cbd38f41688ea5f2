//! Texts as vectors.

use crate::backend::{Backend, host};
use crate::inference::{Error, Prompt};

pub use crate::bindings::personality::mimus::plugin::embeddings::{Embedding, Options};

/// Inputs of one call.
pub const INPUTS_MAX: usize = 2048;

/// One vector for each input, in order.
pub fn embed(model: &str, inputs: &[Prompt], options: &Options) -> Result<Vec<Embedding>, Error> {
    Backend::embed(&*host(), model, inputs, options)
}

/// What the model is configured to do; inputs that are too long are refused.
impl Default for Options {
    fn default() -> Self {
        Options { dimensions: None, truncate_tokens: None, normalize: None, prompt_name: None }
    }
}

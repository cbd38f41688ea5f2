//! Texts as vectors.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::backend::{Backend, host};
use crate::inference::{Error, Prompt};

pub use crate::bindings::personality::mimus::plugin::embeddings::{Embedding, Options};

/// Inputs of one call.
pub const INPUTS_MAX: usize = 2048;

/// One vector for each input, in order.
pub fn embed(model: &str, inputs: &[Prompt], options: &Options) -> Result<Vec<Embedding>, Error> {
    Backend::embed(&*host(), model, inputs, options)
}

impl Embedding {
    /// The vector as many APIs send it: 32-bit floats, the lowest byte first, in base64.
    ///
    /// ```
    /// use mimus_sdk::embeddings::Embedding;
    /// let embedding = Embedding { vector: vec![2.0, 1.0], tokens: 1, is_truncated: false };
    /// assert_eq!(embedding.base64(), "AAAAQAAAgD8=");
    /// ```
    pub fn base64(&self) -> String {
        vector_base64(&self.vector)
    }
}

/// As [`Embedding::base64`], for a vector that a dialect has changed.
pub fn vector_base64(vector: &[f32]) -> String {
    let bytes: Vec<u8> = vector.iter().flat_map(|number| number.to_le_bytes()).collect();
    STANDARD.encode(bytes)
}

/// What the model is configured to do; inputs that are too long are refused.
impl Default for Options {
    fn default() -> Self {
        Options { dimensions: None, truncate_tokens: None, normalize: None, prompt_name: None }
    }
}

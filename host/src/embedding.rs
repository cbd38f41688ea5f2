//! From texts to vectors: tokens, queue, and the wait for the answer. Used by every way into the server.
//!
//! Knows no HTTP and no guest, as `inference.rs` does.

use mimus_engine::{EmbedInput, EmbedOptions, EmbedRequest, Embedding, EngineError};

use crate::inference::{Inference, InferenceError, admit};
use crate::limits;

impl Inference {
    /// One vector for each input, in order. Dropping the future frees the engine before its next step.
    ///
    /// # Errors
    /// `Unsupported` for a model that continues text; the engine's word for a bad input.
    pub async fn embed(
        &self,
        model: &str,
        inputs: Vec<EmbedInput>,
        options: EmbedOptions,
    ) -> Result<Vec<Embedding>, InferenceError> {
        let missing = || InferenceError::Unsupported("embedding by this model".into());
        let loaded = self.loaded(model).await?.embedding().ok_or_else(missing)?;
        if inputs.len() > limits::EMBED_INPUTS_MAX {
            let reason = format!("must be 1 to {}, not {}", limits::EMBED_INPUTS_MAX, inputs.len());
            return Err(EngineError::Invalid { field: "inputs", reason }.into());
        }
        let _admission = admit(&loaded)?;
        let request = EmbedRequest { inputs, options };
        let pending = if text_bytes(&request) <= limits::TOKENIZE_INLINE_BYTES_MAX {
            loaded.model.embed(request)?
        } else {
            // Tokenizing much text would hold up other requests on this thread.
            let model = loaded.model.clone();
            let queued = tokio::task::spawn_blocking(move || model.embed(request)).await;
            queued.map_err(|_| EngineError::Failed("tokenizing failed".into()))??
        };
        let embeddings = pending.wait().await?;
        let tokens = embeddings.iter().fold(0u32, |sum, embedding| sum.saturating_add(embedding.tokens));
        self.count_prompt_tokens(&loaded.name, tokens);
        Ok(embeddings)
    }
}

/// Bytes of all texts.
fn text_bytes(request: &EmbedRequest) -> usize {
    let bytes = |input: &EmbedInput| match input {
        EmbedInput::Text(text) => text.len(),
        EmbedInput::Tokens(_) => 0,
    };
    request.inputs.iter().map(bytes).sum()
}

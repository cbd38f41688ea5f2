//! `embeddings`: texts as vectors.

use mimus_engine::{EmbedInput, EmbedOptions, Embedding};

use super::inference::to_wit;
use crate::plugin::bindings::personality::mimus::plugin::embeddings as wit;
use crate::plugin::bindings::personality::mimus::plugin::inference::{Error, Prompt};
use crate::plugin::guest::Guest;

impl wit::Host for Guest {
    async fn embed(
        &mut self,
        model: String,
        inputs: Vec<Prompt>,
        options: wit::Options,
    ) -> wasmtime::Result<Result<Vec<wit::Embedding>, Error>> {
        self.count_call()?;
        let inputs = inputs.into_iter().map(to_input).collect();
        let options = EmbedOptions {
            dimensions: options.dimensions,
            truncate_tokens: options.truncate_tokens,
            normalize: options.normalize,
            prompt_name: options.prompt_name,
        };
        let inference = self.services.inference.clone();
        let embeddings = self.wait(inference.embed(&model, inputs, options)).await;
        Ok(embeddings.map(|all| all.into_iter().map(to_embedding).collect()).map_err(to_wit))
    }
}

fn to_input(prompt: Prompt) -> EmbedInput {
    match prompt {
        Prompt::Text(text) => EmbedInput::Text(text),
        Prompt::Tokens(tokens) => EmbedInput::Tokens(tokens),
    }
}

fn to_embedding(embedding: Embedding) -> wit::Embedding {
    wit::Embedding { vector: embedding.vector, tokens: embedding.tokens, is_truncated: embedding.is_truncated }
}

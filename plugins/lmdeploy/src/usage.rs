//! What a request has cost, as the OpenAI-like routes report it.

use serde::Serialize;

/// Tokens of a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Usage {
    prompt_tokens: u32,
    total_tokens: u32,
    completion_tokens: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt_tokens_details: Option<PromptDetails>,
    #[serde(skip_serializing_if = "Option::is_none")]
    completion_tokens_details: Option<CompletionDetails>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
struct PromptDetails {
    cached_tokens: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
struct CompletionDetails {
    reasoning_tokens: u32,
}

impl Usage {
    /// Of prompt and answers.
    pub fn new(prompt_tokens: u32, completion_tokens: u32) -> Self {
        let total_tokens = prompt_tokens.saturating_add(completion_tokens);
        Usage { prompt_tokens, total_tokens, completion_tokens, ..Usage::default() }
    }

    /// With the part of the prompt that was in the cache, as releases from 0.15 on report it.
    pub fn with_cached(self, cached_tokens: Option<u32>) -> Self {
        Usage { prompt_tokens_details: cached_tokens.map(|cached_tokens| PromptDetails { cached_tokens }), ..self }
    }

    /// With the part of the answers that was reasoning, where there was some.
    pub fn with_reasoning(self, reasoning_tokens: u32) -> Self {
        let details = (reasoning_tokens > 0).then_some(CompletionDetails { reasoning_tokens });
        Usage { completion_tokens_details: details, ..self }
    }
}

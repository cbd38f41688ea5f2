//! How many tokens a request took, in the order of keys that each side writes.

use serde::Serialize;

/// The `usage` of the server. FastChat adds up what each choice's run took, so `n` choices count their prompt `n` times.
#[derive(Serialize, Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Usage {
    prompt_tokens: u64,
    total_tokens: u64,
    completion_tokens: u64,
}

impl Usage {
    /// Adds one choice.
    pub(crate) fn add(&mut self, prompt: u32, generated: u32) {
        self.prompt_tokens += u64::from(prompt);
        self.completion_tokens += u64::from(generated);
        self.total_tokens += u64::from(prompt) + u64::from(generated);
    }
}

/// The `usage` of the worker.
#[derive(Serialize, Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct WorkerUsage {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
}

impl WorkerUsage {
    pub(crate) fn new(prompt: u32, generated: u32) -> Self {
        WorkerUsage {
            prompt_tokens: u64::from(prompt),
            completion_tokens: u64::from(generated),
            total_tokens: u64::from(prompt) + u64::from(generated),
        }
    }
}

//! How many tokens a request took.

use std::collections::BTreeMap;

use serde::Serialize;

/// The `usage` object.
#[derive(Serialize, Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Usage {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
}

/// Counts while the answers are under way: the prompt once, each choice as far as it has come.
#[derive(Default)]
pub(crate) struct Tally {
    prompt_tokens: u64,
    generated: BTreeMap<u32, u32>,
}

impl Tally {
    pub(crate) fn add_prompt(&mut self, tokens: u32) {
        self.prompt_tokens += u64::from(tokens);
    }

    pub(crate) fn set_generated(&mut self, choice: u32, tokens: u32) {
        self.generated.insert(choice, tokens);
    }

    pub(crate) fn usage(&self) -> Usage {
        let completion_tokens = self.generated.values().map(|tokens| u64::from(*tokens)).sum();
        Usage {
            prompt_tokens: self.prompt_tokens,
            completion_tokens,
            total_tokens: self.prompt_tokens + completion_tokens,
        }
    }
}

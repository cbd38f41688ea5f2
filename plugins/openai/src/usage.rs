//! How many tokens a request took.

use serde::Serialize;

/// The `usage` object.
#[derive(Serialize, Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Usage {
    pub(crate) prompt_tokens: u64,
    pub(crate) completion_tokens: u64,
    pub(crate) total_tokens: u64,
    pub(crate) prompt_tokens_details: PromptDetails,
    pub(crate) completion_tokens_details: CompletionDetails,
}

#[derive(Serialize, Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct PromptDetails {
    pub(crate) cached_tokens: u64,
}

#[derive(Serialize, Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct CompletionDetails {
    pub(crate) reasoning_tokens: u64,
}

/// Counts while the answers are under way: the prompt once, each choice as far as it has come.
#[derive(Default)]
pub(crate) struct Tally {
    prompt_tokens: u64,
    cached_tokens: u64,
    choices: Vec<Generated>,
}

#[derive(Clone, Copy, Default)]
struct Generated {
    tokens: u32,
    reasoning: u32,
}

impl Tally {
    pub(crate) fn add_prompt(&mut self, tokens: u32) {
        self.prompt_tokens += u64::from(tokens);
    }

    pub(crate) fn add_cached(&mut self, tokens: u32) {
        self.cached_tokens += u64::from(tokens);
    }

    /// How far a choice has come, and how much of that is reasoning. Choices count from 0 and leave few gaps.
    pub(crate) fn set_generated(&mut self, choice: u32, tokens: u32, reasoning: u32) {
        let index = choice as usize;
        if self.choices.len() <= index {
            self.choices.resize(index + 1, Generated::default());
        }
        self.choices[index] = Generated { tokens, reasoning };
    }

    pub(crate) fn usage(&self) -> Usage {
        let sum = |count: fn(&Generated) -> u32| self.choices.iter().map(|choice| u64::from(count(choice))).sum();
        let completion_tokens = sum(|choice| choice.tokens);
        Usage {
            prompt_tokens: self.prompt_tokens,
            completion_tokens,
            total_tokens: self.prompt_tokens + completion_tokens,
            prompt_tokens_details: PromptDetails { cached_tokens: self.cached_tokens },
            completion_tokens_details: CompletionDetails { reasoning_tokens: sum(|choice| choice.reasoning) },
        }
    }
}

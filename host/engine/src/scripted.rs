//! A model without weights, for tests and benchmarks of everything above the engine.
//!
//! Only the computation is replaced: queue, scheduling, sampling, stop strings, streams, cancellation and errors
//! are those of a real model.

use std::sync::Arc;
use std::time::Duration;

use crate::error::EngineError;
use crate::kv_cache::{KvCache, KvShape};
use crate::load::LoadOptions;
use crate::local::LocalModel;
use crate::model::{Decoder, LogitRows, Span};
use crate::scheduler::{Bounds, blocks_for};
use crate::text_model::{ModelInfo, SamplingDefaults, TextModel};
use crate::tokenizer::{BYTES_EOS, Tokenizer};

/// Context of a scripted model, unless [`LoadOptions::context_tokens_max`] says otherwise.
const CONTEXT_TOKENS: u32 = 32_768;

/// Logit of the scripted token; the others have 0, so that even at a high temperature it is all but certain.
const CERTAIN: f32 = 10_000.0;

/// What [`Answer::Echo`] understands, for templates that a test renders itself.
const CHAT_TEMPLATE: &str = "{% for message in messages %}{{ message.role }}: {{ message.content }}\n\
    {% endfor %}{% if add_generation_prompt %}assistant: {% endif %}";

/// What a scripted model does. One token is one byte.
#[derive(Clone, Debug)]
pub struct Script {
    /// What it says.
    pub answer: Answer,
    /// Tokens that a piece carries; the last one may carry fewer.
    pub tokens_per_piece: u32,
    /// Real time that a step takes in which a token is chosen.
    pub token_delay: Duration,
    /// Length of every answer: a shorter one is repeated, a longer one cut. `None`: as long as it is.
    pub tokens: Option<u32>,
    /// What goes wrong.
    pub fault: Option<Fault>,
    /// The chat template it claims to have; by default lines such as `user: hello`.
    pub chat_template: Option<String>,
    /// Slots, queue and context, as for a real model.
    pub options: LoadOptions,
}

/// What a scripted model says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The last message that the prompt marks with a line beginning in `user: `, else the whole prompt.
    Echo,
    /// Always this text.
    Fixed(String),
    /// No text at all: every token is about as likely as any other, in an order that this seed and the place of the
    /// token decide. What a grammar makes of it shows whether the grammar holds.
    Noise(u64),
}

/// What goes wrong in a scripted model, at the token with this number, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The step fails.
    Error(u32),
    /// The step panics.
    Panic(u32),
    /// The logits are no numbers.
    NotFinite(u32),
}

impl Default for Script {
    /// Echoes at once, one byte a piece.
    fn default() -> Self {
        Self {
            answer: Answer::Echo,
            tokens_per_piece: 1,
            token_delay: Duration::ZERO,
            tokens: None,
            fault: None,
            chat_template: Some(CHAT_TEMPLATE.to_owned()),
            options: LoadOptions::default(),
        }
    }
}

/// Starts a scripted model.
///
/// # Panics
/// When the system gives no thread.
pub fn scripted(script: Script) -> Arc<dyn TextModel> {
    let tokenizer = Tokenizer::bytes();
    let options = script.options.clone();
    let context_tokens = options.context_tokens_max.unwrap_or(CONTEXT_TOKENS).max(1);
    let info = ModelInfo {
        architecture: "scripted".to_owned(),
        format: "scripted".to_owned(),
        quantization: None,
        parameters: 0,
        weight_bytes: 0,
        context_tokens,
        vocab_tokens: tokenizer.vocab_tokens(),
        chat_template: script.chat_template.clone(),
        bos_token: None,
        eos_token: None,
        defaults: SamplingDefaults::default(),
    };
    let bounds = Bounds {
        slots: options.slots.max(1),
        step_tokens: options.step_tokens.max(1),
        queue_wait_max: options.queue_wait_max,
        context_tokens: context_tokens as usize,
        // Its blocks are empty, so there are enough for all.
        kv_blocks_max: blocks_for(context_tokens as usize) * (options.slots.max(1) + 16),
        tokens_per_piece: script.tokens_per_piece.max(1),
    };
    let decoder = Box::new(ScriptedDecoder { script, vocab: tokenizer.vocab_tokens() as usize });
    let model = LocalModel::start(decoder, tokenizer, info, bounds, options.queue_requests_max, None);
    Arc::new(model.expect("the system has room for one more thread"))
}

/// Gives the logits of the scripted answer.
struct ScriptedDecoder {
    script: Script,
    vocab: usize,
}

impl Decoder for ScriptedDecoder {
    fn kv_shape(&self) -> KvShape {
        KvShape { block_floats: 0 }
    }

    fn vocab(&self) -> usize {
        self.vocab
    }

    fn forward(&mut self, spans: &[Span<'_>], _: &mut KvCache, logits: &mut Vec<f32>) -> Result<(), EngineError> {
        if spans.iter().any(|span| span.logits == LogitRows::Last) && !self.script.token_delay.is_zero() {
            std::thread::sleep(self.script.token_delay);
        }
        for span in spans {
            let end = span.tokens.len();
            for position in end - span.logit_rows()..end {
                self.append_row(span, position, logits)?;
            }
        }
        Ok(())
    }
}

impl ScriptedDecoder {
    /// Appends the logits for the token that follows `position`.
    fn append_row(&self, span: &Span<'_>, position: usize, logits: &mut Vec<f32>) -> Result<(), EngineError> {
        let begin = logits.len();
        logits.resize(begin + self.vocab, 0.0);
        let row = &mut logits[begin..];
        // Inside the prompt, for scoring, the prompt itself is what is certain.
        let Some(index) = (position + 1).checked_sub(span.prompt_tokens) else {
            row[span.tokens.get(position + 1).copied().unwrap_or(0) as usize] = CERTAIN;
            return Ok(());
        };
        match self.script.fault {
            Some(Fault::Error(at)) if at as usize == index => {
                return Err(EngineError::Failed("scripted failure".to_owned()));
            }
            Some(Fault::Panic(at)) if at as usize == index => panic!("scripted panic"),
            Some(Fault::NotFinite(at)) if at as usize == index => row.fill(f32::NAN),
            _ => {}
        }
        if let Answer::Noise(seed) = self.script.answer {
            fill_with_noise(seed, index, row);
            if self.script.tokens.is_some_and(|tokens| index >= tokens as usize) {
                row[BYTES_EOS as usize] += CERTAIN;
            }
            return Ok(());
        }
        let prompt: Vec<u8> =
            span.tokens[..span.prompt_tokens].iter().filter_map(|&id| u8::try_from(id).ok()).collect();
        let answer = match &self.script.answer {
            Answer::Echo => last_user_message(&prompt),
            Answer::Fixed(text) => text.as_bytes(),
            Answer::Noise(_) => &[],
        };
        let length = self.script.tokens.map_or(answer.len(), |tokens| tokens as usize);
        if let Some(&byte) = answer.get(index % answer.len().max(1)) {
            // Where the end may not come yet, the answer begins again.
            row[usize::from(byte)] += CERTAIN / 2.0;
        }
        // After the end, for those who ignore it, comes the end again.
        if index < length {
            row.iter_mut().for_each(|logit| *logit *= 2.0);
        } else {
            row[BYTES_EOS as usize] += CERTAIN;
        }
        Ok(())
    }
}

/// Fills `row` with numbers from 0 to 1.
///
/// Source: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014 (SplitMix64).
fn fill_with_noise(seed: u64, index: usize, row: &mut [f32]) {
    let mut state = seed ^ (index as u64).wrapping_mul(0xd134_2543_de82_ef95);
    for logit in row {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        *logit = (mixed >> 40) as f32 / (1u64 << 24) as f32;
    }
}

/// What follows the last line that begins in `user: `, up to the line that begins in `assistant:`.
fn last_user_message(prompt: &[u8]) -> &[u8] {
    let begins = |index: usize| index == 0 || prompt[index - 1] == b'\n';
    let find_last =
        |marker: &[u8]| (0..prompt.len()).rev().find(|&index| begins(index) && prompt[index..].starts_with(marker));
    let Some(start) = find_last(b"user: ").map(|index| index + b"user: ".len()) else {
        return prompt;
    };
    let end = find_last(b"assistant:").filter(|&end| end > start).unwrap_or(prompt.len());
    prompt[start..end].trim_ascii_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_message_is_found() {
        let check = |prompt: &str, expect: &str| assert_eq!(last_user_message(prompt.as_bytes()), expect.as_bytes());
        check("hello", "hello");
        check("system: s\nuser: a\nassistant: b\nuser: c\nd\nassistant: ", "c\nd");
        check("user: a", "a");
        check("not user: a", "not user: a");
    }
}

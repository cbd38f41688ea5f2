//! Times a model through its public interface, for a benchmark command.

use std::time::{Duration, Instant};

use crate::error::EngineError;
use crate::generation::Generation;
use crate::request::GenerateRequest;
use crate::text_model::TextModel;

/// What to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Workload {
    /// Requests at the same time.
    pub streams: usize,
    /// Tokens of each prompt, at least 1.
    pub prompt_tokens: u32,
    /// Tokens each request generates, at least 2.
    pub output_tokens: u32,
}

/// What it took.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measurement {
    /// From the first submission to the last token.
    pub total: Duration,
    /// From submission to a request's first token, median over requests.
    pub first_token: Duration,
    /// Prompt tokens of all requests per second, until the last of them had its first token.
    pub prompt_tokens_per_second: f64,
    /// Tokens per second of all requests, from when the last of them had its first token.
    pub output_tokens_per_second: f64,
}

/// Runs `workload` once on prompts that share nothing.
///
/// # Errors
/// Whatever a request ends with.
pub fn measure(model: &dyn TextModel, workload: Workload) -> Result<Measurement, EngineError> {
    let begin = Instant::now();
    let mut generations = Vec::with_capacity(workload.streams);
    for stream in 0..workload.streams {
        generations.push(model.submit(request(model, workload, stream))?);
    }
    let mut first_tokens = Vec::with_capacity(workload.streams);
    for generation in &mut generations {
        take(generation, 1)?;
        first_tokens.push(begin.elapsed());
    }
    let prefilled = begin.elapsed();
    for generation in &mut generations {
        take(generation, workload.output_tokens)?;
    }
    let total = begin.elapsed();
    first_tokens.sort_unstable();
    let streams = workload.streams as f64;
    Ok(Measurement {
        total,
        first_token: first_tokens.get(workload.streams / 2).copied().unwrap_or_default(),
        prompt_tokens_per_second: streams * f64::from(workload.prompt_tokens) / prefilled.as_secs_f64(),
        output_tokens_per_second: streams * f64::from(workload.output_tokens.saturating_sub(1))
            / (total - prefilled).as_secs_f64(),
    })
}

/// A request whose prompt no other one shares.
fn request(model: &dyn TextModel, workload: Workload, stream: usize) -> GenerateRequest {
    let vocab = u64::from(model.info().vocab_tokens);
    let prompt = (0..u64::from(workload.prompt_tokens.max(1))).map(|position| {
        // Any mixture will do; this one has no short period.
        let mixed = (position + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(stream as u32 % 64);
        (mixed % vocab) as u32
    });
    let mut request = GenerateRequest::new(prompt.collect());
    request.tokens_max = Some(workload.output_tokens.max(2));
    request.ignore_eos = true;
    request.return_tokens = true;
    // A scope of its own keeps earlier runs' prefixes away.
    request.cache_scope = crate::sampler::random_seed();
    request
}

/// Reads until `tokens` tokens were generated.
fn take(generation: &mut Generation, tokens: u32) -> Result<(), EngineError> {
    while let Some(piece) = generation.next_blocking() {
        if piece?.generated_tokens >= tokens {
            return Ok(());
        }
    }
    Ok(())
}

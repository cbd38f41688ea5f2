//! Times a model through its public interface, for a benchmark command.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::embedding::{EmbedInput, EmbedOptions, EmbedRequest, EmbeddingModel};
use crate::error::EngineError;
use crate::generation::Generation;
use crate::grammar::{Constraint, Grammar};
use crate::request::{GenerateRequest, Sampling};
use crate::rerank::{RerankModel, RerankOptions, RerankRequest};
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

/// What a constraint costs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// Tokens per second of all requests without it, median over rounds.
    pub free_tokens_per_second: f64,
    /// The same with it.
    pub constrained_tokens_per_second: f64,
    /// The second over the first, median over the rounds' own quotients.
    pub ratio: f64,
}

/// Runs `workload` without and with `constraint` by turns, `rounds` times after one that does not count, so that both
/// meet the same machine. Both draw their tokens at temperature 1. The constraint must not let an answer end early.
///
/// # Errors
/// Whatever a request or the compilation ends with; [`EngineError::Failed`] for an answer that ended early.
pub fn compare(
    model: &dyn TextModel,
    workload: Workload,
    constraint: &Constraint,
    rounds: usize,
) -> Result<Comparison, EngineError> {
    let grammar = model.compile(constraint)?;
    let mut measured = Vec::with_capacity(rounds);
    for round in 0..=rounds {
        let free = measure_with(model, workload, true, None)?.output_tokens_per_second;
        let constrained = measure_with(model, workload, true, Some(&grammar))?.output_tokens_per_second;
        if round > 0 {
            measured.push((free, constrained));
        }
    }
    let median = |of: &dyn Fn(&(f64, f64)) -> f64| {
        let mut values: Vec<f64> = measured.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or_default()
    };
    Ok(Comparison {
        free_tokens_per_second: median(&|pair| pair.0),
        constrained_tokens_per_second: median(&|pair| pair.1),
        ratio: median(&|pair| pair.1 / pair.0),
    })
}

/// Runs `workload` once on prompts that share nothing. Every stream is read by a thread of its own, because one
/// that nobody reads pauses.
///
/// # Errors
/// Whatever a request ends with.
pub fn measure(model: &dyn TextModel, workload: Workload) -> Result<Measurement, EngineError> {
    measure_with(model, workload, false, None)
}

/// As [`measure`], with tokens drawn or greedy, free or after a grammar.
fn measure_with(
    model: &dyn TextModel,
    workload: Workload,
    is_drawn: bool,
    grammar: Option<&Arc<Grammar>>,
) -> Result<Measurement, EngineError> {
    let begin = Instant::now();
    let mut generations = Vec::with_capacity(workload.streams);
    for stream in 0..workload.streams {
        let mut request = request(model, workload, stream);
        request.grammar = grammar.cloned();
        if is_drawn {
            request.sampling = Sampling { temperature: 1.0, seed: Some(stream as u64), ..Sampling::default() };
        }
        generations.push(model.submit(request)?);
    }
    let tokens = workload.output_tokens.max(2);
    let times: Result<Vec<(Duration, Duration)>, EngineError> = std::thread::scope(|threads| {
        let readers: Vec<_> =
            generations.into_iter().map(|generation| threads.spawn(move || read(generation, begin, tokens))).collect();
        let panicked = |_| Err(EngineError::Failed("a reader panicked".to_owned()));
        readers.into_iter().map(|reader| reader.join().unwrap_or_else(panicked)).collect()
    });
    let times = times?;
    let mut firsts: Vec<Duration> = times.iter().map(|&(first, _)| first).collect();
    firsts.sort_unstable();
    let prefilled = firsts.last().copied().unwrap_or_default();
    let total = times.iter().map(|&(_, last)| last).max().unwrap_or_default();
    let streams = workload.streams as f64;
    let decoded = streams * f64::from(workload.output_tokens.saturating_sub(1));
    Ok(Measurement {
        total,
        first_token: firsts.get(workload.streams / 2).copied().unwrap_or_default(),
        prompt_tokens_per_second: streams * f64::from(workload.prompt_tokens) / prefilled.as_secs_f64(),
        output_tokens_per_second: decoded / (total - prefilled).as_secs_f64(),
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

/// Reads a stream to its end: when its first and its last token came.
///
/// * `tokens`: how many it must have.
fn read(mut generation: Generation, begin: Instant, tokens: u32) -> Result<(Duration, Duration), EngineError> {
    let (mut first, mut generated) = (None, 0);
    while let Some(piece) = generation.next_blocking() {
        generated = piece?.generated_tokens;
        first.get_or_insert_with(|| begin.elapsed());
    }
    let last = begin.elapsed();
    if generated != tokens {
        return Err(EngineError::Failed(format!("an answer has {generated} tokens instead of {tokens}")));
    }
    Ok((first.unwrap_or(last), last))
}

/// Texts to embed.
#[derive(Clone, Copy, Debug)]
pub struct EmbedWorkload<'a> {
    /// The texts, at least one.
    pub texts: &'a [String],
    /// Texts of a request.
    pub batch: usize,
    /// How often all texts are embedded, at least once.
    pub rounds: usize,
}

/// Documents to score.
#[derive(Clone, Copy, Debug)]
pub struct RerankWorkload<'a> {
    /// What for.
    pub query: &'a str,
    /// The documents, at least one.
    pub documents: &'a [String],
    /// Documents of a request.
    pub batch: usize,
    /// How often all documents are scored, at least once.
    pub rounds: usize,
}

/// Embeds the texts of `workload` request after request, and returns texts per second, median over rounds. A round
/// before the first one is not counted.
///
/// # Errors
/// Whatever a request ends with.
pub fn measure_embeddings(model: &EmbeddingModel, workload: EmbedWorkload<'_>) -> Result<f64, EngineError> {
    rate(workload.texts, workload.batch, workload.rounds, |texts| {
        let options = EmbedOptions { truncate_tokens: Some(u32::MAX), ..EmbedOptions::default() };
        let inputs = texts.iter().map(|text| EmbedInput::Text(text.clone())).collect();
        model.embed(EmbedRequest { inputs, options })?.wait_blocking().map(drop)
    })
}

/// As [`measure_embeddings`], for the documents of a query.
///
/// # Errors
/// Whatever a request ends with.
pub fn measure_rerank(model: &RerankModel, workload: RerankWorkload<'_>) -> Result<f64, EngineError> {
    rate(workload.documents, workload.batch, workload.rounds, |documents| {
        let query = workload.query.to_owned();
        let request = RerankRequest { query, documents: documents.to_vec(), options: RerankOptions::default() };
        model.rerank(request)?.wait_blocking().map(drop)
    })
}

/// Texts per second, median over rounds; a round before the first one is not counted.
fn rate(
    texts: &[String],
    batch: usize,
    rounds: usize,
    mut run: impl FnMut(&[String]) -> Result<(), EngineError>,
) -> Result<f64, EngineError> {
    let mut rates = Vec::with_capacity(rounds);
    for round in 0..=rounds {
        let begin = Instant::now();
        for texts in texts.chunks(batch.max(1)) {
            run(texts)?;
        }
        if round > 0 {
            rates.push(texts.len() as f64 / begin.elapsed().as_secs_f64());
        }
    }
    rates.sort_unstable_by(f64::total_cmp);
    Ok(rates.get(rates.len() / 2).copied().unwrap_or_default())
}

//! Tiny models of every family and format, compared number by number with transformers.
//!
//! `golden.py` makes the files and says how.
#![allow(missing_docs)]

mod support;

use serde::Deserialize;
use support::{Output, golden, golden_model, options, read_all, run};

/// Largest difference of a log-probability that arithmetic in another order explains.
const TOLERANCE: f32 = 1e-3;

/// What transformers says to one prompt.
#[derive(Deserialize)]
struct Case {
    text: String,
    ids: Vec<u32>,
    /// Log-probability of each prompt token but the first.
    prompt: Vec<f32>,
    steps: Vec<Step>,
    output: String,
}

/// One greedy step.
#[derive(Deserialize)]
struct Step {
    id: u32,
    /// Best tokens and their log-probabilities.
    top: Vec<(u32, f32)>,
}

fn cases(name: &str) -> Vec<Case> {
    let json = std::fs::read(golden(name).join("expect.json")).unwrap();
    serde_json::from_slice(&json).unwrap()
}

/// The greedy request for a case.
fn greedy(case: &Case) -> mimus_engine::GenerateRequest {
    let mut request = mimus_engine::GenerateRequest::new(case.ids.clone());
    request.tokens_max = Some(case.steps.len() as u32);
    request.ignore_eos = true;
    request.logprobs = Some(5);
    request
}

/// Compares an output with the golden steps.
fn compare(name: &str, case: &Case, output: &Output, tolerance: f32) {
    let expect: Vec<u32> = case.steps.iter().map(|step| step.id).collect();
    assert_eq!(output.ids(), expect, "{name}: greedy continuation of {:?}", case.text);
    for (index, (token, step)) in output.tokens.iter().zip(&case.steps).enumerate() {
        for (top, (id, logprob)) in token.top.iter().zip(&step.top) {
            let difference = (top.logprob - logprob).abs();
            assert!(difference < tolerance, "{name}: step {index}, token {id}: {} or {logprob}", top.logprob);
        }
    }
}

/// Tokenizer, prompt scores, greedy continuation and text of one model.
fn check(name: &str, tolerance: f32) {
    let model = golden_model(name, &options());
    for case in cases(name) {
        let ids = model.tokenizer().encode(&case.text, true).unwrap();
        assert_eq!(ids, case.ids, "{name}: ids of {:?}", case.text);
        assert_eq!(model.tokenizer().decode(&ids, true).unwrap(), case.text, "{name}");
        let mut request = greedy(&case);
        request.prompt_logprobs = true;
        let output = run(&*model, request).unwrap();
        compare(name, &case, &output, tolerance);
        assert_eq!(output.prompt.len(), case.ids.len());
        assert_eq!(output.prompt[0].logprob, None);
        for (token, expect) in output.prompt[1..].iter().zip(&case.prompt) {
            let logprob = token.logprob.unwrap();
            assert!((logprob - expect).abs() < tolerance, "{name}: prompt scored {logprob} or {expect}");
        }
        // sentencepiece itself writes bytes that are no text in another way.
        if !case.output.contains('\u{fffd}') || !name.ends_with("llama-gguf") {
            assert_eq!(output.text.trim_start(), case.output.trim_start(), "{name}");
        }
    }
}

#[test]
fn llama_with_grouped_heads_and_its_own_head() {
    check("llama", TOLERANCE);
}

#[test]
fn llama_with_stretched_rope_and_tied_head() {
    check("llama3", TOLERANCE);
}

#[test]
fn qwen2_in_bf16() {
    check("qwen2", TOLERANCE);
}

#[test]
fn qwen3_in_shards() {
    check("qwen3", TOLERANCE);
}

#[test]
fn llama_from_gguf_with_sentencepiece() {
    check("llama-gguf", TOLERANCE);
}

#[test]
fn qwen2_from_gguf_in_q8_0() {
    let model = golden_model("qwen2-gguf", &options());
    assert_eq!(model.info().quantization.as_deref(), Some("Q8_0"));
    assert_eq!(model.info().chat_template.as_deref(), Some("{{ messages[0].content }}"));
    check("qwen2-gguf", TOLERANCE);
}

/// The whole first row, whose softmax the golden files have in part: what is named is what the softmax of all gives, and
/// the five best are those of transformers.
#[test]
fn named_tokens_have_the_log_probabilities_of_the_softmax() {
    for name in ["qwen3", "llama", "qwen2-gguf"] {
        let model = golden_model(name, &options());
        let vocab = model.info().vocab_tokens;
        for case in cases(name) {
            let mut row: Vec<f32> = Vec::new();
            for first in (0..vocab).step_by(mimus_engine::limits::LOGPROBS_OF_MAX) {
                let mut request = greedy(&case);
                request.tokens_max = Some(1);
                request.logprobs = None;
                request.logprobs_of = (first..vocab.min(first + 64)).collect();
                request.sampling.temperature = 0.7;
                request.sampling.repetition_penalty = 1.5;
                row.extend(run(&*model, request).unwrap().logprobs_of);
            }
            assert_eq!(row.len(), vocab as usize);
            let sum: f64 = row.iter().map(|&logprob| f64::from(logprob).exp()).sum();
            assert!((sum - 1.0).abs() < 1e-4, "{name}: {sum}");
            for (id, expect) in &case.steps[0].top {
                let logprob = row[*id as usize];
                assert!((logprob - expect).abs() < TOLERANCE, "{name}: token {id}: {logprob} or {expect}");
            }
        }
    }
}

#[test]
fn threads_change_nothing() {
    let mut several = options();
    several.threads = Some(3);
    let model = golden_model("llama", &several);
    for case in cases("llama") {
        compare("llama", &case, &run(&*model, greedy(&case)).unwrap(), TOLERANCE);
    }
}

#[test]
fn batches_of_mixed_lengths_give_the_same_as_one_by_one() {
    for name in ["llama", "llama3", "qwen2", "qwen3", "llama-gguf", "qwen2-gguf"] {
        let model = golden_model(name, &options());
        let cases = cases(name);
        let alone: Vec<Output> = cases.iter().map(|case| run(&*model, greedy(case)).unwrap()).collect();
        let together: Vec<_> = cases.iter().map(|case| model.submit(greedy(case)).unwrap()).collect();
        for (generation, expect) in together.into_iter().zip(alone) {
            let output = read_all(generation).unwrap().remove(0);
            // Not close: the same bits.
            assert_eq!(output.tokens, expect.tokens, "{name}");
            assert_eq!(output.text, expect.text, "{name}");
        }
    }
}

#[test]
fn small_steps_and_a_small_cache_give_the_same() {
    let mut small = options();
    small.step_tokens = 7;
    small.slots = 3;
    // One context of 256 tokens and two blocks more, so that sequences are set aside and computed again.
    small.context_tokens_max = Some(256);
    let block_bytes = 2 * 2 * 32 * (12 + 16) * 4;
    small.kv_bytes_max = 10 * block_bytes;
    let model = golden_model("llama", &small);
    assert_eq!(model.info().context_tokens, 256);
    assert_eq!(model.activity().kv_blocks_max, 10);
    let cases = cases("llama");
    let generations: Vec<_> = cases.iter().chain(&cases).map(|case| model.submit(greedy(case)).unwrap()).collect();
    for (generation, case) in generations.into_iter().zip(cases.iter().chain(&cases)) {
        compare("llama", case, &read_all(generation).unwrap()[0], TOLERANCE);
    }
}

#[test]
fn computed_prefixes_are_reused_inside_their_scope() {
    let model = golden_model("qwen2", &options());
    let long = &cases("qwen2")[2];
    assert!(long.ids.len() > 64, "the case has whole blocks");
    let computed = |scope: u64| {
        let before = model.activity().computed_prompt_tokens;
        let mut request = greedy(long);
        request.cache_scope = scope;
        compare("qwen2", long, &run(&*model, request).unwrap(), TOLERANCE);
        model.activity().computed_prompt_tokens - before
    };
    let all = long.ids.len() as u64;
    assert_eq!(computed(1), all);
    assert_eq!(computed(1), all - (all - 1) / 32 * 32);
    assert_eq!(computed(2), all);
}

#[test]
fn choices_are_what_separate_requests_are() {
    let model = golden_model("qwen3", &options());
    for case in cases("qwen3") {
        let mut several = greedy(&case);
        several.choices = 3;
        let outputs = read_all(model.submit(several).unwrap()).unwrap();
        assert_eq!(outputs.len(), 3);
        for output in &outputs {
            compare("qwen3", &case, output, TOLERANCE);
        }
    }
}

